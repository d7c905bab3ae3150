package mask

// Scanner masks one text that comes in pieces. What it gives back, put
// together, is what Detectors.Append makes of the whole: it keeps back what may
// still become a value. One goroutine may use it.
type Scanner struct {
	s      *scan
	masked int
}

// Scanner begins a text; context is what stands before it, "" for nothing. Of a
// nil Detectors it passes everything.
func (d *Detectors) Scanner(context string) *Scanner {
	if d == nil {
		return &Scanner{}
	}
	c := &Scanner{s: newScan(d)}
	c.begin(context)
	return c
}

// begin starts another text after Close.
func (c *Scanner) begin(context string) {
	if c.s == nil {
		return
	}
	if context = c.s.set.useful(context); context != "" {
		c.s.begin(context)
	}
}

// Masked is how many values were masked so far.
func (c *Scanner) Masked() int { return c.masked }

// Held is how many bytes are kept back.
func (c *Scanner) Held() int {
	if c.s == nil {
		return 0
	}
	return c.s.end - c.s.sent
}

// Write appends to dst what is decided once p is known.
func (c *Scanner) Write(dst, p []byte) []byte {
	if c.s == nil {
		return append(dst, p...)
	}
	s, i := c.s, c.s.end
	s.text = append(s.text, p...)
	s.end += len(p)
	s.run(i)
	cut := s.end
	for _, m := range s.machines {
		cut = min(cut, m.open(s))
	}
	dst = c.drain(dst, cut)
	dst = c.swallow(dst)
	s.compact()
	return dst
}

// Close appends the rest. The Scanner is ready for another text.
func (c *Scanner) Close(dst []byte) []byte {
	if c.s == nil {
		return dst
	}
	c.s.close()
	dst = c.drain(dst, c.s.end)
	c.s.reset()
	return dst
}

// drain appends the text up to cut, or to the value around it.
func (c *Scanner) drain(dst []byte, cut int) []byte {
	s, done := c.s, 0
	for _, f := range s.found {
		if f.end > cut {
			cut = min(cut, f.start)
			break
		}
		// What began before sent is what was swallowed, and stands there already.
		if f.start >= s.sent {
			dst = s.replace(append(dst, s.slice(s.sent, f.start)...), f)
			c.masked++
		}
		s.sent = max(s.sent, f.end)
		done++
	}
	s.found = append(s.found[:0], s.found[done:]...)
	if cut > s.sent {
		dst = append(dst, s.slice(s.sent, cut)...)
		s.sent = cut
	}
	return dst
}

// swallow puts the mark of a long value before its end is known, so that its
// text need not be kept.
func (c *Scanner) swallow(dst []byte) []byte {
	s := c.s
	for _, start := range s.sure {
		switch {
		case start < 0:
		case start < s.sent:
			s.sent = s.end
			return dst
		case s.end-start > maxValue && (start == s.sent || len(s.found) > 0 && s.found[0].start == s.sent && s.found[0].end > start):
			s.sent = s.end
			c.masked++
			return redact(dst, nil)
		}
	}
	return dst
}

// compact forgets what no machine can look at any more.
func (s *scan) compact() {
	if s.sent-s.base < 8*lookBack {
		return
	}
	from := s.sent
	for k, m := range s.machines {
		if s.sure[k] < 0 {
			from = min(from, m.open(s))
		}
	}
	from -= lookBack + s.base
	if from > len(s.text)/2 {
		s.text = append(s.text[:0], s.text[from:]...)
		s.base += from
	}
}
