package httpguard

import (
	"bytes"
	"io"
	"net/http"

	"sallyport/mask"
)

// observe reads what a response used on its way to the caller.
func (m *meter) observe(res *http.Response) {
	if m == nil || isEmpty(res) || !plainCoding(res.Header) {
		return
	}
	kind, _, _ := mediaType(res.Header.Get("Content-Type"))
	switch {
	case kind == "text/event-stream":
		res.Body = newEvents(res.Body, m.event)
		res.ContentLength = -1
		res.Header.Del("Content-Length")
	case kind == "application/x-ndjson":
		res.Body = &looked{ReadCloser: res.Body, at: &looking{meter: m}, lines: true}
	case isJSON(res.Header.Get("Content-Type")):
		res.Body = &looked{ReadCloser: res.Body, at: &looking{meter: m}}
	}
}

// event reads one event of a stream, and takes out the one that the caller did
// not ask for.
func (m *meter) event(event []byte) []byte {
	text := eventData(event)
	if len(text) == 0 || bytes.Equal(text, []byte("[DONE]")) {
		return event
	}
	m.events++
	if !bytes.Contains(text, []byte(`"usage`)) && m.used.model != "" {
		m.open.add(text)
		return event
	}
	a := parseReply(text)
	m.used.take(a)
	if a.settles() {
		m.open = unsettled{}
	} else {
		m.open.add(text)
	}
	if m.added && isUsageChunk(a) {
		return nil
	}
	return event
}

// looked is a JSON body that is looked at as it passes.
type looked struct {
	io.ReadCloser
	at    *looking
	lines bool // each line is a value of its own
}

// Read hands on what comes.
func (l *looked) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.at.feed(p[:n])
	if l.lines {
		l.at.meter.events += int64(bytes.Count(p[:n], []byte("\n")))
	}
	return n, err
}

// maxEvent is how many bytes of an event are held back; a longer one passes
// unread.
const maxEvent = 4 << 20

// maxKept is how many bytes are kept for the next events.
const maxKept = 4 * bufferSize

// events hands on a stream of server-sent events, each when it is whole and has
// been looked at. HTML Living Standard, section 9.2.5.
type events struct {
	io.ReadCloser
	look    func(event []byte) []byte // what the caller gets in its place; nil is nothing
	held    []byte                    // what pending is a part of
	pending []byte                    // of an event that is not whole yet
	scanned int                       // bytes of pending known to hold no end
	out     []byte                    // what ready is a part of
	ready   []byte                    // what the caller gets next
	buffer  []byte
	over    bool // within an event that is too long
	err     error
}

func newEvents(from io.ReadCloser, look func([]byte) []byte) *events {
	return &events{ReadCloser: from, look: look, buffer: make([]byte, bufferSize)}
}

// Read hands on whole events, and at the end what is left.
func (e *events) Read(p []byte) (int, error) {
	for len(e.ready) == 0 && e.err == nil {
		n, err := e.ReadCloser.Read(e.buffer)
		e.held, e.err = append(append(e.held[:0], e.pending...), e.buffer[:n]...), err
		e.pending = e.held
		e.split()
	}
	if len(e.ready) == 0 {
		return 0, e.err
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

// split moves what is whole from pending to ready.
func (e *events) split() {
	out := e.out[:0]
	for {
		end := eventEnd(e.pending, e.scanned, e.err != nil)
		if end < 0 {
			break
		}
		event := e.pending[:end]
		if e.over {
			out, e.over = append(out, event...), false
		} else {
			out = append(out, e.look(event)...)
		}
		e.pending, e.scanned = e.pending[end:], 0
	}
	e.scanned = max(0, len(e.pending)-4)
	switch {
	case e.err != nil && len(e.pending) > 0 && !e.over:
		out, e.pending = append(out, e.look(e.pending)...), nil
	case e.err != nil || e.over || len(e.pending) > maxEvent:
		keep := min(len(e.pending), 4) // the end of the event may begin in them
		if e.err != nil {
			keep = 0
		}
		e.over = e.err == nil
		out = append(out, e.pending[:len(e.pending)-keep]...)
		e.pending, e.scanned = e.pending[len(e.pending)-keep:], 0
	}
	if cap(out) > maxKept || cap(e.held) > maxKept { // of a long event
		e.out, e.held, e.pending = nil, nil, bytes.Clone(e.pending)
	} else {
		e.out = out
	}
	e.ready = out
}

// eventEnd is where the first event ends, behind its empty line; -1 is nowhere
// yet. A line ends with CR, LF or both; a CR that is last may still be one half.
func eventEnd(b []byte, from int, last bool) int {
	for i := from; i < len(b); i++ {
		if i += mask.LineLength(b[i:]); i == len(b) {
			break
		}
		first := lineEnd(b, i, last)
		if first == 0 {
			continue
		}
		if second := lineEnd(b, i+first, last); second > 0 {
			return i + first + second
		}
		i += first - 1
	}
	return -1
}

// lineEnd is how many bytes the line end at i has, 0 when there is none.
func lineEnd(b []byte, i int, last bool) int {
	switch {
	case i >= len(b):
		return 0
	case b[i] == '\n':
		return 1
	case b[i] != '\r':
		return 0
	case i+1 < len(b) && b[i+1] == '\n':
		return 2
	case i+1 < len(b) || last:
		return 1
	}
	return 0
}

// eventData joins the data lines of an event. What it gives may be a part of
// the event itself.
func eventData(event []byte) []byte {
	var out []byte
	lines := 0
	for len(event) > 0 {
		end := mask.LineLength(event)
		line := event[:end]
		event = event[min(end+1, len(event)):]
		value, ok := bytes.CutPrefix(line, []byte("data"))
		if !ok || len(value) > 0 && value[0] != ':' {
			continue
		}
		value = bytes.TrimPrefix(bytes.TrimPrefix(value, []byte(":")), []byte(" "))
		switch lines++; lines {
		case 1:
			out = value[:len(value):len(value)]
		default:
			out = append(append(out, '\n'), value...)
		}
	}
	return out
}
