//go:build real

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/pgtest"
)

// tool is a program that people and agents use on databases. It prints results
// under lines of "## NAME", the same each time.
type tool struct {
	run    []string
	before []string          // run directly before the route "related": it makes tables that a mask names
	masks  string            // for that route, in place of those of customers
	apart  map[string]string // what may differ through the gateway, by "ROUTE NAME", and why
}

// encodingSaid is why the list of settings that are not as by default has one more.
const encodingSaid = "the gateway asks for client_encoding, so that the server and its parser read the same text"

// customerMasks protect what the tools print of customers. Django filters by what is in a profile.
const customerMasks = `
[[mask]]
targets = ["*"]
columns = ["customers.password", "customers.api_key"]

[[mask]]
targets = ["*"]
columns = ["customers.profile"]
fields  = ["pin"]
filter  = "allow"
`

// saverMasks protect what a graph's run put into the metadata of its checkpoints,
// by which the saver can still be asked to filter.
const saverMasks = `
[[mask]]
targets = ["*"]
columns = ["checkpoints.metadata"]
fields  = ["key"]
filter  = "allow"
`

// accountMasks protect Django's own table of users.
const accountMasks = `
[[mask]]
targets = ["*"]
columns = ["auth_user.password"]
`

// unrelatedMasks protect what no tool reads rows of, and a rule looks at every statement.
const unrelatedMasks = `
[[mask]]
targets = ["*"]
columns = ["unrelated.secret", "nowhere.*"]

[[rule]]
name    = "nothing"
targets = ["*"]
if      = '"nowhere" in sql.tables'
then    = "deny"
`

// TestRealTools runs each tool on three databases that are alike: directly, with
// masks on something else, and with masks on what it reads. The second run
// prints what the first did; the third does, but for the values, which are masked.
func TestRealTools(t *testing.T) {
	python, node := os.Getenv("SALLYPORT_TEST_PYTHON"), os.Getenv("SALLYPORT_TEST_NODE")
	java := []string{"java", "-cp", os.Getenv("SALLYPORT_TEST_JAVA"), "Metadata"}
	if python == "" || node == "" || java[2] == "" {
		t.Fatal("SALLYPORT_TEST_PYTHON, _NODE and _JAVA are not set: run this by `make test-real`, which installs the tools")
	}
	for name, tool := range map[string]tool{
		"langchain": {run: []string{python, "langchain_sql.py"}, apart: map[string]string{
			"related SELECT profile->>'city' AS city FROM customers ORDER BY id": "an expression over a document with protected members is masked whole",
			"related SELECT nothing FROM customers":                              "a name that is not known could be a protected column's",
		}},
		"langgraph":  {run: []string{python, "langgraph_saver.py"}, masks: saverMasks},
		"sqlalchemy": {run: []string{python, "sqlalchemy_orm.py"}},
		"django": {run: []string{python, "django_orm.py"}, before: []string{python, "django_orm.py", "migrate"}, masks: customerMasks + accountMasks, apart: map[string]string{
			"related migrate": "its tables are there: a table that a mask names can't be made in a transaction that then uses it",
		}},
		"prisma": {run: []string{"node", "prisma.mjs"}},
		"metabase": {run: java, apart: map[string]string{
			"related sample": "NULL stands for what is computed from a protected value",
		}},
		"psql": {run: []string{"bash", "psql.sh"}, apart: map[string]string{
			`unrelated \dconfig`: encodingSaid, `related \dconfig`: encodingSaid,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := tool.play(t, "direct", "")
			tool.compare(t, "unrelated", direct, tool.play(t, "unrelated", unrelatedMasks))
			masks := tool.masks
			if masks == "" {
				masks = customerMasks
			}
			masked := tool.play(t, "related", masks)
			for _, p := range masked {
				if canary := canaryOf.FindString(p.text); canary != "" {
					t.Errorf("%s: %q came back\n%s", p.name, canary, p.text)
				}
			}
			for i := range direct {
				direct[i].text = canaryOf.ReplaceAllString(direct[i].text, "[redacted]")
			}
			tool.compare(t, "related", direct, masked)
		})
	}
}

// canaryOf finds the protected values of testdata/real/tools.
var canaryOf = regexp.MustCompile(`canary-[a-z]{2}\d`)

// part is what a tool printed under one "## NAME".
type part struct{ name, text string }

