package mask

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
)

const (
	lookBack = 512      // bytes before the undecided ones that machines may look at
	maxValue = 64 << 10 // bytes of a value a transform is shown; longer ones are redacted
	maxKeep  = 64 << 10 // bytes of buffer kept for the next text
)

// machine finds the values of one detector. It is shown the bytes of a text once
// and in order, those that wake it and all while it is awake, and looks only at
// the byte it is shown and at bytes before that: so it makes no difference in
// what pieces the text came.
type machine interface {
	reset()
	// step looks at byte i, and says whether it wants to see the next one.
	step(s *scan, i int) (awake bool)
	// open is the first byte of what may still become a value, s.end if none.
	open(s *scan) int
	// close is told that the text ends.
	close(s *scan)
}

// scan is one pass over a text, which may come in pieces. Positions count from
// the beginning of the text.
type scan struct {
	set      *Detectors
	machines []machine
	awake    uint16
	now      int   // the machine whose turn it is
	sure     []int // by machine: where a value begins that will be masked wherever it ends; -1: none

	text  []byte
	base  int // position of text[0]
	end   int // position after the last byte
	sent  int // bytes before it are decided, and gone
	found []find
}

// find is a part of the text to be masked.
type find struct {
	start, end int
	by         int  // the machine
	mixed      bool // no machine found all of it
}

func newScan(d *Detectors) *scan {
	s := &scan{set: d, sure: make([]int, len(d.names))}
	for _, k := range d.kinds {
		s.machines = append(s.machines, k.make())
	}
	s.reset()
	return s
}

func (s *scan) reset() {
	for k, m := range s.machines {
		m.reset()
		s.sure[k] = -1
	}
	s.text, s.found = s.text[:0], s.found[:0]
	s.awake, s.base, s.end, s.sent = 0, 0, 0, 0
}

// contexts are the parts of names that say what a value is.
var contexts = []string{"ssn", "social", "key", "secret", "tax"}

// useful is the context, or "" where no machine would look at it.
func (d *Detectors) useful(context string) string {
	if len(context) > 64 {
		return ""
	}
	for i := range len(context) {
		for _, c := range contexts {
			if len(context)-i >= len(c) && strings.EqualFold(context[i:i+len(c)], c) {
				return context
			}
		}
	}
	return ""
}

// begin puts words in front of the text that are no part of it. No value reaches
// over the colon and the space.
func (s *scan) begin(context string) {
	s.text = append(append(s.text[:0], context...), ": "...)
	s.end = len(s.text)
	s.run(0)
	for k, m := range s.machines {
		if s.set.kinds[k].context {
			continue
		}
		m.reset()
		s.awake &^= 1 << k
		s.sure[k] = -1
	}
	s.found, s.sent = s.found[:0], s.end
}

// run shows the machines the bytes from position i on.
func (s *scan) run(i int) {
	text := s.text[i-s.base:]
	for n := 0; n < len(text); n++ {
		if s.awake == 0 {
			if n += s.set.stirs(text[n:]); n == len(text) {
				return
			}
		}
		for m := s.set.wake[text[n]] | s.awake; m != 0; m &= m - 1 {
			k := bits.TrailingZeros16(m)
			s.now = k
			if s.machines[k].step(s, i+n) {
				s.awake |= 1 << k
			} else {
				s.awake &^= 1 << k
				s.sure[k] = -1
			}
		}
	}
}

// close tells every machine that the text ends.
func (s *scan) close() {
	for k, m := range s.machines {
		s.now = k
		m.close(s)
	}
	s.awake = 0
}

// at is the byte at position i, 0 outside of what is kept.
func (s *scan) at(i int) byte {
	if i < s.base || i >= s.end {
		return 0
	}
	return s.text[i-s.base]
}

// slice is the text from start to end, as far as it is kept.
func (s *scan) slice(start, end int) []byte {
	start, end = max(start, s.base), min(end, s.end)
	if start >= end {
		return nil
	}
	return s.text[start-s.base : end-s.base]
}

// mark notes a value of the machine whose turn it is.
func (s *scan) mark(start, end int) {
	s.sure[s.now] = -1
	f := find{start: start, end: end, by: s.now}
	i := len(s.found)
	for i > 0 && s.found[i-1].end > f.start {
		i--
	}
	j := i
	for j < len(s.found) && s.found[j].start < f.end {
		f = f.and(s.found[j])
		j++
	}
	s.found = slices.Replace(s.found, i, j, f)
}

// and makes one of two that overlap. The order in which several are joined
// makes no difference.
func (f find) and(g find) find {
	inF, inG := f.start <= g.start && g.end <= f.end, g.start <= f.start && f.end <= g.end
	switch {
	case inF && inG && (f.mixed || !g.mixed && g.by < f.by):
		return g
	case inF:
		return f
	case inG:
		return g
	}
	return find{min(f.start, g.start), max(f.end, g.end), min(f.by, g.by), true}
}

// commit says that what begins at start will be masked, wherever it ends: until
// the machine falls asleep.
func (s *scan) commit(start int) { s.sure[s.now] = start }

// replace appends what stands for a find.
func (s *scan) replace(dst []byte, f find) []byte {
	with := s.set.with[f.by]
	if f.end-f.start > maxValue || f.mixed || with == nil || with.text == nil {
		return redact(dst, nil)
	}
	return with.text(dst, s.slice(f.start, f.end))
}

func isDigit(b byte) bool  { return b-'0' < 10 }
func isLetter(b byte) bool { return b|0x20-'a' < 26 }
func isAlnum(b byte) bool  { return isDigit(b) || isLetter(b) }
func isHex(b byte) bool    { return isDigit(b) || b|0x20-'a' < 6 }

// containsFold reports whether text has the word, which is in lower case.
func containsFold(text, word []byte) bool {
	for ; len(text) >= len(word); text = text[1:] {
		if bytes.EqualFold(text[:len(word)], word) {
			return true
		}
	}
	return false
}
