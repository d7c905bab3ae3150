package httpguard

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const canary = "CANARY-7351-hunter2"

// TestMask is every kind of response on a target with a mask. The canary is in
// all of them, and never arrives.
func TestMask(t *testing.T) {
	doc := `{ "id": 1.50, "secret": "` + canary + `", "list": [{"secret": null}]}`
	masked := `{ "id": 1.50, "secret": "[redacted]", "list": [{"secret": null}]}`
	answer := func(status int, contentType, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, doc)
	_ = z.Close()
	for name, c := range map[string]struct {
		method  string
		answer  http.HandlerFunc
		status  int
		body    string // exact, when the status is the upstream's own
		outcome string
	}{
		"json":           {answer: answer(200, "application/json", doc), status: 200, body: masked},
		"json, charset":  {answer: answer(200, "application/json; charset=utf-8", doc), status: 200, body: masked},
		"problem":        {answer: answer(404, "application/problem+json", doc), status: 404, body: masked},
		"server error":   {answer: answer(500, "application/json", doc), status: 500, body: masked},
		"created":        {answer: answer(201, "application/vnd.api+json", doc), status: 201, body: masked},
		"head":           {method: "HEAD", answer: answer(200, "application/json", doc, "Content-Length", "67"), status: 200},
		"no content":     {answer: answer(204, "", ""), status: 204},
		"not modified":   {answer: answer(304, "", "", "ETag", canary), status: 304},
		"empty":          {answer: answer(200, "text/html", "", "Content-Length", "0"), status: 200},
		"empty, chunked": {answer: func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, status: 200},
		"text":           {answer: answer(200, "text/plain", doc), status: 502},
		"html error":     {answer: answer(503, "text/html", "<p>"+canary), status: 502},
		"no type":        {answer: answer(200, "", doc), status: 502},
		"bad type":       {answer: answer(200, "application/json; charset", doc), status: 502},
		"stream":         {answer: answer(200, "text/event-stream", "data: "+doc+"\n\n"), status: 200, body: "data: " + masked + "\n\n"},
		"lines":          {answer: answer(200, "application/x-ndjson", doc+"\n"+doc), status: 200, body: masked + "\n" + masked},
		"two values":     {answer: answer(200, "application/json", doc+"\n"+doc), status: 502},
		"broken":         {answer: answer(200, "application/json", doc[:40]), status: 502},
		"not UTF-8":      {answer: answer(200, "application/json", `{"a":"`+canary+"\xff\"}"), status: 502},
		"utf-16":         {answer: answer(200, "application/json; charset=utf-16", "\xff\xfe{\x00}\x00"+canary), status: 502},
		"compressed":     {answer: answer(200, "application/json", packed.String(), "Content-Encoding", "gzip"), status: 200, body: masked},
		"claims gzip":    {answer: answer(200, "application/json", doc, "Content-Encoding", "gzip"), status: 502},
		"other coding":   {answer: answer(200, "application/json", doc, "Content-Encoding", "compress"), status: 502},
		"two codings":    {answer: answer(200, "application/json", packed.String(), "Content-Encoding", "gzip, br"), status: 502},
		"cut gzip":       {answer: answer(200, "application/json", packed.String()[:packed.Len()-9], "Content-Encoding", "gzip"), status: 502},
		"part of gzip":   {answer: answer(206, "application/json", packed.String(), "Content-Encoding", "gzip"), status: 502},
		"partial":        {answer: answer(206, "application/json", doc, "Content-Range", "bytes 0-9/10"), status: 502},
		"large": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"secret":"%s","pad":"%s"}`, canary, strings.Repeat("x", maxMasked))
		}, status: 502},
		"chunked text": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, canary)
			w.(http.Flusher).Flush()
		}, status: 502},
		"two types": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"application/json", "text/html"}
			_, _ = io.WriteString(w, doc)
		}, status: 502},
		"broken off": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, doc[:len(doc)-1])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, status: 502},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, c.answer)
			g := newGateway(t, p.URL, masking("secret"))
			method := c.method
			if method == "" {
				method = "GET"
			}
			res, body := g.do(t, method, "/plain/x", "", "Accept-Encoding", "gzip", "Range", "bytes=0-9", "If-None-Match", "x")
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if c.status != 502 && body != c.body {
				t.Errorf("body %q, want %q", body, c.body)
			}
			if c.status == 502 && (!strings.Contains(body, "withheld") && name != "broken off" || strings.Contains(body, `"secret"`)) {
				t.Errorf("body %q", body)
			}
			var all strings.Builder
			_ = res.Header.Write(&all)
			for _, e := range g.journal.outcomes() {
				fmt.Fprintf(&all, "%+v", e)
			}
			if strings.Contains(all.String()+body+g.log.text(), canary) {
				t.Errorf("the canary got out: %s %s %s", all.String(), body, g.log.text())
			}
			if r := p.requests()[0]; r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Range") != "" || r.Header.Get("If-None-Match") != "" {
				t.Errorf("upstream received %v", r.Header)
			}
			o := g.journal.outcomes()
			if len(o) != 1 || o[0].Code != fmt.Sprint(c.status) || (o[0].Error != "") != (c.status == 502) || o[0].Body != c.body {
				t.Errorf("outcomes %+v", o)
			}
			if body == masked && (o[0].Masked != 1 || res.ContentLength != int64(len(masked))) {
				t.Errorf("masked %d, length %d", o[0].Masked, res.ContentLength)
			}
		})
	}
}

func TestMaskedHeaders(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Trailer", "X-Sum")
		for _, name := range validators {
			w.Header().Set(name, canary)
		}
		_, _ = io.WriteString(w, `{"secret":1}`)
		w.Header().Set("X-Sum", canary)
	})
	g := newGateway(t, p.URL, masking("secret"))
	res, body := g.do(t, "GET", "/plain/x", "")
	if body != `{"secret":"[redacted]"}` || len(res.Trailer) > 0 {
		t.Errorf("%s %v", body, res.Trailer)
	}
	for name, values := range res.Header {
		if strings.Contains(strings.Join(values, ""), canary) {
			t.Errorf("%s describes the body that was masked", name)
		}
	}
}

// TestOutcomeFails has a recording that fails when the outcome is written.
func TestOutcomeFails(t *testing.T) {
	for name, c := range map[string]struct {
		masked bool
		write  func(w http.ResponseWriter)
		status int
		whole  string
	}{
		"masked":    {masked: true, write: func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"a":"all of it"}`) }, status: 500, whole: "all of it"},
		"length":    {write: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "all of it") }, status: 200, whole: "all of it"},
		"no body":   {write: func(w http.ResponseWriter) { w.WriteHeader(204) }, status: 500},
		"no length": {write: func(w http.ResponseWriter) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, "part") }, status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				c.write(w)
			})
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Journal.(*journal).failOn = "outcome"
				if c.masked {
					masking("secret")(cfg)
				}
			})
			res, body := g.do(t, "GET", "/plain/x", "")
			cut := strings.HasSuffix(body, "<cut>")
			if res.StatusCode != c.status && !(cut && res.StatusCode == 0) || c.whole != "" && strings.Contains(body, c.whole) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if c.status == 200 && !cut {
				t.Errorf("the response came to an end: %q", body)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	for name, c := range map[string]struct{ location, want string }{
		"own origin":      {"UP/base/v2/x?a=b#c", "/plain/v2/x?a=b#c"},
		"own root":        {"UP/base", "/plain"},
		"absolute path":   {"/base/v2/x%20y", "/plain/v2/x%20y"},
		"relative":        {"y?z=1", "/plain/v1/y?z=1"},
		"outside of base": {"/other", "UP/other"},
		"base as prefix":  {"/basement/x", "UP/basement/x"},
		"elsewhere":       {"https://elsewhere.example/x", "https://elsewhere.example/x"},
		"no scheme":       {"//elsewhere.example/x", "http://elsewhere.example/x"},
	} {
		t.Run(name, func(t *testing.T) {
			var up string
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", strings.Replace(c.location, "UP", up, 1))
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
			up = p.URL
			g := newGateway(t, p.URL, nil)
			res, _ := g.do(t, "GET", "/plain/v1/x", "")
			if got, want := res.Header.Get("Location"), strings.Replace(c.want, "UP", up, 1); got != want || res.StatusCode != 307 {
				t.Errorf("%d to %q, want %q", res.StatusCode, got, want)
			}
			if n := len(p.requests()); n != 1 {
				t.Errorf("the gateway followed: %d requests", n)
			}
		})
	}
}

func TestProtocolChange(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"+canary)
	})
	g := newGateway(t, p.URL, nil)
	res, body := g.do(t, "GET", "/plain/x", "", "Connection", "Upgrade", "Upgrade", "h2c")
	if res.StatusCode != 502 || strings.Contains(body, canary) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if h := p.requests()[0].Header; h.Get("Upgrade")+h.Get("Connection") != "" {
		t.Errorf("the upstream was asked: %v", h)
	}
}
