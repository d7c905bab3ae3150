package mask

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// content protects members by name and detects what is named; all detectors
// when nothing is.
func content(t testing.TB, f *Fields, names ...string) *Content {
	t.Helper()
	return NewContent(f, detect(t, names...))
}

func TestContentJSON(t *testing.T) {
	plain := content(t, nil, "email", "payment-card", "us-ssn")
	both := content(t, fields("", "api_key", "user.ssn"), "email")
	for name, c := range map[string]struct {
		content *Content
		in, out string
		masked  int
	}{
		"a string":            {plain, `{"a":"to bob@example.com"}`, `{"a":"to [redacted]"}`, 1},
		"escaped":             {plain, `{"a":"bob\u0040example.com"}`, `{"a":"[redacted]"}`, 1},
		"untouched bytes":     {plain, " {\"a\" : \"\\u00e9\\/\", \"n\":1.50e+01,\n\"b\":\"bob@example.com\"} ", " {\"a\" : \"\\u00e9\\/\", \"n\":1.50e+01,\n\"b\":\"[redacted]\"} ", 1},
		"names stay":          {plain, `{"bob@example.com":1}`, `{"bob@example.com":1}`, 0},
		"numbers stay":        {plain, `{"a":4111111111111111}`, `{"a":4111111111111111}`, 0},
		"an array":            {plain, `["bob@example.com",["alice@example.com"]]`, `["[redacted]",["[redacted]"]]`, 2},
		"a bare string":       {plain, `"bob@example.com"`, `"[redacted]"`, 1},
		"two in one":          {plain, `"bob@example.com, 4111111111111111"`, `"[redacted], [redacted]"`, 2},
		"by name and value":   {both, `{"api_key":"x","user":{"ssn":1},"m":"bob@example.com"}`, `{"api_key":"[redacted]","user":{"ssn":"[redacted]"},"m":"[redacted]"}`, 3},
		"context":             {plain, `{"ssn":"123456789","id":"123456789"}`, `{"ssn":"[redacted]","id":"123456789"}`, 1},
		"context of an array": {plain, `{"ssn":["123456789"],"id":["123456789"]}`, `{"ssn":["[redacted]"],"id":["123456789"]}`, 1},
		"nested":              {both, `{"arguments":"{\"api_key\":\"x\",\"n\":1}"}`, `{"arguments":"{\"api_key\":\"[redacted]\",\"n\":1}"}`, 1},
		"nested twice":        {both, `{"a":"{\"b\":\"{\\\"api_key\\\":1}\"}"}`, `{"a":"{\"b\":\"{\\\"api_key\\\":\\\"[redacted]\\\"}\"}"}`, 1},
		"nested and escaped":  {plain, `{"a":"{\"b\":\"bob\\u0040example.com\"}"}`, `{"a":"{\"b\":\"[redacted]\"}"}`, 1},
		"nested, not JSON":    {plain, `{"a":"[1] bob@example.com {x"}`, `{"a":"[1] [redacted] {x"}`, 1},
		"nested, broken":      {both, `{"a":"{\"n\":1, api_key: 5}"}`, `{"a":"{\"n\":1, [redacted]"}`, 1},
		"nested, cut short":   {both, `{"a":"{\"api_key\":\"x"}`, `{"a":"{\"api_key\":\"[redacted]\""}`, 1},
		"nested card":         {plain, `{"a":"[4111 1111 1111 1111]"}`, `{"a":"[[redacted]]"}`, 1},
		"logprobs":            {plain, `{"t":"bob@example.com","logprobs":{"content":[{"token":"bob"}]},"x":{"logprobs":[1]}}`, `{"t":"[redacted]","logprobs":null,"x":{"logprobs":[]}}`, 1},
		"logprobs first":      {plain, `{"logprobs":{"content":[{"token":"bob"}]},"t":"bob@example.com"}`, `{"logprobs":null,"t":"[redacted]"}`, 1},
		"logprobs stay":       {plain, `{"t":"hello","logprobs":{"content":[{"token":"hello"}]}}`, `{"t":"hello","logprobs":{"content":[{"token":"hello"}]}}`, 0},
		"logprobs searched":   {plain, `{"logprobs":{"a":"bob@example.com"}}`, `{"logprobs":null}`, 1},
		"fields alone":        {NewContent(fields("", "k"), nil), `{"k":1,"m":"bob@example.com","n":"{\"k\":2}"}`, `{"k":"[redacted]","m":"bob@example.com","n":"{\"k\":\"[redacted]\"}"}`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			out, masked, err := c.content.JSON([]byte("before"), []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(string(out), "before"); got != c.out || masked != c.masked {
				t.Errorf("got %s and %d, want %s and %d", got, masked, c.out, c.masked)
			}
		})
	}
	if NewContent(nil, nil) != nil {
		t.Error("nothing to mask, and a Content")
	}
	if _, _, err := plain.JSON(nil, []byte(`{"a":`)); err == nil {
		t.Error("half a document")
	}
}

