package mask

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces are what random texts are made of: values, halves of values, and what
// stands around them.
var pieces = []string{
	"bob@example.com", "alice+tag@mail.example.co.uk", "bob%40example.com", "@", "a@", "bob", "jürgen@bücher.example", "联系",
	"4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "4111", "1", "12", "123", " ", " ", " ", "-", ".", ":", "/", "(", ")", "+", "\u00a0", "\u2011",
	"DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "DE12", "GB", "078-05-1120", "ssn 123456789", "ssn", "social security ", "123456789",
	"+49 170 1234567", "(415) 555-0123", "415-555-0123", "01 23 45 67 89", "00", "030/1234567",
	"10.0.0.1", "2001:db8::1", "::", "fe80", "255.", "1.2.3.4",
	jwtWhole, jwtHeader, ".e30", "eyJ", "ey", "-----BEGIN PRIVATE KEY-----", "-----", "-----END PRIVATE KEY-----", "BEGIN ", "\n", "\\n", "MIIE",
	"sk-", "sk-abcdefghijklmnopqrst1234567890", "ghp_", "abcdefghijklmnopqrstuvwxyz0123456789", "AKIA", "AKIAIOSFODNN7EXAMPLE", "secret key: ", awsKey, "AccountKey=", azureKey, "private_key_id ", hex40, "key",
	", ", "the ", "quick ", "\"", "'", "=", "_", "a", "e", "é", "%", "%4", "0",
}

func scraps(rnd *rand.Rand) string {
	var b strings.Builder
	for range 1 + rnd.IntN(14) {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return b.String()
}

// TestStreamIsWhole holds for every detector alone and for all of them: a text
// in pieces comes out as the whole text does.
func TestStreamIsWhole(t *testing.T) {
	sets := map[string]*Detectors{"all": detect(t)}
	for _, name := range DetectorNames() {
		sets[name] = detect(t, name)
	}
	for name, d := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(7, 11))
			for range turns(1500) {
				streamed(t, d, scraps(rnd), rnd)
			}
		})
	}
}

// TestUnionIsNoLess: what a detector finds alone, all of them together find.
func TestUnionIsNoLess(t *testing.T) {
	all, rnd := detect(t), rand.New(rand.NewPCG(3, 4))
	sets := map[string]*Detectors{}
	for _, name := range DetectorNames() {
		sets[name] = detect(t, name)
	}
	for range turns(2000) {
		text := []byte(scraps(rnd))
		covered := make([]bool, len(text))
		for _, s := range all.Find(nil, text) {
			for i := s.Start; i < s.End; i++ {
				covered[i] = true
			}
		}
		for name, one := range sets {
			for _, s := range one.Find(nil, text) {
				for i := s.Start; i < s.End; i++ {
					if !covered[i] {
						t.Fatalf("%s finds %q in %q, all don't", name, text[s.Start:s.End], text)
					}
				}
			}
		}
	}
}

// TestLongRuns: what is too long to keep is masked or let go, and is never kept.
func TestLongRuns(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		masked bool
	}{
		"blob":          {strings.Repeat("QUJDREVG", 60_000), false},
		"digits":        {strings.Repeat("4", 300_000), false},
		"digit groups":  {strings.Repeat("41 2 ", 60_000), false},
		"dots":          {strings.Repeat("1.", 150_000), false},
		"colons":        {strings.Repeat("1:", 150_000), false},
		"dashes":        {strings.Repeat("-", 300_000), false},
		"at signs":      {strings.Repeat("@", 300_000), false},
		"ibans":         {strings.Repeat("DE12 ", 60_000), false},
		"key":           {"sk-1" + strings.Repeat("abc-", 60_000), true},
		"word":          {"sk-" + strings.Repeat("abc-", 60_000), false},
		"jwt":           {jwtHeader + "." + strings.Repeat("abcd", 60_000), true},
		"jwt header":    {"eyJ" + strings.Repeat("abcd", 60_000), true},
		"pem":           {"-----BEGIN PRIVATE KEY-----" + strings.Repeat("abc\n", 60_000), true},
		"pem with more": {"-----BEGIN PRIVATE KEY-----" + strings.Repeat("b@c.io "+jwtWhole+"\n", 3000), true},
		"domain":        {"bob@" + strings.Repeat("abc.", 60_000), true},
		"secret":        {"secret key " + strings.Repeat("abcd", 60_000), false},
		"spaces":        {strings.Repeat(" ", 300_000), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := detect(t)
			for _, step := range []int{97, 5000, 200_000} {
				var out []byte
				in := "x " + c.text + " bob@example.com"
				s := d.Scanner("")
				for rest := in; rest != ""; {
					n := min(step, len(rest))
					out = s.Write(out, []byte(rest[:n]))
					rest = rest[n:]
					if s.Held() > maxValue+step {
						t.Fatalf("%d bytes kept", s.Held())
					}
					if cap(s.s.text) > 4*(maxValue+step) {
						t.Fatalf("%d bytes of buffer", cap(s.s.text))
					}
				}
				out = s.Close(out)
				whole, _ := d.Append(nil, []byte(in), "")
				if string(out) != string(whole) {
					t.Fatalf("%d bytes %.200q ..., want %d bytes %.200q ...", len(out), out, len(whole), whole)
				}
				if masked := len(out) < 1000; masked != c.masked {
					t.Fatalf("%d bytes out: %.200q", len(out), out)
				}
			}
		})
	}
}

