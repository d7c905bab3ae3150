package mask

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// alike is what the events of an answer share: most differ from the one before in
// the next part of one lane, and at that in numbers and noise that no mask looks
// at. What was understood of such an event holds for the next one, of which only
// these places are read.
//
// It is kept of an event in which nothing but the lane's text was changed. It is
// dropped with the next event that is read whole, and when a value was masked: then
// more of an event may have to go.
type alike struct {
	strand *strand // nil: nothing is kept
	masked int     // values, when it was kept
	holes  []hole  // in order
	rest   []byte  // behind the last one
}

// hole is a place where events differ, and what stands before it, from the hole
// before on.
type hole struct {
	kind   holeKind
	before []byte
}

type holeKind int8

const (
	holeText   holeKind = iota // the lane's
	holeSealed                 // a string that sealed knows by its bytes
	holeNumber                 // sequence_number
)

// maxAlike is how many bytes an event may have that is kept.
const maxAlike = 4 << 10

// keep remembers the event at hand, if it is of that kind: settled with a part of
// one lane, at, that goes on.
func (a *alike) keep(m *Events, s *strand, at int) {
	e := &m.event
	a.strand = nil
	changed := len(e.edits) == 1 && s != nil && e.edits[0].start == e.nodes[at].start
	if s == nil || len(e.edits) > 0 && !changed || len(m.out) > 0 || len(e.src) > maxAlike || m.content.restores != nil {
		return
	}
	n, from, numbers := 0, 0, 0
	put := func(kind holeKind, start, end int) {
		if n == len(a.holes) {
			a.holes = append(a.holes, hole{})
		}
		a.holes[n].kind, a.holes[n].before = kind, append(a.holes[n].before[:0], e.src[from:start]...)
		n, from = n+1, end
	}
	for i, v := range e.nodes {
		switch {
		case i == at:
			put(holeText, v.start+1, v.end-1)
		case v.name == "obfuscation" && v.kind == jsontext.KindString && sealed(v.name, e.raw(i)):
			put(holeSealed, v.start+1, v.end-1)
		case v.name == "sequence_number" && v.kind == jsontext.KindNumber && s.sequence != nil && string(e.raw(i)) == string(s.sequence):
			if numbers++; numbers > 1 {
				return
			}
			put(holeNumber, v.start, v.end)
		case isTokens(v.name) && v.first != 0:
			return // which may have to go
		}
	}
	a.holes, a.rest = a.holes[:n], append(a.rest[:0], e.src[from:]...)
	a.strand, a.masked = s, m.masked
}

// next masks an event that is like the one that was kept; nil for any other. One
// with an escape in its text, or that is no JSON, has to be read whole.
func (m *Events) next(data []byte) []Event {
	a := &m.alike
	if a.strand == nil || a.masked != m.masked {
		return nil
	}
	var start, end int // of the text
	var number []byte
	at := 0
	for _, h := range a.holes {
		if !bytes.HasPrefix(data[at:], h.before) {
			return nil
		}
		at += len(h.before)
		value := h.kind.value(data[at:])
		if value == nil {
			return nil
		}
		switch h.kind {
		case holeText:
			start, end = at, at+len(value)
		case holeNumber:
			number = value
		}
		at += len(value)
	}
	if !bytes.Equal(data[at:], a.rest) {
		return nil
	}
	s, text := a.strand, data[start:end]
	if number != nil {
		s.sequence = append(s.sequence[:0], number...)
	}
	before := s.lane.masked
	m.text = s.lane.write(m.text[:0], text)
	m.masked += s.lane.masked - before
	if !bytes.Equal(m.text, text) {
		m.buf = appendString(append(m.buf[:0], data[:start-1]...), m.text)
		m.buf = append(m.buf, data[end+1:]...)
		data = m.buf
	}
	m.out = append(m.out[:0], Event{Data: data})
	return m.out
}

// value is what of text is in the hole; nil where that is not what can be there.
func (k holeKind) value(text []byte) []byte {
	if k == holeNumber {
		n := 0
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		if n == 0 || n > 1 && text[0] == '0' || n == len(text) || text[n] == '.' || text[n]|0x20 == 'e' {
			return nil
		}
		return text[:n]
	}
	n := bytes.IndexByte(text, '"')
	if n < 0 {
		return nil
	}
	text = text[:n:n]
	if k == holeSealed {
		for _, b := range text {
			if !isEncoded(b) {
				return nil
			}
		}
		return text
	}
	for _, b := range text {
		if b < ' ' || b == '\\' {
			return nil
		}
	}
	if !utf8.Valid(text) {
		return nil
	}
	return text
}
