package mask

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func token(t testing.TB) *Transform { return every(t)["token"] }

// TestTokenShape is what stays of a value: a pattern over its token.
func TestTokenShape(t *testing.T) {
	for value, shape := range map[string]string{
		"":                       `^$`,
		"a":                      `^[a-z]$`,
		"7":                      `^\d$`,
		"alice@example.com":      `^[a-z]{5}@[a-z]{7}\.[a-z]{3}$`,
		"Alice McX":              `^[A-Z][a-z]{4} [A-Z][a-z][A-Z]$`,
		"4111 1111-1111 1111":    `^\d{4} \d{4}-\d{4} \d{4}$`,
		"123-45-6789":            `^\d{3}-\d\d-\d{4}$`,
		"+49 (0)30 1234":         `^\+\d\d \(\d\)\d\d \d{4}$`,
		"Größe":                  `^[A-Z][a-z]\p{Ll}\p{Ll}[a-z]$`,
		"Ελλάς":                  `^\p{Lu}\p{Ll}{4}$`,
		"Привет, мир":            `^[А-Я][а-я]{5}, [а-я]{3}$`,
		"你好":                     `^\p{Han}{2}$`,
		"한국":                     `^\p{Hangul}{2}$`,
		"ひらカタ":                   `^\p{Hiragana}{2}\p{Katakana}{2}$`,
		"٣٤":                     `^\p{Nd}{2}$`,
		"a\tb\nc":                `^[a-z]\t[a-z]\n[a-z]$`,
		"---":                    `^[[:punct:]]{3}$`,
		"!a$%&/()=":              `^[[:punct:]][a-z][[:punct:]]{7}$`,
		"        ":               `^        $`,
		"\u00a0\u200d\u2028":     "^\u00a0\u200d\u2028$",
		"😀🙈":                     `^[^a-zA-Z0-9]{2}$`,
		"sk-AbC123":              `^[a-z]{2}-[A-Z][a-z][A-Z]\d{3}$`,
		"\U0010ffff\ue000\u0378": `^...$`,
	} {
		out, null := token(t).Apply(nil, Field{Type: oidText, Modifier: -1}, []byte(value))
		if null || !regexp.MustCompile(shape).Match(out) || utf8.RuneCount(out) != utf8.RuneCountInString(value) || len(out) != len(value) {
			t.Errorf("%q has the token %q, which is not %s of %d bytes", value, out, shape, len(value))
		}
		if len(value) > 8 && strings.Contains(string(out), value) && strings.TrimSpace(value) != "" && value[0] != 0xc2 {
			t.Errorf("%q is its own token", value)
		}
	}
}

// TestTokenIsOneToOne tries all values of small shapes: no two tokens are
// equal, and each has the shape.
func TestTokenIsOneToOne(t *testing.T) {
	tr := token(t)
	shapes := map[string]func(yield func(string) bool){
		"digit":       numbers("%01d", 0, 10),
		"two digits":  numbers("%02d", 0, 100),
		"four digits": numbers("%04d", 0, 10000),
		"letters": func(yield func(string) bool) {
			for i := range 26 * 26 * 26 {
				if !yield(string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/26/26)})) {
					return
				}
			}
		},
		"ideograph": func(yield func(string) bool) {
			for r := '一'; r < '一'+20992; r += 5 {
				if !yield(string(r)) {
					return
				}
			}
		},
		"anything": func(yield func(string) bool) {
			for r := rune(0); r <= 0x3400; r++ {
				if !yield(string(r)) {
					return
				}
			}
			for r := rune(0x1f300); r <= 0x1f6ff; r++ {
				if !yield(string(r)) {
					return
				}
			}
		},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			seen, n := map[string]bool{}, 0
			for value := range shape {
				out, _ := tr.Apply(nil, Field{Type: oidText, Modifier: -1}, []byte(value))
				if len(out) != len(value) || seen[string(out)] {
					t.Fatalf("%q has the token %q, as another has", value, out)
				}
				seen[string(out)] = true
				n++
			}
			if len(seen) != n {
				t.Errorf("%d values have %d tokens", n, len(seen))
			}
		})
	}
	t.Run("int2", func(t *testing.T) {
		seen := map[string]bool{}
		same := 0
		for n := -32768; n <= 32767; n++ {
			value := strconv.Itoa(n)
			out, null := tr.Apply(nil, Field{Type: 21}, []byte(value))
			if null || seen[string(out)] || len(out) != len(value) || (out[0] == '-') != (n < 0) {
				t.Fatalf("%d has the token %q", n, out)
			}
			seen[string(out)] = true
			if string(out) == value {
				same++
			}
			for _, oid := range []uint32{20, 23, 1700} {
				if other, _ := tr.Apply(nil, Field{Type: oid}, []byte(value)); !bytes.Equal(other, out) {
					t.Fatalf("%d has the token %q as int2, %q as %d", n, out, other, oid)
				}
			}
		}
		if same > 30 {
			t.Errorf("%d numbers are their own tokens", same)
		}
	})
	t.Run("numeric", func(t *testing.T) {
		seen := map[string]bool{}
		for n := range 10000 {
			value := fmt.Sprintf("%d.%02d", n/100, n%100)
			out, _ := tr.Apply(nil, Field{Type: 1700}, []byte(value))
			if len(out) != len(value) || seen[string(out)] {
				t.Fatalf("%s has the token %q", value, out)
			}
			seen[string(out)] = true
			longer, _ := tr.Apply(nil, Field{Type: 1700}, []byte(value+"000"))
			if string(longer) != string(out)+"000" {
				t.Fatalf("%s has the token %q, and with zeros %q", value, out, longer)
			}
		}
	})
	t.Run("one byte", func(t *testing.T) {
		seen := map[string]bool{}
		for b := range 256 {
			out, _ := tr.Apply(nil, Field{Type: 17, Format: 1}, []byte{byte(b)})
			seen[string(out)] = true
		}
		if len(seen) != 256 {
			t.Errorf("256 bytes have %d tokens", len(seen))
		}
	})
}

