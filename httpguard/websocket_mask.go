package httpguard

import (
	"errors"
	"unicode/utf8"

	"sallyport/mask"
)

// frames masks what one side of a WebSocket sends: JSON, a value a message. Of
// the deltas of a text that is spread over messages it keeps back what may still
// become a value.
type frames struct {
	side   mask.Side
	events *mask.Events // nil: nothing is masked, only kept out of the recording
}

func newFrames(s mask.Side) *frames {
	switch {
	case s.Content != nil:
		return &frames{s, mask.NewFrames(s.Content)}
	case s.Spared:
		return &frames{side: s}
	}
	return nil
}

// spares reports whether a mask that holds for others keeps messages out of the
// recording.
func (f *frames) spares() bool { return f != nil && f.side.Spared }

// count is how many values were masked.
func (f *frames) count() int {
	if f == nil || f.events == nil {
		return 0
	}
	return f.events.Masked()
}

// errFrame is said of a message that a mask can't read.
var errFrame = errors.New("a message that is not JSON")

// mask gives what is to be sent in the place of a message. Before the close go
// the texts that were kept back.
func (f *frames) mask(m message) ([]message, error) {
	if f == nil || f.events == nil {
		return []message{m}, nil
	}
	var all []message
	switch m.op {
	case opClose:
		for _, e := range f.events.End() {
			all = append(all, message{opText, e.Data})
		}
		if len(m.payload) > 2 {
			reason, _ := f.side.Text(nil, m.payload[2:])
			m.payload = append(m.payload[:2:2], shorten(reason, maxControl-2)...)
		}
		return append(all, m), nil
	case opPong:
		return nil, nil // of a ping that was ours
	}
	if !utf8.Valid(m.payload) {
		return nil, errFrame
	}
	list, err := f.events.Event(m.payload)
	if err != nil {
		return nil, errFrame // err may quote it
	}
	for _, e := range list {
		all = append(all, message{m.op, e.Data})
	}
	return all, nil
}

// shorten leaves at most n bytes of a text, whole characters.
func shorten(text []byte, n int) []byte {
	for len(text) > n || !utf8.Valid(text) {
		text = text[:len(text)-1]
	}
	return text
}
