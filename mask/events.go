package mask

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxLanes is how many texts of one stream may be under way at once.
const maxLanes = 1024

// errLanes is said of a stream with more of them.
var errLanes = errors.New("too many texts at once")

// Event is one event of a stream. Name is its type where the protocol has it
// stand beside the data; "" for none.
type Event struct {
	Name string
	Data []byte
}

// Events masks the JSON events of one stream: server-sent ones, lines, or
// frames of a WebSocket. A text that is spread over many events, a lane, is
// masked as the one text it is; all other strings each for itself. It knows
// lanes by the shape of events: OpenAI's chat, completions, responses and
// realtime, Anthropic's messages, Gemini's, Ollama's.
//
// One goroutine may use it. Data it gives is good until the next call.
type Events struct {
	content *Content
	event   event
	lanes   []*strand
	out     []Event
	masked  int
	path    []string
	frames  bool // the stream outlives the answers in it
	clean   map[string]bool
	alike   alike
	barren  map[string]bool // names of members, by whether none of their kind is protected
	key     []byte          // of a lane
	text    []byte          // of a lane
	group   string          // of choice
	choice  int
	buf     []byte // what was given last
}

const (
	maxClean    = 256 // strings that are remembered
	maxCleanLen = 128 // bytes of one
)

// strand is a lane, and how the rest of it is sent.
type strand struct {
	key, group string
	lane       *lane
	name       string // of the event that carries the rest
	head, tail []byte // what stands before and behind the rest in it
	sequence   []byte // the number of the lane's last event; nil: they have none
	nodes      []int  // of the event at hand
	closing    bool
}

// NewEvents begins a stream.
func NewEvents(c *Content) *Events {
	return &Events{content: c, event: event{full: c.restores != nil}}
}

// NewFrames begins what one side of a WebSocket sends, a value a message.
func NewFrames(c *Content) *Events {
	m := NewEvents(c)
	m.frames = true
	return m
}

// Masked is how many values were masked so far.
func (m *Events) Masked() int { return m.masked }

// Event takes the data of an event, and gives what is to be sent in its place:
// the event itself, last, and before it at times one that carries what was kept
// back. After an error nothing more of the stream may be sent.
func (m *Events) Event(data []byte) ([]Event, error) {
	if out := m.next(data); out != nil {
		return out, nil
	}
	m.alike.strand = nil
	e := &m.event
	if err := e.parse(data); err != nil {
		if m.content.restores != nil { // there is nothing to hide
			m.out = append(m.out[:0], Event{Data: data})
			return m.out, nil
		}
		return nil, err
	}
	m.out = m.out[:0]
	m.path = m.path[:0]
	m.protect(0)
	m.claim()
	if len(m.lanes) > maxLanes {
		return nil, errLanes
	}
	going, at := m.settle()
	m.search(0, "")
	m.alike.keep(m, going, at)
	if len(e.edits) == 0 {
		m.out = append(m.out, Event{Data: data})
		return m.out, nil
	}
	m.buf = e.write(m.buf[:0])
	m.out = append(m.out, Event{Data: m.buf})
	return m.out, nil
}

// End gives what is to be sent behind the last event: what was kept back. The
// stream is over then.
func (m *Events) End() []Event {
	m.out, m.alike.strand = m.out[:0], nil
	for _, s := range m.lanes {
		s.closing, s.nodes = true, nil
	}
	m.settle()
	return m.out
}

// claim hands the event to the shape it has.
func (m *Events) claim() {
	e := &m.event
	kind := string(e.text(e.get(0, "type")))
	switch {
	case e.get(0, "choices") != none:
		m.chat()
	case strings.HasPrefix(kind, "content_block_") || strings.HasPrefix(kind, "message_"):
		m.anthropic(kind)
	case kind != "":
		m.responses(kind)
	case e.get(0, "candidates") != none:
		m.gemini()
	case e.get(0, "serverContent") != none:
		m.live()
	case e.get(0, "done") != none:
		m.ollama()
	}
}

// known finds a lane; nil for none.
func (m *Events) known(key []byte) *strand {
	for _, s := range m.lanes {
		if s.key == string(key) {
			return s
		}
	}
	return nil
}

// strand finds a lane, or opens it; prepare then says how its rest is sent.
func (m *Events) strand(key, group string, prepare func(s *strand)) *strand {
	for _, s := range m.lanes {
		if s.key == key {
			return s
		}
	}
	s := &strand{key: key, group: group, lane: newLane(m.content, "", 0)}
	prepare(s)
	m.lanes = append(m.lanes, s)
	return s
}

// take notes that a string of the event at hand is the lane's next part.
func (m *Events) take(s *strand, n int) {
	s.nodes = append(s.nodes, n)
	m.event.nodes[n].done = true
}

// finish closes all lanes of a group with the event at hand.
func (m *Events) finish(group string) {
	for _, s := range m.lanes {
		s.closing = s.closing || s.group == group
	}
}

