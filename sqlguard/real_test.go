package sqlguard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/pgtest"
)

// realSchema is the schema of fixture_test.go on a server. Every protected
// value holds the word SECRET.
const realSchema = `
CREATE TABLE users (id int PRIMARY KEY, name text, email text, password text, api_key text, is_admin bool, tags text[], data json);
INSERT INTO users SELECT i, 'name' || i, 'SECRETmail' || i, 'SECRET' || i, 'SECRETkey' || i, false, ARRAY['t'], '{"k": "v"}' FROM generate_series(1, 3) i;
CREATE TABLE orders (id int PRIMARY KEY, user_id int, total numeric, note text);
INSERT INTO orders VALUES (1, 1, 10, 'n');
CREATE TABLE secrets (id int PRIMARY KEY, value text);
CREATE TABLE events (id int NOT NULL, day date, payload text) PARTITION BY RANGE (id);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM (0) TO (10);
INSERT INTO events VALUES (1, '2024-01-01', 'SECRETevent');
CREATE VIEW v_users AS SELECT id, password, upper(email) AS shout FROM users;
CREATE VIEW v_orders AS SELECT id, total FROM orders;
CREATE FUNCTION unread() RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE current_setting(''no.such''); RETURN 1; END';
CREATE VIEW v_unread AS SELECT unread() AS id;
CREATE MATERIALIZED VIEW m_users AS SELECT id, password FROM users u WHERE password LIKE 'S%';
CREATE VIEW v_odd AS SELECT x.a, x.b FROM users, XMLTABLE('/a' PASSING (xmlparse(document '<a/>')) COLUMNS a text, b text) x;
CREATE VIEW v_stats AS SELECT most_common_vals::text AS s FROM pg_stats;
CREATE VIEW v_deep AS SELECT password AS who FROM v_users;
CREATE VIEW v_case AS SELECT id, CASE WHEN password LIKE 'S%' THEN name END AS c, (SELECT count(*) FROM orders) AS n FROM users;
CREATE VIEW v_union AS SELECT id, name AS v FROM users UNION SELECT id, password FROM users;
CREATE TABLE log (line text);
CREATE RULE r AS ON INSERT TO log DO ALSO SELECT password FROM users;
CREATE FUNCTION of_user(users) RETURNS text LANGUAGE sql AS 'SELECT $1.password';
CREATE FUNCTION lower(int) RETURNS text LANGUAGE sql AS 'SELECT password FROM users LIMIT 1';
CREATE SCHEMA archive;
CREATE TABLE accounts (id int, iban text);
CREATE TABLE archive.accounts (id int, iban text, closed bool);
CREATE TABLE ledger (id int, amount int);
CREATE TABLE archive.ledger (id int, amount int);
ANALYZE;`

// textQuerier asks in the simple protocol, as wire's side connection does.
type textQuerier struct{ conn *pgconn.PgConn }

