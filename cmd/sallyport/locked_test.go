package main

import "testing"

// TestAfterLock: what stands over a table is understood as soon as the lock on it is
// gone, though the catalog was read while somebody had it.
func TestAfterLock(t *testing.T) {
	const schema = `CREATE TABLE held (id int, note text, secret text); INSERT INTO held VALUES (1, 'shown', 'CANARY');
		CREATE VIEW above AS SELECT id, note, upper(secret) AS loud FROM held;
		CREATE TABLE free (id int); INSERT INTO free VALUES (7); CREATE VIEW over AS SELECT id FROM free;
		CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM free WHERE id > 0; END;`
	const rule = `
		[[rule]]
		name = "nothing"
		targets = ["*"]
		if = "'nothing' in sql.tables"
		then = "deny"
	`
	for name, config := range map[string]string{"rule": rule, "mask": "[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"held.secret\"]\n", "both": rule + "[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"held.secret\"]\n"} {
		t.Run(name, func(t *testing.T) {
			w := newMaskedWorld(t, schema, config)
			owner, other, conn := w.db.Conn(t), w.db.Conn(t), w.connect(t).PgConn()
			steps := []insideStep{
				{"SELECT note FROM above", "shown"},
				{"SELECT counted()", "1"},
				{"SELECT id FROM over", "7"},
				{"BEGIN", ""},
				{"SELECT note FROM above", "shown"},
				{"SELECT counted()", "1"},
				{"COMMIT", ""},
			}
			runSteps(t, conn, "simple", steps)
			for range 3 {
				if _, err := owner.Exec(t.Context(), "BEGIN; LOCK TABLE held, free IN ACCESS EXCLUSIVE MODE"); err != nil {
					t.Fatal(err)
				}
				// Views and functions have changed, and the catalog is read: all of them.
				if _, err := other.Exec(t.Context(), `DROP VIEW IF EXISTS more; CREATE VIEW more AS SELECT 1 AS id;
					CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'`); err != nil {
					t.Fatal(err)
				}
				runSteps(t, conn, "simple", []insideStep{{"SELECT nothing_there()", "42883"}, {"SELECT 1 FROM not_there", "42P01"}})
				if _, err := owner.Exec(t.Context(), "ROLLBACK"); err != nil {
					t.Fatal(err)
				}
				runSteps(t, conn, "simple", steps)
			}
		})
	}
}