// settle writes the parts of the event at hand through their lanes. What is left
// of one that closes goes behind its last part, or into an event of its own. Where
// that is all there is of texts, it gives the one lane that goes on, and its part.
func (m *Events) settle() (going *strand, at int) {
	parts, closed := 0, false
	kept := m.lanes[:0]
	for _, s := range m.lanes {
		before := s.lane.masked
		closed = closed || s.closing
		for i, n := range s.nodes {
			parts, going, at = parts+1, s, n
			text := m.event.text(n)
			out := s.lane.write(m.text[:0], text)
			if s.closing && i == len(s.nodes)-1 {
				out = s.lane.close(out)
			}
			m.text = out
			if string(out) != string(text) {
				m.event.set(n, appendString(nil, out))
			}
		}
		if s.closing && len(s.nodes) == 0 {
			if rest := s.lane.close(nil); len(rest) > 0 {
				m.out = append(m.out, s.event(rest))
			}
		}
		m.masked += s.lane.masked - before
		s.nodes = s.nodes[:0]
		if !s.closing {
			kept = append(kept, s)
		}
	}
	clear(m.lanes[len(kept):])
	m.lanes = kept
	if parts != 1 || closed {
		return nil, 0
	}
	return going, at
}

// event is one that carries the rest of the lane.
func (s *strand) event(rest []byte) Event {
	data := append([]byte(nil), s.head...)
	if s.sequence != nil {
		data = append(append(data, `,"sequence_number":`...), s.sequence...)
		data = append(data, `,"delta":`...)
	}
	return Event{s.name, append(appendString(data, rest), s.tail...)}
}

// protect masks the members that are protected by name.
func (m *Events) protect(n int) {
	e := &m.event
	if m.content.fields == nil {
		return
	}
	base := len(m.path)
	for c := range e.children(n) {
		m.path = m.path[:base]
		if t := m.member(n, c); t != nil {
			if e.nodes[c].kind != jsontext.KindNull {
				e.set(c, t.appendJSON(nil, e.raw(c)))
				m.masked++
			}
			e.skip(c)
			continue
		}
		m.protect(c)
	}
	m.path = m.path[:base]
}

// member puts a member's name at the end of the path and finds its transform.
func (m *Events) member(parent, n int) *Transform {
	if m.event.nodes[parent].kind != jsontext.KindBeginObject {
		return nil
	}
	name := m.event.nodes[n].name
	if m.isBarren(name) {
		m.path = append(m.path, name)
		return nil
	}
	for part := range strings.SplitSeq(name, ".") {
		m.path = append(m.path, part)
		if t := m.content.fields.find(m.path); t != nil {
			return t
		}
	}
	return nil
}

// isBarren reports whether no member of that name is protected, wherever it is.
// The names of a stream are few.
func (m *Events) isBarren(name string) bool {
	barren, known := m.barren[name]
	if !known {
		if m.barren == nil || len(m.barren) >= maxNames {
			m.barren = make(map[string]bool, 16)
		}
		barren = !strings.Contains(name, ".") && !m.content.fields.ends(name)
		m.barren[name] = barren
	}
	return barren
}

// search masks the strings that nothing has been done with, each for itself.
// Lists of tokens are emptied where this event or an earlier one had a value in
// its text.
func (m *Events) search(n int, context string) {
	e := &m.event
	v := e.nodes[n]
	switch {
	case v.done || v.kind == jsontext.KindString && sealed(v.name, e.raw(n)):
	case v.kind == jsontext.KindNumber && m.content.restores != nil:
		m.restoreNumber(n)
	case v.kind == jsontext.KindString && m.isClean(context, e.raw(n)):
	case v.kind == jsontext.KindString:
		text := e.text(n)
		// A copy of a lane's text reads as the lane does, escapes within it included.
		if out, masked := m.content.text(nil, text, context, 0); !bytes.Equal(out, text) {
			e.set(n, appendString(nil, out))
			m.masked += masked
		} else {
			m.noteClean(context, e.raw(n))
		}
	case v.first != 0:
		var tokens []int
		for c := range e.children(n) {
			name := context
			if v.kind == jsontext.KindBeginObject {
				name = e.nodes[c].name
			}
			if isTokens(name) && name == e.nodes[c].name {
				tokens = append(tokens, c)
				continue
			}
			m.search(c, name)
		}
		for _, c := range tokens {
			if m.masked > 0 {
				e.empty(c)
			}
			m.search(c, "")
		}
	}
}

// isClean reports whether this very string, behind the same name, was looked
// into before and nothing was found: ids, the model's name and the like stand in
// every event of a stream.
func (m *Events) isClean(context string, raw []byte) bool {
	if len(m.clean) == 0 || m.content.restores != nil || len(raw) > maxCleanLen || len(context) > maxCleanLen {
		return false
	}
	var key [2*maxCleanLen + 1]byte
	return m.clean[string(append(append(append(key[:0], context...), 0), raw...))]
}

// noteClean remembers a string in which nothing was found.
func (m *Events) noteClean(context string, raw []byte) {
	if len(raw) > maxCleanLen || len(context) > maxCleanLen {
		return
	}
	if m.clean == nil || len(m.clean) >= maxClean {
		m.clean = make(map[string]bool, 8)
	}
	m.clean[context+"\x00"+string(raw)] = true
}
