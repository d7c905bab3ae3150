package sqlguard

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/policy"
)

// TestHostileTexts gives the parser what overflows its stack, takes it for
// ever, or is no text. The process has to survive, and to answer soon.
func TestHostileTexts(t *testing.T) {
	g := New(nil, testParser(t))
	cases := map[string]struct {
		text string
		kind policy.Kind
	}{
		"a zero byte":           {"select 1\x00; drop table users", policy.Unparsed},
		"no UTF-8":              {"select '\xff'", policy.Unparsed},
		"overlong UTF-8":        {"select '\xc0\xa7'", policy.Unparsed},
		"two megabytes":         {"select '" + strings.Repeat("x", 2<<20) + "'", policy.TooLarge},
		"nested comments":       {strings.Repeat("/*", 100_000), policy.TooComplex},
		"nested, then balanced": {strings.Repeat("/*", 1000) + strings.Repeat("*/", 1000) + "select 1", policy.TooComplex},
		"after a string":        {`select '\', E'\'/*', $$ $$, "a""b", ` + strings.Repeat("/*", 100), policy.TooComplex},
		"a chain of casts":      {"select 1" + strings.Repeat("::int", 100_000), policy.TooComplex},
		"a chain of unions":     {"select 1" + strings.Repeat(" union all select 1", 50_000), policy.TooComplex},
		"brackets":              {"select " + strings.Repeat("(", 50_000) + "1" + strings.Repeat(")", 50_000), policy.Unparsed},
		"a megabyte of sums":    {"select 1" + strings.Repeat("+1", 400_000), policy.TooComplex},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			r := g.Read(c.text, nil)
			if r.Refusal == nil || r.Refusal.Kind != c.kind {
				t.Errorf("refusal is %v, want kind %v", r.Refusal, c.kind)
			}
			if r.Facts.Parsed {
				t.Error("facts say it was parsed")
			}
			if d := time.Since(began); d > hangs {
				t.Errorf("hung for %v", d)
			}
		})
	}
	if r := g.Read("select 1", nil); r.Refusal != nil {
		t.Errorf("afterwards a plain statement is refused: %v", r.Refusal)
	}
}

// TestLongChain: 60 KB of 1+1+... kills a process that parses it.
func TestLongChain(t *testing.T) {
	g := New(nil, testParser(t))
	text := "select 1" + strings.Repeat("+1", 30_000)
	if r := g.Read(text, nil); r.Refusal != nil && r.Refusal.Kind != policy.TooComplex {
		t.Errorf("refusal is %v", r.Refusal)
	}
	long := "select 1 -- " + strings.Repeat("x", 40<<10)
	if r := g.Read(long, nil); r.Refusal != nil || r.Facts.Statements != 1 {
		t.Errorf("a long harmless statement: %v, %d statements", r.Refusal, r.Facts.Statements)
	}
}

func TestWithoutWorkersLongTextsAreRefused(t *testing.T) {
	p := NewParser(nil)
	r := New(nil, p).Read("select '"+strings.Repeat("x", 20<<10)+"'", nil)
	if r.Refusal == nil || r.Refusal.Kind != policy.TooLarge {
		t.Errorf("refusal is %v", r.Refusal)
	}
}

func TestShortestStackIsSafe(t *testing.T) {
	n := testParser(t).inProcess
	if n < 1<<10 || n > 16<<10 {
		t.Fatalf("in process up to %d bytes", n)
	}
	g := New(nil, NewParser(nil))
	for _, chain := range []string{"+1", "+", "- ", "not ", "::a", "||1", " union select 1", "[1]", ".a", "(", "{", " is null", " at time zone 1", ",(1)", "*+-"} {
		g.Read("select a"+strings.Repeat(chain, (n-20)/len(chain))+" a", nil)
		g.Read("select "+strings.Repeat(chain, (n-20)/len(chain))+"a", nil)
	}
}

func TestWorkersAreReplaced(t *testing.T) {
	p := testParser(t)
	g := New(nil, p)
	killer := "select 1" + strings.Repeat("+1", 400_000)
	fine := "select 1 /* " + strings.Repeat("x", 40<<10) + " */"
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			g.Read(killer, nil)
			if r := g.Read(fine, nil); r.Refusal != nil {
				t.Errorf("after a dead worker: %v: %v", r.Refusal, r.Refusal.Err)
			}
		})
	}
	wg.Wait()
}

