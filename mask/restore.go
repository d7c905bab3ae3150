package mask

import "github.com/go-json-experiment/json/jsontext"

// restorable is the transform for a rule with `restore`: what it makes of the
// values of requests is undone in what the same session is answered.
func (t *Transform) restorable() *Transform {
	r := *t
	r.restores = true
	return &r
}

// Restores reports whether values of requests come back in answers.
func (s Sides) Restores() bool {
	c := s.Request.Content
	if c == nil {
		return false
	}
	return c.any(func(t *Transform) bool { return t.restores })
}

// any reports whether ok holds for one of the transforms.
func (c *Content) any(ok func(*Transform) bool) bool {
	if c.fields != nil {
		for _, f := range c.fields.list {
			if ok(f.with) {
				return true
			}
		}
	}
	if c.detect != nil {
		for _, t := range c.detect.with {
			if ok(t) {
				return true
			}
		}
	}
	return false
}

// In is what is masked in exchanges of one session: its requests note in t what
// their tokens stand for, and in its answers detectors leave these tokens alone.
func (s Sides) In(t *Tokens) Sides {
	s.Request.Content = s.Request.each(func(with *Transform, _ bool) *Transform { return with.noting(t) })
	s.Response.Content = s.Response.each(func(with *Transform, found bool) *Transform {
		if found || with.restores {
			return with.sparing(t)
		}
		return with
	})
	return s
}

// each is the content with other transforms; found says that a value is known by
// what it looks like, not by its name.
func (c *Content) each(change func(with *Transform, found bool) *Transform) *Content {
	if c == nil {
		return nil
	}
	out := &Content{}
	if c.fields != nil {
		out.fields = &Fields{}
		for _, f := range c.fields.list {
			f.with = change(f.with, false)
			out.fields.list = append(out.fields.list, f)
		}
	}
	if d := c.detect; d != nil {
		with := make([]*Transform, len(d.with))
		for i, t := range d.with {
			with[i] = change(t, true)
		}
		out.detect = (&Detectors{names: d.names, with: with, kinds: d.kinds, wake: d.wake}).pooled()
	}
	return out
}

// noting is the transform that notes what its tokens stand for.
func (t *Transform) noting(tokens *Tokens) *Transform {
	if !t.restores {
		return t
	}
	note := func(with func(dst, value []byte) []byte) func(dst, value []byte) []byte {
		return func(dst, value []byte) []byte {
			at := len(dst)
			dst = with(dst, value)
			tokens.add(dst[at:], value)
			return dst
		}
	}
	n := *t
	n.text, n.number = note(t.text), note(t.number)
	return &n
}

// sparing is the transform that leaves the session's own tokens as they are.
func (t *Transform) sparing(tokens *Tokens) *Transform {
	if t.text == nil {
		return t
	}
	spare := func(with func(dst, value []byte) []byte) func(dst, value []byte) []byte {
		return func(dst, value []byte) []byte {
			if _, known := tokens.value(value); known {
				return append(dst, value...)
			}
			return with(dst, value)
		}
	}
	s := *t
	s.text = spare(t.text)
	if t.number != nil {
		s.number = spare(t.number)
	}
	return &s
}

// Restore gives a Content that puts values back for tokens, where they stand as
// words of their own. It masks nothing. What it is given after a token was noted
// has the value, streams that were begun before included.
func (t *Tokens) Restore() *Content {
	d := &Detectors{
		names: []string{"token"},
		kinds: []detector{{hold: maxToken, make: func() machine { return &placeholder{tokens: t} }}},
		with: []*Transform{{name: "restore", text: func(dst, token []byte) []byte {
			if v, ok := t.value(token); ok {
				return append(dst, v...)
			}
			return append(dst, token...)
		}}},
	}
	for b := range d.wake {
		d.wake[b] = 1
	}
	return &Content{detect: d.pooled(), restores: t}
}

// placeholder finds tokens of a session: of several that overlap the one that
// begins first, of those the longest.
type placeholder struct {
	tokens *Tokens
	index  *tokenIndex
	live   []candidate // by where they begin
}

