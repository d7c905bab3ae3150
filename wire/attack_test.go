package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"sallyport/policy"
)

// dialRaw connects and logs in by hand; what is said after that is the test's.
func (g *gateway) dialRaw(t *testing.T) (net.Conn, *pgproto3.Frontend) {
	t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fe := pgproto3.NewFrontend(conn, conn)
	fe.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "agent", "database": "orders"}})
	fe.Send(&pgproto3.PasswordMessage{Password: goodToken})
	if err := fe.Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := fe.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.(*pgproto3.ReadyForQuery); ok {
			return conn, fe
		}
	}
}

// untilClosed reads to the end and returns the last ErrorResponse.
func untilClosed(t *testing.T, fe *pgproto3.Frontend) (last pgproto3.ErrorResponse) {
	t.Helper()
	for {
		m, err := fe.Receive()
		if err != nil {
			return last
		}
		if e, ok := m.(*pgproto3.ErrorResponse); ok {
			last = *e
		}
	}
}

func startup(code uint32, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(binary.BigEndian.AppendUint32(b, code), body...)
}

// TestBeforeLogin: each of these costs its own connection only, and none
// reaches the server.
func TestBeforeLogin(t *testing.T) {
	g := start(t)
	const three = 3 << 16
	for name, bytes := range map[string][]byte{
		"nothing":             {},
		"one byte":            {0},
		"half a header":       {0, 0, 0, 20, 0, 3},
		"half a message":      startup(three, "user\x00agent\x00database\x00or")[:20],
		"zero length":         {0, 0, 0, 0, 0, 3, 0, 0},
		"a gigabyte":          {0x40, 0, 0, 0, 0, 3, 0, 0},
		"negative length":     {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"protocol 2":          startup(2<<16, "agent"),
		"http":                []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"no terminator":       startup(three, "user\x00agent"),
		"after terminator":    startup(three, "user\x00agent\x00\x00junk"),
		"no user":             startup(three, "database\x00orders\x00\x00"),
		"user twice":          startup(three, "user\x00a\x00user\x00b\x00\x00"),
		"database twice":      startup(three, "user\x00a\x00database\x00orders\x00database\x00closed\x00\x00"),
		"ssl twice":           append(startup(codeSSL, ""), startup(codeSSL, "")...),
		"gss twice":           append(startup(codeGSS, ""), startup(codeGSS, "")...),
		"ssl with a body":     startup(codeSSL, "xxxx"),
		"tls without tls":     {0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5},
		"cancel, short":       startup(codeCancel, "\x00\x00"),
		"cancel, unknown":     startup(codeCancel, "\x00\x00\x00\x01\x00\x00\x00\x02"),
		"no password":         startup(three, "user\x00agent\x00database\x00orders\x00\x00"),
		"query for password":  append(startup(three, "user\x00agent\x00database\x00orders\x00\x00"), "Q\x00\x00\x00\x0dselect 1\x00"...),
		"password, a giga":    append(startup(three, "user\x00agent\x00\x00"), 'p', 0x3f, 0xff, 0xff, 0xff),
		"password, no end":    append(startup(three, "user\x00agent\x00\x00"), "p\x00\x00\x00\x08spt_"...),
		"password, two":       append(startup(three, "user\x00agent\x00\x00"), "p\x00\x00\x00\x08s\x00x\x00"...),
		"password, empty":     append(startup(three, "user\x00agent\x00\x00"), "p\x00\x00\x00\x05\x00"...),
		"password, no length": append(startup(three, "user\x00agent\x00\x00"), "p\x00\x00\x00\x00"...),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(bytes); err != nil {
				t.Fatal(err)
			}
			_ = conn.(*net.TCPConn).CloseWrite()
			answer, _ := io.ReadAll(conn)
			if strings.Contains(string(answer), "ReadyForQuery") || len(answer) > 0 && answer[len(answer)-1] == 'I' {
				t.Fatalf("let in: %q", answer)
			}
		})
	}
	if g.tap.received("user") {
		t.Fatal("the server was reached before the login")
	}
	g.connect(t, "")
}