func TestWorkerThatCannotStart(t *testing.T) {
	p := NewParser([]string{"/nonexistent/worker"})
	t.Cleanup(func() { _ = p.Close() })
	r := New(nil, p).Read("select '"+strings.Repeat("x", 20<<10)+"'", nil)
	if r.Refusal == nil || r.Refusal.Kind != policy.Internal || strings.Contains(r.Refusal.Public, "nonexistent") {
		t.Errorf("refusal is %v", r.Refusal)
	}
}

func TestSyntaxErrorPosition(t *testing.T) {
	g := New(nil, testParser(t))
	pad := strings.Repeat(" ", 20<<10)
	for text, want := range map[string]int{
		"SELEC 1":                  1,
		"select 'äöü' a FROM FROM": 21,
		pad + "SELEC 1":            20<<10 + 1,
	} {
		r := g.Read(text, nil)
		if r.Refusal == nil || r.Refusal.Kind != policy.Unparsed || r.Refusal.Position != want {
			t.Errorf("%.30q: %+v, want position %d", text, r.Refusal, want)
		}
	}
}

func TestCommentDepth(t *testing.T) {
	deep := strings.Repeat("/*", 40)
	for text, want := range map[string]bool{
		deep:                       true,
		"'" + deep + "'":           false,
		`"` + deep + `"`:           false,
		"$a$" + deep + "$a$":       false,
		"$1" + deep:                true,
		"a$b$" + deep:              true,
		"-- " + deep:               false,
		"-- \n" + deep:             true,
		"E'\\'" + deep + "'":       false,
		"'\\'" + deep:              true,
		"E'a'\n'\\'" + deep + "'":  false,
		"E'a' '\\'" + deep + "'":   true,
		"fe'\\'" + deep:            true,
		"U&'\\'" + deep:            true,
		strings.Repeat("/**/", 99): false,
		"1 +" + deep:               true,
	} {
		if got := prelex(text) != nil; got != want {
			t.Errorf("%.40q: refused is %v, want %v", text, got, want)
		}
	}
}

func TestProtectedWithoutCatalogIsRefused(t *testing.T) {
	r := New(protectedColumns, testParser(t)).Read("select 1", nil)
	if r.Refusal == nil || r.Refusal.Kind != policy.Unavailable || r.Facts.Parsed {
		t.Errorf("%+v", r)
	}
}

func TestUnknownNamesAreListed(t *testing.T) {
	r := New(protectedColumns, testParser(t)).Read("select * from orders, nothere, x.orders, public.orders o", testCatalog(t))
	if got := strings.Join(r.Unknown, " "); got != "nothere x.orders" {
		t.Errorf("unknown: %s", got)
	}
}

// TestPreparedElsewhere: what EXECUTE and FETCH return is not in the text.
func TestPreparedElsewhere(t *testing.T) {
	cat := testCatalog(t)
	for text, name := range map[string]string{"EXECUTE q(1)": "q", "FETCH ALL FROM c": "c", "MOVE ALL FROM c": "", "SELECT 1": ""} {
		r := New(protectedColumns, testParser(t)).Read(text, cat)
		if r.Refusal != nil || r.Statements[0].Runs != name || r.Facts.Protected != (name != "") || !r.Statements[0].Opaque {
			t.Errorf("%s: %+v", text, r)
		}
	}
	for text, stores := range map[string]bool{"EXPLAIN ANALYZE EXECUTE q": false, "CREATE TABLE t AS EXECUTE q(1)": true, "EXPLAIN CREATE TABLE t AS EXECUTE q": true, "EXPLAIN ANALYZE CREATE TABLE t AS EXECUTE q(1)": true} {
		r := New(protectedColumns, testParser(t)).Read(text, cat)
		if r.Refusal != nil || r.Statements[0].Within != "q" || r.Statements[0].Stores != stores || !r.Facts.Protected {
			t.Errorf("%s: %+v", text, r)
		}
	}
	for _, text := range []string{"EXECUTE q(1)", "FETCH ALL FROM c", "EXPLAIN EXECUTE q"} {
		if r := New(nil, testParser(t)).Read(text, cat); r.Facts.Protected {
			t.Errorf("%s: protected where nothing is", text)
		}
	}
}