// maxCandidates bounds how many places at once may be the beginning of a token. Only
// texts made for it have more, and keep their tokens.
const maxCandidates = 64

// candidate is where a token may have begun.
type candidate struct {
	start  int
	lo, hi int // the tokens of the index that still fit
	end    int // of the longest one that was found; 0: none
	over   bool
}

func (m *placeholder) reset() { m.live = m.live[:0] }

func (m *placeholder) step(s *scan, i int) bool {
	if len(m.live) == 0 {
		m.index = m.tokens.index()
	}
	b, before := s.at(i), s.at(i-1)
	apart := !isAlnum(b) || !isAlnum(before)
	for k := range m.live {
		if c := &m.live[k]; !c.over {
			m.settle(c, i, apart)
			c.over = !m.narrow(c, i-c.start, b)
		}
	}
	if apart && len(m.live) < maxCandidates {
		if c := (candidate{start: i, hi: len(m.index.tokens)}); m.narrow(&c, 0, b) {
			m.live = append(m.live, c)
		}
	}
	m.resolve(s)
	return len(m.live) > 0
}

// settle notes the token that ends before position end, if a word ends there.
func (m *placeholder) settle(c *candidate, end int, apart bool) {
	// Of all that fit the shortest is first.
	if apart && len(m.index.tokens[c.lo]) == end-c.start {
		c.end = end
	}
}

// narrow leaves the tokens whose byte at this depth is b; false: none.
func (m *placeholder) narrow(c *candidate, depth int, b byte) bool {
	list := m.index.tokens
	at := func(i int) int { // the byte of a token, -1 behind its end
		if depth >= len(list[i]) {
			return -1
		}
		return int(list[i][depth])
	}
	c.lo = search(c.lo, c.hi, func(i int) bool { return at(i) >= int(b) })
	c.hi = search(c.lo, c.hi, func(i int) bool { return at(i) > int(b) })
	return c.lo < c.hi
}

// search is the first of lo to hi for which ok holds, and for all behind it; hi
// if there is none.
func search(lo, hi int, ok func(int) bool) int {
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); ok(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// resolve marks what is known for certain: what begins first goes first.
func (m *placeholder) resolve(s *scan) {
	done := 0
	for done < len(m.live) && m.live[done].over {
		c := m.live[done]
		done++
		if c.end == 0 {
			continue
		}
		s.mark(c.start, c.end)
		for done < len(m.live) && m.live[done].start < c.end {
			done++
		}
	}
	m.live = append(m.live[:0], m.live[done:]...)
}

func (m *placeholder) open(s *scan) int {
	if len(m.live) == 0 {
		return s.end
	}
	return m.live[0].start
}

func (m *placeholder) close(s *scan) {
	for k := range m.live {
		if c := &m.live[k]; !c.over {
			m.settle(c, s.end, true)
			c.over = true
		}
	}
	m.resolve(s)
}

// restored is the number that stands in the place of one, the same unless it is
// a token.
func (l *lane) restored(number []byte) []byte {
	trimmed := number
	for len(trimmed) > 0 && isSpace(trimmed[len(trimmed)-1]) {
		trimmed = trimmed[:len(trimmed)-1]
	}
	v, ok := l.content.restores.number(trimmed)
	if !ok {
		return number
	}
	l.masked++
	return append([]byte(v), number[len(trimmed):]...)
}

// restoreNumber puts a number in the place of one that is a token.
func (m *Events) restoreNumber(n int) {
	e := &m.event
	if v, ok := m.content.restores.number(e.raw(n)); ok && e.nodes[n].kind == jsontext.KindNumber {
		e.set(n, []byte(v))
		m.masked++
	}
}

// number reads a number, and writes the one that it stands for.
func (w *walk) number() error {
	value, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if v, ok := w.texts.restores.number(value); ok {
		end := int(w.dec.InputOffset())
		w.dst = append(append(w.dst, w.src[w.copied:end-len(value)]...), v...)
		w.copied = end
		w.masked++
	}
	return nil
}
