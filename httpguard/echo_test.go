package httpguard

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"sallyport/credential"
	"sallyport/secret"
)

// writings are what a server may make of a secret, one of them within each.
func writings(s string) map[string]string {
	quoted, _ := json.Marshal(s)
	again, _ := json.Marshal(string(quoted))
	return map[string]string{
		"plain":       "key=" + s + "&",
		"base64 0":    base64.StdEncoding.EncodeToString([]byte(s)),
		"base64 1":    base64.StdEncoding.EncodeToString([]byte("a" + s + "b")),
		"base64 2":    base64.StdEncoding.EncodeToString([]byte("ab" + s + "ccc")),
		"base64 url":  base64.URLEncoding.EncodeToString([]byte("user:" + s)),
		"base64 raw":  base64.RawURLEncoding.EncodeToString([]byte("x:" + s)),
		"query":       "?a=" + url.QueryEscape(s),
		"path":        "/" + url.PathEscape(s) + "/",
		"lower":       strings.ToLower("?") + lowerEscapes(url.QueryEscape(s)),
		"json":        string(quoted),
		"json twice":  string(again),
		"json slash":  strings.ReplaceAll(string(quoted), "/", `\/`),
		"hex":         hex.EncodeToString([]byte(s)),
		"twice":       s + s,
		"after start": s[:len(s)-1] + s,
	}
}

// remains reports whether any writing of s, or enough of one to read it, is left.
func remains(t *testing.T, text, s string) {
	t.Helper()
	for _, f := range formsOf(s) {
		if strings.Contains(text, f) {
			t.Errorf("%q still has %q", text, f)
		}
	}
}

func TestEchoForms(t *testing.T) {
	for _, s := range []string{key, `p/ss"w\rd<&>+ =é`, "aaaaaaaaaaaa", "abcabcabcabd", strings.Repeat("0123456789/+", 12)} {
		e := newEcho(s)
		for name, text := range writings(s) {
			got := e.text(text)
			if got == text || len(got) != len(text) || !strings.Contains(got, "****") {
				t.Errorf("%s of %q: %q became %q", name, s, text, got)
			}
			remains(t, got, s)
		}
	}
	if got := newEcho("four").text("four and Zm91cg=="); got != "**** and Zm91cg==" {
		t.Errorf("of four bytes in Base64 no part is long enough to be searched for, got %q", got)
	}
	if newEcho("", "abc") != nil {
		t.Error("searches for what is in every text")
	}
	if got := newEcho(key).text("nothing here, sk-the-real-ke"); got != "nothing here, sk-the-real-ke" {
		t.Errorf("changed to %q", got)
	}
}

// TestEchoChunks has the oracle: what comes out of any chunks is what the search
// makes of the whole text, and no byte of a finding was ever handed on.
func TestEchoChunks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		s := strings.Repeat("ab", random.IntN(3)) + key[:4+random.IntN(len(key)-4)]
		e := newEcho(s)
		var text strings.Builder
		all := writings(s)
		for range 1 + random.IntN(6) {
			for _, w := range all {
				if random.IntN(4) == 0 {
					text.WriteString(w[:random.IntN(len(w)+1)])
				} else if random.IntN(3) == 0 {
					text.WriteString(w)
				}
			}
			text.WriteString(strings.Repeat("z", random.IntN(40)))
		}
		want := e.text(text.String())
		var from io.Reader = &chunks{random: random, left: []byte(text.String())}
		if random.IntN(4) == 0 {
			from = iotest.OneByteReader(strings.NewReader(text.String()))
		}
		r := &echoless{from: from, closer: io.NopCloser(nil), echo: e, res: &http.Response{}}
		var got bytes.Buffer
		for {
			p := make([]byte, 1+random.IntN(50))
			n, err := r.Read(p)
			got.Write(p[:n])
			if !strings.HasPrefix(want, got.String()) {
				t.Fatalf("secret %q: %q hands on %q", s, text.String(), got.String())
			}
			if err != nil {
				break
			}
		}
		if got.String() != want {
			t.Fatalf("secret %q: %q became %q, want %q", s, text.String(), got.String(), want)
		}
	}
}

