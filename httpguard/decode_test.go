package httpguard

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// packer writes a content coding.
type packer interface {
	io.WriteCloser
	Flush() error
}

// packers are those of the codings that are read.
var packers = map[string]func(io.Writer) packer{
	"gzip":    func(w io.Writer) packer { return gzip.NewWriter(w) },
	"x-gzip":  func(w io.Writer) packer { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) packer { return zlib.NewWriter(w) },
	"br":      func(w io.Writer) packer { return brotli.NewWriter(w) },
	"ZSTD": func(w io.Writer) packer {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		return z
	},
}

// TestDecode reads every coding, whole and as a stream whose events come when
// they are sent.
func TestDecode(t *testing.T) {
	const doc = `{"secret":"hidden","email":"ann@example.com","n":1.0}`
	for coding, pack := range packers {
		t.Run(coding, func(t *testing.T) {
			goOn := make(chan struct{})
			p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", coding)
				w.Header().Set("ETag", "x")
				z := pack(w)
				defer z.Close()
				if strings.HasSuffix(r.URL.Path, "/stream") {
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(z, "data: "+doc+"\n\n")
					_ = z.Flush()
					w.(http.Flusher).Flush()
					<-goOn
					_, _ = io.WriteString(z, "data: [DONE]\n\n")
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(z, doc)
			})
			g := newGateway(t, p.URL, masking("secret"))
			const want = `{"secret":"[redacted]","email":"ann@example.com","n":1.0}`
			res, body := g.do(t, "GET", "/plain/x", "")
			if res.StatusCode != 200 || body != want || res.Header.Get("Content-Encoding") != "" || res.ContentLength != int64(len(want)) || res.Header.Get("ETag") != "" {
				t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
			}
			req, _ := http.NewRequest("GET", g.URL+"/plain/stream", nil)
			req.Header.Set("X-Api-Key", token)
			stream, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Body.Close()
			first := make([]byte, len("data: "+want))
			if _, err := io.ReadFull(stream.Body, first); err != nil || string(first) != "data: "+want {
				t.Errorf("%q %v", first, err)
			}
			close(goOn)
			if rest, err := io.ReadAll(stream.Body); err != nil || string(rest) != "\n\ndata: [DONE]\n\n" {
				t.Errorf("%q %v", rest, err)
			}
		})
	}
}

// TestDecodeBomb stops at the limit of what is read, whatever it unpacks to.
func TestDecodeBomb(t *testing.T) {
	for coding, pack := range packers {
		p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			w.Header().Set("Content-Type", "application/json")
			z := pack(w)
			defer z.Close()
			zeros := strings.Repeat("0", 1<<20)
			for range 64 {
				if _, err := io.WriteString(z, zeros); err != nil {
					return
				}
			}
		})
		g := newGateway(t, p.URL, masking("secret"))
		if res, body := g.do(t, "GET", "/plain/x", ""); res.StatusCode != 502 || !strings.Contains(body, "withheld") {
			t.Errorf("%s: %d %.200s", coding, res.StatusCode, body)
		}
	}
}

// TestUnread leaves a coding where nothing of the response is read.
func TestUnread(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "whatever it is")
	})
	g := newGateway(t, p.URL, nil)
	if res, body := g.do(t, "GET", "/free/x", ""); res.Header.Get("Content-Encoding") != "gzip" || body != "whatever it is" {
		t.Errorf("%v %s", res.Header, body)
	}
}
