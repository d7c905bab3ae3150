package wire

import (
	"encoding/binary"
)

// A refused statement must leave the session as an error from the server would:
// in a pipeline the rest is skipped up to Sync, an open transaction fails, what
// an implicit one did is undone. So the server is made to fail: it gets a text
// that it cannot parse in place of the refused one, and its error is replaced.

// poison parses in no version of PostgreSQL, and tells who reads the server's
// log what it is.
const poison = "sallyport refused this statement"

// poisonCode is the SQLSTATE that poison comes back with: syntax_error.
const poisonCode = "42601"

// poisonQuery stands in for a refused Query.
func (s *Session) poisonQuery(a *awaited) error {
	return writeMessage(s.up.out, 'Q', append([]byte(poison), 0))
}

// poisonParse stands in for a refused Parse of the same name: the server drops
// the unnamed statement before it parses.
func (s *Session) poisonParse(name string) error {
	body := append([]byte(name), 0)
	body = append(append(body, poison...), 0)
	return writeMessage(s.up.out, 'P', binary.BigEndian.AppendUint16(body, 0))
}

// refuses reports whether the server's error is the one a refusal waits for.
func (a *awaited) refuses(r report) bool {
	if a.refusal == nil {
		return false
	}
	return r.get('C') == poisonCode || a.kind == 'F'
}
