package sqlguard

import (
	"slices"
	"strings"
	"testing"

	"sallyport/policy"
)

// FuzzRead: no text makes the guard panic, and none that is refused by the
// parser has facts.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"facts.txt", "lineage.txt"} {
		for _, v := range vectors(f, name) {
			f.Add(v.text)
		}
	}
	cat := testCatalog(f)
	g := New(protectedColumns, NewParser(nil))
	f.Fuzz(func(t *testing.T, text string) {
		r := g.Read(text, cat)
		if !r.Facts.Parsed && (r.Refusal == nil || len(r.Statements) > 0) {
			t.Errorf("%q: not parsed, and yet %+v", text, r)
		}
		for _, s := range r.Statements {
			if s.Opaque && len(s.Outputs) > 0 {
				t.Errorf("%q: opaque, with outputs", text)
			}
		}
	})
}

// FuzzWorker: whatever text a worker process is given, the next one is answered.
func FuzzWorker(f *testing.F) {
	for _, name := range []string{"facts.txt", "lineage.txt"} {
		for _, v := range vectors(f, name) {
			f.Add(v.text, 1)
		}
	}
	f.Add("1+", 50_000)
	f.Add("select 1 union ", 20_000)
	f.Add("((", 30_000)
	f.Add("::int", 60_000)
	f.Add("case when ", 20_000)
	p := testParser(f)
	p.inProcess = 0
	g := New(nil, p)
	f.Fuzz(func(t *testing.T, text string, times int) {
		if times > 1 && len(text) > 0 {
			text = "select " + strings.Repeat(text, min(times, parsedText/len(text)))
		}
		r := g.Read(text, nil)
		if r.Refusal == nil && !r.Facts.Parsed {
			t.Errorf("%.200q: neither read nor refused", text)
		}
		if r := g.Read("SELECT 1", nil); r.Refusal != nil || !r.Facts.Parsed {
			t.Fatalf("after %.200q: %v", text, r.Refusal)
		}
	})
}

// destroyers are destructive however they are written.
var destroyers = []string{
	"DROP TABLE users", "DELETE FROM orders", "UPDATE orders SET total = 0 WHERE 1 = 1", "TRUNCATE orders",
	"WITH d AS (DELETE FROM orders RETURNING id) SELECT id FROM d", "EXPLAIN ANALYZE DELETE FROM orders",
	"SELECT pg_terminate_backend(1)", "PREPARE x AS DELETE FROM orders", "GRANT SELECT ON users TO public",
	"SET ROLE postgres", "COPY orders TO PROGRAM 'sh'", "ALTER TABLE orders DROP COLUMN total",
}

// FuzzVerdict: comments, white space and case change no verdict.
func FuzzVerdict(f *testing.F) {
	for i := range destroyers {
		f.Add(uint(i), uint64(i)*0x9e3779b97f4a7c15, "a comment")
	}
	g := New(nil, NewParser(nil))
	f.Fuzz(func(t *testing.T, which uint, dice uint64, comment string) {
		text := disguise(destroyers[which%uint(len(destroyers))], dice, comment)
		r := g.Read(text, nil)
		if r.Refusal != nil && r.Refusal.Kind != policy.Unparsed && r.Refusal.Kind != policy.TooComplex {
			t.Errorf("%q: %v", text, r.Refusal)
		}
		if r.Refusal == nil && !r.Facts.Destructive {
			t.Errorf("%q is not destructive: %+v", text, r.Facts)
		}
	})
}

// disguise rewrites the blanks and the case of a statement as the dice say.
func disguise(text string, dice uint64, comment string) string {
	comment = strings.NewReplacer("/*", "", "*/", "", "\n", "", "\r", "", "/", "", "*", "", "\x00", "").Replace(comment)
	blanks := []string{" ", "\t\n", "/*" + comment + "*/", " -- " + comment + "\n", "/* /* " + comment + " */ */", "\f \r\n"}
	var out strings.Builder
	quoted := false
	for _, c := range text {
		dice = dice*6364136223846793005 + 1442695040888963407
		roll := dice >> 33
		switch {
		case c == '\'':
			quoted = !quoted
			out.WriteRune(c)
		case c == ' ' && !quoted:
			out.WriteString(blanks[roll%uint64(len(blanks))])
		case !quoted && roll%2 == 0:
			out.WriteString(strings.ToLower(string(c)))
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

func TestDisguisesStayDestructive(t *testing.T) {
	g := New(nil, NewParser(nil))
	for i, d := range destroyers {
		for dice := range uint64(50) {
			text := disguise(d, dice*7919+uint64(i), "x'y\"z$$;")
			if r := g.Read(text, nil); r.Refusal != nil || !r.Facts.Destructive {
				t.Errorf("%q: %v, %+v", text, r.Refusal, r.Facts)
			}
		}
	}
	if !slices.Contains(g.Read(destroyers[0], nil).Facts.Tables, "users") {
		t.Error("table not seen")
	}
}
