//go:build real

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/pgtest"
)

// pgTools runs PostgreSQL's own programs, as libpq's environment says.
type pgTools struct {
	t   *testing.T
	env []string
}

// toolsAt is for a database and who logs in there.
func toolsAt(t *testing.T, host, port, database, user, password string) pgTools {
	return pgTools{t, append(os.Environ(), "PGHOST="+host, "PGPORT="+port, "PGDATABASE="+database, "PGUSER="+user, "PGPASSWORD="+password, "PGSSLMODE=disable", "LC_ALL=C.UTF-8")}
}

// run returns what the program prints, and fails the test when it fails.
func (p pgTools) run(name string, args ...string) string {
	p.t.Helper()
	command := exec.CommandContext(p.t.Context(), name, args...)
	command.Env = p.env
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	if err := command.Run(); err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, last(errOut.String()))
	}
	return out.String()
}

// dumpWorld is a database of the shop's and a gateway before it.
type dumpWorld struct {
	db              *pgtest.DB
	direct, through pgTools
}

func newDumpWorld(t *testing.T, masks string) dumpWorld {
	t.Helper()
	db := pgtest.New(t)
	role := toolsRole(t, db)
	host, port := splitAddress(serveTools(t, db, role, masks))
	return dumpWorld{
		db:      db,
		direct:  toolsAt(t, db.Host, fmt.Sprint(db.Port), db.Name, role, toolsPassword),
		through: toolsAt(t, host, port, db.Name, role, agentToken),
	}
}

// dumpKey is what pg_dump puts into its scripts in place of a random one.
const dumpKey = "--restrict-key=tools"

// TestRealDump has pg_dump dump a database through the gateway. With a mask on
// something else the dump is the direct one, to the letter. With masks on what
// is dumped it holds masked values and none of those below, and is restored without an error.
func TestRealDump(t *testing.T) {
	t.Run("unrelated", func(t *testing.T) {
		w := newDumpWorld(t, strings.ReplaceAll(unrelatedMasks, `"unrelated.secret", `, ""))
		for _, args := range [][]string{{}, {"--inserts"}, {"--schema-only"}, {"--data-only", "--table=customers", "--column-inserts"}, {"--clean", "--if-exists", "--no-owner"}} {
			args := append(args, dumpKey)
			if got, want := w.through.run("pg_dump", args...), w.direct.run("pg_dump", args...); got != want {
				t.Errorf("pg_dump %v differs:\n%s\ndirectly:\n%s", args, got, want)
			}
		}
	})
	for name, args := range map[string][]string{
		"script": {}, "inserts": {"--inserts"}, "rows": {"--rows-per-insert=2", "--column-inserts"}, "custom": {"-Fc"}, "tar": {"-Ft"}, "directory": {"-Fd", "-j", "2"},
	} {
		t.Run("related/"+name, func(t *testing.T) {
			w := newDumpWorld(t, customerMasks)
			file := filepath.Join(t.TempDir(), "dump")
			w.through.run("pg_dump", append(args, "--no-owner", "--no-privileges", "-f", file)...)
			restored := pgtest.New(t)
			into := toolsAt(t, restored.Host, fmt.Sprint(restored.Port), restored.Name, restored.User, restored.Password)
			if strings.HasPrefix(strings.Join(args, ""), "-F") {
				into.run("pg_restore", "--exit-on-error", "--no-owner", "-d", restored.Name, file)
			} else {
				into.run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", file)
			}
			// All is there, and what is masked is masked.
			got := into.run("psql", "-qXAt", "-c", "select id, name, email, password, api_key, profile, mood, created from customers order by id",
				"-c", "table orders order by 1", "-c", "table events order by 1", "-c", "table totals order by 1", "-c", "table open_orders order by 1")
			want := canaryOf.ReplaceAllString(w.direct.run("psql", "-qXAt", "-c", "select id, name, email, password, api_key, profile, mood, created from customers order by id",
				"-c", "table orders order by 1", "-c", "table events order by 1", "-c", "table totals order by 1", "-c", "table open_orders order by 1"), "[redacted]")
			if got != want {
				t.Errorf("restored:\n%s\nand not:\n%s", got, want)
			}
			if schema, same := into.run("pg_dump", "--schema-only", "--no-owner", "--no-privileges", dumpKey), w.direct.run("pg_dump", "--schema-only", "--no-owner", "--no-privileges", dumpKey); schema != same {
				t.Errorf("the schema restored:\n%s\nand not:\n%s", schema, same)
			}
			if all := into.run("pg_dump"); strings.Contains(all, "canary") {
				t.Errorf("a protected value came with the dump:\n%s", all)
			}
		})
	}
}

// TestRealCopy takes rows out and in again by psql's \copy, in each format.
func TestRealCopy(t *testing.T) {
	for name, masks := range map[string]string{"unrelated": unrelatedMasks, "related": customerMasks} {
		t.Run(name, func(t *testing.T) {
			w := newDumpWorld(t, masks)
			for _, options := range []string{"format text", "format csv, header", "format binary", `format csv, delimiter ';', null 'NIL'`} {
				dir := t.TempDir()
				file, back := filepath.Join(dir, "out"), filepath.Join(dir, "back")
				w.through.run("psql", "-qX", "-v", "ON_ERROR_STOP=1",
					"-c", fmt.Sprintf(`\copy orders (id, customer_id, status, total, tags) to '%s' (%s)`, file, options),
					"-c", "create table again (id int, customer_id int, status text, total numeric(10,2), tags text[])",
					"-c", fmt.Sprintf(`\copy again from '%s' (%s)`, file, options),
					"-c", fmt.Sprintf(`\copy (select * from again) to '%s' (%s)`, back, options),
					"-c", "drop table again")
				out, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := os.ReadFile(back); err != nil || !bytes.Equal(out, again) {
					t.Errorf("%s: %q came back as %q, %v", options, out, again, err)
				}
				w.through.run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", fmt.Sprintf(`\copy customers to '%s' (%s)`, file, options))
				direct := filepath.Join(dir, "direct")
				w.direct.run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", fmt.Sprintf(`\copy customers to '%s' (%s)`, direct, options))
				out, err = os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(direct)
				if err != nil {
					t.Fatal(err)
				}
				if name == "related" {
					want = canaryOf.ReplaceAll(want, []byte("[redacted]"))
				}
				if !bytes.Equal(out, want) {
					t.Errorf("%s: %q and not %q", options, out, want)
				}
			}
		})
	}
}
