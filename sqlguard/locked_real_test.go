package sqlguard

import (
	"strings"
	"testing"

	"sallyport/internal/pgtest"
	"sallyport/policy"
)

// TestLockedAway: a table that a session has for itself holds up nobody who
// asks for the catalog, and what is over it is not understood so long.
func TestLockedAway(t *testing.T) {
	db := pgtest.New(t)
	db.Exec(t, `CREATE TABLE held (id int, secret text); CREATE TABLE free (id int);
		CREATE VIEW over AS SELECT id, upper(secret) AS u FROM held; CREATE VIEW beside AS SELECT id FROM free;
		CREATE RULE r AS ON UPDATE TO over DO INSTEAD INSERT INTO free VALUES (new.id);
		CREATE FUNCTION fn() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM held; END;
		CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
		CREATE TRIGGER tg BEFORE INSERT ON held FOR EACH ROW WHEN (new.id > 0) EXECUTE FUNCTION tf();`)
	side, owner := textQuerier{db.Conn(t).PgConn()}, db.Conn(t)
	if _, err := side.Query(t.Context(), "SET lock_timeout = '20s'"); err != nil {
		t.Fatal(err)
	}
	run := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	var cat *Catalog
	load := func() {
		t.Helper()
		var err error
		if cat, err = Reload(t.Context(), side, cat); err != nil {
			t.Fatal(err)
		}
	}
	guard := New([]Pattern{{Table: "held", Column: "secret"}}, testParser(t))
	outputs := func() []Output {
		t.Helper()
		reading := guard.Read("SELECT u, id FROM over", cat)
		if reading.Refusal != nil {
			t.Fatal(reading.Refusal.Public)
		}
		return reading.Statements[0].Outputs
	}
	texts := func() string {
		var all []string
		for _, rows := range cat.rows {
			for _, row := range rows {
				all = append(all, row...)
			}
		}
		return strings.Join(all, "\n")
	}
	run("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
	load()
	for _, missing := range []string{"upper(", "INSERT INTO free", "BEGIN ATOMIC", "CREATE TRIGGER"} {
		if strings.Contains(texts(), missing) {
			t.Errorf("%s: it was read", missing)
		}
	}
	if cat.named["beside"][0].definition == lockedAway {
		t.Error("a view over what is not locked was left out")
	}
	if out := outputs(); len(out[0].Protected) == 0 || len(out[1].Protected) == 0 {
		t.Errorf("a view that is not understood shows a free column: %+v", out)
	}
	facts := New(nil, testParser(t)).Read("SELECT * FROM over", cat).Facts
	if len(facts.Unknown) == 0 {
		t.Error("what a view reads counts as known")
	}
	if !cat.Torn() {
		t.Error("the catalog does not say that it lacks something")
	}
	if reading := guard.Read("SELECT fn()", cat); reading.Refusal == nil || reading.Refusal.Kind != policy.Denied {
		t.Errorf("a function that was not read: %+v", reading.Refusal)
	}
	// Whoever holds the lock waits for nobody.
	own, err := Within(t.Context(), textQuerier{owner.PgConn()}, cat)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(own.named["over"][0].definition, "upper(") || len(own.torn) > 0 {
		t.Errorf("who has locked the table does not see what is over it: %q, %v", own.named["over"][0].definition, own.torn)
	}
	run("COMMIT")
	load()
	if strings.Contains(texts(), lockedAway) {
		t.Error("it is not read once the lock is gone")
	}
	if cat.Torn() {
		t.Error("it says so once the lock is gone")
	}
	if out := outputs(); len(out[0].Protected) == 0 || len(out[1].Protected) != 0 {
		t.Errorf("%+v", out)
	}
}
