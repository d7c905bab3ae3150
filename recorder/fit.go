package recorder

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"unicode/utf8"
)

// maxText is how many bytes of text one event keeps. A longer text is cut, with
// its length and hash noted: an event is never too large to be recorded.
const maxText = 4 << 20

// paramCost is what a parameter counts besides its bytes.
const paramCost = 16

// fit makes what the event holds fit for a line of JSON: not too long, and
// UTF-8 throughout. It changes copies, never what the caller's pointers reach.
func fit(e *Event, limit int) {
	b := budget{event: e, left: limit}
	switch {
	case e.Open != nil && !fits(limit, e.Open.Session, e.Open.Target, e.Open.Subject, e.Open.Address, e.Open.User, e.Open.Application):
		o := *e.Open
		e.Open = &o
		b.text("open.target", &o.Target)
		b.text("open.subject", &o.Subject)
		b.text("open.address", &o.Address)
		b.text("open.user", &o.User)
		b.text("open.application", &o.Application)
	case e.Statement != nil && !(fits(limit, e.Statement.Text) && paramsFit(limit, e.Statement)):
		s := *e.Statement
		e.Statement = &s
		b.text("statement.text", &s.Text)
		b.params("statement.params", &s.Params)
	case e.Exchange != nil && !fits(limit, e.Exchange.Method, e.Exchange.Host, e.Exchange.Path, e.Exchange.Query, e.Exchange.ContentType, e.Exchange.Body):
		x := *e.Exchange
		e.Exchange = &x
		b.text("exchange.method", &x.Method)
		b.text("exchange.host", &x.Host)
		b.text("exchange.path", &x.Path)
		b.text("exchange.query", &x.Query)
		b.text("exchange.content_type", &x.ContentType)
		b.text("exchange.body", &x.Body)
	case e.Frame != nil && !fits(limit, e.Frame.Body):
		f := *e.Frame
		e.Frame = &f
		b.text("frame.body", &f.Body)
	case e.Outcome != nil && !fits(limit, e.Outcome.Tag, e.Outcome.Code, e.Outcome.Error, e.Outcome.Body):
		o := *e.Outcome
		e.Outcome = &o
		b.text("outcome.tag", &o.Tag)
		b.text("outcome.code", &o.Code)
		b.text("outcome.error", &o.Error)
		b.text("outcome.body", &o.Body)
	}
}

// fits reports whether the texts can stay as they are.
func fits(limit int, texts ...string) bool {
	total := 0
	for _, s := range texts {
		if total += len(s); total > limit || !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// paramsFit reports whether the parameters can stay beside the text.
func paramsFit(limit int, s *Statement) bool {
	total := len(s.Text)
	for _, p := range s.Params {
		if total += paramCost + len(p.value()); total > limit || !utf8.ValidString(p.value()) {
			return false
		}
	}
	return true
}

// value is the parameter's text or hex, "" for NULL.
func (p Param) value() string {
	switch {
	case p.Text != nil:
		return *p.Text
	case p.Binary != nil:
		return *p.Binary
	}
	return ""
}

// budget is the room that is left in one event.
type budget struct {
	event *Event
	left  int
}

// text cuts *s to the room that is left and writes what is not UTF-8 as base64.
func (b *budget) text(field string, s *string) {
	whole, kept, change := *s, *s, ""
	if len(kept) > b.left {
		kept, change = kept[:b.left], "cut"
	}
	b.left -= len(kept)
	switch {
	case !utf8.ValidString(whole):
		*s = base64.StdEncoding.EncodeToString([]byte(kept))
		if change != "" {
			change += " "
		}
		change += "base64"
	case change != "":
		for len(kept) > 0 && !utf8.ValidString(kept) { // at most three bytes of a character cut in two
			kept = kept[:len(kept)-1]
		}
		*s = kept + fmt.Sprintf(" [cut: %d of %d bytes]", len(kept), len(whole))
	default:
		return
	}
	sum := sha256.Sum256([]byte(whole))
	b.note(field, change, len(whole), sum)
}

// params keeps as many whole parameters as there is room for. One that is not
// UTF-8 is kept in hex, as a binary one is.
func (b *budget) params(field string, params *[]Param) {
	all := *params
	kept := make([]Param, 0, len(all))
	for _, p := range all {
		if p.Text != nil && !utf8.ValidString(*p.Text) {
			p = BinaryParam([]byte(*p.Text))
		}
		if cost := paramCost + len(p.value()); cost <= b.left {
			b.left -= cost
			kept = append(kept, p)
			continue
		}
		length, sum := hashParams(all)
		b.note(field, "cut", length, sum)
		break
	}
	*params = kept
}

// hashParams is the hash over a list of parameters: for each the length of its
// text or hex as eight bytes, most significant first (all ones for NULL), then
// the text or hex itself. length is that of the texts alone.
func hashParams(params []Param) (length int, sum [sha256.Size]byte) {
	h := sha256.New()
	for _, p := range params {
		v := p.value()
		size := uint64(len(v))
		if p.Text == nil && p.Binary == nil {
			size = ^uint64(0)
		}
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, size))
		_, _ = h.Write([]byte(v))
		length += len(v)
	}
	h.Sum(sum[:0])
	return length, sum
}

func (b *budget) note(field, change string, length int, sum [sha256.Size]byte) {
	b.event.Notes = append(b.event.Notes, Note{
		Field: field, Change: change, Length: int64(length), SHA256: hex.EncodeToString(sum[:]),
	})
}
