package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"sallyport/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestEachHasItsOwn makes the same table twice.
func TestEachHasItsOwn(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			db := pgtest.New(t)
			db.Exec(t, `create table users (id int); insert into users values (1)`, `insert into users values (2)`)
			db.Role(t, "reader", "it's", "nosuperuser")
			db.Exec(t, `grant select on users to reader`)
			conn, err := pgx.Connect(t.Context(), db.DSNFor("reader", "it's"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(t.Context()) }()
			var n int
			if err := conn.QueryRow(t.Context(), `select count(*) from users`).Scan(&n); err != nil || n != 2 {
				t.Fatalf("got %d, %v", n, err)
			}
			var encoding string
			if err := db.Conn(t).QueryRow(t.Context(), `show server_encoding`).Scan(&encoding); err != nil || encoding != "UTF8" {
				t.Fatalf("got %q, %v", encoding, err)
			}
		})
	}
}
