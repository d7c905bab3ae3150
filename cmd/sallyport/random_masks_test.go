package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestRandomThroughGateway runs random queries over testdata/masks/schema.sql
// directly and through the gateway, by the simple and the extended protocol, in
// both formats, as COPY, as a cursor and by PREPARE: no canary is in any byte that
// the client receives, and what derives from no protected column is just as it is
// directly. SALLYPORT_RANDOM_MASKS is how many; `make masks-random N=...` sets it.
func TestRandomThroughGateway(t *testing.T) {
	many, first := 300, uint64(0)
	if s := os.Getenv("SALLYPORT_RANDOM_MASKS"); s != "" {
		many, _ = strconv.Atoi(s)
		first = uint64(time.Now().Unix())
		t.Logf("from %d on", first)
	}
	w := newMaskedWorld(t, masksData(t, "schema.sql"), masksData(t, "masks.toml"))
	gate, direct := w.connect(t).PgConn(), w.db.Conn(t).PgConn()
	for _, conn := range []*pgconn.PgConn{gate, direct} {
		if _, err := conn.Exec(t.Context(), "SET statement_timeout = '5s'").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	ran, same, refused := 0, 0, 0
	for i := range many {
		q := masksQuery{Rand: rand.New(rand.NewPCG(11, first+uint64(i)))}
		sql := q.query(3)
		way := q.IntN(6)
		w.seen.take()
		got, err := runWay(t.Context(), gate, sql, way)
		if s := shown(w.seen.take()); s != "" {
			t.Fatalf("query %d, way %d: %s\nshows %q", first+uint64(i), way, sql, s)
		}
		if err != nil {
			if strings.Contains(err.Error(), "42501") {
				refused++
				if q.free {
					t.Errorf("query %d, way %d is refused, and touches nothing protected: %s: %v", first+uint64(i), way, sql, err)
				}
			}
			if gate.IsClosed() {
				t.Fatalf("query %d, way %d: %s ended the session: %v", first+uint64(i), way, sql, err)
			}
			continue
		}
		ran++
		want, err := runWay(t.Context(), direct, sql, way)
		if err != nil {
			continue // a lock or a timeout
		}
		if len(got) != len(want) {
			t.Errorf("query %d, way %d: %s\n%d rows, directly %d", first+uint64(i), way, sql, len(got), len(want))
			continue
		}
		if !q.free {
			continue
		}
		same++
		for r := range got {
			if !bytes.Equal(got[r], want[r]) {
				t.Errorf("query %d, way %d: %s\ngot  %q\nwant %q", first+uint64(i), way, sql, got[r], want[r])
				break
			}
		}
	}
	t.Logf("%d queries: %d ran, %d of them free and compared, %d refused", many, ran, same, refused)
	if ran < many/4 || same < many/20 {
		t.Errorf("too few of %d ran (%d) or could be compared (%d)", many, ran, same)
	}
}

// runWay runs a query one of six ways and gives its rows.
func runWay(ctx context.Context, conn *pgconn.PgConn, sql string, way int) (rows [][]byte, err error) {
	take := func(r *pgconn.Result) {
		for _, row := range r.Rows {
			rows = append(rows, bytes.Join(row, []byte("|")))
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
		if err = failed; err != nil && conn.TxStatus() != 'I' {
			_, _ = conn.Exec(ctx, "ROLLBACK").ReadAll()
		}
	}
	switch way {
	case 0:
		several(sql)
	case 1, 2:
		take(conn.ExecParams(ctx, sql, nil, nil, nil, []int16{int16(way - 1)}).Read())
	case 3:
		var b bytes.Buffer
		_, err = conn.CopyTo(ctx, &b, "COPY ("+sql+") TO STDOUT")
		rows = bytes.Split(b.Bytes(), []byte("\n"))
	case 4:
		several("BEGIN; DECLARE c CURSOR FOR " + sql + "; FETCH 2 FROM c; FETCH ALL FROM c; COMMIT")
	default:
		several("DEALLOCATE ALL; PREPARE p AS " + sql + "; EXECUTE p")
	}
	return rows, err
}

// masksQuery writes queries. free says that nothing protected was reached.
type masksQuery struct {
	*rand.Rand
	free bool
	n    int
}

// masksTable is what a FROM clause can name, with its columns, and of which
// nothing is protected.
type masksTable struct {
	name    string
	columns []string
	free    bool
}

var masksTables = []masksTable{
	{"users", []string{"id", "name", "email", "password", "api_key", "active", "login"}, false},
	{"admins", []string{"id", "email", "seed", "name"}, false},
	{"customers", []string{"id", "user_id", "name", "ssn", "card", "phone", "country", "profile", "notes", "tags"}, false},
	{"vault", []string{"id", "owner", "secrets", "seed", "cred", "pairs", "token"}, false},
	{"events", []string{"id", "day", "device", "ok"}, false},
	{"events_h2", []string{"id", "device"}, false},
	{"legacy.users", []string{"id", "password", "name"}, false},
	{"directory", []string{"id", "name", "contact"}, false},
	{"secrets_v", []string{"id", "pw", "k", "name"}, false},
	{"cached", []string{"id", "k2", "pw2", "name"}, false},
	{"cities", []string{"id", "address", "word"}, false},
	{"find_user(3)", []string{"uid", "display", "word"}, false},
	{"orders", []string{"id", "customer_id", "status", "amount", "placed", "note"}, true},
	{"products", []string{"id", "sku", "title", "price", "tags", "made"}, true},
	{"notes", []string{"id", "body", "n"}, true},
	{"totals", []string{"customer_id", "n", "total"}, true},
}

func (q *masksQuery) pick(s ...string) string { return s[q.IntN(len(s))] }

func (q *masksQuery) query(depth int) string {
	q.free = true
	plain := q.IntN(4) == 0 // a query over what is not protected
	return q.selectOf(depth, 1+q.IntN(3), nil, plain) + " ORDER BY 1" + q.pick("", " LIMIT 5")
}

// selectOf writes a SELECT of so many columns, called c1 and so on.
func (q *masksQuery) selectOf(depth, columns int, outer []masksTable, plain bool) string {
	var scope []masksTable
	var from []string
	for range 1 + q.IntN(2) {
		text, table := q.table(depth, plain)
		from, scope = append(from, text), append(scope, table)
	}
	all := append(scope, outer...)
	targets := make([]string, columns)
	targets[0] = scope[0].name + "." + scope[0].columns[0] + " AS c1"
	for i := 1; i < columns; i++ {
		targets[i] = q.expr(depth, all, plain) + fmt.Sprintf(" AS c%d", i+1)
	}
	s := "SELECT " + strings.Join(targets, ", ") + " FROM " + strings.Join(from, " CROSS JOIN ")
	if q.IntN(2) == 0 {
		s += " WHERE " + q.condition(depth-1, all)
	}
	return s
}

func (q *masksQuery) table(depth int, plain bool) (string, masksTable) {
	q.n++
	alias := fmt.Sprintf("t%d", q.n)
	if depth > 1 && q.IntN(4) == 0 {
		n := 1 + q.IntN(3)
		names := []string{"c1", "c2", "c3"}[:n]
		return "(" + q.selectOf(depth-1, n, nil, plain) + " LIMIT 4) AS " + alias, masksTable{alias, names, false}
	}
	table := masksTables[q.IntN(len(masksTables))]
	for plain && !table.free {
		table = masksTables[q.IntN(len(masksTables))]
	}
	q.free = q.free && table.free
	return "(SELECT * FROM " + table.name + " LIMIT " + q.pick("3", "5", "20") + ") AS " + alias, masksTable{alias, table.columns, table.free}
}

func (q *masksQuery) column(scope []masksTable) string {
	s := scope[q.IntN(len(scope))]
	return s.name + "." + s.columns[q.IntN(len(s.columns))]
}

// expr writes an expression over what is in scope.
func (q *masksQuery) expr(depth int, scope []masksTable, plain bool) string {
	if depth <= 0 || q.IntN(3) == 0 {
		return q.column(scope) + q.pick("", "", "::text")
	}
	e := func() string { return q.expr(depth-1, scope, plain) }
	text := func() string { return "(" + e() + ")::text" }
	row := scope[q.IntN(len(scope))].name
	switch q.IntN(26) {
	case 0:
		return q.pick("upper", "md5", "reverse", "initcap", "quote_literal", "length", "to_json", "ascii", "btrim", "hashtext") + "(" + text() + ")"
	case 1:
		return text() + " || " + text()
	case 2:
		return "CASE WHEN " + q.condition(depth-1, scope) + " THEN " + text() + " ELSE " + text() + " END"
	case 3:
		return "coalesce(" + text() + ", " + text() + ")"
	case 4:
		return "(" + q.selectOf(depth-1, 1, scope, plain) + " LIMIT 1)"
	case 5:
		return "(ARRAY[" + text() + ", " + text() + "])[" + q.pick("1", "2") + "]"
	case 6:
		return q.pick("row_to_json(", "to_jsonb(", "hstore(", "") + row + q.pick(")", ")::text")
	case 7:
		return row + "::text"
	case 8:
		return "nullif(" + text() + ", 'x')"
	case 9:
		return "json_build_object('k', " + e() + ")" + q.pick("", " ->> 'k'")
	case 10:
		return "to_jsonb(" + row + ") " + q.pick("->> ", "-> ") + q.pick("'id'", "'password'", "'name'", "'profile'")
	case 11:
		return q.pick("left", "right") + "(" + text() + ", 12)"
	case 12:
		return "string_agg(" + text() + ", ',') OVER ()"
	case 13:
		return q.pick("first_value", "last_value", "max", "min", "array_agg", "json_agg") + "(" + e() + ") OVER ()"
	case 14:
		return "concat_ws('-', " + text() + ", " + text() + ")"
	case 15:
		return "array(" + q.selectOf(depth-1, 1, scope, plain) + " LIMIT 2)"
	case 16:
		return q.pick("greatest(", "least(") + text() + ", " + text() + ")"
	case 17:
		return "format('%s %I', " + text() + ", " + text() + ")"
	case 18:
		return "ROW(" + e() + ", 1)" + q.pick("", "::text")
	case 19:
		return "(" + q.column(scope) + ") " + q.pick("-> 'address'", "->> 'password'", "->> 'tier'", "#>> '{prefs,codes,0}'", "-> 'prefs'", "#> '{address,city}'", "- 'tier'")
	case 20:
		return "substring(" + text() + " FROM " + q.pick("2 FOR 9", "'[A-Z]+'") + ")"
	case 21:
		return "encode(" + q.pick("sha256(", "convert_to(") + text() + q.pick("::bytea), 'hex')", ", 'UTF8'), 'base64')")
	case 22:
		return "xmlelement(name x, " + e() + ")" + q.pick("", "::text")
	case 23:
		return "array_to_string(ARRAY[" + text() + "], ',')"
	case 24:
		return text() + " " + q.pick("=", "<>", "<", "LIKE") + " " + text()
	}
	return "jsonb_build_array(" + e() + ", " + e() + ")" + q.pick("", " -> 0", "::text")
}

func (q *masksQuery) condition(depth int, scope []masksTable) string {
	switch q.IntN(6) {
	case 0:
		return q.column(scope) + " IS NOT NULL"
	case 1:
		return q.column(scope) + "::text = 'x'"
	case 2:
		return scope[0].name + "." + scope[0].columns[0] + " > " + q.pick("0", "1", "3")
	case 3:
		return "NOT (" + q.condition(depth-1, scope) + ")"
	case 4:
		return "EXISTS (" + q.selectOf(max(depth-1, 0), 1, scope, false) + ")"
	}
	return scope[0].name + " IS NOT NULL OR true"
}
