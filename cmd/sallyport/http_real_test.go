//go:build real

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/apipeer"
)

// httpWorld is what the HTTP scripts of testdata/real are told.
type httpWorld struct {
	HTTP      string `json:"http"`
	Token     string `json:"token"`
	OpenAI    string `json:"openai"` // models
	Anthropic string `json:"anthropic"`
	Gemini    string `json:"gemini"`
	Denied    string `json:"denied"` // a model that a rule denies
	NoTool    string `json:"deniedTool"`
	Answer    string `json:"answer"` // as masked
	AnswerRaw string `json:"answerRaw"`
	Mark      string `json:"mark"` // what stands for a masked value
	Tool      string `json:"tool"`
	City      string `json:"city"`
}

const (
	realToken = "real-clients-gateway-token"
	realKey   = "sk-real-key-of-the-upstream"
	realMark  = "[redacted]"
	noTool    = "drop_everything" // denied by a rule
)

// realPeers are the upstreams, by the name of their target.
type realPeers map[string]*apipeer.Peer

// TestRealHTTPClients runs client libraries unchanged against peers which check
// that every request has the real key, and none the gateway's token. Everything
// they answer passes a mask.
func TestRealHTTPClients(t *testing.T) {
	python, node := os.Getenv("SALLYPORT_TEST_PYTHON"), os.Getenv("SALLYPORT_TEST_NODE")
	if python == "" || node == "" {
		t.Fatal("SALLYPORT_TEST_PYTHON and SALLYPORT_TEST_NODE are not set: run this by `make test-real`, which installs the clients")
	}
	for name, test := range map[string]struct {
		command []string
		peers   []string // each must have been asked
		cancels int      // that these must have seen
		server  []string // an MCP server to run
	}{
		"openai-python":    {command: []string{python, "python/openai_http.py"}, peers: []string{"openai"}, cancels: 3},
		"openai-node":      {command: []string{"node", "node/openai_http.mjs"}, peers: []string{"openai"}, cancels: 2},
		"anthropic-python": {command: []string{python, "python/anthropic_http.py"}, peers: []string{"anthropic"}, cancels: 2},
		"anthropic-node":   {command: []string{"node", "node/anthropic.mjs"}, peers: []string{"anthropic"}, cancels: 1},
		"langchain-python": {command: []string{python, "python/langchain_http.py"}, peers: []string{"openai", "anthropic"}, cancels: 4},
		"langchain-node":   {command: []string{"node", "node/langchain.mjs"}, peers: []string{"openai", "anthropic"}, cancels: 4},
		"gemini":           {command: []string{python, "python/gemini_http.py"}, peers: []string{"gemini"}, cancels: 1},
		"pinecone-python":  {command: []string{python, "python/pinecone_http.py"}, peers: []string{"pinecone", "index"}, cancels: 1},
		"pinecone-node":    {command: []string{"node", "node/pinecone.mjs"}, peers: []string{"pinecone", "index"}, cancels: 1},
		"http-python":      {command: []string{python, "python/plain_http.py"}, peers: []string{"rest", "openai"}, cancels: 6},
		"curl":             {command: []string{"bash", "curl.sh"}, peers: []string{"rest", "openai"}, cancels: 1},
		"mcp-python":       {command: []string{python, "python/mcp_http.py"}, server: []string{python, "python/mcp_server.py"}},
		"mcp-node":         {command: []string{"node", "node/mcp.mjs"}, server: []string{"node", "node/mcp_server.mjs"}},
		"mcp-mixed":        {command: []string{"node", "node/mcp.mjs"}, server: []string{python, "python/mcp_server.py"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := httpWorld{
				Token: realToken, OpenAI: "gpt-4o-mini", Anthropic: "claude-sonnet-4-5", Gemini: "gemini-2.5-flash", Denied: "dear-1",
				Answer: strings.ReplaceAll(apipeer.Answer, apipeer.Address, realMark), AnswerRaw: apipeer.Answer, Mark: realMark,
				Tool: apipeer.Tool, City: apipeer.City,
			}
			peers := startPeers(t)
			var mcp *mcpServer
			files := "http://127.0.0.1:9" // nobody
			if test.server != nil {
				mcp = startMCP(t, w, test.server)
				files = mcp.url
			}
			w.HTTP = "http://" + startRealGateway(t, peers, files)
			out, err := realScript(t, w, test.command).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", bytes.TrimSpace(out))
			cancelled := func() (n int) {
				for _, name := range test.peers {
					n += peers[name].Cancelled()
				}
				return n
			}
			untilSeen(t, "the peers see the cancels", func() bool { return cancelled() >= test.cancels })
			for name, p := range peers {
				checkPeer(t, name, p)
			}
			for _, name := range test.peers {
				if len(peers[name].Calls()) == 0 {
					t.Errorf("nothing came to %s", name)
				}
			}
			if mcp != nil {
				untilSeen(t, "the tool is cancelled", func() bool { return strings.Contains(mcp.said(), "cancelled") })
				for _, bad := range []string{"wrong key", "the token came", "delete was called"} {
					if strings.Contains(mcp.said(), bad) {
						t.Errorf("the MCP server says: %s", mcp.said())
					}
				}
			}
		})
	}
}

