package httpguard

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRelocatedHeaders(t *testing.T) {
	for name, c := range map[string]struct{ header, sent, want string }{
		"content location":   {"Content-Location", "/base/v2", "/plain/v2"},
		"link":               {"Link", `</base/a?page=2>; rel="next", <UP/base/b>; rel="last", <https://x.example/c>`, `</plain/a?page=2>; rel="next", </plain/b>; rel="last", <https://x.example/c>`},
		"broken link":        {"Link", `<abc`, `<abc`},
		"refresh":            {"Refresh", `5; URL='/base/a'`, `5; url=/plain/a`},
		"refresh in place":   {"Refresh", `5`, `5`},
		"operation location": {"Operation-Location", "UP/base/op/1", "/plain/op/1"},
	} {
		t.Run(name, func(t *testing.T) {
			var up string
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(c.header, strings.ReplaceAll(c.sent, "UP", up))
			})
			up = p.URL
			g := newGateway(t, p.URL, nil)
			if res, _ := g.do(t, "GET", "/plain/x", ""); res.Header.Get(c.header) != c.want {
				t.Errorf("got %q, want %q", res.Header.Get(c.header), c.want)
			}
		})
	}
}

// TestRelocatedByHost keeps the path where the host names the target.
func TestRelocatedByHost(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/base/next")
		w.WriteHeader(http.StatusFound)
	})
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["t"] = Target{Upstream: p.URL + "/base", Host: []string{"api.example.com"}}
	})
	req, _ := http.NewRequest("GET", g.URL+"/x", nil)
	req.Host = "api.example.com"
	req.Header.Set("X-Api-Key", token)
	if res, _ := g.send(t, req); res.Header.Get("Location") != "/next" {
		t.Errorf("got %q", res.Header.Get("Location"))
	}
}

// TestPinecone follows the host of an index as Pinecone's clients do.
func TestPinecone(t *testing.T) {
	data := newPeer(t, ok)
	host := data.Listener.Addr().String()
	control := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"indexes": [ {"name":"host", "host": "`+host+`", "n":1.50,"private_host":"`+host+`"}, {"host":"elsewhere.example"}, {"hosts":["`+host+`"]} ]}`)
	})
	g := newGateway(t, control.URL, func(cfg *Config) {
		cfg.Targets["pinecone"] = Target{Upstream: control.URL, Provider: "pinecone", Credential: "env://KEY", Inject: "Api-Key: {secret}", DataHosts: []string{host, "*.pinecone.io"}}
	})
	res, body := g.do(t, "GET", "/pinecone/indexes", "")
	want := `{"indexes": [ {"name":"host", "host": "` + g.URL + `/pinecone/_host/` + host + `", "n":1.50,"private_host":"` + g.URL + `/pinecone/_host/` + host + `"}, {"host":"elsewhere.example"}, {"hosts":["` + host + `"]} ]}`
	if res.StatusCode != 200 || body != want || res.ContentLength != int64(len(want)) {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if res, body := g.do(t, "POST", "/pinecone/_host/"+host+"/vectors/upsert?a=b", "{}"); res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if r := data.requests()[0]; r.RequestURI != "/vectors/upsert?a=b" || r.Header.Get("Api-Key") != key || r.Host != host {
		t.Errorf("the index received %s %s %v", r.Host, r.RequestURI, r.Header)
	}
	data.noToken(t, 1)
	if e := g.journal.exchanges()[1]; e.Host != host || e.Path != "/vectors/upsert" {
		t.Errorf("recorded %+v", e)
	}
	// Nowhere else does the key go.
	for _, other := range []string{"elsewhere.example", "elsewhere.example%23.pinecone.io", "user@x.pinecone.io", "x.pinecone.io:8443", "pinecone.io.evil.example", "..", "127.0.0.1:1", "x%2e.pinecone.io", ""} {
		if res, body := g.do(t, "GET", "/pinecone/_host/"+other+"/x", ""); res.StatusCode != 403 && res.StatusCode != 400 {
			t.Errorf("%s: %d %s", other, res.StatusCode, body)
		}
	}
	if res, _ := g.do(t, "GET", "/pinecone/_host/"+host+"/../x", ""); res.StatusCode != 400 {
		t.Errorf("dots: %d", res.StatusCode)
	}
	if len(data.requests()) != 1 || len(control.requests()) != 1 {
		t.Errorf("%d and %d received", len(data.requests()), len(control.requests()))
	}
}
