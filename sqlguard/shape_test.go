package sqlguard

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	pg "github.com/pganalyze/pg_query_go/v5"
)

func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT abalance FROM t WHERE aid = 12345;": "SELECT abalance FROM t WHERE aid = \x01;",
		"select 1.5, 'it''s', -7":                   "select \x02, \x03, -\x01",
		`select "a""b 'x'", t1.c2 from t1`:          `select "a""b 'x'", t1.c2 from t1`,
		"select $1, a$2":                            "select $1, a$2",
		"values ('ä', '')":                          "values (\x03, \x03)",
		"select 'a'::text, 5::int8 where a%2=0":     "select \x03::text, \x01::int8 where a%\x01=\x01",
		"":                                          "",

		// Not understood.
		"select 1 -- x":      "no",
		"select 1 /* x */":   "no",
		"select 'a' --\n'b'": "no",
		"select 'a'\n'b'":    "no",
		"select 'a' 'b'":     "no",
		`select 'a\'`:        "no",
		"select E'a'":        "no",
		"select e'a'":        "no",
		"select U&'a'":       "no",
		`select U&"a"`:       "no",
		"select B'1', X'f'":  "no",
		"select N'a'":        "no",
		"select $$a$$":       "no",
		"select $x$a$x$":     "no",
		"select $1a":         "no",
		"select 1e5":         "no",
		"select 0x1F":        "no",
		"select 1_000":       "no",
		"select 1a":          "no",
		"select .5":          "no",
		"select 5.":          "no",
		"select 1.5e3":       "no",
		"select 1.5.2":       "no",
		"select 1..2":        "no",
		"select 1234567890":  "no",
		"select a[1.]":       "no",
		"select 'a":          "no",
		`select "a`:          "no",
		"select é":           "no",
		"select aé":          "no",
		"select 'a'x":        "no",
		"select 5$1":         "no",
		"select 5\"a\"":      "no",
		"select \x01":        "no",
		"select 'a\x00b'":    "no",
		"select '\xff'":      "no",
		"select '" + strings.Repeat("x", maxShape): "no",
	} {
		got, ok := Shape(nil, text)
		if !ok {
			got = []byte("no")
		}
		if string(got) != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// literalsOf are what may stand for a mark, those included that a condition
// would fall for.
var literalsOf = map[byte][]string{
	shapeInteger: {"0", "1", "2", "00", "7", "42", "1000000", "999999999", "2147483", "123456789"},
	shapeDecimal: {"0.0", "1.0", "0.5", "12345678901234567890.5", "1.50"},
	shapeString: {
		"''", "'%'", "'%%'", "'t'", "'true'", "'f'", "'0'", "'1'", "'x'", "'infinity'", "'-infinity'", "'1970-01-01'",
		"'.*'", "'^'", "'''; drop table users; --'", "'select password from users'", "'users'", "'password'", "'pg_authid'",
		"'{1,2}'", "'ä'", "'$$'", "'/* x'", "'-- x'", "'standard_conforming_strings'", "' '", "'\n'", "'\"'",
	},
}

// withLiterals is a text of the shape.
func withLiterals(r *rand.Rand, shape []byte) string {
	var b strings.Builder
	for _, c := range shape {
		if l := literalsOf[c]; l != nil {
			b.WriteString(l[r.IntN(len(l))])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// sharing are texts of which some share their reading, and some must not.
var sharing = []string{
	pgbenchSelect,
	"SELECT id, total FROM orders WHERE user_id = 5 AND total > 1.5 OR note LIKE 'a%' ORDER BY total DESC LIMIT 10 OFFSET 5",
	"SELECT count(*), max(total) FROM orders WHERE note IN ('a', 'b') AND total BETWEEN 1 AND 5 GROUP BY user_id HAVING count(*) > 3",
	"INSERT INTO orders (id, user_id, total) VALUES (1, 2, 3), (4, 5, 6) RETURNING id",
	"INSERT INTO orders SELECT id, 5 FROM orders WHERE id = 7",
	"UPDATE orders SET total = total + 5, note = 'x' WHERE id = 7",
	"UPDATE orders SET total = -5 WHERE id = -7",
	"DELETE FROM orders WHERE id = 7",
	"SELECT CASE WHEN total > 5 THEN 'big' ELSE 'small' END FROM orders",
	"SELECT * FROM orders WHERE day = '2020-01-01'::date AND id = 5::int8 AND note = '5'",
	"SELECT o.id FROM orders o JOIN log l ON l.line = 'x' AND o.id = 5 WHERE EXISTS (SELECT 1 FROM orders WHERE id = 3) FOR UPDATE",
	"SELECT id FROM orders UNION ALL SELECT 5",
}

var notSharing = []string{
	"UPDATE orders SET total = 1 WHERE id > 5",
	"UPDATE orders SET total = 1 WHERE note = 'x'",
	"UPDATE orders SET total = 1 WHERE id = 1 OR id = 2",
	"UPDATE orders SET total = 1 WHERE 5 = 5",
	"DELETE FROM orders WHERE note LIKE 'a%'",
	"DELETE FROM orders WHERE 1 = 2",
	"DELETE FROM orders WHERE id IN (1, 2)",
	"DELETE FROM orders WHERE id = 1 AND id = 2",
	"SELECT id, total FROM orders ORDER BY 1",
	"SELECT id, count(*) FROM orders GROUP BY 1",
	"SELECT DISTINCT ON (1) id FROM orders",
	"SELECT lo_get(5)",
	"SELECT upper('x')",
	"SELECT query_to_xml('select 1', true, true, '')",
	"SELECT set_config('a.b', 'c', false)",
	"SELECT nextval('s')",
	"SELECT 'users'::regclass",
	"SELECT '5'::varchar(5)",
	"SELECT * FROM generate_series(1, 5)",
	"SET statement_timeout = 5",
	"EXPLAIN SELECT 1",
	"COPY orders TO STDOUT (DELIMITER ',')",
	"PREPARE p AS SELECT 1",
	"SELECT 1; SELECT 2",
	"WITH x AS (SELECT 1) SELECT * FROM x",
	"DECLARE c CURSOR FOR SELECT 1",
	"FETCH 5 FROM c",
	"SELECT id INTO fresh FROM orders WHERE id = 5",
	"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET total = 1",
	"SELECT (array[1,2])[1]",
	"SELECT rank() OVER (ORDER BY 1)",
	"SELECT * FROM orders TABLESAMPLE system (5)",
	"CREATE TABLE t (a int DEFAULT 5)",
	"DO 'begin end'",
	"COMMENT ON TABLE orders IS 'x'",
	"LISTEN x",
	"SELECT total FROM orders WHERE note SIMILAR TO 'a'",
	"SELECT total FROM orders WHERE note LIKE 'a' ESCAPE 'b'",
	"SELECT id FROM nothing_here WHERE id = 5",
	"SELECT password FROM users WHERE id = 5",
}

// TestSharedReadings: what a text's shape shares is what each text of the shape
// reads alone.
func TestSharedReadings(t *testing.T) {
	cat := testCatalog(t)
	texts := slices.Clone(sharing)
	for _, file := range []string{"facts.txt", "lineage.txt"} {
		for _, v := range vectors(t, file) {
			texts = append(texts, v.text)
		}
	}
	var verdicts []string
	for _, line := range verdictLines(t) {
		verdicts = append(verdicts, line[1:])
	}
	rules, masks := New(nil, testParser(t)), New(protectedColumns, testParser(t))
	for _, text := range sharing {
		if r := rules.Read(text, cat); !r.Shared {
			t.Errorf("not shared: %s", text)
		}
	}
	for _, text := range notSharing {
		if r := masks.Read(text, cat); r.Shared {
			t.Errorf("shared: %s", text)
		}
	}
	t.Run("rules", func(t *testing.T) { checkShared(t, rules, cat, texts) })
	t.Run("masks", func(t *testing.T) { checkShared(t, masks, cat, texts) })
	t.Run("verdicts", func(t *testing.T) { checkShared(t, rules, verdictsCatalog(t), verdicts) })
}

func checkShared(t *testing.T, g *Guard, cat *Catalog, texts []string) {
	r, shared := rand.New(rand.NewPCG(1, 2)), 0
	for _, text := range texts {
		shape, ok := Shape(nil, text)
		if !ok {
			continue
		}
		first := g.Read(text, cat)
		if !first.Shared {
			continue
		}
		shared++
		for range 30 {
			other := withLiterals(r, shape)
			again, ok := Shape(nil, other)
			if !ok { // two of them side by side may not be understood
				continue
			}
			if !bytes.Equal(again, shape) {
				t.Fatalf("%q has another shape than %q", other, text)
			}
			alone := g.Read(other, cat)
			alone.Facts.Text = first.Facts.Text
			if !reflect.DeepEqual(alone, first) {
				t.Fatalf("%q reads\n%+v, not as %q does:\n%+v", other, alone, text, first)
			}
		}
	}
	if t.Logf("%d of %d texts share", shared, len(texts)); shared == 0 {
		t.Error("none shares")
	}
}

// FuzzShape: to PostgreSQL's own scanner, all texts of a shape are the same
// tokens, and what was cut out are the constants.
func FuzzShape(f *testing.F) {
	for _, text := range append(sharing, notSharing...) {
		f.Add(text, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		shape, ok := Shape(nil, text)
		if !ok {
			return
		}
		kinds, constants, err := tokens(text)
		if err != nil {
			return // nobody understands it
		}
		marks := bytes.Count(shape, []byte{shapeInteger}) + bytes.Count(shape, []byte{shapeDecimal}) + bytes.Count(shape, []byte{shapeString})
		if marks != constants {
			t.Fatalf("%q: %d constants, %d cut out: %q", text, constants, marks, shape)
		}
		other := withLiterals(rand.New(rand.NewPCG(seed, 0)), shape)
		if again, ok := Shape(nil, other); !ok || !bytes.Equal(again, shape) {
			return
		}
		if otherKinds, _, err := tokens(other); err != nil || otherKinds != kinds {
			t.Fatalf("%q and %q are not the same tokens:\n%s\n%s %v", text, other, kinds, otherKinds, err)
		}
	})
}

// tokens names the tokens that PostgreSQL's scanner sees, and counts the constants.
func tokens(text string) (kinds string, constants int, err error) {
	scan, err := pg.Scan(text)
	if err != nil {
		return "", 0, err
	}
	for _, tok := range scan.Tokens {
		switch tok.Token {
		case pg.Token_ICONST, pg.Token_FCONST, pg.Token_SCONST:
			constants++
			kinds += tok.Token.String() + " "
		default:
			kinds += fmt.Sprintf("%s:%s ", tok.Token, text[tok.Start:tok.End])
		}
	}
	return kinds, constants, nil
}

func BenchmarkShape(b *testing.B) {
	var room [maxShape]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Shape(room[:0], pgbenchSelect); !ok {
			b.Fatal("no shape")
		}
	}
}