// checkPeer looks for the gateway's token in what came to a peer.
func checkPeer(t *testing.T, name string, p *apipeer.Peer) {
	t.Helper()
	if n := p.Wrong(); n > 0 {
		t.Errorf("%d requests came to %s without the key", n, name)
	}
	for _, message := range p.Messages() {
		if strings.Contains(message, "dear-1") || strings.Contains(message, noTool) {
			t.Errorf("what was refused came to %s:\n%s", name, message)
		}
	}
	for _, call := range p.Calls() {
		if strings.Contains(call, realToken) {
			t.Errorf("the gateway's token came to %s:\n%s", name, call)
		}
		if strings.Contains(call, "dear-1") || strings.HasPrefix(call, "DELETE") {
			t.Errorf("what was refused came to %s:\n%s", name, call)
		}
	}
}

func startPeers(t *testing.T) realPeers {
	index := apipeer.PineconeData(realKey)
	peers := realPeers{
		"openai": apipeer.OpenAI(realKey), "anthropic": apipeer.Anthropic(realKey), "gemini": apipeer.Gemini(realKey),
		"rest": apipeer.REST(realKey), "index": index, "pinecone": apipeer.Pinecone(realKey, index),
	}
	for _, p := range peers {
		t.Cleanup(func() { p.CloseClientConnections(); p.Close() })
	}
	return peers
}

// startRealGateway serves gateway.toml with a target for each peer, and gives
// the address of its HTTP listener.
func startRealGateway(t *testing.T, peers realPeers, files string) string {
	t.Helper()
	return startRealGatewayIn(t, t.TempDir(), peers, files, "")
}

// startRealGatewayIn does so in a folder, with more tables of gateway.toml.
func startRealGatewayIn(t *testing.T, dir string, peers realPeers, files, more string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(more)
	fmt.Fprintf(&text, `
[listen]
postgres = "off"
http     = "127.0.0.1:0"
console  = "off"
metrics  = "off"

[store]
database   = "sqlite:sallyport.db"
recordings = "file:recordings"

[[token]]
subject = "agent"
groups  = ["agents"]
sha256  = "%x"

[[grant]]
who     = ["group:agents"]
targets = ["*"]

[[rule]]
name    = "known-models"
targets = ["openai", "anthropic", "gemini"]
if      = 'llm.model == "dear-1"'
then    = "deny"

[[rule]]
name    = "no-drop"
targets = ["rest", "pinecone"]
if      = 'http.method == "DELETE"'
then    = "deny"

[[rule]]
name    = "no-delete"
targets = ["files"]
if      = 'mcp.tool == "delete"'
then    = "deny"

[[mask]]
targets = ["*"]
detect  = ["email"]
with    = "redact"
`, sha256.Sum256([]byte(realToken)))
	for name, inject := range map[string]string{
		"openai": "Authorization: Bearer {secret}", "anthropic": "x-api-key: {secret}", "gemini": "x-goog-api-key: {secret}",
		"pinecone": "Api-Key: {secret}", "rest": "Authorization: Bearer {secret}", "files": "Authorization: Bearer {secret}",
	} {
		upstream, more := files, ""
		if p := peers[name]; p != nil {
			upstream = p.URL
		}
		switch name {
		case "rest":
		case "files":
			more = `provider = "mcp"`
		case "pinecone":
			more = fmt.Sprintf("provider = \"pinecone\"\ndata_hosts = [%q]", strings.TrimPrefix(peers["index"].URL, "http://"))
		default:
			more = fmt.Sprintf("provider = %q", name)
		}
		fmt.Fprintf(&text, "\n[http.%s]\nupstream = %q\ncredential = \"file://key\"\ninject = %q\n%s\n", name, upstream, inject, more)
	}
	for name, content := range map[string]string{"gateway.toml": text.String(), "key": realKey} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, served := make(chan addresses, 1), make(chan error, 1)
	go func() {
		served <- serve(ctx, cfg, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), func(at addresses) { ready <- at })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return at.HTTP
	case err := <-served:
		served <- nil
		t.Fatalf("the gateway ended: %v", err)
	}
	panic("unreachable")
}

// realScript is a script of testdata/real, ready to run.
func realScript(t *testing.T, w httpWorld, command []string) *exec.Cmd {
	t.Helper()
	world, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join("../../testdata/real", command[1]))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, command[0], script)
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "SALLYPORT_WORLD="+string(world), "SALLYPORT_MCP_KEY="+realKey, "NO_PROXY=127.0.0.1",
		"PYTHONDONTWRITEBYTECODE=1", "LANGSMITH_TRACING=false", "LANGGRAPH_NO_UPDATE=1")
	return cmd
}

// mcpServer is one of the MCP SDK's, in a process of its own.
type mcpServer struct {
	url string
	mu  sync.Mutex
	out strings.Builder
}

func (m *mcpServer) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.String()
}

// Write keeps what the server says.
func (m *mcpServer) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.Write(p)
}

func startMCP(t *testing.T, w httpWorld, command []string) *mcpServer {
	t.Helper()
	cmd := realScript(t, w, command)
	m := &mcpServer{}
	cmd.Stderr = m
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the MCP server did not start: %v\n%s", err, m.said())
	}
	m.url = "http://127.0.0.1:" + strings.TrimSpace(strings.TrimPrefix(line, "port "))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			line, err := r.ReadString('\n')
			_, _ = io.WriteString(m, line)
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-ended
		_ = cmd.Wait()
	})
	return m
}

// untilSeen waits for what another process does in its own time.
func untilSeen(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen: %s", what)
		}
	}
}
