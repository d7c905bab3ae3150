package sqlguard

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgtest"
)

// TestRandomQueries runs random queries that the guard lets pass, and looks for
// protected values in what would not be masked: by the origin that the server
// reports, and by lineage where it reports none. SALLYPORT_RANDOM is how many.
func TestRandomQueries(t *testing.T) {
	many := 2000
	if s := os.Getenv("SALLYPORT_RANDOM"); s != "" {
		many, _ = strconv.Atoi(s)
	}
	db := pgtest.New(t)
	db.Exec(t, realSchema)
	conn := db.Conn(t)
	cat, err := Load(t.Context(), textQuerier{conn.PgConn()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "RESET search_path; SET statement_timeout = '2s'"); err != nil {
		t.Fatal(err)
	}
	g := New(protectedColumns, testParser(t))
	read, ran := 0, 0
	for i := range many {
		q := randomQuery{rand.New(rand.NewPCG(5, uint64(i))), nil}
		text := q.query(3)
		r := g.Read(text, cat)
		if r.Refusal != nil {
			if r.Facts.Parsed {
				read++
			}
			continue
		}
		read++
		if runRandom(t, g, cat, conn, text, r.Statements[0]) {
			ran++
		}
		if t.Failed() {
			t.Fatalf("query %d", i)
		}
	}
	t.Logf("%d queries, %d read, %d ran", many, read, ran)
	if ran < many/10 || read < many*8/10 {
		t.Errorf("of %d queries %d were read and only %d ran", many, read, ran)
	}
}

func runRandom(t *testing.T, g *Guard, cat *Catalog, conn *pgx.Conn, text string, s Statement) bool {
	result := conn.PgConn().ExecParams(t.Context(), text, nil, nil, nil, nil).Read()
	if result.Err != nil || len(result.Rows) == 0 {
		return false
	}
	loose := false
	for _, o := range s.Outputs {
		loose = loose || o.Many
	}
	if !s.Opaque && !loose && len(s.Outputs) != len(result.FieldDescriptions) {
		t.Errorf("%s\n%d outputs, the server has %d", text, len(s.Outputs), len(result.FieldDescriptions))
		return true
	}
	for i, f := range result.FieldDescriptions {
		masked := loose && f.TableOID == 0
		if !s.Opaque && !loose {
			masked = len(s.Outputs[i].Protected) > 0
		}
		if f.TableOID != 0 {
			origin, known := g.Origin(cat, f.TableOID, int16(f.TableAttributeNumber))
			masked = !known || len(origin.Protected) > 0
		}
		if masked {
			continue
		}
		for _, row := range result.Rows {
			if v := strings.ToUpper(string(row[i])); strings.Contains(v, "ECRE") || strings.Contains(v, "ERCE") {
				t.Errorf("%s\noutput %d %q shows %q", text, i, f.Name, row[i])
				return true
			}
		}
	}
	return true
}

// randomQuery writes queries over realSchema.
type randomQuery struct {
	*rand.Rand
	ctes []source
}

// source is what a FROM clause can name.
type source struct {
	name    string
	columns []string
}

var sources = []source{
	{"users", []string{"id", "name", "email", "password", "api_key", "tags"}},
	{"public.users", []string{"id", "name", "email", "password"}},
	{"orders", []string{"id", "user_id", "total", "note"}},
	{"events", []string{"id", "day", "payload"}},
	{"events_2024", []string{"id", "payload"}},
	{"v_users", []string{"id", "password", "shout"}},
	{"v_orders", []string{"id", "total"}},
	{"m_users", []string{"id", "password"}},
	{"v_deep", []string{"who"}},
	{"v_case", []string{"id", "c", "n"}},
	{"v_union", []string{"id", "v"}},
	{"accounts", []string{"id", "iban"}},
	{"archive.accounts", []string{"id", "iban", "closed"}},
}

func (q *randomQuery) pick(s ...string) string { return s[q.IntN(len(s))] }

func (q *randomQuery) query(depth int) string {
	if depth > 1 && q.IntN(4) == 0 {
		name := fmt.Sprintf("w%d", len(q.ctes))
		body := q.selectOf(depth-1, []string{"a", "b"}, nil)
		q.ctes = append(q.ctes, source{name, []string{"a", "b"}})
		return fmt.Sprintf("WITH %s AS (%s) %s", name, body, q.query(depth-1))
	}
	return q.selectOf(depth, nil, nil)
}

// selectOf writes a SELECT; names fix its columns. outer is what is in scope
// around it.
func (q *randomQuery) selectOf(depth int, names []string, outer []source) string {
	from, scope := q.from(depth, outer)
	all := append(scope, outer...)
	var targets []string
	switch {
	case names != nil:
		for _, n := range names {
			targets = append(targets, q.expr(depth, all)+" AS "+n)
		}
	case q.IntN(5) == 0:
		targets = append(targets, q.pick("*", scope[0].name+".*", "("+scope[0].name+").*"))
	default:
		for range 1 + q.IntN(3) {
			targets = append(targets, q.expr(depth, all))
		}
	}
	s := "SELECT "
	if q.IntN(8) == 0 {
		s += "DISTINCT "
	}
	s += strings.Join(targets, ", ") + " FROM " + from
	if q.IntN(3) == 0 {
		s += " WHERE " + q.condition(depth-1, all)
	}
	if names != nil && depth > 0 && q.IntN(6) == 0 {
		s += " UNION ALL " + q.selectOf(depth-1, names, outer)
	} else if q.IntN(4) == 0 {
		s += " LIMIT 2"
	}
	return s
}

func (q *randomQuery) from(depth int, outer []source) (string, []source) {
	text, one := q.table(depth, outer)
	if q.IntN(3) != 0 {
		return text, []source{one}
	}
	more, two := q.table(depth-1, outer)
	switch q.IntN(4) {
	case 0:
		return text + ", LATERAL (" + q.selectOf(depth-2, []string{"l1", "l2"}, append([]source{one}, outer...)) + ") " + one.name + "l",
			[]source{one, {one.name + "l", []string{"l1", "l2"}}}
	case 1:
		return text + " NATURAL JOIN " + more, []source{one, two}
	case 2:
		return text + " " + q.pick("LEFT", "FULL", "RIGHT", "") + " JOIN " + more + " USING (id)", []source{one, two}
	}
	return text + " CROSS JOIN " + more, []source{one, two}
}

// table writes one entry of FROM under a fresh alias.
func (q *randomQuery) table(depth int, outer []source) (string, source) {
	alias := fmt.Sprintf("t%d", q.IntN(1_000_000))
	if depth > 1 && q.IntN(4) == 0 {
		names := []string{"id", "x", "y"}[:1+q.IntN(3)]
		return "(" + q.selectOf(depth-1, names, nil) + ") AS " + alias, source{alias, names}
	}
	all := append(append([]source{}, sources...), q.ctes...)
	s := all[q.IntN(len(all))]
	if q.IntN(8) == 0 && len(s.columns) > 1 {
		return s.name + " AS " + alias + "(c1, c2)", source{alias, []string{"c1", "c2"}}
	}
	return s.name + " AS " + alias, source{alias, s.columns}
}

func (q *randomQuery) column(scope []source) string {
	s := scope[q.IntN(len(scope))]
	c := s.columns[q.IntN(len(s.columns))]
	switch q.IntN(5) {
	case 0:
		return "(" + s.name + ")." + c
	case 1:
		return c
	}
	return s.name + "." + c
}

// expr writes an expression, mostly of type text.
func (q *randomQuery) expr(depth int, scope []source) string {
	if depth <= 0 || q.IntN(3) == 0 {
		if c := q.column(scope); q.IntN(2) == 0 {
			return c
		} else {
			return c + "::text"
		}
	}
	e := func() string { return q.expr(depth-1, scope) }
	text := func() string { return "(" + e() + ")::text" }
	row := scope[q.IntN(len(scope))].name
	switch q.IntN(20) {
	case 0:
		return q.pick("upper", "lower", "md5", "reverse", "initcap", "quote_literal") + "(" + text() + ")"
	case 1:
		return text() + " || " + text()
	case 2:
		return "CASE WHEN " + q.condition(depth-1, scope) + " THEN " + text() + " ELSE " + text() + " END"
	case 3:
		return "coalesce(" + text() + ", " + text() + ")"
	case 4:
		return "(" + q.selectOf(depth-1, []string{"s"}, scope) + " LIMIT 1)"
	case 5:
		return "(ARRAY[" + text() + ", " + text() + "])[" + q.pick("1", "2") + "]"
	case 6:
		return "row_to_json(" + row + ")::text"
	case 7:
		return row + "::text"
	case 8:
		return "nullif(" + text() + ", 'x')"
	case 9:
		return "json_build_object('k', " + text() + ")"
	case 10:
		return "to_jsonb(" + row + ") ->> " + q.pick("'id'", "'password'", "'name'")
	case 11:
		return "left(" + text() + ", 6)"
	case 12:
		return "string_agg(" + text() + ", ',') OVER ()"
	case 13:
		return "first_value(" + text() + ") OVER (PARTITION BY " + e() + ")"
	case 14:
		return "concat_ws('-', " + text() + ", " + text() + ")"
	case 15:
		return "array(" + q.selectOf(depth-1, []string{"s"}, scope) + ")"
	case 16:
		return "greatest(" + text() + ", " + text() + ")"
	case 17:
		return "format('%s', " + text() + ")"
	case 18:
		return "(" + text() + " COLLATE \"C\")"
	}
	return "ROW(" + text() + ", 1)::text"
}

func (q *randomQuery) condition(depth int, scope []source) string {
	switch q.IntN(6) {
	case 0:
		return q.column(scope) + " IS NOT NULL"
	case 1:
		return q.expr(depth, scope) + "::text = 'x'"
	case 2:
		return "EXISTS (" + q.selectOf(depth-1, nil, scope) + ")"
	case 3:
		return "NOT (" + q.condition(depth-1, scope) + ")"
	case 4:
		return q.column(scope) + " = " + q.column(scope)
	}
	return scope[0].name + " IS NOT NULL OR true"
}
