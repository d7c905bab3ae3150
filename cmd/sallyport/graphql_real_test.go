//go:build real

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestRealGraphQLSocket runs graphql-ws against its own server: what a client
// subscribes to is judged, and what is refused never reaches the server.
func TestRealGraphQLSocket(t *testing.T) {
	if os.Getenv("SALLYPORT_TEST_NODE") == "" {
		t.Fatal("SALLYPORT_TEST_NODE is not set: run this by `make test-real`, which installs the clients")
	}
	w := httpWorld{Token: realToken, Mark: realMark}
	server := startMCP(t, w, []string{"node", "node/graphql_server.mjs"})
	w.HTTP = "http://" + startRealGatewayIn(t, t.TempDir(), startPeers(t), "http://127.0.0.1:9", `
[http.graph]
upstream   = "`+server.url+`"
credential = "file://key"
inject     = "Authorization: Bearer {secret}"

[[rule]]
name    = "only-reads"
targets = ["graph"]
if      = 'http.graphql.exists(o, o.startsWith("mutation."))'
then    = "deny"
`)
	out, err := realScript(t, w, []string{"node", "node/graphql.mjs"}).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", bytes.TrimSpace(out))
	untilSeen(t, "the handshake", func() bool { return strings.Contains(server.said(), "handshake") })
	if said := server.said(); said != "handshake\n" {
		t.Errorf("the server says: %s", said)
	}
}