// chunks reads a random number of bytes at a time, none at times.
type chunks struct {
	random *rand.Rand
	left   []byte
}

func (c *chunks) Read(p []byte) (int, error) {
	n := copy(p, c.left[:min(len(c.left), c.random.IntN(9))])
	c.left = c.left[n:]
	if len(c.left) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// TestEchoes has an upstream that tells everything it was told.
func TestEchoes(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"body": func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(r.Header)
		},
		"error": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "bad key: "+r.Header.Get("X-Key"), http.StatusUnauthorized)
		},
		"headers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Echo", r.Header.Get("X-Key"))
			w.Header().Set("Location", "/base/login?key="+r.Header.Get("X-Key"))
			w.Header().Set("X-"+r.Header.Get("X-Key"), "name")
			w.WriteHeader(http.StatusFound)
		},
		"hints": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</"+r.Header.Get("X-Key")+">")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
		},
		"trailer": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Echo")
			_, _ = io.WriteString(w, "text")
			w.Header().Set("X-Echo", r.Header.Get("X-Key"))
		},
		"stream": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, c := range "data: " + r.Header.Get("X-Key") + "\n\n" {
				_, _ = io.WriteString(w, string(c))
				w.(http.Flusher).Flush()
			}
		},
		"gzip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, "zipped "+r.Header.Get("X-Key"))
			_ = z.Close()
		},
		"unknown coding": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "compress")
			_, _ = io.WriteString(w, r.Header.Get("X-Key"))
		},
		"basic": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString([]byte("agent:"+r.Header.Get("X-Key"))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answer)
			g := newGateway(t, p.URL, nil)
			res, body := g.do(t, "GET", "/plain/x", "")
			var all strings.Builder
			_ = res.Header.Write(&all)
			_ = res.Trailer.Write(&all)
			for _, o := range g.journal.outcomes() {
				fmt.Fprintf(&all, "%+v", o)
			}
			remains(t, all.String()+body, key)
			if name == "unknown coding" && res.StatusCode != 502 || name == "trailer" && res.Trailer.Get("X-Echo") != strings.Repeat("*", len(key)) {
				t.Errorf("%d %v %s", res.StatusCode, res.Trailer, body)
			}
			if name == "gzip" && body != "zipped "+strings.Repeat("*", len(key)) {
				t.Errorf("body %q", body)
			}
			p.noToken(t, 1)
		})
	}
}

// TestEchoSecretsOfSignatures hides what only signs as well.
func TestEchoSecretsOfSignatures(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the key "+key+" with "+r.Header.Get("X-Amz-Security-Token"))
	})
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["aws"] = Target{Upstream: p.URL, Credential: "env://KEY", Inject: "aws-sigv4 service=bedrock region=eu-west-1"}
		cfg.Lender = lenderFunc(func() (*credential.Lease, error) {
			return &credential.Lease{Fields: map[string]secret.Text{
				"access_key_id": secret.New("AKID"), "secret_access_key": secret.New(key), "session_token": secret.New("session-0123456789"),
			}}, nil
		})
	})
	if _, body := g.do(t, "GET", "/aws/x", ""); body != "the key "+strings.Repeat("*", len(key))+" with "+strings.Repeat("*", 18) {
		t.Errorf("body %q", body)
	}
}

func BenchmarkEcho(b *testing.B) {
	text := bytes.Repeat([]byte(`{"id":"chatcmpl-123","object":"chat.completion.chunk","choices":[{"delta":{"content":"word"}}]}`), 1000)
	e := newEcho("sk-proj-0123456789abcdefghijklmnopqrstuvwxyz")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		e.hide(text, false)
	}
}

func BenchmarkNewEcho(b *testing.B) {
	for b.Loop() {
		newEcho("sk-proj-0123456789abcdefghijklmnopqrstuvwxyz")
	}
}
