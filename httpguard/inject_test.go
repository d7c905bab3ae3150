package httpguard

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"sallyport/credential"
	"sallyport/policy"
	"sallyport/secret"
)

// TestInject is every way a secret goes upstream, and what the upstream received.
func TestInject(t *testing.T) {
	for name, c := range map[string]struct {
		inject, path, body, contentType string
		headers                         []string
		wantURI, wantBody, wantHeader   string // header as "Name: value"
		status                          int
	}{
		"header":              {inject: "X-Key: v1 {secret}.", path: "/t/x", wantURI: "/x", wantHeader: "X-Key: v1 " + key + "."},
		"basic":               {inject: "Authorization: Basic api:{secret}", path: "/t/x", wantURI: "/x", wantHeader: "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("api:"+key))},
		"basic, login":        {inject: "Authorization: Basic {username}:{secret}", path: "/t/x", wantURI: "/x", wantHeader: "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("robot:"+key))},
		"basic, encoded":      {inject: "Authorization: Basic {secret}", path: "/t/x", wantURI: "/x", wantHeader: "Authorization: Basic " + key},
		"query":               {inject: "query key={secret}", path: "/t/x?a=%41&b", wantURI: "/x?a=%41&b&key=" + key},
		"query, first":        {inject: "query key={secret}", path: "/t/x", wantURI: "/x?key=" + key},
		"query, the caller's": {inject: "query key={secret}", path: "/t/x?key=mine&a=1&k%65y=mine&KEY=mine", wantURI: "/x?a=1&key=" + key},
		"body":                {inject: "body auth={secret}", path: "/t/x", body: `{ "n": 1.50 }`, contentType: "application/json", wantURI: "/x", wantBody: `{"auth":"` + key + `", "n": 1.50 }`},
		"body, empty object":  {inject: "body auth={secret}", path: "/t/x", body: `{}`, contentType: "application/json", wantURI: "/x", wantBody: `{"auth":"` + key + `"}`},
		"body, the caller's":  {inject: "body auth={secret}", path: "/t/x", body: `{"a":{"auth":1}, "\u0061uth" : {"b":[1]} ,"n":1}`, contentType: "application/json", wantURI: "/x", wantBody: `{"a":{"auth":1}, "\u0061uth" : "` + key + `" ,"n":1}`},
		"body, form":          {inject: "body auth={secret}", path: "/t/x", body: `a=1&%61uth=mine&b=2`, contentType: "application/x-www-form-urlencoded", wantURI: "/x", wantBody: "a=1&b=2&auth=" + key},
		"body, array":         {inject: "body auth={secret}", path: "/t/x", body: `[1]`, contentType: "application/json", status: 400},
		"body, none":          {inject: "body auth={secret}", path: "/t/x", status: 400},
		"body, text":          {inject: "body auth={secret}", path: "/t/x", body: "x", contentType: "text/plain", status: 400},
		"body, large":         {inject: "body auth={secret}", path: "/t/x", body: `{"a":"` + strings.Repeat("x", maxRequest) + `"}`, contentType: "application/json", status: 413},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Targets["t"] = Target{Upstream: p.URL, Credential: "env://KEY", Inject: c.inject}
				cfg.Lender = lenderFunc(func() (*credential.Lease, error) {
					return &credential.Lease{Username: "robot", Secret: secret.New(key)}, nil
				})
			})
			res, body := g.do(t, "POST", c.path, c.body, "Content-Type", c.contentType)
			if c.status != 0 {
				if res.StatusCode != c.status || len(p.requests()) > 0 {
					t.Errorf("%d %s, the upstream received %d", res.StatusCode, body, len(p.requests()))
				}
				return
			}
			if res.StatusCode != 200 {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			r := p.requests()[0]
			name, value, _ := strings.Cut(c.wantHeader, ": ")
			if r.RequestURI != c.wantURI || p.bodies[0] != c.wantBody || r.Header.Get(name) != value || int(r.ContentLength) != len(c.wantBody) {
				t.Errorf("the upstream received %s %q %v", r.RequestURI, p.bodies[0], r.Header)
			}
			for _, e := range g.journal.exchanges() {
				if strings.Contains(e.Query+e.Body, key) {
					t.Errorf("the secret is recorded: %+v", e)
				}
			}
		})
	}
}

