package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"time"

	"sallyport/policy"
)

// unsaid is a refusal that the client is not told, as the server does not tell
// it: what it sent does not look like the protocol.
type unsaid struct{ *policy.Refusal }

// Unwrap gives the refusal for the log and the metrics.
func (u unsaid) Unwrap() error { return u.Refusal }

// noStartup refuses first bytes that can't be the length of a StartupMessage.
// The server closes without a word, and so do we, except to who took this
// listener for the HTTP one: the two are neighbours here.
func (s *Session) noStartup(first []byte) error {
	refusal := malformed("invalid length of startup packet")
	for _, method := range []string{"GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PATC", "CONN", "PRI "} {
		if string(first) == method && !s.secure {
			refusal.Public = "an HTTP request on the Postgres listener"
			s.sayHTTP()
		}
	}
	return unsaid{refusal}
}

// sayHTTP answers a request without looking at it, and reads what comes behind:
// closing on unread bytes could take the answer back.
func (s *Session) sayHTTP() {
	const text = "This is Sallyport's Postgres listener. HTTP is at the address of listen.http.\n"
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
	_ = s.raw.SetDeadline(time.Now().Add(closing))
	if _, err := s.conn.Write(b.Bytes()); err != nil {
		return
	}
	if half, ok := s.raw.(*net.TCPConn); ok {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, half, maxStartup)
	}
}
