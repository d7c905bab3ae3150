package mask

// RFC 5321, 4.5.3.1: 64 for the local part and 255 for the domain. Local parts
// that servers made (VERP) are longer than that.
const (
	maxLocal  = 128
	maxDomain = 255
	emailHold = maxLocal + maxDomain + 4
)

// emailMachine finds addresses: a local part of letters, digits and the marks
// that are in use, and a domain of two labels or more. "@" may be spelt %40.
// A longer local part counts with its last maxLocal bytes. A longer domain is
// masked with all that follows without a break.
type emailMachine struct{ start, domain int } // domain 0: asleep

func newEmail() machine { return &emailMachine{} }

func (m *emailMachine) reset() { *m = emailMachine{} }

func (m *emailMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if m.domain > 0 && domainByte(b) {
		if i-m.domain == maxDomain {
			s.commit(m.start)
		}
		return true
	}
	if m.domain > 0 {
		m.finish(s, i)
	}
	if b == '@' {
		m.wake(s, i, i)
	} else if b == '0' && s.at(i-1) == '4' && s.at(i-2) == '%' {
		m.wake(s, i-2, i)
	}
	return m.domain > 0
}

// wake begins a domain after what reads as "@", from position at to last.
func (m *emailMachine) wake(s *scan, at, last int) {
	start := localStart(s, at, maxLocal)
	if start < at {
		m.start, m.domain = start, last+1
	}
}

// localStart is where a local part of most bytes begins that ends at end.
func localStart(s *scan, end, most int) int {
	start := end
	for start > 0 && end-start < most && localByte(s.at(start-1)) {
		start--
	}
	// Marks around an address, as in **bob@example.com**, are not its own.
	for start < end && !isAlnum(s.at(start)) && s.at(start) < 0xc3 && s.at(start) != '_' {
		start++
	}
	return start
}

func (m *emailMachine) finish(s *scan, end int) {
	if end-m.domain > maxDomain {
		s.mark(m.start, end)
	} else if n := domainLen(s.slice(m.domain, end)); n > 0 {
		s.mark(m.start, m.domain+n)
	}
	m.domain = 0
}

func (m *emailMachine) open(s *scan) int {
	if m.domain > 0 {
		return m.start
	}
	return localStart(s, s.end, maxLocal+len("%4"))
}

func (m *emailMachine) close(s *scan) {
	if m.domain > 0 {
		m.finish(s, s.end)
	}
}

// domainLen is the length of the domain at the beginning of text, up to the
// last letters that can end one.
func domainLen(text []byte) int {
	best, dots, label := 0, 0, 0 // label: where the current one begins
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			continue
		}
		if i == label || text[label] == '-' {
			break
		}
		n := label
		for n < i && (isLetter(text[n]) || text[n] >= 0x80) {
			n++
		}
		// An internationalized last label: xn-- and more.
		if i-label > 4 && string(text[label:label+4]) == "xn--" {
			n = i
		}
		if dots > 0 && n-label >= 2 {
			best = n
		}
		label = i + 1
		dots++
	}
	return best
}

func domainByte(b byte) bool { return isAlnum(b) || b == '.' || b == '-' || foreign(b) }

func localByte(b byte) bool {
	switch b {
	case '.', '_', '%', '+', '-', '!', '#', '$', '&', '\'', '*', '^', '~':
		return true
	}
	return isAlnum(b) || foreign(b)
}

// foreign reports whether b can be in the UTF-8 of a letter of an alphabet,
// U+00C0 to U+07FF and U+1000 to U+1FFF. Scripts that put no space between words
// are left out.
func foreign(b byte) bool { return b >= 0x80 && b <= 0xbf || b >= 0xc3 && b <= 0xdf || b == 0xe1 }
