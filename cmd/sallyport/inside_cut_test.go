package main

import (
	"fmt"
	"testing"
)

// TestInsideCut cuts off what the gateway asks inside a transaction: the client
// hears of it, and nothing hangs.
func TestInsideCut(t *testing.T) {
	w := newMaskedWorld(t, insideSchema, insideMasks)
	direct := w.db.Conn(t)
	for _, how := range []string{"pg_terminate_backend", "pg_cancel_backend"} {
		conn := w.connect(t).PgConn()
		runSteps(t, conn, "simple", []insideStep{{"BEGIN; CREATE TABLE mine (id int)", ""}})
		var pid int
		if err := direct.QueryRow(t.Context(), "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		locker := w.db.Conn(t)
		if _, err := locker.Exec(t.Context(), "BEGIN; LOCK pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := conn.Exec(t.Context(), "SELECT * FROM mine").ReadAll()
			done <- err
		}()
		for asking := false; !asking; { // until it waits
			q := "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted) FROM pg_sleep(0.05)"
			if err := direct.QueryRow(t.Context(), q, pid).Scan(&asking); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := direct.Exec(t.Context(), fmt.Sprintf("SELECT %s(%d)", how, pid)); err != nil {
			t.Fatal(err)
		}
		if _, err := locker.Exec(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err == nil {
			t.Errorf("%s: no error", how)
		}
		if how == "pg_terminate_backend" {
			continue
		}
		if conn.IsClosed() || conn.TxStatus() != 'E' {
			t.Fatalf("%s: closed %v, in %c", how, conn.IsClosed(), conn.TxStatus())
		}
		runSteps(t, conn, "simple", []insideStep{{"ROLLBACK", ""}, {"BEGIN; CREATE TABLE mine (id int)", ""}, {"SELECT count(*) FROM mine", "0"}, {"ROLLBACK", ""}})
	}
}
