package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// rubbish is what peers send that are no clients; each keeps its connection
// open. Those that log in first are apart: each holds a connection upstream.
func rubbish() map[string][]byte {
	login := func(database string) []byte {
		body := []byte("\x00\x03\x00\x00user\x00agent\x00database\x00" + database + "\x00\x00")
		return append(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))), body...)
	}
	noise := make([]byte, 64<<10)
	_, _ = rand.Read(noise)
	return map[string][]byte{
		"nothing":                {},
		"one byte":               {0},
		"noise":                  noise,
		"zeros":                  make([]byte, 4096),
		"half a startup":         login("orders")[:13],
		"a startup of 1 GB":      append([]byte{0x40, 0, 0, 0, 0, 3, 0, 0}, noise[:1000]...),
		"a startup of 4 GB":      {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"a startup of length 0":  {0, 0, 0, 0, 0, 3, 0, 0},
		"protocol 2":             {0, 0, 0, 8, 0, 2, 0, 0},
		"no password":            login("orders"),
		"half a password":        append(login("orders"), 'p', 0, 0, 0, 100, 'x'),
		"a password of 1 GB":     append(login("orders"), 'p', 0x40, 0, 0, 0, 'x'),
		"a password of length 0": append(login("orders"), 'p', 0, 0, 0, 0),
		"a query for a password": append(login("orders"), "Q\x00\x00\x00\x0dSELECT 1\x00"...),
		"HTTP":                   []byte("GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"),
		"a TLS ClientHello":      append([]byte{0x16, 3, 1, 0x02, 0}, noise[:300]...),
		"SSL asked for twice":    bytes.Repeat([]byte{0, 0, 0, 8, 4, 210, 22, 47}, 2),
		"a cancel of nobody's":   {0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2},
		"half a cancel":          {0, 0, 0, 16, 4, 210, 22, 46, 0, 0},
	}
}

// inside is what peers send that have a token.
func inside() map[string][]byte {
	password := append([]byte("p"), binary.BigEndian.AppendUint32(nil, uint32(4+len(agentToken)+1))...)
	login := append(rubbish()["no password"], append(append(password, agentToken...), 0)...)
	after := func(s string) []byte { return append(bytes.Clone(login), s...) }
	return map[string][]byte{
		"nothing":              after(""),
		"an unknown message":   after("\x01\x00\x00\x00\x04"),
		"half a query":         after("Q\x00\x00\x00\x30SELECT 'never"),
		"a query of 1 GB":      after("Q\x40\x00\x00\x00SELECT 'never"),
		"a query of length 0":  after("Q\x00\x00\x00\x00"),
		"a query without end":  after("Q\x00\x00\x00\x0cSELECT 1"),
		"a bind of 1 GB":       after("B\x3f\xff\xff\xff\x00\x00"),
		"a bind of nonsense":   after("B\x00\x00\x00\x0a\x00\x00\xff\xff\xff\xff"),
		"a sync without end":   after("S\x00\x00"),
		"a copy out of turn":   after("d\x40\x00\x00\x00x"),
		"an SSLRequest inside": after("\x00\x00\x00\x08\x04\xd2\x16\x2f"),
	}
}

// insiders is one of how many connections logs in.
const insiders = 20

func runGarbage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: garbage N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var out, in [][]byte
	for _, b := range rubbish() {
		out = append(out, b)
	}
	for _, b := range inside() {
		in = append(in, b)
	}
	w := worldOf(ts)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		what := out[i%len(out)]
		if i%insiders == 0 {
			what = in[i/insiders%len(in)]
		}
		all.Go(func() {
			conn, err := net.DialTimeout("tcp", ts.Getenv("POSTGRES"), 20*time.Second)
			if err != nil {
				w.t.Errorf("connection %d: %v", i, err)
				return
			}
			_, _ = conn.Write(what) // the gateway may have hung up by now
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			mu.Lock()
			defer mu.Unlock()
			w.garbage = append(w.garbage, conn)
		})
	}
	all.Wait()
}

// sweep ends the connections, half of them with a reset.
func (w *world) sweep() {
	for i, conn := range w.garbage {
		if i%2 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
	w.garbage = nil
}

func runSwept(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: swept")
	}
	worldOf(ts).sweep()
	var text string
	if !eventually(func() bool {
		var err error
		_, text, err = send("GET", "http://"+ts.Getenv("METRICS"), "/metrics", nil, "", nil)
		return err == nil && strings.Contains(text, "\nsallyport_wire_sessions_active 0\n")
	}) {
		ts.Fatalf("sessions are left: %s", text)
	}
}