// TestGarbageAfterLogin: a message that is not the protocol ends the session
// with FATAL 08P01 and reaches no server.
func TestGarbageAfterLogin(t *testing.T) {
	g := start(t)
	for name, c := range map[string]struct{ bytes, code string }{
		"unknown type":         {"!\x00\x00\x00\x04", "08P01"},
		"a server's message":   {"D\x00\x00\x00\x04", "08P01"},
		"password again":       {"p\x00\x00\x00\x0cmarkedpw\x00"[:13], "08P01"},
		"length zero":          {"Q\x00\x00\x00\x00", "08P01"},
		"length three":         {"Q\x00\x00\x00\x03", "08P01"},
		"length negative":      {"Q\xff\xff\xff\xff", "08P01"},
		"length over a giga":   {"d\x40\x00\x00\x10", "08P01"},
		"bind, empty":          {"B\x00\x00\x00\x04", "08P01"},
		"bind, value of -2":    {"B\x00\x00\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff\xff\xfe\x00\x00\x00\x00"[:19], "08P01"},
		"bind, 65535 formats":  {"B\x00\x00\x00\x0a\x00\x00\xff\xff\xff\xff", "08P01"},
		"describe, no object":  {"D\x00\x00\x00\x06X\x00", "08P01"},
		"describe, long":       {"D\x00\x00\xff\xff", "08P01"},
		"execute, trailing":    {"E\x00\x00\x00\x0a\x00\x00\x00\x00\x00!", "08P01"},
		"close, no terminator": {"C\x00\x00\x00\x06Sx", "08P01"},
		"sync with a body":     {"S\x00\x00\x00\x05x", "08P01"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, fe := g.dialRaw(t)
			if _, err := conn.Write([]byte(c.bytes)); err != nil {
				t.Fatal(err)
			}
			_ = conn.(*net.TCPConn).CloseWrite()
			if e := untilClosed(t, fe); e.Code != c.code || e.Severity != "FATAL" {
				t.Fatalf("got %s %s %s", e.Severity, e.Code, e.Message)
			}
		})
	}
	if g.tap.received("markedpw") {
		t.Fatal("the server received what is not the protocol")
	}
}

// TestMalformedTextIsAnError: as from the server, the session lives.
func TestMalformedTextIsAnError(t *testing.T) {
	g := start(t)
	conn, fe := g.dialRaw(t)
	for _, bytes := range []string{"Q\x00\x00\x00\x15select 1\x00marked\x00\x00", "Q\x00\x00\x00\x0cselect 1"} {
		if _, err := conn.Write([]byte(bytes)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			m, err := fe.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := m.(*pgproto3.ErrorResponse); ok {
				got = append(got, e.Code)
			}
			if _, ok := m.(*pgproto3.ReadyForQuery); ok {
				break
			}
		}
		if strings.Join(got, " ") != "08P01" {
			t.Fatalf("%q: %v", bytes, got)
		}
	}
	if g.tap.received("marked") {
		t.Fatal("the server received a malformed text")
	}
}

func TestFunctionCallIsRefused(t *testing.T) {
	g := start(t)
	conn, fe := g.dialRaw(t)
	body := binary.BigEndian.AppendUint32(nil, 2026) // pg_backend_pid()
	body = append(body, 0, 0, 0, 0, 0, 0)
	message := append(binary.BigEndian.AppendUint32([]byte{'F'}, uint32(4+len(body))), body...)
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	m, err := fe.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := m.(*pgproto3.ErrorResponse); !ok || e.Code != "42501" || e.Severity != "ERROR" {
		t.Fatalf("got %+v", m)
	}
	if m, err = fe.Receive(); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.(*pgproto3.ReadyForQuery); !ok {
		t.Fatalf("got %+v", m)
	}
	if g.tap.received(string(body)) {
		t.Fatal("the server received the function call")
	}
}

// TestFiveHundredAtOnce leaves a working client unharmed.
func TestFiveHundredAtOnce(t *testing.T) {
	g := start(t)
	good := g.connect(t, "")
	var conns []net.Conn
	var mu sync.Mutex
	var all sync.WaitGroup
	random := rand.New(rand.NewPCG(1, 2))
	garbage := make([]byte, 4096)
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	for i := range 500 {
		all.Go(func() {
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			switch i % 4 {
			case 0: // nothing at all
			case 1:
				_, _ = conn.Write(garbage[:i])
			case 2:
				_, _ = conn.Write([]byte{0x3f, 0xff, 0xff, 0xff, 0, 3, 0, 0})
			case 3:
				_, _ = conn.Write(startup(3<<16, "user\x00a\x00")[:9])
			}
		})
	}
	all.Wait()
	for range 20 {
		var one int
		if err := good.QueryRow(t.Context(), "select 1").Scan(&one); err != nil {
			t.Fatal(err)
		}
	}
	g.connect(t, "")
	for _, c := range conns {
		_ = c.Close()
	}
}

// TestALoginHasADeadline: who says nothing is sent away.
func TestALoginHasADeadline(t *testing.T) {
	client, gatewayEnd := net.Pipe()
	defer client.Close()
	g := start(t)
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, &policy.Refusal{Kind: policy.Timeout, Public: "too slow"})
	defer cancel()
	ended := make(chan struct{})
	go func() { g.server.serve(ctx, addressed{gatewayEnd}); close(ended) }()
	fe := pgproto3.NewFrontend(client, client)
	_ = untilClosed(t, fe)
	<-ended
}

