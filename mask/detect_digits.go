package mask

const (
	digitBytes  = "0123456789"
	digitGroups = 24
	maxDigits   = 19
	// Digits, as many separators, and a sign before them.
	digitsHold = maxDigits + 1 + 4*maxDigits + 4
)

// group is one run of digits.
type group struct {
	start, end int
	sep        byte // what kind of separator joins it to the group before; 0: none is before
}

func (g group) len() int { return g.end - g.start }

// digitsMachine reads groups of digits that single separators join, and asks
// judge, for each group in turn, for the value that begins there. It keeps no
// more groups than the longest value has.
type digitsMachine struct {
	judge func(s *scan, groups []group) (start, end int, ok bool)
	seps  string // the kinds of separator that join
	signs string // what may stand before the first digit and belongs to it

	groups [digitGroups]group
	n      int
	digits int // in all groups
	state  digitsState
	sep    int // where the separator begins
}

type digitsState int8

const (
	asleep digitsState = iota
	inGroup
	inLong // a group of more than maxDigits, no part of which is kept
	inSep
	inSepAfterLong
)

func (m *digitsMachine) reset() { m.n, m.digits, m.state = 0, 0, asleep }

func (m *digitsMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if isDigit(b) {
		m.digit(s, i)
		return true
	}
	switch m.state {
	case inGroup, inLong:
		if separatorByte(b) {
			m.state, m.sep = m.state+2, i
			return true
		}
	case inSep, inSepAfterLong:
		if separatorByte(b) && i-m.sep < 3 {
			return true
		}
	}
	m.close(s)
	return false
}

// digit takes the digit at i into its group.
func (m *digitsMachine) digit(s *scan, i int) {
	var sep byte
	if m.state == inSep || m.state == inSepAfterLong {
		if sep = separator(s.slice(m.sep, i), m.seps); sep == 0 {
			m.close(s)
		}
	}
	switch m.state {
	case inLong:
		return
	case inGroup:
		m.groups[m.n-1].end++
	default:
		m.groups[m.n] = group{i, i + 1, sep}
		m.n++
		m.state = inGroup
	}
	m.digits++
	for m.digits > maxDigits && m.n > 0 {
		if m.n == 1 {
			m.n, m.digits, m.state = 0, 0, inLong
			return
		}
		m.ask(s)
	}
}

// ask asks for a value at the first group, and forgets that group.
func (m *digitsMachine) ask(s *scan) {
	if start, end, ok := m.judge(s, m.groups[:m.n]); ok {
		s.mark(start, end)
	}
	m.digits -= m.groups[0].len()
	copy(m.groups[:], m.groups[1:m.n])
	m.n--
}

func (m *digitsMachine) close(s *scan) {
	for m.n > 0 {
		m.ask(s)
	}
	m.reset()
}

func (m *digitsMachine) open(s *scan) int {
	at := s.end
	switch {
	case m.n > 0:
		at = m.groups[0].start
	case m.state == inSepAfterLong:
		return m.sep
	case m.state == inLong:
		return at
	}
	return signed(s, at, m.signs)
}

// signed is where the signs before position at begin, at most two.
func signed(s *scan, at int, signs string) int {
	for range min(len(signs), 2) {
		if b := s.at(at - 1); b != 0 && (b == signs[0] || b == signs[1]) {
			at--
		}
	}
	return at
}

// separatorByte reports whether b can be in a separator.
func separatorByte(b byte) bool {
	switch b {
	case ' ', '-', '.', '/', '(', ')', 0xc2, 0xa0, 0xe2, 0x80, 0x87, 0x89, 0x90, 0x91, 0x92, 0x93, 0xaf:
		return true
	}
	return false
}

// separator is the kind of what stands between two groups, 0 if it is none of
// kinds.
func separator(text []byte, kinds string) byte {
	var kind byte
	switch string(text) {
	case " ", "-", ".", "/", "(", ")":
		kind = text[0]
	case "\u00a0", "\u2007", "\u2009", "\u202f":
		kind = ' '
	case "\u2010", "\u2011", "\u2012", "\u2013":
		kind = '-'
	case " (":
		kind = '('
	case ") ", ")-":
		kind = ')'
	}
	for i := range len(kinds) {
		if kinds[i] == kind {
			return kind
		}
	}
	return 0
}

// uniform reports whether the separators within groups are all of one kind, and
// which; a lone group has none.
func uniform(groups []group) (kind byte, ok bool) {
	for i, g := range groups[1:] {
		if i > 0 && g.sep != kind {
			return 0, false
		}
		kind = g.sep
	}
	return kind, true
}

// sizes reports whether groups begin with groups of these sizes.
func sizes(groups []group, want ...int) bool {
	if len(groups) < len(want) {
		return false
	}
	for i, n := range want {
		if groups[i].len() != n {
			return false
		}
	}
	return true
}

// alone reports whether the first n groups are joined to no other.
func alone(groups []group, n int) bool { return groups[0].sep == 0 && len(groups) == n }

// apart reports whether the first n groups are not joined to others by the kind
// of separator that is within them.
func apart(groups []group, n int, kind byte) bool {
	return groups[0].sep != kind && (len(groups) == n || groups[n].sep != kind)
}