// play runs the tool on a database of its own, through a gateway with masks or, without, directly.
func (tl tool) play(t *testing.T, route, masks string) []part {
	t.Helper()
	db := pgtest.New(t)
	role := toolsRole(t, db)
	host, port, password := db.Host, fmt.Sprint(db.Port), toolsPassword
	if route == "related" && tl.before != nil {
		runTool(t, tl.before, host, port, db.Name, role, password)
	}
	if route != "direct" {
		host, port = splitAddress(serveTools(t, db, role, masks))
		password = agentToken
	}
	text := runTool(t, tl.run, host, port, db.Name, role, password)
	for _, same := range []struct{ pattern, with string }{
		{`\b` + role + `\b`, "ROLE"}, {`\b` + db.Name + `\b`, "DATABASE"}, {`_\d{5,}\b`, "_OID"}, {`type_code=\d{5,}`, "type_code=OID"},
	} {
		text = regexp.MustCompile(same.pattern).ReplaceAllString(text, same.with)
	}
	var parts []part
	for _, p := range strings.Split("\n"+text, "\n## ")[1:] {
		name, rest, _ := strings.Cut(p, "\n")
		parts = append(parts, part{name, strings.TrimRight(rest, "\n")})
	}
	if len(parts) == 0 {
		t.Fatalf("%s: it printed nothing", route)
	}
	return parts
}

// toolsPassword is that of toolsRole's, in the database.
const toolsPassword = "tools-password"

// toolsRole makes the shop in db, and the role that owns it.
func toolsRole(t *testing.T, db *pgtest.DB) string {
	t.Helper()
	role := "agent_" + db.Name
	db.Role(t, role, toolsPassword, "")
	sql, err := os.ReadFile("../../testdata/real/tools/shop.sql")
	if err != nil {
		t.Fatal(err)
	}
	db.Exec(t, fmt.Sprintf("grant all on database %s to %s; grant all on schema public to %s", db.Name, role, role))
	direct(t, db.DSNFor(role, toolsPassword), string(sql))
	return role
}

// runTool runs a program of testdata/real/tools and returns what it prints.
func runTool(t *testing.T, run []string, host, port, database, user, password string) string {
	t.Helper()
	folder, err := filepath.Abs("../../testdata/real/tools")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), run[0], run[1:]...)
	command.Dir = folder
	command.Env = append(os.Environ(), "PGHOST="+host, "PGPORT="+port, "PGDATABASE="+database, "PGUSER="+user, "PGPASSWORD="+password, "PGSSLMODE=disable",
		"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore", "PYTHONHASHSEED=0", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+t.TempDir())
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	if err := command.Run(); err != nil {
		t.Errorf("%v: %v\n%s", run, err, last(errOut.String()))
	}
	return out.String()
}

// compare reports the parts that differ from the direct run's.
func (tl tool) compare(t *testing.T, route string, want, got []part) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || want[i].name != got[i].name {
			t.Errorf("%s: %d parts and not %d", route, len(got), len(want))
			return
		}
		if got[i].text == want[i].text {
			continue
		}
		if why := tl.apart[route+" "+got[i].name]; why != "" {
			t.Logf("%s: %s differs: %s", route, got[i].name, why)
			continue
		}
		t.Errorf("%s: ## %s\ndirectly:\n%s\nthrough the gateway:\n%s", route, got[i].name, want[i].text, got[i].text)
	}
}

// serveTools puts a gateway with one target, named as the database is, in front of it.
func serveTools(t *testing.T, db *pgtest.DB, role, masks string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("login.json", fmt.Sprintf(`{"username":%q,"password":%q}`, role, toolsPassword))
	write("gateway.toml", fmt.Sprintf(`
[listen]
postgres = %q
http     = "off"
console  = "off"
metrics  = "off"

[[token]]
subject = "tools"
sha256  = %q

[postgres.%s]
upstream   = %q
sslmode    = "disable"
credential = "file://login.json"

[[grant]]
who     = ["subject:tools"]
targets = ["*"]
%s`, freeAddress(t), sum(agentToken), db.Name, db.Addr(), masks))
	cfg, err := config.Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, served := make(chan addresses, 1), make(chan error, 1)
	go func() {
		served <- serve(ctx, cfg, zerolog.Nop(), func(at addresses) { ready <- at })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return listening(at).Postgres
	case err := <-served:
		served <- nil
		t.Fatalf("the gateway ended: %v", err)
	}
	panic("unreachable")
}

// direct runs a script of statements past the gateway.
func direct(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// last is the end of a long text.
func last(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	return "..." + text[len(text)-most:]
}