// TestHold: no machine keeps more than it says, unless it is sure.
func TestHold(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for name, kind := range detectors {
		d := &Detectors{}
		d.add(name, name, nil)
		for range turns(100) {
			s := newScan(d)
			for range 20 {
				text := scraps(rnd)
				s.text = append(s.text, text...)
				i := s.end
				s.end += len(text)
				for ; i < s.end; i++ {
					end := s.end
					s.end = i + 1
					s.text, text = s.text[:s.end], string(s.text[s.end:end])
					s.run(i)
					if held := s.end - s.machines[0].open(s); held > kind.hold && s.sure[0] < 0 {
						t.Fatalf("%s keeps %d bytes, says %d", name, held, kind.hold)
					}
					s.text, s.end = append(s.text, text...), end
				}
			}
		}
	}
}

func TestContext(t *testing.T) {
	d := detect(t)
	for name, c := range map[string]struct{ context, in, out string }{
		"ssn":           {"user.ssn", "123456789", "[redacted]"},
		"no context":    {"", "123456789", "123456789"},
		"another":       {"id", "123456789", "123456789"},
		"aws":           {"aws_secret_access_key", awsKey, "[redacted]"},
		"camel case":    {"secretAccessKey", awsKey, "[redacted]"},
		"gcp":           {"private_key_id", hex40, "[redacted]"},
		"value in name": {"key bob@example.com", "x", "x"},
		"open in name":  {"key -----BEGIN PRIVATE KEY-----", "x", "x"},
		"half in name":  {"key bob@", "example.com", "example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, _ := d.Append(nil, []byte(c.in), c.context); string(out) != c.out {
				t.Errorf("got %q, want %q", out, c.out)
			}
			s := d.Scanner(c.context)
			var out []byte
			for _, b := range []byte(c.in) {
				out = s.Write(out, []byte{b})
			}
			if out = s.Close(out); string(out) != c.out {
				t.Errorf("in pieces got %q, want %q", out, c.out)
			}
		})
	}
}

func TestTransformsOfDetectors(t *testing.T) {
	email, _ := Lookup("email")
	last4, _ := Lookup("last4")
	null, _ := Lookup("null")
	d, err := NewDetectors(Detection{[]string{"email"}, email}, Detection{[]string{"payment-card", "email"}, last4}, Detection{[]string{"ip"}, null})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"bob@example.com paid 4111 1111 1111 1111 from 10.0.0.1": "b***@e***.com paid ***************1111 from [redacted]",
		"4111111111111111@example.com":                           "4***@e***.com",
		"x@4111111111111111.example.com":                         "x***@4***.e***.com",
		"1@2.io 4111-1111-1111-1111@x.io":                        "1***@2***.io 4***@x***.io",
	} {
		if got, _ := d.Append(nil, []byte(in), ""); string(got) != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if _, err := NewDetectors(Detection{[]string{"e-mail"}, email}); err == nil {
		t.Error("an unknown name")
	}
	if d, err := NewDetectors(Detection{nil, email}); d != nil || err != nil {
		t.Error("no names:", d, err)
	}
	var none *Detectors
	if out, n := none.Append(nil, []byte("bob@example.com"), ""); string(out) != "bob@example.com" || n != 0 || none.Find(nil, out) != nil {
		t.Error("no detectors")
	}
	if s := none.Scanner(""); string(s.Close(s.Write(nil, []byte("bob@example.com")))) != "bob@example.com" {
		t.Error("no detectors, in pieces")
	}
}

func FuzzDetectors(f *testing.F) {
	for _, p := range pieces {
		f.Add(p+" "+p, uint64(1))
	}
	d := detect(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		at := 0
		for _, s := range d.Find(nil, []byte(text)) {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("%q: %v after %d", text, s, at)
			}
			at = s.End
		}
		streamed(t, d, text, rand.New(rand.NewPCG(seed, 1)))
	})
}

func FuzzScanner(f *testing.F) {
	f.Add("4111 1111 1111 1111 bob@example.com", 5, 9)
	names := DetectorNames()
	sets := map[string]*Detectors{}
	for _, name := range names {
		sets[name] = detect(f, name)
	}
	f.Fuzz(func(t *testing.T, text string, one, two int) {
		if len(text) == 0 {
			return
		}
		a, b := uint(one)%uint(len(text)), uint(two)%uint(len(text))
		a, b = min(a, b), max(a, b)
		for name, d := range sets {
			whole, _ := d.Append(nil, []byte(text), "")
			s := d.Scanner("")
			var out []byte
			for _, part := range []string{text[:a], text[a:b], text[b:]} {
				if out = s.Write(out, []byte(part)); !strings.HasPrefix(string(whole), string(out)) {
					t.Fatalf("%s: %q: sent %q, no prefix of %q", name, text, out, whole)
				}
			}
			if out = s.Close(out); string(out) != string(whole) {
				t.Fatalf("%s: %q: %q, want %q", name, text, out, whole)
			}
		}
	})
}

func BenchmarkDetectors(b *testing.B) {
	prose := strings.Repeat("The quick brown fox jumps over the lazy dog, and then it rests. On 12 May 2024 it wrote to us about order 4711-12. ", 200)
	mixed := strings.Repeat("Contact bob@example.com or +49 170 1234567, card 4111 1111 1111 1111, from 10.0.0.1 with key sk-abcdefghijklmnopqrst1234567890. ", 160)
	sets := [][]string{nil}
	for _, name := range DetectorNames() {
		sets = append(sets, []string{name})
	}
	for _, names := range sets {
		d := detect(b, names...)
		for kind, text := range map[string]string{"prose": prose, "mixed": mixed} {
			name := "all"
			if names != nil {
				name = names[0]
			}
			b.Run(fmt.Sprintf("%s/%s", name, kind), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				var dst []byte
				for b.Loop() {
					dst, _ = d.Append(dst[:0], []byte(text), "")
				}
			})
		}
	}
}