// scrapsJSON writes a random document with scraps in it, sometimes a broken one.
func scrapsJSON(rnd *rand.Rand, depth int) string {
	text := func() string {
		s := scraps(rnd)
		if depth > 0 && rnd.IntN(4) == 0 {
			s = scrapsJSON(rnd, depth-1)
		}
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range s {
			switch {
			case r == '"' || r == '\\' || r < 0x20:
				quoted := strconv.Quote(string(r))
				b.WriteString(quoted[1 : len(quoted)-1])
			case rnd.IntN(12) == 0:
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				b.WriteRune(r)
			}
		}
		b.WriteByte('"')
		return b.String()
	}
	space := []string{"", "", " ", "\n"}[rnd.IntN(4)]
	switch n := rnd.IntN(9); {
	case n == 0 || depth == 0:
		return []string{"1.5", "-0", "true", "null", "4111111111111111", text(), text()}[rnd.IntN(7)] + space
	case n < 4:
		var parts []string
		for range rnd.IntN(4) {
			parts = append(parts, space+scrapsJSON(rnd, depth-1))
		}
		return "[" + strings.Join(parts, ",") + space + "]"
	case n == 4:
		return "{" + text() + " " // broken
	}
	var parts []string
	for range rnd.IntN(4) {
		name := []string{`"key"`, `"ssn"`, `"a"`, `"a.b"`, `"k\u0065y"`, text()}[rnd.IntN(6)]
		parts = append(parts, space+name+space+":"+space+scrapsJSON(rnd, depth-1))
	}
	return "{" + strings.Join(parts, ",") + space + "}"
}

// TestLaneIsWhole: a text in pieces comes out of a lane as the whole does, what
// is a document stays one, and what is protected in it is masked.
func TestLaneIsWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 4))
	for name, c := range map[string]*Content{
		"both":      content(t, fields("", "key", "a.b")),
		"detectors": content(t, nil),
		"fields":    NewContent(fields("last4", "key", "a.b"), nil),
	} {
		t.Run(name, func(t *testing.T) {
			for range turns(2000) {
				text := scrapsJSON(rnd, 4)
				if rnd.IntN(5) == 0 {
					text = text[:rnd.IntN(len(text)+1)]
				}
				laneInPieces(t, c, text, rnd)
			}
		})
	}
}

func laneInPieces(t *testing.T, c *Content, text string, rnd *rand.Rand) {
	t.Helper()
	whole, masked := c.Text(nil, []byte(text))
	in := jsontext.Value(text)
	duplicates := jsontext.AllowDuplicateNames(true)
	if startsDocument(in) && in.IsValid(duplicates) && !jsontext.Value(whole).IsValid(duplicates) {
		t.Fatalf("%q is JSON, %q is none", text, whole)
	}
	for _, most := range []int{1, 4, 30} {
		l := newLane(c, "", 0)
		var out []byte
		for at := 0; at < len(text); {
			next := min(len(text), at+1+rnd.IntN(most))
			out = l.write(out, []byte(text[at:next]))
			at = next
			if !strings.HasPrefix(string(whole), string(out)) {
				t.Fatalf("%q: after %q sent\n%q, no prefix of\n%q", text, text[:at], out, whole)
			}
		}
		if out = l.close(out); string(out) != string(whole) || l.masked != masked {
			t.Fatalf("%q: %d masked\n%q, want %d\n%q", text, l.masked, out, masked, whole)
		}
	}
}

// TestLaneIsJSON: the lane's own reader masks a document as JSON does.
func TestLaneIsJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	c := content(t, fields("", "key", "a.b"))
	for range turns(2000) {
		text := "[" + scrapsJSON(rnd, 4) + "]"
		want, n, err := c.JSON(nil, []byte(text))
		if err != nil || strings.Contains(text, `\\`) {
			continue // nested texts are a document deeper in one of the two
		}
		got, m := c.Text(nil, []byte(text))
		a, b := jsontext.Value(got), jsontext.Value(want)
		if a.Canonicalize(jsontext.AllowDuplicateNames(true)) != nil || b.Canonicalize(jsontext.AllowDuplicateNames(true)) != nil || string(a) != string(b) || n != m {
			t.Fatalf("%s:\n%s (%d), want\n%s (%d)", text, a, m, b, n)
		}
	}
}

func FuzzLane(f *testing.F) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		f.Add(scrapsJSON(rnd, 3), uint64(3))
	}
	c := content(f, fields("", "key", "a.b"))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if strings.ToValidUTF8(text, "") != text {
			return
		}
		laneInPieces(t, c, text, rand.New(rand.NewPCG(seed, 1)))
	})
}
