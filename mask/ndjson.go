package mask

import (
	"bytes"
)

// ndjson takes lines of JSON, one event each.
type ndjson struct {
	events *Events
	limit  int // bytes of one line
	buf    []byte
}

func (s *ndjson) write(dst, p []byte) ([]byte, error) {
	for {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			break
		}
		s.buf = append(s.buf, p[:n+1]...)
		p = p[n+1:]
		var err error
		if dst, err = s.lineOf(dst, s.buf); err != nil {
			return dst, err
		}
		s.buf = s.buf[:0]
	}
	s.buf = append(s.buf, p...)
	if len(s.buf) > s.limit {
		return dst, errTooLong
	}
	return dst, nil
}

// lineOf appends the masked form of a line.
func (s *ndjson) lineOf(dst, line []byte) ([]byte, error) {
	data := bytes.TrimSpace(line)
	if len(data) == 0 {
		return append(dst, line...), nil
	}
	if len(data) > s.limit {
		return dst, errTooLong
	}
	list, err := s.events.Event(data)
	if err != nil {
		return dst, err
	}
	at := bytes.Index(line, data)
	dst = append(dst, line[:at]...)
	for i, e := range list {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = append(dst, e.Data...)
	}
	return append(dst, line[at+len(data):]...), nil
}

func (s *ndjson) close(dst []byte) ([]byte, error) {
	cut := len(bytes.TrimSpace(s.buf)) > 0
	dst, err := s.lineOf(dst, s.buf)
	if err != nil {
		return dst, err
	}
	for _, e := range s.events.End() {
		if cut {
			dst = append(dst, '\n')
		}
		dst = append(append(dst, e.Data...), '\n')
		cut = false
	}
	s.buf = s.buf[:0]
	return dst, nil
}
