package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// masksData reads a file of testdata/masks.
func masksData(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "masks", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// shown gives what bytes show of a canary, in any usual form; empty for nothing.
func shown(b []byte) string {
	upper := bytes.ToUpper(b)
	for _, form := range []string{"CANARY", "YRANAC", "777000000000", hex.EncodeToString([]byte("CANARY")), base64.StdEncoding.EncodeToString([]byte("CANARY"))} {
		if i := bytes.Index(upper, []byte(strings.ToUpper(form))); i >= 0 {
			return string(b[i:min(len(b), i+40)])
		}
	}
	return ""
}

// TestAttacks sends each line of testdata/masks/attacks.sql in a transaction of
// its own, by the simple protocol and, where it is one statement, by the extended
// one in both formats.
func TestAttacks(t *testing.T) {
	w := newMaskedWorld(t, masksData(t, "schema.sql"), masksData(t, "masks.toml"))
	conn := w.connect(t).PgConn()
	n := 0
	for number, line := range strings.Split(masksData(t, "attacks.sql"), "\n") {
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		sql, want, _ := strings.Cut(line, " -- ")
		n++
		formats := []int16{-1}
		if !strings.Contains(sql, ";") && !strings.HasPrefix(sql, "COPY") {
			formats = append(formats, 0, 1)
		}
		for _, format := range formats {
			w.seen.take()
			err := runAttack(t.Context(), conn, sql, format)
			seen := string(w.seen.take())
			for _, own := range ownWords(sql) { // what the client wrote itself
				seen = strings.ReplaceAll(seen, own, "")
			}
			if s := shown([]byte(seen)); s != "" {
				t.Errorf("line %d, format %d: %s\nshows %q", number+1, format, sql, s)
			}
			refused := err != nil && (strings.Contains(err.Error(), "42501") || strings.Contains(err.Error(), "0A000"))
			absent := err != nil && strings.Contains(err.Error(), "42883")
			switch {
			case want == "refused" && !refused, want == "absent" && !refused && !absent:
				t.Errorf("line %d, format %d: not refused: %s: %v", number+1, format, sql, err)
			case want == "masked" && err != nil:
				t.Errorf("line %d, format %d: %s: %v", number+1, format, sql, err)
			}
			if conn.IsClosed() {
				t.Logf("line %d: %s ended the session: %v", number+1, sql, err)
				conn = w.connect(t).PgConn()
			}
		}
	}
	t.Logf("%d attacks", n)
}

// ownWords are the strings of a text that hold a canary's form.
func ownWords(sql string) []string {
	var own []string
	for i, s := range strings.Split(sql, "'") {
		if i%2 == 1 && shown([]byte(s)) != "" {
			own = append(own, s)
		}
	}
	return own
}

// runAttack runs a text and undoes it.
func runAttack(ctx context.Context, conn *pgconn.PgConn, sql string, format int16) error {
	if _, err := conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
		return err
	}
	var err error
	switch {
	case strings.HasPrefix(sql, "COPY") && strings.Contains(sql, "STDOUT"):
		_, err = conn.CopyTo(ctx, &bytes.Buffer{}, sql)
	case format < 0:
		_, err = conn.Exec(ctx, sql).ReadAll()
	default:
		err = conn.ExecParams(ctx, sql, nil, nil, nil, []int16{format}).Read().Err
	}
	if _, failed := conn.Exec(ctx, "ROLLBACK").ReadAll(); err == nil {
		err = failed
	}
	return err
}