func (q textQuerier) Query(ctx context.Context, sql string) ([][]string, error) {
	results, err := q.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, r := range results {
		for _, values := range r.Rows {
			row := make([]string, len(values))
			for i, v := range values {
				if v == nil {
					return nil, fmt.Errorf("a null in %s", sql)
				}
				row[i] = string(v)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// TestAgainstPostgreSQL runs whatever the guard lets pass, and looks for
// protected values where lineage says that there are none.
func TestAgainstPostgreSQL(t *testing.T) {
	db := pgtest.New(t)
	db.Exec(t, realSchema)
	cat, err := Load(t.Context(), textQuerier{db.Conn(t).PgConn()})
	if err != nil {
		t.Fatal(err)
	}
	g, conn := New(protectedColumns, testParser(t)), db.Conn(t)
	if _, err := conn.Exec(t.Context(), "SET statement_timeout = '2s'"); err != nil {
		t.Fatal(err)
	}
	t.Run("refusals", func(t *testing.T) { checkReal(t, g, cat) })
	for text, want := range realLineage {
		if r := g.Read(text, cat); r.Refusal != nil || lineageText(r) != want {
			t.Errorf("%s\n got %s %v\nwant %s", text, lineageText(r), r.Refusal, want)
		}
	}
	ran := 0
	for _, v := range vectors(t, "lineage.txt") {
		r := g.Read(v.text, cat)
		if r.Refusal != nil || r.Facts.Destructive || len(r.Statements) != 1 || strings.Contains(v.text, "$") ||
			strings.Contains(v.text, "RECURSIVE") /* some never end */ || !returnsRows(r.Statements[0].Verb) {
			continue
		}
		if runReal(t, g, cat, conn, v.text, r.Statements[0]) {
			ran++
		}
	}
	if ran < 70 {
		t.Errorf("only %d statements ran", ran)
	}
}

// realLineage is what only a real catalog shows.
var realLineage = map[string]string{
	"SELECT * FROM v_case":                                       "id, c~users.password, n",
	"SELECT * FROM v_union":                                      "id, v~users.password",
	"SELECT name FROM users WHERE length(name) > 3":              "name",
	"SELECT * FROM v_users":                                      "id, password!users.password, shout~users.email",
	"SELECT a FROM v_odd":                                        "a",
	"SELECT gen_random_uuid(), current_user, id FROM users":      "gen_random_uuid, ?column?, id",
	"SELECT relname FROM pg_class WHERE oid = 'users'::regclass": "opaque",
	"SELECT table_name FROM information_schema.tables":           "opaque",
}

// checkReal checks refusals that depend on the server's own catalog.
func checkReal(t *testing.T, g *Guard, cat *Catalog) {
	for _, text := range []string{
		"SELECT unread()", "SELECT of_user(u) FROM users u", "SELECT (u).of_user FROM users u",
		"SELECT * FROM v_unread", "SELECT * FROM v_stats", "INSERT INTO log VALUES ('x')",
		"SELECT pg_advisory_lock(length(password)) FROM users", "SELECT pg_notify('a', password) FROM users",
		"SELECT pg_logical_emit_message(false, 'a', password) FROM users", "SELECT regexp_matches(password, '.', 'g') FROM users",
		"SELECT query_to_xmlschema('select password from users', true, true, '')", "SELECT * FROM json_populate_recordset(null::users, '[]') x, users u WHERE u.password > x.password",
	} {
		if r := g.Read(text, cat); r.Refusal == nil {
			t.Errorf("%s passes: %s", text, lineageText(r))
		}
	}
}

func returnsRows(verb string) bool {
	return verb == "select" || verb == "insert" || verb == "update" || verb == "delete" || verb == "explain"
}

// runReal runs a statement and rolls it back. It is false when the server has
// an error for it, as for a name that only the fixture knows.
func runReal(t *testing.T, g *Guard, cat *Catalog, conn *pgx.Conn, text string, s Statement) bool {
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	result := tx.Conn().PgConn().ExecParams(t.Context(), text, nil, nil, nil, nil).Read()
	if result.Err != nil || len(result.Rows) == 0 {
		return false
	}
	if slices.ContainsFunc(s.Outputs, func(o Output) bool { return o.Many }) {
		return true // which output is which is said by origin
	}
	if !s.Opaque && len(s.Outputs) != len(result.FieldDescriptions) {
		t.Errorf("%s: %d outputs, the server has %d", text, len(s.Outputs), len(result.FieldDescriptions))
		return true
	}
	for i, f := range result.FieldDescriptions {
		var out Output
		if !s.Opaque {
			out = s.Outputs[i]
			if out.Name != f.Name && out.Name != "?column?" {
				t.Errorf("%s: output %d is %q, the server says %q", text, i, out.Name, f.Name)
			}
		}
		origin, known := g.Origin(cat, f.TableOID, int16(f.TableAttributeNumber))
		if f.TableOID != 0 && (!known || len(origin.Protected) > 0 != (len(out.Protected) > 0)) && !s.Opaque {
			t.Errorf("%s: output %q is %s by lineage, %s by origin", text, f.Name, outputText(out), outputText(origin))
		}
		for _, row := range result.Rows {
			if len(out.Protected) == 0 && strings.Contains(strings.ToUpper(string(row[i])), "SECRET") {
				t.Errorf("%s: output %q shows %q", text, f.Name, row[i])
			}
		}
	}
	return true
}
