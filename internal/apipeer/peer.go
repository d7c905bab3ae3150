package apipeer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// The words that a caller's last message holds.
const (
	WordPlain = "plain" // an answer
	WordSlow  = "slow"  // an answer that begins and does not end until the caller has gone
	WordFail  = "fail"  // an error of the provider's own, in its shape
)

// Address is in every answer. The tests' masks hide it.
const Address = "ann@example.com"

// Answer is what the models say.
const Answer = "Write to " + Address + " about it."

// pieces are Answer as streams bring it: Address is spread over three.
var pieces = []string{"Write to ann", "@exam", "ple.com about", " it."}

// Tool is the function that a model calls when it is offered it, with City.
const (
	Tool = "lookup"
	City = "Paris"
)

// toolPieces are the arguments of the call as streams bring them.
var toolPieces = []string{`{"ci`, `ty":"Pa`, `ris"}`}

// maxRequest is the size in bytes of the largest request body that is read.
const maxRequest = 1 << 20

// Peer is one such server. Who comes without its key gets 401.
type Peer struct {
	*httptest.Server
	Key string

	mu        sync.Mutex
	calls     []string // whole requests
	messages  []string // that came on WebSockets
	wrong     int      // requests without the key
	cancelled int
}

// call is one request, its body read.
type call struct {
	peer *Peer
	w    http.ResponseWriter
	*http.Request
	body []byte
	id   string // of the answer
}

// start serves what answer answers on a free port of the loopback. key finds the
// key of a request.
func start(secret string, key func(*http.Request) string, answer func(*call)) *Peer {
	p := &Peer{Key: secret}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
		if err != nil {
			return
		}
		var all bytes.Buffer
		fmt.Fprintf(&all, "%s %s\nHost: %s\n", r.Method, r.RequestURI, r.Host)
		_ = r.Header.Write(&all)
		all.Write(body)
		right := key(r) == secret
		p.mu.Lock()
		p.calls = append(p.calls, all.String())
		if !right {
			p.wrong++
		}
		id := fmt.Sprintf("answer-%d", len(p.calls))
		p.mu.Unlock()
		c := &call{p, w, r, body, id}
		if !right {
			c.json(http.StatusUnauthorized, object{"error": object{"message": "wrong key"}})
			return
		}
		answer(c)
	}))
	return p
}

// Calls are the requests so far as text, line by line with headers and body.
func (p *Peer) Calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}

// Messages are those that came on WebSockets so far.
func (p *Peer) Messages() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.messages...)
}

// Wrong is how many requests came without the key.
func (p *Peer) Wrong() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wrong
}

// Cancelled is how many callers went away within an answer.
func (p *Peer) Cancelled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancelled
}

type object = map[string]any

type list = []any

func bearer(r *http.Request) string {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}

// says reports whether the last message of the request holds the word.
func says(messages json.RawMessage, word string) bool {
	var all []json.RawMessage
	if json.Unmarshal(messages, &all) != nil || len(all) == 0 {
		return bytes.Contains(messages, []byte(word))
	}
	return bytes.Contains(all[len(all)-1], []byte(word))
}

func (c *call) json(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(body)
}

// events begins a stream.
func (c *call) events() {
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.flush()
}

// event sends one event; without a name it has only data.
func (c *call) event(name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		return
	}
	if name != "" {
		_, _ = fmt.Fprintf(c.w, "event: %s\n", name)
	}
	_, _ = fmt.Fprintf(c.w, "data: %s\n\n", text)
	c.flush()
}

func (c *call) flush() { _ = http.NewResponseController(c.w).Flush() }

// hold waits until the caller has gone.
func (c *call) hold() {
	<-c.Context().Done()
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	c.peer.cancelled++
}