func numbers(format string, from, to int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for n := from; n < to; n++ {
			if !yield(fmt.Sprintf(format, n)) {
				return
			}
		}
	}
}

// TestTokenLinesUp: what is equal has equal tokens where a join would find it.
func TestTokenLinesUp(t *testing.T) {
	tr := token(t)
	apply := func(f Field, value string) string {
		out, null := tr.Apply(nil, f, []byte(value))
		if null {
			return "NULL"
		}
		return string(out)
	}
	text := Field{Type: oidText, Modifier: -1}
	want := apply(text, "Alice.B@example.com")
	for name, got := range map[string]string{
		"varchar(40)":    apply(Field{Type: oidVarchar, Modifier: 44}, "Alice.B@example.com"),
		"char(30)":       strings.TrimRight(apply(Field{Type: oidBpchar, Modifier: 34}, "Alice.B@example.com           "), " "),
		"name":           apply(Field{Type: oidName}, "Alice.B@example.com"),
		"citext":         apply(Field{Type: 99999, Like: oidText}, "Alice.B@example.com"),
		"an element":     strings.Trim(apply(Field{Type: 1009}, "{Alice.B@example.com}"), "{}"),
		"binary":         apply(Field{Type: oidText, Format: 1}, "Alice.B@example.com"),
		"a JSON string":  strings.Trim(apply(Field{Type: oidJSON}, `"Alice.B@example.com"`), `"`),
		"another column": apply(Field{Type: oidText, Modifier: -1, Table: 7, Attribute: 3}, "Alice.B@example.com"),
	} {
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := apply(text, "alice.b@EXAMPLE.com"); !strings.EqualFold(got, want) {
		t.Errorf("in another case %q, want %q", got, want)
	}
	other, err := NewKey([]byte("another secret for tests"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range KeyedNames() {
		a, _ := LookupKeyed(name, testKey(t))
		b, _ := LookupKeyed(name, other)
		x, _ := a.Apply(nil, text, []byte("Alice.B@example.com"))
		y, _ := b.Apply(nil, text, []byte("Alice.B@example.com"))
		if bytes.Equal(x, y) {
			t.Errorf("%s is the same under another key: %q", name, x)
		}
	}
}

// TestTokenVectors pin the construction: what a release wrote, the next reads
// as the same tokens.
func TestTokenVectors(t *testing.T) {
	for name, c := range map[string]struct {
		with  string
		field Field
		value string
		want  string
	}{
		"text":    {"token", Field{Type: oidText}, "alice@example.com", "qhgij@kptbfat.auu"},
		"one":     {"token", Field{Type: oidText}, "x", "b"},
		"script":  {"token", Field{Type: oidText}, "Grüße 你好", "Siëãh 琴瘥"},
		"long":    {"token", Field{Type: oidText}, strings.Repeat("ab", 40), "nrgdlsmwvoqgvsomjlsnjagvyrbeutsfigncdlnvthjxxkddzoarwltjxensroqjchcwgtlymivntpwx"},
		"int4":    {"token", Field{Type: 23}, "2147483647", "1804403350"},
		"numeric": {"token", Field{Type: 1700}, "-19.90", "-49.80"},
		"uuid":    {"token", Field{Type: 2950}, "123e4567-e89b-42d3-a456-426614174000", "055468c9-3131-4d6c-b622-0f4964ff66f3"},
		"inet":    {"token", Field{Type: 869}, "192.168.1.77/24", "50.77.176.197/24"},
		"bytea":   {"token", Field{Type: 17}, `\xdeadbeef`, "\\xa6754e63"},
		"jsonb":   {"token", Field{Type: oidJSONB}, `{"a": [1.5, "x", true]}`, "{\"f\": [9.6, \"b\", null]}"},
		"h text":  {"hash", Field{Type: oidVarchar, Modifier: 16}, "alice@example.com", "f5bc52af0286"},
		"h int4":  {"hash", Field{Type: 23}, "7", "305181628"},
		"h uuid":  {"hash", Field{Type: 2950}, "123e4567-e89b-42d3-a456-426614174000", "f22d58e4-d740-87b5-af1f-7a4047b14376"},
		"h bytea": {"hash", Field{Type: 17}, `\xdeadbeef`, "\\x889598a6dc5d4baa35060cadf75ebfb00eca8405446b7f88c0d2e1b8bba706a1"},
		"h jsonb": {"hash", Field{Type: oidJSONB}, `{"a": 1}`, "{\"masked\":\"cede03b436cd6acf9f25ef80bbfc2174d06b559a2d77733e69900f470ab233e5\"}"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := every(t)[c.with].Apply(nil, c.field, []byte(c.value))
			if string(out) != c.want {
				t.Errorf("%q, want %q", out, c.want)
			}
		})
	}
}

// TestNothingIsLeft masks random values of every kind with every transform: of
// eight characters or more no run of eight is left that the transform does not
// promise.
func TestNothingIsLeft(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	all := every(t)
	for range 5_000 {
		canary := randomText(rnd, 8+rnd.IntN(12), "BCDFGHJKLMNPQRSTVWXZäöü你23456789")
		value := randomText(rnd, rnd.IntN(4), "a@. ü") + canary + randomText(rnd, rnd.IntN(10), "a@.com ü")
		f := Field{Type: []uint32{oidName, oidText, oidVarchar, oidBpchar, oidJSON, 1009}[rnd.IntN(6)], Modifier: int32(rnd.IntN(40)) - 1}
		switch f.Type {
		case oidJSON:
			value = `{"` + canary + `":["` + value + `"]}`
		case 1009:
			value = `{"` + value + `",` + canary + `}`
		}
		for name, tr := range all {
			out, _ := tr.Apply(nil, f, []byte(value))
			runes := []rune(canary)
			for i := range len(runes) - 7 {
				if bytes.Contains(out, []byte(string(runes[i:i+8]))) {
					t.Fatalf("%s of %q as %+v leaves %q", name, value, f, out)
				}
			}
		}
	}
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{"alice@example.com", "Grüße", "你好", "!!", "\xff", "٣a\u0301"} {
		f.Add([]byte(s), []byte("x"))
	}
	tr := token(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, _ := tr.Apply(nil, Field{Type: oidText}, a)
		y, _ := tr.Apply(nil, Field{Type: oidText}, b)
		if !utf8.Valid(a) || !utf8.Valid(b) {
			return
		}
		if bytes.Equal(x, y) != bytes.Equal(a, b) {
			t.Fatalf("%q and %q have the tokens %q and %q", a, b, x, y)
		}
		if len(x) != len(a) || !utf8.Valid(x) {
			t.Fatalf("%q has the token %q", a, x)
		}
		for i, r := range string(a) {
			s, _ := utf8.DecodeRune(x[i:])
			if unicode.IsUpper(r) != unicode.IsUpper(s) || unicode.IsDigit(r) != unicode.IsDigit(s) || unicode.IsSpace(r) != unicode.IsSpace(s) {
				t.Fatalf("%q has the token %q", a, x)
			}
		}
	})
}

func FuzzTypes(f *testing.F) {
	for _, s := range []string{"12.50", `{"a",NULL}`, "::1", "123e4567-e89b-42d3-a456-426614174000", "\x00\x02\x00\x00\x00\x00\x00\x02\x00\x0c\x13\x88"} {
		for _, oid := range []uint32{17, 20, 869, 650, 829, 1009, 1700, 2950, 3802} {
			f.Add([]byte(s), oid, int16(len(s)%2))
		}
	}
	all := every(f)
	f.Fuzz(func(t *testing.T, value []byte, oid uint32, format int16) {
		field := Field{Type: oid, Modifier: -1, Format: format}
		for name, tr := range all {
			out, null := tr.Apply(nil, field, value)
			if null && len(out) > 0 {
				t.Fatalf("%s: NULL, and yet %q", name, out)
			}
			if again, _ := tr.Apply(nil, field, value); !bytes.Equal(again, out) {
				t.Fatalf("%s: %q and %q", name, out, again)
			}
		}
	})
}
