package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestRandomThroughGateway runs random queries over testdata/masks/schema.sql
// through the gateway: by the simple and the extended protocol, in both formats,
// as COPY, as a cursor, by PREPARE, and into tables, views and functions. Of each
// three things are asked:
//
//   - no part of a canary is in any byte that the client receives;
//   - before a second database, which differs from the first in its protected
//     values alone, the client receives just the same: so nothing of it depends on
//     them, by bytes, lengths, errors or numbers of rows;
//   - what derives from no protected column is as it is directly, and not refused.
//
// SALLYPORT_RANDOM_MASKS is how many; `make masks-random N=...` sets it.
// SALLYPORT_RANDOM_FIRST is the first one's number.
func TestRandomThroughGateway(t *testing.T) {
	many, first := 2000, uint64(0)
	if s := os.Getenv("SALLYPORT_RANDOM_MASKS"); s != "" {
		many, _ = strconv.Atoi(s)
		first = uint64(time.Now().Unix()) * 1000
	}
	if s := os.Getenv("SALLYPORT_RANDOM_FIRST"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
	}
	for i, filter := range []string{"equality", "deny"} {
		t.Run(filter, func(t *testing.T) {
			runRandom(t, filter, first+uint64(i)*uint64(many/2), many/2)
		})
	}
}

// otherValues makes the schema that of a database with other protected values:
// of other bytes, lengths and order. Which of them are equal is the same.
var otherValues = strings.NewReplacer("CANARY", "Kanarien", "md5('", "md5('other' || '", "7770000000000000", "88800000000123", "@example.test", "@mail.example.org")

// unlike makes other values equal than in the first database: under deny not even
// that may be seen.
const unlike = `ALTER TABLE users DISABLE TRIGGER ALL;
	UPDATE users SET password = 'same-value', api_key = CASE WHEN api_key IS NOT NULL THEN 'same-value' END;
	UPDATE customers SET phone = 'same-value', card = 5, profile = jsonb_set(profile, '{password}', '"same-value"');
	UPDATE events SET device = 'same-value';
	UPDATE vault SET secrets = '{same-value,same-value}', token = md5('same')::uuid, pairs = 'k => same-value';
	UPDATE legacy.users SET password = 'same-value';
	ALTER TABLE users ENABLE TRIGGER ALL;
	REFRESH MATERIALIZED VIEW cached;`

func runRandom(t *testing.T, filter string, first uint64, many int) {
	differ := ""
	if filter == "deny" {
		differ = unlike
	}
	worlds, types := twins(t, filter, differ)
	gates := [2]*pgconn.PgConn{worlds[0].connect(t).PgConn(), worlds[1].connect(t).PgConn()}
	direct := worlds[0].db.Conn(t).PgConn()
	for _, conn := range []*pgconn.PgConn{gates[0], gates[1], direct} {
		if _, err := conn.Exec(t.Context(), "SET statement_timeout = '1s'; SET jit = off; SET max_parallel_workers_per_gather = 0").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	known := canariesOf(t, worlds[0], worlds[1])
	t.Logf("%d queries from number %d on", many, first)
	ran, same, refused, failed := 0, 0, 0, 0
	bad := func(n uint64, way int, sql, format string, args ...any) {
		t.Helper()
		t.Errorf("number %d, way %d: %s\n"+format, append([]any{n, way, sql}, args...)...)
	}
	for i := range many {
		number := first + uint64(i)
		q := masksQuery{Rand: rand.New(rand.NewPCG(11, number))}
		way := q.IntN(3 * waysToRun)
		if way >= waysToRun {
			way %= plainWays // what defines something costs more time
		}
		sql := q.query(3, way)
		var got [2][][]byte
		var errs [2]error
		for w, world := range worlds {
			world.seen.take()
			got[w], errs[w] = runWay(t.Context(), gates[w], sql, way, q.writes)
			seen := world.seen.take()
			if s := known.in(seen); s != "" {
				bad(number, way, sql, "shows %q of a protected value", s)
			}
			if gates[w].IsClosed() {
				t.Fatalf("number %d, way %d: %s ended the session: %v", number, way, sql, errs[w])
			}
		}
		if a, b := allOf(errs[0]), allOf(errs[1]); a != b && !slices.Contains([]string{a, b}, "57014") {
			bad(number, way, sql, "fails by the protected values: %q, %q", a, b)
		}
		if errs[0] != nil {
			if c := allOf(errs[0]); strings.HasPrefix(c, "42501") || strings.HasPrefix(c, "0A000") {
				refused++
				if _, err := runWay(t.Context(), direct, sql, way, q.writes); q.free && err == nil {
					bad(number, way, sql, "is refused, and reaches nothing protected: %v", errs[0])
				}
			} else {
				failed++
			}
			continue
		}
		ran++
		for r, row := range got[1] {
			got[1][r] = renumbered(row, types)
		}
		if a, b := sorted(got[0]), sorted(got[1]); errs[1] == nil && !q.free && !slices.EqualFunc(a, b, bytes.Equal) {
			bad(number, way, sql, "depends on the protected values:\n%.500q\n%.500q", a, b)
		}
		want, err := runWay(t.Context(), direct, sql, way, q.writes)
		if err != nil {
			continue // a lock or a timeout
		}
		if len(got[0]) != len(want) {
			bad(number, way, sql, "%d rows, directly %d", len(got[0]), len(want))
			continue
		}
		if !q.free {
			continue
		}
		if same++; !slices.EqualFunc(got[0], want, bytes.Equal) {
			bad(number, way, sql, "got  %.500q\nwant %.500q", got[0], want)
		}
	}
	t.Logf("%d queries: %d ran, %d of them free and compared, %d refused, %d failed", many, ran, same, refused, failed)
	if ran < many/4 || same < many/20 {
		t.Errorf("too few of %d ran (%d) or could be compared (%d)", many, ran, same)
	}
}

// allOf is all that an error says.
func allOf(err error) string {
	var e *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Code == "57014":
		return e.Code
	case errors.As(err, &e):
		return strings.Join([]string{e.Code, e.Message, e.Detail, e.Hint, e.Where, e.InternalQuery, e.ConstraintName, e.ColumnName, strconv.Itoa(int(e.Position))}, "|")
	}
	return err.Error()
}

