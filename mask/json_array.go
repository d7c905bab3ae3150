package mask

import "errors"

// errArray is said of a stream that is no array of JSON values.
var errArray = errors.New("not an array of values")

// jsonArray takes the elements of one JSON array, an event each. What is no array is
// one event.
type jsonArray struct {
	events *Events
	limit  int // bytes of one element
	state  elementState
	buf    []byte // the element so far
	depth  int
	quoted bool // in a string
	escape bool // behind a backslash
	some   bool // an element was sent
}

type elementState int8

const (
	beforeArray   elementState = iota
	atFirst                    // an element or the end
	atElement                  // an element
	inElement                  // in an element
	behindElement              // a comma or the end
	behindArray
	noArray // a value that is no array
)

func (s *jsonArray) write(dst, p []byte) ([]byte, error) {
	for _, b := range p {
		var err error
		if dst, err = s.take(dst, b); err != nil {
			return dst, err
		}
	}
	if len(s.buf) > s.limit {
		return dst, errTooLong
	}
	return dst, nil
}

// take takes one byte.
func (s *jsonArray) take(dst []byte, b byte) ([]byte, error) {
	if s.state != inElement && s.state != noArray && isSpace(b) {
		return append(dst, b), nil
	}
	switch s.state {
	case beforeArray:
		if b == '[' {
			s.state = atFirst
			return append(dst, b), nil
		}
		s.state = noArray
		s.buf = append(s.buf, b)
		return dst, nil
	case noArray:
		s.buf = append(s.buf, b)
		return dst, nil
	case atFirst, atElement:
		if b == ']' && s.state == atFirst {
			return s.end(dst)
		}
		s.state, s.buf, s.depth = inElement, s.buf[:0], 0
		return s.in(dst, b)
	case inElement:
		return s.in(dst, b)
	case behindElement:
		if b == ',' {
			s.state = atElement
			return append(dst, b), nil
		}
		if b == ']' {
			return s.end(dst)
		}
	}
	return dst, errArray
}

// in takes one byte of an element.
func (s *jsonArray) in(dst []byte, b byte) ([]byte, error) {
	switch {
	case s.escape:
		s.escape = false
	case s.quoted && b == '\\':
		s.escape = true
	case b == '"':
		s.quoted = !s.quoted
	case s.quoted:
	case b == '{' || b == '[':
		s.depth++
	case s.depth == 0 && (b == ',' || b == ']' || isSpace(b)):
		dst, err := s.element(dst)
		if err != nil {
			return dst, err
		}
		return s.take(dst, b)
	case b == '}' || b == ']':
		s.depth--
	}
	s.buf = append(s.buf, b)
	return dst, nil
}

// element appends the masked form of the element that was read.
func (s *jsonArray) element(dst []byte) ([]byte, error) {
	s.state = behindElement
	list, err := s.events.Event(s.buf)
	if err != nil {
		return dst, err
	}
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',', '\n')
		}
		dst = append(dst, e.Data...)
	}
	s.buf, s.some = s.buf[:0], true
	return dst, nil
}

// end appends what was kept back, and closes the array.
func (s *jsonArray) end(dst []byte) ([]byte, error) {
	s.state = behindArray
	for _, e := range s.events.End() {
		if s.some {
			dst = append(dst, ',', '\n')
		}
		dst = append(dst, e.Data...)
		s.some = true
	}
	return append(dst, ']'), nil
}

func (s *jsonArray) close(dst []byte) ([]byte, error) {
	switch s.state {
	case behindArray, beforeArray:
		return dst, nil
	case noArray:
		return s.element(dst)
	}
	// Cut short: an element that is not whole is not shown.
	return dst, errArray
}
