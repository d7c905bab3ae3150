package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/pgserver"
)

// BenchmarkSelect is one client's round trip of a small statement, directly and
// through the whole gateway: judged by a rule, with a mask on another table,
// recorded. Compare the two within one run.
func BenchmarkSelect(b *testing.B) {
	direct, gateway := benchWorld(b)
	for _, protocol := range []string{"simple", "prepared"} {
		for _, way := range []struct{ name, dsn string }{{"direct", direct}, {"gateway", gateway}} {
			b.Run(protocol+"/"+way.name, func(b *testing.B) {
				conn, err := pgconn.Connect(b.Context(), way.dsn)
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close(context.Background())
				if _, err := conn.Prepare(b.Context(), "s", "select abalance from accounts where aid = $1", nil); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if protocol == "simple" {
						_, err = conn.Exec(b.Context(), "select abalance from accounts where aid = 77").ReadAll()
					} else {
						err = conn.ExecPrepared(b.Context(), "s", [][]byte{[]byte("77")}, nil, nil).Read().Err
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRows is the bulk of many rows.
func BenchmarkRows(b *testing.B) {
	direct, gateway := benchWorld(b)
	for _, c := range []struct{ name, sql string }{
		{"plain", "select aid, abalance, filler from accounts"},
		{"masked", "select id, email, name from people"},
	} {
		for _, way := range []struct{ name, dsn string }{{"direct", direct}, {"gateway", gateway}} {
			b.Run(c.name+"/"+way.name, func(b *testing.B) {
				conn, err := pgconn.Connect(b.Context(), way.dsn)
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close(context.Background())
				for b.Loop() {
					rows := conn.ExecParams(b.Context(), c.sql, nil, nil, nil, nil)
					for rows.NextRow() {
					}
					if _, err := rows.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkBeside is one session's latency while another client sends a hundred
// hostile statements a second: long chains, each another one, some of which the
// parser refuses.
func BenchmarkBeside(b *testing.B) {
	_, gateway := benchWorld(b)
	connect := func() *pgconn.PgConn {
		conn, err := pgconn.Connect(b.Context(), gateway)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	for _, name := range []string{"nobody", "hostile"} {
		b.Run(name, func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan struct{})
			if name == "hostile" {
				other := connect()
				go func() {
					defer close(done)
					tick := time.NewTicker(10 * time.Millisecond)
					defer tick.Stop()
					for i := 0; ; i++ {
						select {
						case <-ctx.Done():
							return
						case <-tick.C:
						}
						chain := strings.Repeat("+1", []int{4_000, 20_000, 100_000}[i%3])
						_, _ = other.Exec(ctx, fmt.Sprint("explain select ", i, chain)).ReadAll()
					}
				}()
			} else {
				close(done)
			}
			conn, i := connect(), 0
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if _, err := conn.Exec(ctx, fmt.Sprint("select abalance from accounts where aid = ", i)).ReadAll(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				i++
			}
			stop()
			<-done
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkLogin is a connection made and closed.

// BenchmarkLogin is a connection made and closed; "pool" finds one that waits.
func BenchmarkLogin(b *testing.B) {
	direct, gateway := benchWorld(b)
	pool := strings.Replace(gateway, "dbname=bench ", "dbname=pooled ", 1)
	for _, way := range []struct{ name, dsn string }{{"direct", direct}, {"gateway", gateway}, {"pool", pool}} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				conn, err := pgconn.Connect(b.Context(), way.dsn)
				if err != nil {
					b.Fatal(err)
				}
				_ = conn.Close(b.Context())
			}
		})
	}
}

// benchWorld starts a server with some rows, and a gateway before it.
func benchWorld(b *testing.B) (direct, gateway string) {
	b.Helper()
	server, err := pgserver.Start(b.Context(), pgserver.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	direct = server.DSN("postgres")
	conn, err := pgconn.Connect(b.Context(), direct)
	if err != nil {
		b.Fatal(err)
	}
	_, err = conn.Exec(b.Context(), `
		create table accounts as select i as aid, i * 7 as abalance, repeat('f', 84) as filler from generate_series(1, 100000) i;
		create unique index on accounts (aid);
		create table people as select i as id, 'p' || i || '@example.com' as email, repeat('n', 84) as name from generate_series(1, 100000) i;
		analyze`).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	_ = conn.Close(b.Context())

	dir, token := b.TempDir(), "spt_bench"
	hash := sha256.Sum256([]byte(token))
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write("login.json", fmt.Sprintf(`{"username": %q, "password": %q}`, server.Superuser, server.Password))
	write("gateway.toml", fmt.Sprintf(`
[listen]
postgres = "%s"
http = "off"
console = "off"
metrics = "off"
[[token]]
subject = "bench"
sha256 = "%s"
[postgres.bench]
upstream = "%s:%d"
database = "postgres"
sslmode = "disable"
credential = "file://login.json"
[postgres.pooled]
upstream = "%[3]s:%[4]d"
database = "postgres"
sslmode = "disable"
credential = "file://login.json"
pool = 8
[[grant]]
who = ["subject:*"]
targets = ["bench", "pooled"]
[[rule]]
name = "no-destructive"
targets = ["bench"]
if = "sql.destructive"
then = "deny"
[[mask]]
targets = ["bench"]
columns = ["people.email"]
`, freeAddress(b), hex.EncodeToString(hash[:]), server.Host, server.Port))
	cfg, err := config.Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan addresses, 1), make(chan error, 1)
	go func() {
		done <- serve(ctx, cfg, zerolog.Nop(), func(a addresses) { ready <- a })
	}()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	select {
	case at := <-ready:
		host, port, _ := net.SplitHostPort(at.Postgres)
		return direct, fmt.Sprintf("host=%s port=%s dbname=bench user=agent password=%s sslmode=disable", host, port, token)
	case err := <-done:
		b.Fatal(err)
	}
	return "", ""
}

// BenchmarkMaskedRows is 10,000 rows of ten columns of which none, one and four
// are masked, in both formats: directly, through a gateway whose masks are on
// another table, and masked. Compare them within one run.
func BenchmarkMaskedRows(b *testing.B) {
	const schema = `
		CREATE TABLE people AS SELECT i AS id, 'p' || i || '@example.com' AS email, md5(i::text) AS password, 'name ' || i AS name, 'city ' || i % 100 AS city,
			i * 7 AS balance, now() AS made, i % 2 = 0 AS active, 'key-' || i AS key, '+49 30 ' || i AS phone FROM generate_series(1, 10000) i;
		CREATE TABLE others AS SELECT 1 AS x`
	const all = `["people.email", "people.password", "people.key", "people.phone"]`
	for _, c := range []struct{ name, masks string }{
		{"unmasked", `columns = ["others.x"]`},
		{"1 redact", `columns = ["people.email"]`},
		{"1 token", `columns = ["people.email"]` + "\nwith = \"token\"\nkey = \"file://mask.key\""},
		{"4 redact", "columns = " + all},
		{"4 detect", "columns = " + all + "\ndetect = [\"email\", \"payment-card\", \"phone\"]"},
		{"every detect", `columns = ["*"]` + "\ndetect = [\"email\", \"payment-card\", \"phone\"]"},
	} {
		w := newMaskedWorld(b, schema, "[[mask]]\ntargets = [\"orders\"]\n"+c.masks+"\n")
		for format, named := range []string{"text", "binary"} {
			ways := []struct{ name, dsn string }{{"gateway", w.gateway}}
			if c.name == "unmasked" {
				ways = append(ways, struct{ name, dsn string }{"direct", w.db.DSN()})
			}
			for _, way := range ways {
				b.Run(c.name+"/"+named+"/"+way.name, func(b *testing.B) {
					conn, err := pgconn.Connect(b.Context(), way.dsn)
					if err != nil {
						b.Fatal(err)
					}
					defer conn.Close(context.Background())
					if _, err := conn.Prepare(b.Context(), "s", "SELECT * FROM people", nil); err != nil {
						b.Fatal(err)
					}
					rows := 0
					b.ReportAllocs()
					for b.Loop() {
						r := conn.ExecPrepared(b.Context(), "s", nil, nil, []int16{int16(format)})
						for r.NextRow() {
							rows++
						}
						if _, err := r.Close(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
				})
			}
		}
	}
}
