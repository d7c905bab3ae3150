package mask

import (
	"bytes"
)

// sse puts server-sent events together and takes them apart again.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
type sse struct {
	events *Events
	limit  int    // bytes of one event
	buf    []byte // the event so far, line ends included
	line   int    // where its last line begins
	cr     bool   // the byte before was a CR that ended a line
	named  bool   // the stream has event: lines
	lines  []sseLine
}

// write appends to dst what is to be sent once p is known.
func (s *sse) write(dst, p []byte) ([]byte, error) {
	for len(p) > 0 {
		if n := LineLength(p); n > 0 && !s.cr { // what is in a line needs no look at each byte
			s.buf = append(s.buf, p[:n]...)
			if p = p[n:]; len(s.buf) > s.limit {
				return dst, errTooLong
			}
			continue
		}
		b := p[0]
		p = p[1:]
		if s.cr && b == '\n' {
			s.cr = false
			if len(s.buf) == 0 {
				dst = append(dst, b) // the event before ended with it
				continue
			}
			s.buf = append(s.buf, b)
			s.line = len(s.buf)
			continue
		}
		s.buf = append(s.buf, b)
		s.cr = b == '\r'
		if b != '\n' && b != '\r' {
			if len(s.buf) > s.limit {
				return dst, errTooLong
			}
			continue
		}
		blank := s.line == len(s.buf)-1
		s.line = len(s.buf)
		if !blank {
			continue
		}
		var err error
		if dst, err = s.dispatch(dst, s.buf); err != nil {
			return dst, err
		}
		s.buf, s.line = s.buf[:0], 0
	}
	return dst, nil
}

// LineLength is how many bytes there are before the first end of a line.
func LineLength(p []byte) int {
	n := bytes.IndexByte(p, '\n')
	if n < 0 {
		n = len(p)
	}
	if cr := bytes.IndexByte(p[:n], '\r'); cr >= 0 {
		n = cr
	}
	return n
}

// close appends what is left: an event that lacks its blank line, and what was
// kept back of texts that were not ended.
func (s *sse) close(dst []byte) ([]byte, error) {
	var err error
	if len(s.buf) > 0 {
		if dst, err = s.dispatch(dst, s.buf); err != nil {
			return dst, err
		}
	}
	rest := s.events.End()
	if len(rest) > 0 && len(s.buf) > 0 {
		dst = append(dst, "\n\n"...)
	}
	for _, e := range rest {
		dst = s.emit(dst, e, []byte("\n"))
	}
	s.buf = s.buf[:0]
	return dst, nil
}

// sseLine is one line of an event.
type sseLine struct {
	whole       []byte // with its end
	name, value []byte // name is empty in comments
	data        bool
}

// dispatch appends the masked form of one event.
func (s *sse) dispatch(dst, raw []byte) ([]byte, error) {
	lines, end := sseLines(s.lines[:0], raw)
	s.lines = lines
	var data, name []byte
	n := 0
	for _, l := range lines {
		switch {
		case l.data:
			if n++; n == 1 {
				data = l.value[:len(l.value):len(l.value)]
				continue
			}
			data = append(append(data, '\n'), l.value...)
		case string(l.name) == "event":
			name = l.value
			s.named = true
		}
	}
	if n == 0 {
		return s.rewrite(dst, lines, nil), nil
	}
	out := data
	switch trimmed := bytes.TrimSpace(data); {
	case len(trimmed) == 0:
	case string(trimmed) == "[DONE]":
		for _, e := range s.events.End() {
			dst = s.emit(dst, e, end)
		}
	case string(name) == "endpoint": // MCP's older transport: a path
		var masked int
		out, masked = s.events.content.Text(nil, data)
		s.events.masked += masked
	default:
		list, err := s.events.Event(data)
		if err != nil {
			return dst, err
		}
		last := len(list) - 1
		for _, e := range list[:last] {
			dst = s.emit(dst, e, end)
		}
		out = list[last].Data
	}
	if bytes.Equal(out, data) {
		out = nil
	}
	return s.rewrite(dst, lines, out), nil
}

// rewrite appends the lines of an event, with other data unless that is nil.
// Comments are texts; all else but data is the protocol's own.
func (s *sse) rewrite(dst []byte, lines []sseLine, data []byte) []byte {
	changed, sent := data != nil, false
	for _, l := range lines {
		end := l.whole[len(bytes.TrimRight(l.whole, "\r\n")):]
		switch {
		case l.data && !changed:
			dst = append(dst, l.whole...)
		case l.data && sent:
		case l.data:
			for part := range bytes.SplitSeq(data, []byte("\n")) {
				dst = append(append(append(dst, "data: "...), part...), end...)
			}
			sent = true
		case string(l.name) == "event" || string(l.name) == "id" || string(l.name) == "retry":
			dst = append(dst, l.whole...)
		default:
			var masked int
			dst, masked = s.events.content.detect.Append(dst, l.whole, "")
			s.events.masked += masked
		}
	}
	return dst
}

// emit appends an event of our own.
func (s *sse) emit(dst []byte, e Event, end []byte) []byte {
	if s.named && e.Name != "" {
		dst = append(append(append(dst, "event: "...), e.Name...), end...)
	}
	dst = append(append(append(dst, "data: "...), e.Data...), end...)
	return append(dst, end...)
}

// sseLines takes an event apart, its lines behind those given, and says how they
// end.
func sseLines(lines []sseLine, raw []byte) (_ []sseLine, end []byte) {
	for first := true; len(raw) > 0; first = false {
		n := LineLength(raw)
		text, next := raw[:n], n
		if n < len(raw) {
			next = n + 1
			if raw[n] == '\r' && next < len(raw) && raw[next] == '\n' {
				next++
			}
			if first {
				end = raw[n:next]
			}
		}
		l := sseLine{whole: raw[:next]}
		if first {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		l.name, l.value, _ = bytes.Cut(text, []byte(":"))
		l.value = bytes.TrimPrefix(l.value, []byte(" "))
		l.data = string(l.name) == "data"
		lines = append(lines, l)
		raw = raw[next:]
	}
	if end == nil {
		end = []byte("\n")
	}
	return lines, end
}
