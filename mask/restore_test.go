package mask

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sallyport/policy"
)

// known are tokens of a session, as a test wants them.
func known(pairs ...string) *Tokens {
	t := &Tokens{}
	for i := 0; i < len(pairs); i += 2 {
		t.add([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	return t
}

// plainly is what restoring makes of a text, the slow way: at each place the
// longest token that stands there as a word.
func plainly(pairs []string, text string) string {
	var b strings.Builder
	word := func(i int) bool { return i >= 0 && i < len(text) && isAlnum(text[i]) }
	for i := 0; i < len(text); {
		token, value := "", ""
		for k := 0; k < len(pairs); k += 2 {
			end := i + len(pairs[k])
			if strings.HasPrefix(text[i:], pairs[k]) && len(pairs[k]) > len(token) &&
				(!word(i-1) || !word(i)) && (!word(end-1) || !word(end)) {
				token, value = pairs[k], pairs[k+1]
			}
		}
		if token == "" {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(value)
		i += len(token)
	}
	return b.String()
}

// awkward are tokens that are parts of each other, and values that need escapes.
var awkward = []string{
	"qhgi@kptb.auu", `o"h\no@x.org` + "\n", "qhgi", "Anna", "qhgi@kptb", "\u2028é", "@kptb.auu x", "overlaps",
	"5551234", "5559876", "зюйд", "Иван", "a@a.a@a.a@a", "long", "bob@example.com", "real@person.org", "4111111111111111", "5500005555555559",
}

// TestRestoreText compares with the slow way, whole and in pieces.
func TestRestoreText(t *testing.T) {
	c := known(awkward...).Restore()
	rnd := rand.New(rand.NewPCG(5, 6))
	for range turns(5000) {
		var b strings.Builder
		for range rnd.IntN(12) {
			if i := rnd.IntN(len(awkward)/2+6) * 2; i < len(awkward) {
				b.WriteString(awkward[i][rnd.IntN(2)*rnd.IntN(len(awkward[i])):])
			} else {
				b.WriteString([]string{" ", ".", "x", "@", "7", "é"}[i%6])
			}
		}
		text := "t" + b.String()
		want := plainly(awkward, text)
		if out, _ := c.detect.Append(nil, []byte(text), ""); string(out) != want {
			t.Fatalf("%q became %q, want %q", text, out, want)
		}
		streamed(t, c.detect, text, rnd)
	}
}

// TestRestoreStreams is the oracle of TestStreams: the client sees what the whole
// of each text has restored, whatever the pieces, tool arguments included.
func TestRestoreStreams(t *testing.T) {
	pairs := slices.Clone(awkward)
	for _, p := range pieces {
		if recognizable([]byte(p)) {
			pairs = append(pairs, p, "«"+p+"»\"\\")
		}
	}
	for name, p := range providers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := known(pairs...).Restore()
			rnd := rand.New(rand.NewPCG(22, uint64(len(name))))
			for range turns(60) {
				throughProvider(t, p, c, rnd)
			}
		})
	}
}

func FuzzRestore(f *testing.F) {
	f.Add("to qhgi@kptb.auu, please", "qhgi@kptb.auu", "bob@example.com", "qhgi", 3, 9)
	f.Add("aaaa aaaa aaaaa", "aaaa", "b", "aaaa aaaa", 1, 2)
	f.Fuzz(func(t *testing.T, text, token, value, other string, one, two int) {
		if len(text) == 0 || min(len(text), max(len(token), len(other))) > maxCandidates {
			return
		}
		var pairs []string
		for _, s := range []string{token, other} {
			if recognizable([]byte(s)) && len(s) <= maxToken && value != "" && len(value) <= maxToken && !slices.Contains(pairs, s) {
				pairs = append(pairs, s, value)
			}
		}
		c := known(pairs...).Restore()
		s := c.detect.Scanner("")
		a, b := uint(one)%uint(len(text)), uint(two)%uint(len(text))
		a, b = min(a, b), max(a, b)
		out := s.Write(nil, []byte(text[:a]))
		out = s.Write(out, []byte(text[a:b]))
		out = s.Close(s.Write(out, []byte(text[b:])))
		if want := plainly(pairs, text); string(out) != want {
			t.Fatalf("%q with %q: %q, want %q", text, pairs, out, want)
		}
	})
}

// restoring are the sides of a mask that restores, in a session of its own.
func restoring(t *testing.T, r Rule, more ...Rule) (Sides, *Tokens) {
	t.Helper()
	r.Targets, r.With, r.Restore, r.Key = []string{"t"}, "token", true, "file:///key"
	if p := r.Problems(); len(p) > 0 {
		t.Fatal(p)
	}
	contents, err := NewContents(append([]Rule{r.WithKey(testKey(t))}, more...), "t")
	if err != nil {
		t.Fatal(err)
	}
	sides, err := contents.For(policy.Principal{})
	if err != nil || !sides.Restores() {
		t.Fatal("nothing is restored", err)
	}
	tokens := &Tokens{}
	return sides.In(tokens), tokens
}

// TestRestoreWhatWasMasked: what requests had comes back, in whatever the answer
// puts it.
func TestRestoreWhatWasMasked(t *testing.T) {
	sides, tokens := restoring(t, Rule{Detect: []string{"email", "payment-card", "phone"}, Fields: []string{"name", "account"}, In: "request"})
	request := `{"name":"Anna \"Bee\" Çelik","account":81234567,"messages":[{"content":"mail anna@example.com or +49 30 1234567, card 4111 1111 1111 1111"}]}`
	sent, n, err := sides.Request.JSON(nil, []byte(request))
	if err != nil || n != 5 {
		t.Fatalf("%d masked, %v: %s", n, err, sent)
	}
	for _, v := range []string{"Anna", "anna@", "8123", "4111", "1234567"} {
		if strings.Contains(string(sent), v) {
			t.Fatalf("%s was sent: %s", v, sent)
		}
	}
	back, n, err := tokens.Restore().JSON(nil, sent)
	if err != nil || string(back) != request || n != 5 {
		t.Fatalf("%d, %v:\n%s\nwant\n%s", n, err, back, request)
	}
	// Nested in the arguments of a tool, where they are written differently.
	arguments, _ := json.Marshal(map[string]string{"arguments": strings.ReplaceAll(string(sent), "é", `\u00e9`)})
	back, _, err = tokens.Restore().JSON(nil, arguments)
	var outer struct{ Arguments string }
	if err != nil || json.Unmarshal(back, &outer) != nil || !sameJSON(outer.Arguments, request) {
		t.Fatalf("%s: %v", back, err)
	}
	// Another session, even of the same key, knows none of it.
	if again, n, err := (&Tokens{}).Restore().JSON(nil, sent); err != nil || n != 0 || string(again) != string(sent) {
		t.Fatalf("another session restored %s", again)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// TestRestoreAndMasks: masks of answers leave a session's own tokens alone, and
// mask all else.
func TestRestoreAndMasks(t *testing.T) {
	redact := Rule{Targets: []string{"t"}, Detect: []string{"email"}, Fields: []string{"secret"}}
	for name, c := range map[string]struct {
		rule Rule
		more []Rule
	}{
		"both ways":       {Rule{Detect: []string{"email"}, Fields: []string{"secret"}, In: "both"}, nil},
		"another's rules": {Rule{Detect: []string{"email"}, In: "request"}, []Rule{redact}},
	} {
		t.Run(name, func(t *testing.T) {
			sides, tokens := restoring(t, c.rule, c.more...)
			sent, _ := sides.Request.Text(nil, []byte("bob@example.com"))
			answer := fmt.Sprintf(`{"text":"%s and eve@example.org","secret":"something"}`, sent)
			masked, n, err := sides.Response.JSON(nil, []byte(answer))
			if err != nil || !strings.Contains(string(masked), string(sent)) || strings.Contains(string(masked), "eve@") || strings.Contains(string(masked), "something") {
				t.Fatalf("%d, %v: %s", n, err, masked)
			}
			out, _, err := tokens.Restore().JSON(nil, masked)
			if err != nil || !strings.Contains(string(out), "bob@example.com and ") || strings.Contains(string(out), "eve@") || strings.Contains(string(out), "something") {
				t.Fatalf("%v: %s", err, out)
			}
		})
	}
}

// TestTokensAreBounded: a session remembers what it used last.
func TestTokensAreBounded(t *testing.T) {
	tokens := &Tokens{}
	for i := range 5 * maxTokens {
		tokens.add(fmt.Appendf(nil, "token-%d", i), fmt.Appendf(nil, "value-%d", i))
		tokens.add([]byte("token-often"), []byte("value-often"))
		if n := len(tokens.young) + len(tokens.old); n > 2*maxTokens {
			t.Fatalf("%d remembered", n)
		}
	}
	last := fmt.Sprintf("token-%d token-often token-0", 5*maxTokens-1)
	if out, _ := tokens.Restore().Text(nil, []byte(last)); string(out) != fmt.Sprintf("value-%d value-often token-0", 5*maxTokens-1) {
		t.Fatalf("%s", out)
	}
	long := strings.Repeat("x", maxToken)
	for i := range 1000 {
		tokens.add(fmt.Appendf(nil, "%s%d", long[:maxToken-8], i), []byte(long))
		if tokens.size > maxTokenBytes+2*maxToken {
			t.Fatalf("%d bytes", tokens.size)
		}
	}
}

// TestTokensThatAreNone: what is too short, or stands for two values, stays.
func TestTokensThatAreNone(t *testing.T) {
	for name, pairs := range map[string][]string{
		"a short one": {"abc", "x"}, "a number": {"12345", "x"}, "punctuation": {"+-+-+-+", "x"}, "nothing": {"abcdef", ""},
		"two values": {"abcdef", "x", "abcdef", "y", "abcdef", "x"}, "too long": {strings.Repeat("a", maxToken+1), "x"},
	} {
		if out, n := known(pairs...).Restore().Text(nil, []byte(pairs[0])); string(out) != pairs[0] || n != 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
	if s := fmt.Sprintf("%v %+v %s", known("abcdef", "hidden"), known("abcdef", "hidden"), known("abcdef", "hidden")); strings.Contains(s, "hidden") {
		t.Errorf("a value is printed: %s", s)
	}
}

// TestRestoreLeavesWhatItCantRead: nothing is hidden by it, so nothing is lost.
func TestRestoreLeavesWhatItCantRead(t *testing.T) {
	in := "data: keep-alive\n\ndata: {\"a\":\"qhgi@kptb.auu\",\"a\":1}\n\nevent: x\ndata: {\"b\":\"qhgi@kptb.auu\",\"n\":5551234}\n\n"
	want := strings.Replace(in, `{"b":"qhgi@kptb.auu","n":5551234}`, `{"b":"bob@example.com","n":12e3}`, 1)
	c := known("qhgi@kptb.auu", "bob@example.com", "5551234", "12e3").Restore()
	if _, out := pour(t, FormatSSE, c, in, rand.New(rand.NewPCG(1, 1)), 5, nil); out != want {
		t.Fatalf("%s\nwant\n%s", out, want)
	}
}

func TestRestoreProblems(t *testing.T) {
	for want, r := range map[string]Rule{
		"only with":      {Fields: []string{"a"}, With: "hash", Key: "k", In: "request"},
		"gives back":     {Fields: []string{"a"}, With: "token", Key: "k"},
		"what requests":  {Columns: []string{"a.b"}, With: "token", Key: "k"},
		"in = \"request": {Detect: []string{"email"}, With: "token", Key: "k", In: "response"},
	} {
		r.Targets, r.Restore = []string{"t"}, true
		if p := r.Problems(); len(p) != 1 || p[0].Key != "restore" || !strings.Contains(p[0].Message, want) {
			t.Errorf("%s: %v", want, p)
		}
	}
}
