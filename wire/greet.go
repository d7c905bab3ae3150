package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"

	"github.com/jackc/pgproto3/v2"

	"sallyport/policy"
)

// Codes in place of a protocol version.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-CANCELREQUEST and following.
const (
	codeCancel = 80877102
	codeSSL    = 80877103
	codeGSS    = 80877104
	majorThree = 3
)

// hello is what a client said before it was asked who it is.
type hello struct {
	params []param // in the client's order, without user, database and _pq_ options
	user   string
	target string     // the database asked for; the user name where there is none
	named  bool       // it was asked for by name
	minor  int        // of protocol 3
	asked  []string   // _pq_ options, all of them unknown to us
	cancel *cancelKey // a CancelRequest: nothing else is set
}

type param struct{ name, value string }

// greet reads up to the StartupMessage, and starts TLS when the client asks.
//
// Before TLS it reads exactly the bytes of each request and no more: what a
// peer in the middle sent early would otherwise be taken for the client's.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-SSL; CVE-2021-23214.
func (s *Session) greet(ctx context.Context) (*hello, error) {
	var askedSSL, askedGSS bool
	for {
		code, body, err := s.readStartup(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case code == codeCancel:
			key, err := parseCancel(body)
			if err != nil {
				return nil, unsaid{err}
			}
			return &hello{cancel: key}, nil
		case code == codeSSL && !askedSSL && !s.secure:
			askedSSL = true
			if err := s.startTLS(ctx); err != nil {
				return nil, err
			}
		case code == codeGSS && !askedGSS && !s.secure:
			askedGSS = true
			if _, err := s.conn.Write([]byte{'N'}); err != nil {
				return nil, err
			}
		case code>>16 == majorThree:
			return parseStartup(int(code&0xffff), body)
		case code == codeSSL || code == codeGSS:
			return nil, malformed("encryption was asked for twice")
		default:
			return nil, &policy.Refusal{Kind: policy.Unsupported, Public: "unsupported frontend protocol", Hint: "Sallyport speaks protocol 3."}
		}
	}
}

// readStartup reads one message without a type byte: a code and a body.
// A TLS ClientHello in its place is direct TLS.
func (s *Session) readStartup(ctx context.Context) (code uint32, body []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.conn, head[:1]); err != nil {
		return 0, nil, err
	}
	if head[0] == 0x16 && !s.secure {
		if err := s.directTLS(ctx, head[0]); err != nil {
			return 0, nil, err
		}
		return s.readStartup(ctx)
	}
	if _, err := io.ReadFull(s.conn, head[1:4]); err != nil {
		return 0, nil, unexpected(err)
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n < 8 || n-4 > maxStartup {
		return 0, nil, s.noStartup(head[:4])
	}
	if _, err := io.ReadFull(s.conn, head[4:]); err != nil {
		return 0, nil, unexpected(err)
	}
	body = make([]byte, n-8)
	if _, err := io.ReadFull(s.conn, body); err != nil {
		return 0, nil, unexpected(err)
	}
	return binary.BigEndian.Uint32(head[4:]), body, nil
}

// startTLS answers an SSLRequest.
func (s *Session) startTLS(ctx context.Context) error {
	if s.server.tls == nil {
		_, err := s.conn.Write([]byte{'N'})
		return err
	}
	if _, err := s.conn.Write([]byte{'S'}); err != nil {
		return err
	}
	return s.handshake(ctx, &greeted{Conn: s.conn})
}

// directTLS starts TLS for a client that did not ask. It must name the
// protocol by ALPN, lest another protocol's bytes be replayed to us.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-SSL.
func (s *Session) directTLS(ctx context.Context, first byte) error {
	if s.server.tls == nil {
		return malformed("this listener has no TLS")
	}
	if err := s.handshake(ctx, &greeted{Conn: s.conn, first: []byte{first}}); err != nil {
		return err
	}
	if s.tlsState().NegotiatedProtocol != alpn {
		return malformed("direct TLS needs the ALPN protocol %q", alpn)
	}
	return nil
}

// alpn is PostgreSQL's registered ALPN name.
const alpn = "postgresql"

func (s *Session) handshake(ctx context.Context, raw *greeted) error {
	conn := tls.Server(raw, s.server.tls)
	s.torn = true // nothing in clear to who expects a handshake
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	s.torn = false
	s.conn, s.secure, s.binding = conn, true, raw.endPoint()
	return nil
}

func (s *Session) tlsState() tls.ConnectionState {
	if conn, ok := s.conn.(*tls.Conn); ok {
		return conn.ConnectionState()
	}
	return tls.ConnectionState{}
}

// parseStartup reads the parameters of a StartupMessage. A key that comes
// twice is refused: two readers could take different ones.
func parseStartup(minor int, body []byte) (*hello, error) {
	h := &hello{minor: minor}
	seen := map[string]bool{}
	p := parts{b: body}
	for {
		name := string(p.text())
		if name == "" {
			break
		}
		value := string(p.text())
		if seen[name] {
			return nil, malformed("startup parameter %q comes twice", name)
		}
		seen[name] = true
		switch {
		case name == "user":
			h.user = value
		case name == "database":
			h.target, h.named = value, value != ""
		case bytes.HasPrefix([]byte(name), []byte("_pq_.")):
			h.asked = append(h.asked, name)
		default:
			h.params = append(h.params, param{name, value})
		}
	}
	if !p.done() {
		return nil, malformed("invalid startup packet layout: expected terminator as last byte")
	}
	if h.user == "" {
		return nil, asServer("28000", &policy.Refusal{Kind: policy.Unauthenticated, Public: "no PostgreSQL user name specified in startup packet"})
	}
	if h.target == "" {
		h.target = h.user // as the server does: libpq leaves database out when it equals user
	}
	return h, nil
}

// newestMinor is the newest protocol 3 we speak: 3.2, which has longer cancel
// keys. There was no 3.1.
const newestMinor = 2

// negotiate agrees on a minor version, and tells a client that asked for more
// what it gets.
// PostgreSQL 18, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-NEGOTIATEPROTOCOLVERSION.
func (s *Session) negotiate(h *hello) error {
	if h.minor >= newestMinor {
		s.minor = newestMinor
	}
	if h.minor == s.minor && len(h.asked) == 0 {
		return nil
	}
	body := binary.BigEndian.AppendUint32(nil, majorThree<<16|uint32(s.minor))
	body = binary.BigEndian.AppendUint32(body, uint32(len(h.asked)))
	for _, name := range h.asked {
		body = append(append(body, name...), 0)
	}
	return writeMessage(s.out, 'v', body)
}

// say writes one of the gateway's own messages to the client's buffer.
func (s *Session) say(m pgproto3.BackendMessage) error {
	return send(s.out, m)
}
