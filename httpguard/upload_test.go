package httpguard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"sallyport/policy"
)

// sink is an upstream that hashes what it gets, and keeps none of it.
type sink struct {
	*httptest.Server
	sums   chan string
	expect chan string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{sums: make(chan string, 10), expect: make(chan string, 10)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		s.sums <- fmt.Sprintf("%d %s %v", n, hex.EncodeToString(h.Sum(nil)), err)
		s.expect <- r.Header.Get("Expect")
		_, _ = io.WriteString(w, "stored")
	}))
	t.Cleanup(s.Close)
	return s
}

// zeros is a body of n bytes that takes no memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroes{}, n) }

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestUpload streams what is too large to be judged, in bounded memory.
func TestUpload(t *testing.T) {
	const size = 64 << 20
	h := sha256.New()
	_, _ = io.Copy(h, zeros(size))
	sum := hex.EncodeToString(h.Sum(nil))
	for name, length := range map[string]int64{"length": size, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			g := newGateway(t, s.URL, nil)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			req, _ := http.NewRequest("PUT", g.URL+"/plain/x", struct{ io.Reader }{zeros(size)})
			req.ContentLength = length
			req.Header.Set("X-Api-Key", token)
			req.Header.Set("Expect", "100-continue")
			res, body := g.send(t, req)
			runtime.ReadMemStats(&after)
			if res.StatusCode != 200 || body != "stored" {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if got := <-s.sums; got != fmt.Sprintf("%d %s <nil>", size, sum) {
				t.Errorf("the upstream received %s", got)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 40<<20 {
				t.Errorf("took %d MB", taken>>20)
			}
			e, o := g.journal.exchanges()[0], g.journal.outcomes()[0]
			if !strings.HasPrefix(e.Body, strings.Repeat("\x00", maxBegin)+" [the first") || o.Sent != size || o.SentSHA256 != sum {
				t.Errorf("recorded %d bytes, %d %s", len(e.Body), o.Sent, o.SentSHA256)
			}
		})
	}
}

// TestUploadJudged: a rule that reads the body of a large request denies it.
func TestUploadJudged(t *testing.T) {
	for condition, status := range map[string]int{
		`http.body.model == "x"`: 403,
		`http.body == null`:      403,
		`!has(http.body.a)`:      403,
		`http.method == "PATCH"`: 200,
	} {
		t.Run(condition, func(t *testing.T) {
			s := newSink(t)
			g := newGateway(t, s.URL, func(cfg *Config) {
				rules, errs := policy.NewRules([]policy.RuleConfig{{Name: "r", Targets: []string{"plain"}, If: condition, Then: "deny"}}, map[string]policy.TargetKind{"plain": policy.HTTPTarget})
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				cfg.Judge = rules
			})
			res, body := g.do(t, "POST", "/plain/x", `{"a":"`+strings.Repeat("x", maxRequest)+`"}`)
			if res.StatusCode != status || len(s.sums) != boolInt(status == 200) {
				t.Errorf("%d %s, the upstream received %d", res.StatusCode, body, len(s.sums))
			}
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestUploadModels: on a model's provider only files may be too large to judge.
func TestUploadModels(t *testing.T) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("file", "a.jsonl")
	_, _ = part.Write(bytes.Repeat([]byte("x"), maxRequest))
	_ = w.Close()
	for at, status := range map[string]int{
		"/openai/v1/files":                    200,
		"/openai/v1/uploads/u_1/parts":        200,
		"/openai/v1/audio/transcriptions":     413,
		"/openai/v1/chat/completions":         413,
		"/openai/v1/chat/completions/x/files": 200, // of no endpoint; and no call of a model
	} {
		t.Run(at, func(t *testing.T) {
			s := newSink(t)
			g := newGateway(t, s.URL, nil)
			res, body := g.do(t, "POST", at, form.String(), "Content-Type", w.FormDataContentType())
			if res.StatusCode != status || len(s.sums) != boolInt(status == 200) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	s := newSink(t)
	g := newGateway(t, s.URL, nil)
	if res, body := g.do(t, "POST", "/openai/v1/files", `{"a":"`+strings.Repeat("x", maxRequest)+`"}`); res.StatusCode != 413 || !strings.Contains(body, "bytes") || len(s.sums) > 0 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestUploadRetry reads a large body once, also when the first upstream is gone.
func TestUploadRetry(t *testing.T) {
	s := newSink(t)
	g := newGateway(t, s.URL, func(cfg *Config) {
		cfg.Targets["t"] = Target{Upstream: refusing(t) + "," + s.URL}
	})
	for range 2 {
		req, _ := http.NewRequest("PUT", g.URL+"/t/x", struct{ io.Reader }{zeros(maxRequest + 5)})
		req.Header.Set("X-Api-Key", token)
		if res, body := g.send(t, req); res.StatusCode != 200 {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		if got := <-s.sums; !strings.HasPrefix(got, fmt.Sprint(maxRequest+5)) {
			t.Errorf("received %s", got)
		}
	}
}

// TestUploadRefused is an upstream that says no before it has read the body.
func TestUploadRefused(t *testing.T) {
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
	}))
	defer p.Close()
	g := newGateway(t, p.URL, nil)
	req, _ := http.NewRequest("PUT", g.URL+"/plain/x", struct{ io.Reader }{zeros(256 << 20)})
	req.ContentLength = 256 << 20
	req.Header.Set("X-Api-Key", token)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Skip("the caller saw the connection end while it was still sending:", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", res.StatusCode)
	}
	if o := g.journal.outcomes(); len(o) == 1 && o[0].SentSHA256 != "" {
		t.Errorf("recorded %+v", o)
	}
}