// typesOf are the numbers of the types that a database has made, as they stand in
// records in binary format.
func typesOf(t *testing.T, w *maskedWorld) (numbers [][]byte) {
	rows, err := w.db.Conn(t).Query(t.Context(), "SELECT oid FROM pg_type WHERE oid >= 16384 ORDER BY typname, typnamespace::regnamespace::text")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var oid uint32
		if err := rows.Scan(&oid); err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, binary.BigEndian.AppendUint32(nil, oid))
	}
	return numbers
}

// renumbered has the numbers of the first database's types for those of the second.
func renumbered(row []byte, types [2][][]byte) []byte {
	for i, n := range types[1] {
		row = bytes.ReplaceAll(row, n, types[0][i])
	}
	return row
}

func sorted(rows [][]byte) [][]byte { return slices.SortedFunc(slices.Values(rows), bytes.Compare) }

// waysToRun is how many ways runWay knows; the first of them leave nothing behind.
const waysToRun, plainWays = 14, 8

// runWay runs a query one of several ways and gives its rows. What it writes is
// undone.
func runWay(ctx context.Context, conn *pgconn.PgConn, sql string, way int, writes bool) (rows [][]byte, err error) {
	take := func(r *pgconn.Result) {
		for _, row := range r.Rows {
			var line []byte
			for _, v := range row {
				if line = append(line, '|'); v == nil {
					line = append(line, "\x00NULL"...)
				}
				line = append(line, v...)
			}
			rows = append(rows, line)
		}
		if err == nil {
			err = r.Err
		}
	}
	several := func(text string) {
		results, failed := conn.Exec(ctx, text).ReadAll()
		for _, r := range results {
			take(r)
		}
		err = failed
	}
	copied := func(options string) {
		var b bytes.Buffer
		_, err = conn.CopyTo(ctx, &b, "COPY ("+sql+") TO STDOUT"+options)
		if rows = [][]byte{b.Bytes()}; !strings.Contains(options, "binary") {
			rows = bytes.Split(b.Bytes(), []byte("\n"))
		}
	}
	if writes || way == 6 || way >= 8 {
		several("BEGIN")
	}
	defer func() {
		if conn.TxStatus() != 'I' {
			_, _ = conn.Exec(ctx, "ROLLBACK").ReadAll()
		}
	}()
	switch way {
	case 0:
		several(sql)
	case 1, 2:
		take(conn.ExecParams(ctx, sql, nil, nil, nil, []int16{int16(way - 1)}).Read())
	case 3:
		copied("")
	case 4:
		copied(" (FORMAT csv, HEADER)")
	case 5:
		copied(" (FORMAT binary)")
	case 6:
		several("DECLARE c CURSOR FOR " + sql + "; FETCH 2 FROM c; FETCH ALL FROM c")
	case 7:
		several("DEALLOCATE ALL; PREPARE p AS " + sql + "; EXECUTE p")
	case 8: // what the transaction has made itself
		several("CREATE TABLE pg_temp.made AS " + sql)
		if err == nil {
			several("SELECT * FROM made")
		}
	case 9:
		several("CREATE TEMP VIEW made AS " + sql + "; SELECT * FROM made")
	case 10:
		several("INSERT INTO notes (body) SELECT made::text FROM (" + sql + ") made; SELECT body, n FROM notes ORDER BY id")
	case 11:
		several("CREATE FUNCTION made() RETURNS SETOF record LANGUAGE sql AS $made$ " + sql + " $made$; SELECT made()")
	case 12:
		several("DELETE FROM notes RETURNING id, (SELECT string_agg(made::text, ',') FROM (" + sql + ") made)")
	default:
		several("DO $made$ BEGIN PERFORM pg_notify('x', made::text) FROM (" + sql + ") made; END $made$")
	}
	return rows, err
}
