package sqlguard

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgtest"
)

// live asks a real server.
type live struct{ conn *pgx.Conn }

func (l live) Query(ctx context.Context, sql string) ([][]string, error) {
	results, err := l.conn.PgConn().Exec(ctx, sql).ReadAll()
	var rows [][]string
	for _, result := range results {
		for _, values := range result.Rows {
			row := make([]string, len(values))
			for i, v := range values {
				row[i] = string(v)
			}
			rows = append(rows, row)
		}
	}
	return rows, err
}

// verdictsCatalog is the catalog of testdata/sqlguard/verdicts.sql.
func verdictsCatalog(t *testing.T) *Catalog {
	t.Helper()
	schema, err := os.ReadFile("../testdata/sqlguard/verdicts.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := pgtest.New(t)
	db.Exec(t, string(schema))
	cat, err := Load(t.Context(), live{db.Conn(t)})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// TestVerdicts runs testdata/sqlguard/verdicts.txt over a real catalog.
func TestVerdicts(t *testing.T) {
	cat, g := verdictsCatalog(t), New(nil, testParser(t))
	for i, line := range verdictLines(t) {
		want, text := line[0] == '!', line[1:]
		r := g.Read(text, cat)
		if got := refusable(r); got != want {
			t.Errorf("verdicts.txt, statement %d: %s\nrefused: %v, want %v; unknown %q; %v", i+1, text, got, want, r.Facts.Unknown, r.Refusal)
		}
	}
}

func refusable(r Reading) bool {
	return r.Facts.Destructive || len(r.Facts.Unknown) > 0 || r.Refusal != nil
}

func verdictLines(t *testing.T) []string {
	t.Helper()
	body, err := os.ReadFile("../testdata/sqlguard/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range strings.Split(string(body), "\n") {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestVerdictsSurvive dresses every statement otherwise: a verdict stays.
func TestVerdictsSurvive(t *testing.T) {
	cat, g := verdictsCatalog(t), New(nil, testParser(t))
	dress := map[string]func(sql string) string{
		"comments":        func(s string) string { return "/* SELECT 1; */ " + s + " -- DROP TABLE notes" },
		"comments inside": func(s string) string { return strings.Replace(s, " ", "/**/ --\n", 1) },
		"white space":     func(s string) string { return "\n\t " + strings.Replace(s, " ", " \n\f\t", 1) + " \n;" },
		"upper case verb": func(s string) string { i := strings.IndexByte(s+" ", ' '); return strings.ToUpper(s[:i]) + s[i:] },
		"lower case verb": func(s string) string { i := strings.IndexByte(s+" ", ' '); return strings.ToLower(s[:i]) + s[i:] },
		"after another":   func(s string) string { return "SELECT 1; " + s },
		"before another":  func(s string) string { return s + "; SELECT 1" },
		"DO":              func(s string) string { return "DO $body$ BEGIN " + s + "; END $body$" },
		"EXPLAIN ANALYZE": func(s string) string { return "EXPLAIN (ANALYZE) " + s },
		"PREPARE":         func(s string) string { return "PREPARE p AS " + s },
	}
	for _, line := range verdictLines(t) {
		want, text := line[0] == '!', line[1:]
		verb := strings.ToLower(strings.Fields(text)[0])
		isDML := verb == "delete" || verb == "update" || verb == "insert"
		for name, d := range dress {
			if strings.Contains(name, "EXPLAIN") && !isDML || name == "PREPARE" && !isDML ||
				name == "DO" && (!isDML || strings.Contains(text, "$1")) {
				continue
			}
			if r := g.Read(d(text), cat); refusable(r) != want {
				t.Errorf("%s: %s\nrefused: %v, want %v; unknown %q; %v", name, d(text), !want, want, r.Facts.Unknown, r.Refusal)
			}
		}
		if isDML && want {
			cte := "WITH changed AS (" + text + " RETURNING 1) SELECT count(*) FROM changed"
			if r := g.Read(cte, cat); !refusable(r) {
				t.Errorf("WITH: %s\nallowed", cte)
			}
		}
	}
}

// foreign matches extensions that are no part of PostgreSQL, and languages
// whose interpreter is a package of its own: their scripts are read instead.
const foreign = `^(plperl|plpython|pltcl|.*_pl(perl|python)|timescale|postgis|vector)`

// TestEveryFunctionIsClassed compares the table of functions with a server's,
// every extension of its own included. The matrix does the same with the others.
func TestEveryFunctionIsClassed(t *testing.T) {
	db := pgtest.New(t)
	q := live{db.Conn(t)}
	extensions, err := q.Query(t.Context(), `SELECT name FROM pg_available_extensions WHERE name !~ '`+foreign+`'`)
	if err != nil {
		t.Fatal(err)
	}
	if len(extensions) < 40 {
		t.Fatalf("only %d extensions: is contrib installed?", len(extensions))
	}
	for _, e := range extensions {
		if _, err := q.Query(t.Context(), "CREATE EXTENSION IF NOT EXISTS "+pgx.Identifier{e[0]}.Sanitize()+" CASCADE"); err != nil {
			t.Errorf("%s: %v", e[0], err)
		}
	}
	rows, err := q.Query(t.Context(), `SELECT DISTINCT proname FROM pg_proc ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 2500 {
		t.Fatalf("only %d functions", len(rows))
	}
	for _, row := range rows {
		if _, ok := classOf(row[0]); !ok {
			t.Errorf("%s is not classed: add it to functions.go or functions_safe.txt", row[0])
		}
	}
	share, err := q.Query(t.Context(), `SELECT setting FROM pg_config WHERE name = 'SHAREDIR'`)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range scriptedFunctions(t, filepath.Join(share[0][0], "extension")) {
		if _, ok := classOf(name); !ok {
			t.Errorf("%s of %s is not classed", name, file)
		}
	}
}

// scriptedFunctions lists the functions that the scripts of extensions make,
// and in which: those that this server could not make are among them.
func scriptedFunctions(t *testing.T, dir string) map[string]string {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil || len(scripts) < 40 {
		t.Fatalf("%d scripts in %s, %v", len(scripts), dir, err)
	}
	made := map[string]string{}
	create := regexp.MustCompile(`(?i)create\s+(?:or\s+replace\s+)?(?:function|procedure|aggregate)\s+(?:@extschema@\.)?([a-z_][a-z0-9_]*)\s*\(`)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range create.FindAllStringSubmatch(string(text), -1) {
			made[strings.ToLower(m[1])] = filepath.Base(script)
		}
	}
	return made
}
