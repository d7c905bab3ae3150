package sqlguard

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/pgtest"
)

// changes are definitions, one after the other.
var changes = []string{
	"CREATE TABLE c1 (id int PRIMARY KEY, a text)", "ALTER TABLE c1 RENAME COLUMN a TO b", "ALTER TABLE c1 RENAME TO c2",
	"CREATE VIEW cv AS SELECT id, b FROM c2", "ALTER TABLE c2 RENAME COLUMN b TO c", "ALTER TABLE c2 RENAME TO c3", "ALTER VIEW cv RENAME TO cw",
	"ALTER TABLE c3 ADD d int DEFAULT 1", "ALTER TABLE c3 ALTER d TYPE bigint", "ALTER TABLE c3 DROP d", "CREATE OR REPLACE VIEW cw AS SELECT id, c AS b, 1 AS e FROM c3",
	"CREATE FUNCTION cf(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "ALTER FUNCTION cf(int) RENAME TO cg", "ALTER FUNCTION cg(int) VOLATILE",
	"CREATE FUNCTION ch() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM c3; END", "ALTER TABLE c3 RENAME TO c4",
	"CREATE OR REPLACE FUNCTION cg(a int) RETURNS int LANGUAGE sql AS 'SELECT 2'", "CREATE SCHEMA cs", "ALTER FUNCTION cg(int) SET SCHEMA cs",
	"ALTER SCHEMA cs RENAME TO ct", "CREATE VIEW cx AS SELECT ct.cg(1) AS g", "ALTER SCHEMA ct RENAME TO cu", "ALTER FUNCTION cu.cg(int) RENAME TO ci",
	"CREATE FUNCTION ctr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'", "CREATE TRIGGER tg BEFORE INSERT ON c4 FOR EACH ROW EXECUTE FUNCTION ctr()",
	"ALTER FUNCTION ctr() RENAME TO cts", "ALTER TABLE c4 DISABLE TRIGGER tg", "ALTER TABLE c4 ENABLE TRIGGER tg", "ALTER TABLE c4 RENAME TO c5", "DROP TRIGGER tg ON c5",
	"CREATE RULE cr AS ON INSERT TO c5 DO ALSO NOTIFY x", "ALTER RULE cr ON c5 RENAME TO cr2", "ALTER TABLE c5 DISABLE RULE cr2", "DROP RULE cr2 ON c5",
	"CREATE TABLE cp (id int, k int REFERENCES c5 ON DELETE CASCADE) PARTITION BY LIST (id)", "CREATE TABLE cp1 PARTITION OF cp FOR VALUES IN (1)", "ALTER TABLE cp DETACH PARTITION cp1",
	"CREATE UNIQUE INDEX ci ON cp1 (k)", "DROP INDEX ci", "CREATE DOMAIN cd AS text", "ALTER TABLE cp1 ADD e cd", "ALTER DOMAIN cd RENAME TO ce", "CREATE TYPE cy AS (a int, b ce)",
	"ALTER TYPE cy RENAME ATTRIBUTE a TO z", "ALTER TABLE cp1 ADD f cy[]", "CREATE TYPE cz AS ENUM ('a')", "CREATE FUNCTION cop(cz, cz) RETURNS bool LANGUAGE sql AS 'SELECT true'",
	"CREATE OPERATOR ==== (LEFTARG = cz, RIGHTARG = cz, FUNCTION = cop)", "CREATE CAST (cz AS ce) WITH INOUT", "CREATE FUNCTION ccs(cz) RETURNS int LANGUAGE sql AS 'SELECT 1'",
	"CREATE CAST (cz AS int) WITH FUNCTION ccs(cz)", "ALTER FUNCTION ccs(cz) RENAME TO cct", "DROP CAST (cz AS int)", "CREATE AGGREGATE cag (int) (sfunc = int4pl, stype = int)",
	"CREATE FUNCTION cev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'", "CREATE EVENT TRIGGER ce ON ddl_command_end EXECUTE FUNCTION cev()", "ALTER EVENT TRIGGER ce DISABLE", "DROP EVENT TRIGGER ce",
	"CREATE POLICY cpo ON c5 USING (cu.ci(1) = 1)", "DROP POLICY cpo ON c5", "ALTER TABLE c5 ADD g int GENERATED ALWAYS AS (id + 1) STORED", "ALTER TABLE c5 ADD CHECK (cu.ci(id) > 0)",
	"CREATE MATERIALIZED VIEW cm AS SELECT * FROM c5", "ALTER MATERIALIZED VIEW cm RENAME TO cn", "CREATE SEQUENCE csq", "CREATE EXTENSION hstore", "ALTER EXTENSION hstore DROP FUNCTION hstore(text, text)",
	"ALTER TABLE c5 SET SCHEMA cu", "CREATE OPERATOR FAMILY cfam USING btree", "DROP OPERATOR ==== (cz, cz)", "DROP EXTENSION hstore CASCADE", "BEGIN; CREATE TABLE twice (a int); DROP TABLE twice; COMMIT",
	"BEGIN; DROP TABLE cp1; CREATE TABLE cp1 (id int); COMMIT", "ALTER TABLE cu.c5 OWNER TO current_user", "VACUUM cu.c5", "DROP SCHEMA cu CASCADE",
}

// TestReload reads what changed, and gets what reading all of it gets.
func TestReload(t *testing.T) {
	db := pgtest.New(t)
	db.Exec(t, realSchema)
	side, conn := textQuerier{db.Conn(t).PgConn()}, db.Conn(t)
	cat, err := Load(t.Context(), side)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := Reload(t.Context(), side, cat); err != nil || same != cat {
		t.Errorf("nothing has changed, and it is another: %v", err)
	}
	for _, change := range changes {
		if _, err := conn.Exec(t.Context(), change); err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		part, err := Reload(t.Context(), side, cat)
		if err != nil {
			t.Fatal(err)
		}
		own := *cat // what is PostgreSQL's own stays, the rest is read
		own.marks = map[string]string{}
		for _, name := range []string{"class0", "attribute0", "proc0", "namespace"} {
			own.marks[name] = cat.marks[name]
		}
		whole, err := Reload(t.Context(), side, &own)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range whole.rows {
			if !reflect.DeepEqual(sorted(part.rows[name]), sorted(want)) {
				t.Errorf("%s: %s is not as it is now:\n got %q\nwant %q", change, name, part.rows[name], want)
			}
		}
		if t.Failed() {
			return
		}
		cat = part
	}
}

func sorted(rows [][]string) []string {
	all := make([]string, len(rows))
	for i, row := range rows {
		all[i] = strings.Join(row, "\x00")
	}
	slices.Sort(all)
	return all
}
