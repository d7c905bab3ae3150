package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// newer is syntax that PostgreSQL has since a version, and the guard's parser
// not; 0 for what is an error in all of them.
var newer = []struct {
	since int
	sql   string
}{
	{17, "MERGE INTO notes t USING (VALUES (1)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET body = 'x' RETURNING t.id"},
	{17, "MERGE INTO notes t USING (VALUES (1)) s(id) ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE"},
	{17, "MERGE INTO notes t USING (VALUES (1)) s(id) ON t.id = s.id WHEN NOT MATCHED BY TARGET THEN DO NOTHING"},
	{17, `SELECT * FROM JSON_TABLE('[{"a":1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a')) j`},
	{17, `SELECT JSON_VALUE('{"a":1}'::jsonb, '$.a' RETURNING int)`},
	{17, `SELECT JSON_EXISTS('{"a":1}'::jsonb, '$.a' ERROR ON ERROR)`},
	{17, "ALTER TABLE computed ALTER COLUMN b SET EXPRESSION AS (a * 3)"},
	{17, "ALTER TABLE notes SET ACCESS METHOD DEFAULT"},
	{18, "CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)"},
	{18, "UPDATE notes SET body = 'x' WHERE id = 1 RETURNING WITH (OLD AS o, NEW AS n) o.body, n.body"},
	{18, "CREATE TABLE w (id int4range, at tsrange, PRIMARY KEY (id, at WITHOUT OVERLAPS))"},
	{18, "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount > 0) NOT ENFORCED"},
	{18, "VACUUM ONLY notes"},
	{0, "MERGE INTO notes USING nothing"},
	{0, "UPDATE notes SET body = WHERE id = 1"},
	{0, "CREATE TABLE v (a int b int)"},
	{0, "DELETE FROM notes WHERE id = 1 RETURNING"},
}

// TestNewerSyntax: what the guard's parser does not read is the server's own
// error where the server does not read it either, and a refusal that says so
// where it does. Nothing of it runs.
func TestNewerSyntax(t *testing.T) {
	w := newGuardWorld(t)
	w.do(t, "CREATE TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED)")
	version, err := strconv.Atoi(strings.SplitN(w.direct.ParameterStatus("server_version"), ".", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	before := w.fingerprint(t)
	for _, c := range newer {
		for _, target := range []string{"no-destructive", "free"} {
			for _, extended := range []bool{false, true} {
				err := (&runner{w: w, target: target}).run(t, c.sql, extended)
				var e *pgconn.PgError
				if !errors.As(err, &e) {
					t.Errorf("PostgreSQL %d, %s: %s\nran: %v", version, target, c.sql, err)
					continue
				}
				if c.since > 0 && version >= c.since {
					if e.Code != "42501" || !strings.Contains(e.Message, "does not know its syntax") || !strings.Contains(e.Detail, "The server would take it") || e.Position == 0 {
						t.Errorf("PostgreSQL %d, %s: %s\nnot the refusal: %+v", version, target, c.sql, e)
					}
					continue
				}
				var own *pgconn.PgError
				_, direct := w.direct.Prepare(context.Background(), "", c.sql, nil)
				if !errors.As(direct, &own) || own.Code != "42601" {
					t.Fatalf("PostgreSQL %d takes it, or has no syntax error: %s: %v", version, c.sql, direct)
				}
				if e.Code != own.Code || e.Message != own.Message || e.Position != own.Position {
					t.Errorf("PostgreSQL %d, %s: %s\n     got %+v\ndirectly %+v", version, target, c.sql, e, own)
				}
			}
		}
	}
	if d := differences(before, w.fingerprint(t)); d != "" {
		t.Errorf("something ran:\n%s", d)
	}
}
