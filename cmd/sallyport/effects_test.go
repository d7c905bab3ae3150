package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// effectVector is a statement of testdata/sqlguard.
type effectVector struct {
	sql string
	// refused under no-destructive; nil where the file does not say, for it
	// knows another database
	refused *bool
}

func effectVectors(t *testing.T) []effectVector {
	t.Helper()
	var all []effectVector
	read := func(file string) []string {
		body, err := os.ReadFile("../../testdata/sqlguard/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(body), "\n")
	}
	for _, line := range read("verdicts.txt") {
		if strings.TrimSpace(line) != "" && line[0] != '#' {
			refused := line[0] == '!'
			all = append(all, effectVector{line[1:], &refused})
		}
	}
	for _, line := range read("facts.txt") {
		if sql, _, ok := strings.Cut(line, " ==> "); ok && line[0] != '#' && strings.TrimSpace(sql) != "" {
			all = append(all, effectVector{sql, nil})
		}
	}
	return all
}

// TestEffects runs every vector through the gateway, as a superuser on the
// server and by both protocols: what is refused has no effect, what is to be
// allowed is not refused, and under read-only nothing has an effect at all.
func TestEffects(t *testing.T) {
	w := newGuardWorld(t)
	vectors := effectVectors(t)
	if len(vectors) < 600 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	t.Run("read-only", func(t *testing.T) { w.readOnly(t, vectors) })
	t.Run("refused", func(t *testing.T) { w.refusing(t, vectors) })
	t.Run("allowed", func(t *testing.T) { w.allowing(t, vectors) })
}

// runner sends statements over one session, and opens another where one ends.
type runner struct {
	w      *guardWorld
	target string
	conn   *pgconn.PgConn
}

// run gives the error of a statement. The extended protocol binds NULLs.
func (r *runner) run(t *testing.T, sql string, extended bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if r.conn == nil || r.conn.IsClosed() {
		conn, err := pgconn.Connect(ctx, r.w.dsn(r.target)+" options='-c statement_timeout=2s'")
		if err != nil {
			t.Fatal(err)
		}
		r.conn = conn
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	if upper := strings.ToUpper(sql); strings.HasPrefix(upper, "COPY") && strings.Contains(upper, "FROM STDIN") {
		_, err := r.conn.CopyFrom(ctx, strings.NewReader(""), sql)
		return err
	}
	if !extended {
		_, err := r.conn.Exec(ctx, sql).ReadAll()
		return err
	}
	prepared, err := r.conn.Prepare(ctx, "", sql, nil)
	if err != nil {
		return err
	}
	return r.conn.ExecPrepared(ctx, "", make([][]byte, len(prepared.ParamOIDs)), nil, nil).Read().Err
}

// byGateway reports whether an error is the gateway's refusal. On the server
// itself the login may do everything, so that no denial is the server's.
func byGateway(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "42501" || strings.Contains(e.Message, "through the gateway"))
}

func (w *guardWorld) refusing(t *testing.T, vectors []effectVector) {
	before := w.fingerprint(t)
	r := &runner{w: w, target: "no-destructive"}
	n, at := 0, w.nextTransaction(t)
	for _, v := range vectors {
		if v.refused == nil || !*v.refused {
			continue
		}
		for _, extended := range []bool{false, true} {
			err := r.run(t, v.sql, extended)
			if !byGateway(err) && !(extended && strings.Contains(v.sql, ";") && err != nil) {
				t.Errorf("%s\nextended %v: not refused by the gateway: %v", v.sql, extended, err)
			}
			if now := w.nextTransaction(t); now != at {
				t.Errorf("%s\nextended %v: something was written\n%s", v.sql, extended, differences(before, w.fingerprint(t)))
				at = now
			}
			n++
		}
	}
	if d := differences(before, w.fingerprint(t)); d != "" {
		t.Errorf("refused statements had an effect:\n%s", d)
	}
	t.Logf("%d statements refused without effect", n)
}

// readOnly runs everything and lets the server's state say what it did.
func (w *guardWorld) readOnly(t *testing.T, vectors []effectVector) {
	before := w.fingerprint(t)
	r := &runner{w: w, target: "read-only"}
	ran, at := 0, w.nextTransaction(t)
	for _, v := range vectors {
		for _, extended := range []bool{false, true} {
			err := r.run(t, v.sql, extended)
			if err == nil {
				ran++
			}
			if now := w.nextTransaction(t); now != at && !allocates(v.sql) {
				t.Errorf("%s\nextended %v: written under read-only (error %v):\n%s", v.sql, extended, err, differences(before, w.fingerprint(t)))
				at = now
			} else if at = now; byGateway(err) {
				continue
			}
			for _, reset := range []string{"ROLLBACK", "DISCARD ALL"} {
				if err := r.run(t, reset, false); err != nil {
					t.Fatalf("%s after %s: %v", reset, v.sql, err)
				}
			}
		}
	}
	if d := differences(before, w.fingerprint(t)); d != "" {
		t.Errorf("something was changed under read-only:\n%s", d)
	}
	if ran < 200 {
		t.Errorf("only %d statements ran", ran)
	}
	t.Logf("%d statements ran under read-only and changed nothing", ran)
}

// allocates: it takes the number of a transaction and writes nothing.
func allocates(sql string) bool {
	return strings.Contains(sql, "txid_current()") || strings.Contains(sql, "FOR UPDATE") || strings.Contains(sql, "FOR SHARE") || strings.Contains(sql, "NOTIFY")
}

// allowing runs what is to be allowed, and takes it back.
func (w *guardWorld) allowing(t *testing.T, vectors []effectVector) {
	r := &runner{w: w, target: "no-destructive"}
	ran := 0
	for _, v := range vectors {
		if v.refused == nil || *v.refused {
			continue
		}
		for _, extended := range []bool{false, true} {
			if extended && strings.Contains(strings.TrimRight(v.sql, "; "), "; ") {
				continue // several statements are an error there
			}
			if err := r.run(t, "BEGIN", false); err != nil {
				t.Fatal(err)
			}
			err := r.run(t, v.sql, extended)
			if byGateway(err) {
				t.Errorf("%s\nextended %v: refused: %v", v.sql, extended, err)
			}
			if err == nil {
				ran++
			}
			for _, reset := range []string{"ROLLBACK", "DISCARD ALL"} {
				if err := r.run(t, reset, false); err != nil {
					t.Fatalf("%s after %s: %v", reset, v.sql, err)
				}
			}
		}
	}
	if ran < 200 {
		t.Errorf("only %d statements ran", ran)
	}
	t.Logf("%d statements that are to be allowed ran", ran)
}