// TestSigned signs anew what a client of AWS's had signed with the token.
func TestSigned(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["bedrock"] = Target{Upstream: p.URL, Credential: "file://aws.json", Inject: "aws-sigv4 service=bedrock"}
		cfg.Lender = lenderFunc(func() (*credential.Lease, error) {
			return &credential.Lease{Fields: map[string]secret.Text{"access_key_id": secret.New("AKID"), "secret_access_key": secret.New(key), "session_token": secret.New("session-xyz"), "region": secret.New("eu-west-1")}}, nil
		})
	})
	res, body := g.do(t, "POST", "/bedrock/model/a.b-v1%3A0/invoke?x=2&a=b%20c", `{"a":1}`,
		"Authorization", "AWS4-HMAC-SHA256 Credential="+token+"/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00",
		"X-Amz-Date", "20260101T000000Z", "X-Amz-Content-Sha256", "00")
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	p.noToken(t, 0)
	r := p.requests()[0]
	got := r.Header.Get("Authorization")
	if !strings.HasPrefix(got, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(got, "/eu-west-1/bedrock/aws4_request") ||
		!strings.Contains(got, "content-type;host;x-amz-date;x-amz-security-token") || r.Header.Get("X-Amz-Security-Token") != "session-xyz" ||
		r.Header.Get("X-Amz-Date") == "20260101T000000Z" || r.Header.Get("X-Amz-Content-Sha256") != "" || r.RequestURI != "/model/a.b-v1%3A0/invoke?a=b%20c&x=2" {
		t.Errorf("the upstream received %s %v", r.RequestURI, r.Header)
	}
	// The upstream can make the same signature of what it received.
	at := strings.Index(got, "Signature=")
	again := r.Clone(t.Context())
	again.Header = http.Header{"Content-Type": r.Header["Content-Type"], "X-Amz-Date": r.Header["X-Amz-Date"], "X-Amz-Security-Token": r.Header["X-Amz-Security-Token"]}
	s := signer{accessKey: "AKID", secretKey: key, region: "eu-west-1", service: "bedrock"}
	names, canonical := s.canonical(again, hexSum([]byte(p.bodies[0])))
	if !strings.Contains(got, "SignedHeaders="+names+",") || !strings.Contains(canonical, "/model/a.b-v1%253A0/invoke\na=b%20c&x=2\n") || at < 0 {
		t.Errorf("signed %s, received %s", got, canonical)
	}
}

// TestMoreTokens is where else a token may stand.
func TestMoreTokens(t *testing.T) {
	for name, c := range map[string]struct {
		path    string
		headers []string
		status  int
	}{
		"our own":           {"/t/x", []string{"X-Sallyport-Token", token}, 200},
		"AWS access key":    {"/t/x", []string{"Authorization", "AWS4-HMAC-SHA256 Credential=" + token + "/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0"}, 200},
		"AWS session token": {"/t/x", []string{"Authorization", "AWS4-HMAC-SHA256 Credential=any/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0", "X-Amz-Security-Token", token}, 200},
		"query":             {"/t/x?a=1&key=" + token, nil, 200},
		"query, not there":  {"/plain/x?key=" + token, nil, 401},
		"query, other name": {"/t/x?KEY=" + token, nil, 401},
		"query and header":  {"/t/x?key=other", []string{"X-Api-Key", token}, 401},
		"subprotocol":       {"/t/x", []string{"Sec-Websocket-Protocol", "realtime, openai-insecure-api-key." + token}, 200},
		"proxy's header":    {"/t/x", []string{"Proxy-Authorization", "Bearer " + token}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			var asked *policy.HTTP
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Targets["t"] = Target{Upstream: p.URL, Credential: "env://KEY", Inject: "X-Key: {secret}", TokenQuery: "key"}
				cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict { asked = q.HTTP; return allow(q) })
			})
			res, body := g.do(t, "GET", c.path, "", append([]string{"Authorization", ""}, c.headers...)...)
			if res.StatusCode != c.status {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			p.noToken(t, 1)
			for _, e := range g.journal.exchanges() {
				if strings.Contains(e.Query, token) {
					t.Errorf("recorded %q", e.Query)
				}
			}
			if c.status == 200 && (asked.Query["key"] != nil || strings.Contains(c.path, "a=1") && p.requests()[0].RequestURI != "/x?a=1") {
				t.Errorf("the rules saw %v, the upstream %s", asked.Query, p.requests()[0].RequestURI)
			}
		})
	}
}

func TestInjectProblems(t *testing.T) {
	for _, line := range []string{"query {secret}", "query a={secret}{secret}", "query a&b={secret}", "body ={secret}", "aws-sigv4", "aws-sigv4 region=x", "aws-sigv4 service=x service=y", "aws-sigv4 service=x color=y", "body a=b"} {
		if _, err := parseInjection(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
	two := Target{Upstream: "https://a,https://b", Credential: "env://KEY", Inject: "aws-sigv4 service=x"}
	if len(two.Problems()) != 1 {
		t.Errorf("problems %v", two.Problems())
	}
}
