package sqlguard

import (
	"slices"
	"strings"
	"testing"

	"sallyport/policy"
)

// TestEvidence: each fact is told with the words of the text that led to it.
func TestEvidence(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	for _, c := range []struct{ text, fact, words, why string }{
		{"DELETE FROM orders", "unbounded", "DELETE FROM orders", "no WHERE"},
		{"  /* DELETE */ DELETE /* x */ FROM public . orders AS o", "destructive", "DELETE /* x */ FROM public . orders", "no WHERE"},
		{"SELECT 1; UPDATE orders SET total = 0", "unbounded", "UPDATE orders", "no WHERE"},
		{"UPDATE orders SET note = 'where' WHERE (id) = (id) RETURNING id", "unbounded", "WHERE (id) = (id)", "leaves out no row"},
		{"DELETE FROM orders WHERE id IS NOT NULL; SELECT 1", "unbounded", "WHERE id IS NOT NULL", "leaves out no row"},
		{"WITH d AS (DELETE FROM orders WHERE true RETURNING id) SELECT * FROM d", "unbounded", "WHERE true", "leaves out no row"},
		{"WITH d AS (DELETE FROM orders RETURNING id) SELECT * FROM d", "unbounded", "DELETE FROM orders", "no WHERE"},
		{"DELETE FROM orders WHERE true", "unbounded", "WHERE true", "leaves out no row"},
		{"MERGE INTO orders o USING orders p ON o.id = p.id WHEN MATCHED THEN DELETE", "unbounded", "ON o.id = p.id", "leaves out no row"},
		{"EXPLAIN ANALYZE DELETE FROM orders", "unbounded", "DELETE FROM orders", "no WHERE"},
		{"PREPARE p AS DELETE FROM orders", "unbounded", "DELETE FROM orders", "no WHERE"},
		{"SELECT 1;\n DROP TABLE orders ; SELECT 2", "destructive", "DROP TABLE orders", "drops"},
		{"TRUNCATE orders", "destructive", "TRUNCATE orders", "empties"},
		{"SELECT upper('a'), pg_terminate_backend( 1 + (2) ) FROM orders", "destructive", "pg_terminate_backend( 1 + (2) )", "ends or disturbs other sessions"},
		{"SELECT pg_catalog.pg_reload_conf()", "destructive", "pg_catalog.pg_reload_conf()", "controls the server"},
		{"SELECT * FROM pg_catalog.pg_authid", "side_door", "pg_catalog.pg_authid", "passwords"},
		{"COPY orders FROM PROGRAM 'curl'", "side_door", "COPY orders", "files or programs"},
		{"INSERT INTO orders (id) VALUES (1)", "writes", "INSERT INTO orders", "writes"},
		{"SET session_replication_role = replica", "destructive", "SET session_replication_role = replica", "a session can be another"},
		{"DO $$ BEGIN DELETE FROM orders; END $$", "unbounded", "DO $$ BEGIN DELETE FROM orders; END $$", "no WHERE"},
		{"SELECT query_to_xml(note, true, true, '') FROM orders", "unknown", "query_to_xml(note, true, true, '')", "not a constant"},
		{"SELECT query_to_xml('DELETE FROM orders', true, true, '')", "unbounded", "query_to_xml('…', true, true, '')", "no WHERE"},
		{"CREATE ROLE x PASSWORD 'a secret of some length'", "destructive", "CREATE ROLE x PASSWORD '…'", "who may do what"},
		{"SELECT 'é', password FROM users", "protected", "SELECT 'é', password FROM users", "users"},
		{"DELETE FROM \"Odd Table\"", "unbounded", `DELETE FROM "Odd Table"`, "no WHERE"},
		{"ALTER TABLE orders DROP COLUMN total", "destructive", "ALTER TABLE orders DROP COLUMN total", "takes away"},
		{"INSERT INTO orders SELECT * FROM orders ON CONFLICT (id) DO UPDATE SET total = 0", "unbounded", "INSERT INTO orders", "every row"},
		{"DELETE FROM orders WHERE CASE WHEN id > 0 THEN true ELSE true END RETURNING id", "unbounded", "WHERE CASE WHEN id > 0 THEN true ELSE true END", "leaves out no row"},
		{"DELETE FROM orders WHERE note = 'a' OR note <> 'a' -- and no more", "unbounded", "WHERE note = 'a' OR note <> 'a'", "leaves out no row"},
	} {
		r := g.Read(c.text, cat)
		found := r.Facts.Because(func(fact string) bool { return fact == c.fact })
		if !slices.ContainsFunc(found, func(e policy.Evidence) bool {
			return e.Words(c.text) == c.words && strings.Contains(e.Why, c.why)
		}) {
			t.Errorf("%s\nwant %s: %q %q", c.text, c.fact, c.words, c.why)
			for _, e := range r.Facts.Evidence {
				t.Errorf("got %v %q %q", e.Facts, e.Words(c.text), e.Why)
			}
		}
	}
}

// TestEvidenceForEveryFact: no fact is true without words for it.
func TestEvidenceForEveryFact(t *testing.T) {
	g, cat := New(nil, testParser(t)), testCatalog(t)
	for _, file := range []string{"facts.txt", "lineage.txt"} {
		for _, v := range vectors(t, file) {
			f := g.Read(v.text, cat).Facts
			for fact, is := range map[string]bool{
				"destructive": f.Destructive, "writes": f.Writes, "ddl": f.DDL, "unbounded": f.Unbounded,
				"dynamic": f.Dynamic, "side_door": f.SideDoor, "unknown": len(f.Unknown) > 0,
			} {
				found := f.Because(func(name string) bool { return name == fact })
				if is != (len(found) > 0) {
					t.Errorf("%s:%d: %s\n%s is %v, and its evidence %v", v.file, v.line, v.text, fact, is, found)
				}
				for _, e := range found {
					if e.From < 0 || e.To > len(v.text) || e.From > e.To || e.Why == "" {
						t.Errorf("%s:%d: %s\nbad evidence %+v", v.file, v.line, v.text, e)
					}
				}
			}
		}
	}
}

// TestHintsNameColumns: a refusal over a protected column says which are not.
func TestHintsNameColumns(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	for _, text := range []string{
		"SELECT id FROM users WHERE password > 'a'",
		"INSERT INTO orders (note) SELECT password FROM users",
		"CREATE TABLE copy AS SELECT password FROM users",
	} {
		r := g.Read(text, cat)
		if r.Refusal == nil || !strings.Contains(r.Refusal.Hint, "The columns of users that are not protected: id, name, ") ||
			strings.Contains(r.Refusal.Hint, "password,") {
			t.Errorf("%s: %+v", text, r.Refusal)
		}
	}
}
