package mask

import (
	"errors"
	"fmt"
	"strings"
)

// errTooLong is said of an event that is longer than the stream's limit.
var errTooLong = errors.New("an event is too long")

// Format is how a body that comes in pieces is put together.
type Format int8

const (
	// FormatText is plain text, one lane.
	FormatText Format = iota
	// FormatSSE is text/event-stream.
	FormatSSE
	// FormatLines is JSON, a value a line.
	FormatLines
	// FormatArray is a JSON array that is sent element by element, as Gemini does.
	FormatArray
)

// FormatOf is the format of a media type that streams, parameters or not.
// application/json is none: a document is FormatArray only where it is known to
// come element by element.
func FormatOf(mediaType string) (Format, bool) {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	switch mediaType = strings.ToLower(strings.TrimSpace(mediaType)); mediaType {
	case "text/event-stream":
		return FormatSSE, true
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/stream+json":
		return FormatLines, true
	}
	return FormatText, strings.HasPrefix(mediaType, "text/")
}

// Stream masks a body that comes in pieces. Whatever the pieces, what it gives
// is the same. One goroutine may use it.
type Stream struct {
	kind   framing
	events *Events
	out    []byte
	err    error
}

// framing finds the events in a body.
type framing interface {
	write(dst, p []byte) ([]byte, error)
	close(dst []byte) ([]byte, error)
}

// NewStream begins a body; limit is how many bytes of it, one event, are kept at
// most.
func NewStream(f Format, c *Content, limit int) *Stream {
	s := &Stream{events: NewEvents(c)}
	switch f {
	case FormatSSE:
		s.kind = &sse{events: s.events, limit: limit}
	case FormatLines:
		s.kind = &ndjson{events: s.events, limit: limit}
	case FormatArray:
		s.kind = &jsonArray{events: s.events, limit: limit}
	default:
		s.kind = &running{events: s.events, lane: newLane(c, "", 0)}
	}
	return s
}

// Write takes the next bytes, and gives those that can be sent; they are good
// until the next call. With an error too: after them the stream has to end, with
// an error the client sees. Nothing more can be written then.
func (s *Stream) Write(p []byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	var err error
	if s.out, err = s.kind.write(s.out[:0], p); err != nil {
		s.err = fmt.Errorf("mask stream: %w", err)
	}
	return s.out, s.err
}

// Close takes the end of the body, and gives what was kept back.
func (s *Stream) Close() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	var err error
	if s.out, err = s.kind.close(s.out[:0]); err != nil {
		s.err = fmt.Errorf("mask stream: %w", err)
		return s.out, s.err
	}
	s.err = errClosed
	return s.out, nil
}

// errClosed is said of a stream that was written to after its end.
var errClosed = errors.New("mask stream: closed")

// Masked is how many values were masked so far.
func (s *Stream) Masked() int { return s.events.masked }

// running is a text without events.
type running struct {
	events *Events
	lane   *lane
}

func (r *running) write(dst, p []byte) ([]byte, error) {
	dst = r.lane.write(dst, p)
	r.events.masked = r.lane.masked
	return dst, nil
}

func (r *running) close(dst []byte) ([]byte, error) {
	dst = r.lane.close(dst)
	r.events.masked = r.lane.masked
	return dst, nil
}
