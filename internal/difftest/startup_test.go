package difftest

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Startup codes in place of a protocol version.
const (
	sslRequest    = 80877103
	gssRequest    = 80877104
	cancelRequest = 80877102
)

// maxStartup is MAX_STARTUP_PACKET_LENGTH in libpq/pqcomm.h: bytes behind the
// length.
const maxStartup = 10_000

// packet is a message without a type byte: a code and what follows it.
func packet(code uint32, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return string(binary.BigEndian.AppendUint32(b, code)) + body
}

func startup(minor uint32, body string) string { return packet(3<<16|minor, body) }

// TestStartup says things to the server and to gateways before anybody is
// logged in, and compares what comes back up to the request for a password,
// which must differ.
func TestStartup(t *testing.T) {
	server := direct(t)
	gateways := []*route{plain(t), masked(t)}
	user := "user\x00postgres\x00database\x00it\x00"
	for name, said := range map[string][]string{
		"startup":                     {startup(0, user+"\x00")},
		"protocol 3.7":                {startup(7, user+"\x00")},
		"protocol 3.0 with an option": {startup(0, user+"_pq_.unknown\x00x\x00_pq_.more\x00\x00\x00")},
		"protocol 4.0":                {packet(4<<16, user+"\x00")},
		"no user":                     {startup(0, "database\x00it\x00\x00")},
		"no parameters":               {startup(0, "\x00")},
		"no terminator":               {startup(0, "user\x00postgres\x00")},
		"bytes behind the terminator": {startup(0, user+"\x00x\x00")},
		"an unknown cancel key":       {packet(cancelRequest, "\x00\x00\x00\x01\x00\x00\x00\x02")},
		"a cancel request, too short": {packet(cancelRequest, "\x00\x00\x00\x01")},
		"too long":                    {"\x00\x00\x27\x15\x00\x03\x00\x00"},
		"the longest":                 {startup(0, user+"application_name\x00"+strings.Repeat("x", maxStartup-4-len(user)-len("application_name\x00\x00\x00"))+"\x00\x00")},
		"longer by one":               {startup(0, user+"application_name\x00"+strings.Repeat("x", maxStartup-3-len(user)-len("application_name\x00\x00\x00"))+"\x00\x00")},
		"a cancel request, too long":  {packet(cancelRequest, "\x00\x00\x00\x01"+strings.Repeat("x", 257))},
		"a length of zero":            {"\x00\x00\x00\x00\x00\x03\x00\x00"},
		"a length below zero":         {"\xff\xff\xff\xff\x00\x03\x00\x00"},
		"half a length":               {"\x00\x00"},
		"a key twice":                 {startup(0, user+"user\x00other\x00\x00")},
		"too short":                   {"\x00\x00\x00\x07\x00\x03\x00"},
		"an HTTP request":             {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
		"nothing":                     {""},
	} {
		t.Run(name, func(t *testing.T) {
			want := answers(t, server.address, said)
			for _, r := range gateways {
				d, why := diff(want, answers(t, r.address, said)), otherAtStartup[name]
				switch {
				case d != "" && why != "":
					t.Logf("%s differs, %s:\n%s", r.name, why, d)
				case d != "":
					t.Errorf("- direct, + %s:\n%s", r.name, d)
				case why != "":
					t.Errorf("%s is the same: take it out of otherAtStartup", r.name)
				}
			}
		})
	}
}

// otherAtStartup are those that differ by design, each with why.
var otherAtStartup = map[string]string{
	"a key twice":     "the server takes the last, and another reader the first: it is refused",
	"an HTTP request": "who took the one listener for the other gets a line of HTTP that says so; the server closes without a word",
}

// answers says the packets on one connection and returns what comes back: a
// byte for each request for encryption, then messages.
func answers(t *testing.T, address string, said []string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(silence))
	var lines []string
	for i, s := range said {
		if _, err := io.WriteString(conn, s); err != nil {
			return append(lines, "(cannot send)")
		}
		if i+1 < len(said) {
			var one [1]byte
			if _, err := io.ReadFull(conn, one[:]); err != nil {
				return append(lines, "(closed)")
			}
			lines = append(lines, fmt.Sprintf("byte %q", one))
		}
	}
	if last := said[len(said)-1]; len(last) < 8 {
		_ = conn.(*net.TCPConn).CloseWrite() // or both would wait
	}
	fe := pgproto3.NewFrontend(conn, conn)
	names := names{}
	for {
		m, err := fe.Receive()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(fmt.Sprint(err), syscall.ECONNRESET.Error()):
			return append(lines, "(closed)") // with bytes unread it is a reset
		case err != nil:
			return append(lines, "(lost: "+ending(err)+")")
		}
		switch m := m.(type) {
		case *pgproto3.AuthenticationSASL, *pgproto3.AuthenticationCleartextPassword:
			return append(lines, "asks for proof")
		case *pgproto3.NegotiateProtocolVersion:
			lines = append(lines, fmt.Sprint("NegotiateProtocolVersion ", m.UnrecognizedOptions))
		case *pgproto3.ErrorResponse:
			lines = append(lines, fmt.Sprintf("ErrorResponse %s %s", m.Severity, m.Code))
		default:
			lines = append(lines, names.line(m))
		}
	}
}

// TestEncryption asks for TLS, and for GSS, which a gateway always declines.
func TestEncryption(t *testing.T) {
	for _, c := range []struct {
		r     *route
		codes []uint32
		want  string
	}{
		{direct(t), []uint32{sslRequest}, "S"},
		{masked(t), []uint32{sslRequest}, "S"},
		{masked(t), []uint32{gssRequest, sslRequest}, "NS"},
		{plain(t), []uint32{sslRequest, gssRequest}, "NN"},
	} {
		if got := ask(t, c.r.address, c.codes...); got != c.want {
			t.Errorf("%s says %q to %v, want %q", c.r.name, got, c.codes, c.want)
		}
	}
}

// ask asks for encryption of each kind in turn and returns the bytes answered;
// an S is followed by a handshake.
func ask(t *testing.T, address string, codes ...uint32) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(silence))
	var out []byte
	for _, code := range codes {
		if _, err := io.WriteString(conn, packet(code, "")); err != nil {
			return string(out) + " (cannot send)"
		}
		var one [1]byte
		if _, err := io.ReadFull(conn, one[:]); err != nil {
			return string(out) + " (closed)"
		}
		out = append(out, one[0])
		if one[0] == 'S' {
			if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err != nil {
				return string(out) + " " + err.Error()
			}
		}
	}
	return string(out)
}