func TestOrigin(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	for _, c := range []struct {
		table     uint32
		attribute int16
		want      string
		known     bool
	}{
		{100, 1, "id", true},
		{100, 4, "password!users.password", true},
		{100, 0, "users~users.email+users.password+users.api_key", true},
		{101, 0, "orders", true},
		{101, 4, "note", true},
		{104, 3, "payload!events.payload", true},
		{105, 2, "password!users.password", true},
		{105, 3, "shout~users.email", true},
		{116, 1, "who!users.password", true},
		{107, 1, "v_unread~v_unread.", true},
		{100, 99, "users", false},
		{9999, 1, "", false},
	} {
		out, known := g.Origin(cat, c.table, c.attribute)
		if known != c.known || known && outputText(out) != c.want {
			t.Errorf("(%d, %d): %s, %v, want %s, %v", c.table, c.attribute, outputText(out), known, c.want, c.known)
		}
	}
	if col, ok := cat.Origin(101, 2); !ok || col != (Column{"public", "orders", "user_id"}) {
		t.Errorf("catalog: %v %v", col, ok)
	}
}

func TestLoadRefusesAnOddAnswer(t *testing.T) {
	if _, err := Load(context.Background(), odd{}); err == nil {
		t.Error("no error")
	}
}

type odd struct{}

func (odd) Query(context.Context, string) ([][]string, error) { return [][]string{{"1", "2"}}, nil }

const ormQuery = `SELECT DISTINCT o.id, o.user_id, o.total, u.name AS user_name, count(i.id) AS items,
	coalesce(sum(i.price * i.quantity), 0) AS amount,
	CASE WHEN o.total > 100 THEN 'large' WHEN o.total > 10 THEN 'middle' ELSE 'small' END AS size
FROM orders o
JOIN users u ON u.id = o.user_id AND u.is_admin IS NOT NULL
LEFT JOIN items i ON i.order_id = o.id
LEFT JOIN LATERAL (
	SELECT p.id, p.paid_at
	FROM payments p
	WHERE p.order_id = o.id
	ORDER BY p.paid_at DESC
	LIMIT 1
) last_payment ON true
WHERE o.id BETWEEN $1 AND $2
	AND o.note IN ('open', 'paid', 'shipped', 'returned')
	AND (o.note IS NULL OR o.note NOT LIKE '%test%')
	AND EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.plan = ANY ($3))
	AND o.user_id NOT IN (SELECT b.user_id FROM blocked b WHERE b.until > now())
GROUP BY o.id, o.user_id, o.total, u.name
HAVING count(i.id) > 0
ORDER BY o.id DESC
LIMIT 50 OFFSET 100`

// hangs is far above what any text takes on any machine, and far below what
// work that multiplies would take.
const hangs = 2 * time.Minute

// TestWorkIsBounded: whatever nests or multiplies is answered soon.
func TestWorkIsBounded(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	nest := func(n int, before, core, after string) string {
		return strings.Repeat(before, n) + core + strings.Repeat(after, n)
	}
	for name, text := range map[string]string{
		"cases":      "select " + nest(200, "case when ", "password = 'a'", " then true end") + " from users",
		"recursions": nest(100, "with recursive t as (", "select password from users", " union all select * from t) select * from t"),
		"disjuncts":  "delete from users where id = 0" + strings.Repeat(" or id = 1", 5_000),
		"exists":     "delete from users where " + nest(400, "exists (select 1 from users where ", "id = 1", ")"),
		"tables":     "select id from users u0" + strings.Repeat(", users u1", 10_000),
		"columns":    "select id" + strings.Repeat(", password", 50_000) + " from users",
		"rows":       "insert into users (id, password) values (1, 'x')" + strings.Repeat(", (1, 'x')", 40_000),
		"statements": strings.Repeat("select password from users;", 20_000),
		"names":      manyNames(30_000),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			r := g.Read(text, cat)
			if d := time.Since(began); d > hangs {
				t.Errorf("hung for %v", d)
			}
			t.Logf("%v, %v", time.Since(began), r.Refusal)
		})
	}
}

func manyNames(n int) string {
	var b strings.Builder
	b.WriteString("select id")
	for i := range n {
		fmt.Fprintf(&b, ", c%d", i)
	}
	return b.String() + " from orders"
}

// TestParseLimit: a target says how long a statement may be that is parsed.
func TestParseLimit(t *testing.T) {
	long := "select '" + strings.Repeat("x", 2<<20) + "'"
	for limit, refused := range map[int]bool{0: true, 100: true, 4 << 20: false} {
		g := New(nil, testParser(t))
		g.ParseLimit = limit
		r := g.Read(long, nil)
		if (r.Refusal != nil) != refused || r.Facts.Parsed == refused || refused && r.Refusal.Kind != policy.TooLarge {
			t.Errorf("limit %d: %v", limit, r.Refusal)
		}
	}
}
