package httpguard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestGraphQLAlias: a field that is masked by its name must not come back under
// another that the caller gives it.
func TestGraphQLAlias(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		pass               bool
	}{
		"no alias":                 {"POST", "/free/graphql", `{"query":"{ user { ssn } }"}`, nil, true},
		"of another field":         {"POST", "/free/graphql", `{"query":"{ me: person { first: name ssn } }"}`, nil, true},
		"the name it has":          {"POST", "/free/graphql", `{"query":"{ user { ssn: ssn } }"}`, nil, true},
		"of the field":             {"POST", "/free/graphql", `{"query":"{ user { x: ssn } }"}`, nil, false},
		"on the way to it":         {"POST", "/free/graphql", `{"query":"{ a: account { iban } }"}`, nil, false},
		"of a name with a star":    {"POST", "/free/graphql", `{"query":"{ user { x: secret_b } }"}`, nil, false},
		"in a fragment":            {"POST", "/free/graphql", `{"query":"{ user { ...F } } fragment F on User { more { x: ssn } }"}`, nil, false},
		"in a fragment that is on": {"POST", "/free/graphql", `{"query":"{ user { ... on User @include(if: true) { x : ssn } } }"}`, nil, false},
		"with arguments":           {"POST", "/free/graphql", `{"query":"query Q($a: Int = 1) { x: ssn(of: {id: $a}) @skip(if: false) }"}`, nil, false},
		"of what has selections":   {"POST", "/free/graphql", `{"query":"{ user { x: ssn { value } } }"}`, nil, false},
		"of the second operation":  {"POST", "/free/graphql", `{"query":"query A { a } query B { x: ssn }"}`, nil, false},
		"in a batch":               {"POST", "/free/graphql", `[{"query":"{ a }"},{"query":"{ x: ssn }"}]`, nil, false},
		"in the query":             {"GET", "/free/graphql?query=%7Bx:ssn%7D", "", nil, false},
		"as it is":                 {"POST", "/free/graphql", `{ x: ssn }`, []string{"Content-Type", "application/graphql"}, false},
		"at another path":          {"POST", "/free/api", `{"query":"{ x: ssn }"}`, nil, false},
		"no document elsewhere":    {"POST", "/free/search", `{"query":"words: ssn"}`, nil, true},
		"what can't be read":       {"POST", "/free/graphql", `{"query":"{ x: ssn"}`, nil, false},
		"in a form":                {"POST", "/free/graphql", `query=%7Bx:ssn%7D`, []string{"Content-Type", "application/x-www-form-urlencoded"}, false},
		"by its hash":              {"POST", "/free/graphql", `{"extensions":{"persistedQuery":{"sha256Hash":"00"}}}`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, masking("ssn", "data.account.iban", "secret_*", "data.*.pin"))
			res, body := g.do(t, c.method, c.path, c.body, c.headers...)
			if passed := len(p.requests()) == 1; passed != c.pass || !c.pass && res.StatusCode != http.StatusForbidden {
				t.Errorf("the upstream received %d, answered %d %s", len(p.requests()), res.StatusCode, body)
			}
		})
	}
	// Without a mask by name there is nothing that an alias could hide.
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	if res, body := g.do(t, "POST", "/free/graphql", `{"query":"{ x: ssn }"}`); res.StatusCode != 200 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
}

// TestGraphQLAliasSocket: nor over a WebSocket.
func TestGraphQLAliasSocket(t *testing.T) {
	for _, c := range []struct {
		message string
		pass    bool
	}{
		{`{"type":"subscribe","id":"1","payload":{"query":"subscription { user { ssn } }"}}`, true},
		{`{"type":"subscribe","id":"1","payload":{"query":"subscription { user { x: ssn } }"}}`, false},
		{`{"type":"start","id":"1","payload":{"query":"{ x: ssn"}}`, false},
		{`{"query":"{ x: ssn }"}`, false},
		{`{"type":"ping"}`, true},
		{`{"type":"message","query":"words: ssn"}`, true},
	} {
		t.Run(c.message, func(t *testing.T) {
			s := newTalker(t, false, false)
			g := newGateway(t, s.URL, masking("ssn"))
			conn, _, err := g.dial(t, "/free/graphql", http.Header{"X-Sallyport-Token": {token}})
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(c.message)); err != nil {
				t.Fatal(err)
			}
			if c.pass {
				_ = conn.Close(websocket.StatusNormalClosure, "")
			} else if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("ended with %v", err)
			}
			<-s.done
			s.mu.Lock()
			defer s.mu.Unlock()
			if passed := strings.Contains(fmt.Sprint(s.got), c.message); passed != c.pass {
				t.Errorf("the upstream received %q", s.got)
			}
		})
	}
}