// addressed is a pipe with an address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// TestAPanicEndsOneSession: the process and the other sessions live.
func TestAPanicEndsOneSession(t *testing.T) {
	g := start(t)
	g.judge = func(text string) Reading {
		if text == "select 'boom'" {
			panic("a fault of the judge's")
		}
		return allowed
	}
	other := g.connect(t, "")
	conn := g.connect(t, "default_query_exec_mode=simple_protocol")
	_, err := conn.Exec(t.Context(), "select 'boom'")
	if code(err) != "XX000" || strings.Contains(err.Error(), "fault of") {
		t.Fatalf("got %v", err)
	}
	if g.tap.received("boom") {
		t.Fatal("the server received what could not be judged")
	}
	if _, err := other.Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
}

// TestABigValuePasses in both directions, larger than any buffer.
func TestABigValuePasses(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "")
	big := bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
	var back []byte
	if err := conn.QueryRow(t.Context(), "select $1::bytea", big).Scan(&back); err != nil || !bytes.Equal(back, big) {
		t.Fatalf("%d bytes came back, %v", len(back), err)
	}
	_, err := conn.Exec(t.Context(), "select '"+strings.Repeat("x", maxText)+"'", pgx.QueryExecModeSimpleProtocol)
	if code(err) != "54000" {
		t.Fatalf("a text too long to judge: %v", err)
	}
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCopyBothWays(t *testing.T) {
	g := start(t)
	g.db.Exec(t, "create table t (id int, n text)")
	conn := g.connect(t, "")
	var rows [][]any
	for i := range 5000 {
		rows = append(rows, []any{i, strings.Repeat("n", i%100)})
	}
	if n, err := conn.CopyFrom(t.Context(), pgx.Identifier{"t"}, []string{"id", "n"}, pgx.CopyFromRows(rows)); err != nil || n != 5000 {
		t.Fatalf("%d, %v", n, err)
	}
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &out, "copy t to stdout"); err != nil || strings.Count(out.String(), "\n") != 5000 {
		t.Fatalf("%d lines, %v", strings.Count(out.String(), "\n"), err)
	}
	// An error in the middle: what the client still sends is read past.
	_, err := conn.PgConn().CopyFrom(t.Context(), strings.NewReader("1\tx\nnot a number\ty\n"+strings.Repeat("2\tz\n", 10_000)), "copy t from stdin")
	if code(err) != "22P02" {
		t.Fatal(err)
	}
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func FuzzServerMessages(f *testing.F) {
	f.Add([]byte("SERROR\x00C42601\x00Msyntax\x00\x00"))
	f.Add([]byte{0, 1, 'i', 'd', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23, 0, 4, 255, 255, 255, 255, 0, 0})
	f.Add([]byte{0, 2, 0, 0, 0, 1, 'x', 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseReport(body); err == nil {
			if again, err := parseReport(r.scrub("").encode()); err != nil || len(again.fields) > len(r.fields) {
				t.Fatalf("a scrubbed report does not parse: %v", err)
			}
		}
		_, _ = parseFields(body)
		_, _ = parseRow(body)
		_, _ = parseCancel(body)
		if h, err := parseStartup(0, body); err == nil && h.user == "" {
			t.Fatal("a user from nowhere")
		}
		p := parts{b: body}
		p.formats()
	})
}

func FuzzOptions(f *testing.F) {
	f.Add("-c search_path=a -cclient_encoding=UTF8 --geqo=on")
	f.Add(`-c standard_conforming_strings\=off`)
	f.Fuzz(func(t *testing.T, options string) {
		_ = checkOptions(options)
		for _, w := range splitOptions(options) {
			if len(w) > len(options) {
				t.Fatal("a word longer than the text")
			}
		}
	})
}

// FuzzStream feeds any bytes to the framing, held or passed.
func FuzzStream(f *testing.F) {
	f.Add([]byte("Q\x00\x00\x00\x0dselect 1\x00S\x00\x00\x00\x04"), true)
	f.Add([]byte("Q\x3f\xff\xff\xff"), true)
	f.Fuzz(func(t *testing.T, in []byte, hold bool) {
		client, peer := net.Pipe()
		go func() { _, _ = peer.Write(in); _ = peer.Close() }()
		defer client.Close()
		out := &outbox{conn: io.Discard}
		s := newStream(client, out)
		total := 0
		for {
			kind, size, err := s.next()
			if err != nil {
				return
			}
			if hold {
				body, err := s.hold(size)
				if err != nil {
					return
				}
				total += headerLen + len(body)
			} else if err := s.pass(out, kind, size); err != nil {
				return
			} else {
				total += headerLen + size
			}
			if total > len(in) {
				t.Fatal("more came out than went in")
			}
		}
	})
}
