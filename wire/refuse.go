package wire

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"sallyport/policy"
)

// A refused statement must leave the session as an error from the server would:
// in a pipeline the rest is skipped up to Sync, an open transaction fails, what
// an implicit one did is undone. So the server is made to fail: it gets a text
// that it cannot parse in place of the refused one, and its error is replaced.

// poison parses in no version of PostgreSQL, and tells who reads the server's
// log what it is.
const poison = "sallyport refused this statement"

// spoiler makes any text one that no server parses. Outside a literal a
// backslash is a token of no rule of the grammar, after a comment that ends with
// its line too; a literal or comment that is open stays open. And a text is
// parsed whole before any of it runs.
//
// A text that the guard's parser does not know is sent with it, so that the
// server says itself what is wrong with it, in its own words and at the right
// position. Where it finds nothing wrong before the spoiler, we refuse.
const spoiler = "\n\\"

// poisonCode is the SQLSTATE that poison comes back with: syntax_error.
const poisonCode = "42601"

// poisoned is what the server gets in place of a refused text.
func (a *awaited) poisoned() string {
	if a.refusal.Kind == policy.Unparsed {
		return a.text + spoiler
	}
	return poison
}

// poisonQuery stands in for a refused Query.
func (s *Session) poisonQuery(a *awaited) error {
	return writeMessage(s.up.out, 'Q', append([]byte(a.poisoned()), 0))
}

// poisonParse stands in for a refused Parse of the same name: the server drops
// the unnamed statement before it parses.
func (s *Session) poisonParse(a *awaited) error {
	body := append([]byte(a.name), 0)
	body = append(append(body, a.poisoned()...), 0)
	return writeMessage(s.up.out, 'P', binary.BigEndian.AppendUint16(body, 0))
}

// poisonBind stands in for a refused Bind or Execute: it parses a statement of a name that
// nobody has, and fails.
func (s *Session) poisonBind(a *awaited) error {
	body := append([]byte(insideName), 0)
	body = append(append(body, poison...), 0)
	return writeMessage(s.up.out, 'P', binary.BigEndian.AppendUint16(body, 0))
}

// unknownSyntax is the refusal of a text that the server's parser takes and the
// guard's does not.
var unknownSyntax = &policy.Refusal{
	Kind: policy.Denied, Rule: "(unparsed)", Public: "the gateway can't judge this statement: it does not know its syntax",
	Detail: "The server would take it. The gateway's parser reads PostgreSQL 16's grammar",
	Hint:   `Write it in older syntax, or ask the gateway's owner for unparsed = "allow".`,
}

// instead is what the client gets for an error of the server's: the refusal
// that waited for it, or else the error itself.
func (a *awaited) instead(r report) (*policy.Refusal, report) {
	switch {
	case a.refusal == nil:
		return nil, r
	case a.refusal.Kind == policy.Unparsed:
		return a.unparsed(r)
	case r.get('C') == poisonCode || a.kind == 'F':
		return a.refusal, r
	}
	return nil, r // it did not come to the poison: cancelled, shut down
}

// unparsed sorts the server's error about a spoiled text.
func (a *awaited) unparsed(r report) (*policy.Refusal, report) {
	end := utf8.RuneCountInString(a.text)
	switch {
	case r.get('C') != poisonCode || r.positionOf() <= end:
		return nil, r.with('M', unspoiled(r.get('M'))) // about the client's own text
	case strings.HasSuffix(a.refusal.Public, "at end of input"):
		return nil, r.with('M', a.refusal.Public).with('P', strconv.Itoa(end+1))
	}
	refusal := *unknownSyntax
	refusal.Position = a.refusal.Position
	if a.refusal.Public != "" {
		refusal.Detail += ", and finds a " + a.refusal.Public
	}
	refusal.Detail += "."
	return &refusal, r
}

// unspoiled takes the spoiler out of a message that quotes the text to its end.
func unspoiled(message string) string {
	if i := strings.LastIndex(message, spoiler); i >= 0 {
		return message[:i] + message[i+len(spoiler):]
	}
	return message
}
