package mask

import (
	"slices"
	"strings"
)

const (
	maxKeyPrefix = 28
	maxKeyMin    = 80 // no shape asks for more
	keysHold     = maxKeyPrefix + maxKeyMin + 16
)

// keyShape is one kind of key: a prefix at the beginning of a word, and a run of
// bytes behind it.
type keyShape struct {
	prefix   string
	wake     int    // bytes of the prefix after which to look up
	extra    string // what the run may have besides letters and digits
	shortest int    // bytes behind the prefix
	longest  int    // 0: no limit
	only     bytesOf
	digit    bool // one byte of the run is a digit: words with hyphens are none
}

// bytesOf says which letters and digits a run has.
type bytesOf int8

const (
	anyCase bytesOf = iota
	lowerHex
	upperCase
)

// keysMachine finds keys that begin as their makers agreed. Those whose length
// has no limit are masked to the end of the run.
type keysMachine struct {
	*keyIndex
	start int
	shape *keyShape // nil: asleep
	bad   bool      // the run has a byte it can't have
	digit bool
}

// keyIndex finds shapes by a byte.
type keyIndex struct {
	wakes  [256][]*keyShape // by waking byte
	starts [256][]string    // prefixes, by the byte they begin with
}

func indexKeys(shapes []keyShape) *keyIndex {
	x := &keyIndex{}
	for k := range shapes {
		b, first := shapes[k].prefix[shapes[k].waking()-1], shapes[k].prefix[0]
		x.wakes[b] = append(x.wakes[b], &shapes[k])
		x.starts[first] = append(x.starts[first], shapes[k].prefix)
	}
	return x
}

func (m *keysMachine) reset() { m.shape = nil }

// wakeKeys are the bytes after which one of the shapes wants a look.
func wakeKeys(shapes []keyShape) string {
	var all []byte
	for _, k := range shapes {
		if b := k.prefix[k.waking()-1]; !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	return string(all)
}

func (k *keyShape) waking() int {
	if k.wake == 0 {
		return len(k.prefix)
	}
	return k.wake
}

func (m *keysMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if m.shape == nil {
		m.look(s, i, b)
		return m.shape != nil
	}
	if n := i - m.start; n < len(m.shape.prefix) {
		if b != m.shape.prefix[n] {
			m.shape = nil
			m.look(s, i, b)
		}
		return m.shape != nil
	}
	if isAlnum(b) || strings.IndexByte(m.shape.extra, b) >= 0 {
		m.take(s, i, b)
		return true
	}
	m.finish(s, i)
	m.look(s, i, b)
	return m.shape != nil
}

// take takes a byte of the run.
func (m *keysMachine) take(s *scan, i int, b byte) {
	k := m.shape
	m.digit = m.digit || isDigit(b)
	switch k.only {
	case lowerHex:
		m.bad = m.bad || !isHex(b) || b >= 'A' && b <= 'F'
	case upperCase:
		m.bad = m.bad || b >= 'a' && b <= 'z'
	}
	n := i + 1 - m.start - len(k.prefix)
	if n > k.shortest && k.longest == 0 && !m.bad && (m.digit || !k.digit) {
		s.commit(m.start)
	}
	// A run that can't be a key any more need not be kept.
	m.bad = m.bad || k.longest > 0 && n > k.longest || n > maxKeyMin+8 && k.digit && !m.digit
}

// look finds the shape whose waking bytes end at i, the one with the longest
// prefix.
func (m *keysMachine) look(s *scan, i int, b byte) {
	for _, shape := range m.wakes[b] {
		n := shape.waking()
		if m.shape != nil && n <= m.shape.waking() {
			continue
		}
		start := i + 1 - n
		if string(s.slice(start, i+1)) == shape.prefix[:n] && start >= 0 && !isAlnum(s.at(start-1)) {
			m.start, m.shape, m.bad, m.digit = start, shape, false, false
		}
	}
}

func (m *keysMachine) finish(s *scan, end int) {
	k := m.shape
	m.shape = nil
	n := end - m.start - len(k.prefix)
	if m.bad || n < k.shortest || k.digit && !m.digit {
		return
	}
	// A full stop or a hyphen behind a key ends the sentence, not the key.
	for n > k.shortest && n <= maxValue && !isAlnum(s.at(end-1)) && strings.IndexByte(".-/", s.at(end-1)) >= 0 {
		end--
		n--
	}
	s.mark(m.start, end)
}

func (m *keysMachine) open(s *scan) int {
	if m.shape != nil {
		if m.bad {
			return s.end
		}
		return m.start
	}
	tail := s.slice(s.end-maxKeyPrefix, s.end)
	for start := range tail {
		if m.starts[tail[start]] == nil || start > 0 && isAlnum(tail[start-1]) || start == 0 && isAlnum(s.at(s.end-len(tail)-1)) {
			continue
		}
		n := len(tail) - start
		for _, p := range m.starts[tail[start]] {
			if n < len(p) && p[:n] == string(tail[start:]) {
				return s.end - len(tail) + start
			}
		}
	}
	return s.end
}

func (m *keysMachine) close(s *scan) {
	if m.shape != nil {
		m.finish(s, s.end)
	}
}
