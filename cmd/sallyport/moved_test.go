package main

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestMoved changes definitions, and reads by places of columns what was sent
// before the gateway could ask what they are now: in a pipeline, and in
// transactions that do not see what others commit.
func TestMoved(t *testing.T) {
	w := newMaskedWorld(t, masksData(t, "schema.sql"), masksData(t, "masks.toml"))
	dropped := "ALTER TABLE users DROP COLUMN id CASCADE, ADD COLUMN z int"
	added := "ALTER TABLE orders ADD COLUMN z int"
	for _, c := range []struct{ definition, sql string }{
		{dropped, "SELECT upper(s.a) FROM public.users s(a)"},
		{dropped, "SELECT upper(s.a) FROM (SELECT * FROM public.users) s(a)"},
		{dropped, "SELECT s.a || '', s FROM public.users s(a)"},
		{added, "SELECT upper(s.i) FROM (SELECT o.*, c.name, c.ssn, c.name AS again FROM orders o, customers c) s(a, b, c, d, e, f, g, h, i)"},
		{"SELECT 1 AS a, 'x' AS b INTO TEMP orders", "SELECT upper(s.d) FROM (SELECT o.*, c.name, c.ssn FROM orders o, customers c) s(a, b, c, d)"},
	} {
		conn := w.connect(t).PgConn()
		p := conn.StartPipeline(t.Context())
		p.SendQueryParams("BEGIN", nil, nil, nil, nil)
		p.SendQueryParams(c.definition, nil, nil, nil, nil)
		p.SendQueryParams(c.sql, nil, nil, nil, nil)
		if err := p.Sync(); err != nil {
			t.Fatal(err)
		}
		rows := 0
		for range 3 {
			r, err := p.GetResults()
			if err != nil {
				t.Fatalf("%s: %v", c.sql, err)
			}
			rows += len(r.(*pgconn.ResultReader).Read().Rows)
		}
		if rows == 0 {
			t.Errorf("%s; %s: no rows", c.definition, c.sql)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		runSteps(t, conn, "simple", []insideStep{{"ROLLBACK", ""}, {"BEGIN ISOLATION LEVEL SERIALIZABLE", ""}})
		if _, err := conn.Exec(t.Context(), c.definition).ReadAll(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), c.sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
		runSteps(t, conn, "simple", []insideStep{{"ROLLBACK", ""}})
		if s := shown(w.seen.take()); s != "" {
			t.Errorf("%s; %s: shows %q", c.definition, c.sql, s)
		}
	}
}
