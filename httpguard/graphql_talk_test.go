package httpguard

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sallyport/policy"
)

// TestGraphQLTalk: what a client subscribes to is judged as the document of a POST
// is. What is refused never reaches the upstream, and the WebSocket lives on.
func TestGraphQLTalk(t *testing.T) {
	const (
		hello = `{"type":"connection_init","payload":{"token":"x"}}`
		reads = `{"id":"1","type":"subscribe","payload":{"query":"query Q { users { id } }"}}`
	)
	for name, c := range map[string]struct {
		message string
		pass    bool
	}{
		"a query":              {reads, true},
		"a ping":               {`{"type":"ping"}`, true},
		"an end":               {`{"id":"1","type":"complete"}`, true},
		"a mutation":           {`{"id":"2","type":"subscribe","payload":{"query":"mutation { deleteUser(id: 1) { id } }"}}`, false},
		"in a fragment":        {`{"id":"2","type":"subscribe","payload":{"query":"mutation M { ...F } fragment F on Mutation { deleteUser }"}}`, false},
		"by another operation": {`{"id":"2","type":"subscribe","payload":{"operationName":"Q","query":"query Q { users } mutation M { deleteUser }"}}`, false},
		"no document":          {`{"id":"2","type":"subscribe","payload":{"extensions":{"persistedQuery":{"sha256Hash":"x"}}}}`, false},
		"one that is broken":   {`{"id":"2","type":"subscribe","payload":{"query":"mutation {"}}`, false},
		"another place":        {`{"id":"2","type":"subscribe","query":"mutation { a }","payload":{"query":"{ a }"}}`, false},
		"another spelling":     {`{"id":"2","type":"subscribe","payload":{"query":"{a}","Query":"mutation { deleteUser }"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			g := newGateway(t, l.URL, withRules(t, policy.RuleConfig{
				Name: "reads", Targets: []string{"plain"}, Then: "deny", If: `http.graphql.exists(o, o.startsWith("mutation."))`,
			}))
			conn, res, err := g.dial(t, "/plain/graphql", http.Header{"X-Api-Key": {token}}, graphQLProtocol)
			if err != nil {
				t.Fatal(err, res)
			}
			defer conn.CloseNow()
			want := []string{hello, reads}
			if c.pass {
				want = []string{hello, c.message, reads}
			}
			for _, message := range []string{hello, c.message, reads} {
				answer := say(t, conn, websocket.MessageText, message)
				if refused := strings.HasPrefix(answer, `{"id":"2","type":"error","payload":[{"message":"refused by rule \"reads\"`); refused != (answer != listenerSays) || refused == slices.Contains(want, message) {
					t.Errorf("%s\nanswered %s", message, answer)
				}
			}
			if got := l.heard(); !slices.Equal(got, want) {
				t.Errorf("the upstream received %q", got)
			}
		})
	}
}

// TestGraphQLTalkEnds: where the protocol has no answer to a refusal, and where
// the two sides do not agree on it, the WebSocket ends.
func TestGraphQLTalkEnds(t *testing.T) {
	mutations := policy.RuleConfig{Name: "reads", Targets: []string{"plain"}, Then: "deny", If: `http.graphql.exists(o, o.startsWith("mutation."))`}
	for name, message := range map[string]string{
		"no id":        `{"type":"subscribe","payload":{"query":"mutation { a }"}}`,
		"another type": `{"id":"1","type":"start","payload":{"query":"mutation { a }"}}`,
		"at the start": `{"type":"connection_init","payload":{"query":"mutation { a }"}}`,
		"two types":    `{"id":"1","type":"subscribe","Type":"start","payload":{"query":"{ a }"}}`,
		"no JSON":      `mutation { a }`,
		"a list":       `[{"id":"1","type":"subscribe","payload":{"query":"mutation { a }"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			g := newGateway(t, l.URL, withRules(t, mutations))
			conn, res, err := g.dial(t, "/plain/graphql", http.Header{"X-Api-Key": {token}}, graphQLProtocol)
			if err != nil {
				t.Fatal(err, res)
			}
			defer conn.CloseNow()
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
				t.Fatal(err)
			}
			if _, text, err := conn.Read(t.Context()); websocket.CloseStatus(err) != forbidden || !strings.Contains(err.Error(), "reads") {
				t.Errorf("%s %v", text, err)
			}
			if got := l.heard(); len(got) > 0 {
				t.Errorf("the upstream received %q", got)
			}
			if o := g.ended(t); o.Error != "a message was refused to which the protocol has no answer" {
				t.Errorf("outcome %+v", o)
			}
		})
	}
	for name, c := range map[string]struct {
		offers []string
		status int
	}{
		"the upstream chooses none": {[]string{graphQLProtocol}, 502},
		"the caller offers another": {[]string{graphQLProtocol, "graphql-ws"}, 403},
		"the caller offers none":    {nil, 403},
	} {
		t.Run(name, func(t *testing.T) {
			s := echoServer(t, func(*http.Request) {}) // which knows another one
			g := newGateway(t, s.URL, withRules(t, mutations))
			conn, res, err := g.dial(t, "/plain/graphql", http.Header{"X-Api-Key": {token}}, c.offers...)
			if err == nil {
				conn.CloseNow()
			}
			if err == nil || res.StatusCode != c.status {
				t.Errorf("%v %v", res, err)
			}
		})
	}
}
