package mask

import "bytes"

const (
	maxIP  = 45 // bytes of ::ffff:255.255.255.255 in full
	ipHold = maxIP + 4
)

// ipMachine finds addresses: 10.0.0.1, and IPv6 in any form of RFC 4291, 2.2.
// Of an IPv6 address at least one character is a digit, so that a::b stays.
// Zones, prefix lengths and ports are no part of it.
type ipMachine struct {
	start  int
	awake  bool
	colons bool // IPv6
}

func newIP() machine { return &ipMachine{} }

func (m *ipMachine) reset() { *m = ipMachine{} }

func (m *ipMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if m.awake {
		if isDigit(b) || b == '.' || m.colons && (isHex(b) || b == ':') {
			return true
		}
		m.finish(s, i, b)
	}
	if b == '.' || b == ':' {
		start := ipStart(s, i, b == ':')
		if start >= 0 && (b == ':' || start < i) {
			m.start, m.awake, m.colons = start, true, b == ':'
		}
	}
	return m.awake
}

// ipStart is where an address begins whose first part ends at end; -1 if none
// can.
func ipStart(s *scan, end int, colons bool) int {
	start, most := end, 3
	if colons {
		most = 4
	}
	for end-start < most && (isDigit(s.at(start-1)) || colons && isHex(s.at(start-1))) {
		start--
	}
	if b := s.at(start - 1); isAlnum(b) || b == '_' || b == '.' || colons && b == ':' {
		return -1
	}
	return start
}

func (m *ipMachine) finish(s *scan, end int, next byte) {
	m.awake = false
	text := s.slice(m.start, end)
	if end-m.start > maxIP+2 || isLetter(next) || next == '_' {
		return
	}
	for len(text) > 0 && (text[len(text)-1] == '.' || text[len(text)-1] == ':' && !endsIn(text, "::")) {
		text = text[:len(text)-1]
	}
	switch colon := bytes.LastIndexByte(text, ':') + 1; {
	case m.colons && isIPv6(text):
		s.mark(m.start, m.start+len(text))
	case isIPv4(text[colon:]): // behind a name or a line's number
		s.mark(m.start+colon, m.start+len(text))
	}
}

func endsIn(text []byte, tail string) bool {
	return len(text) >= len(tail) && string(text[len(text)-len(tail):]) == tail
}

func (m *ipMachine) open(s *scan) int {
	if m.awake {
		if s.end-m.start > maxIP+2 {
			return s.end
		}
		return m.start
	}
	at := s.end
	for _, colons := range []bool{true, false} {
		if start := ipStart(s, s.end, colons); start >= 0 {
			at = min(at, start)
		}
	}
	return at
}

func (m *ipMachine) close(s *scan) {
	if m.awake {
		m.finish(s, s.end, 0)
	}
}

func isIPv4(text []byte) bool {
	parts, value, digits := 1, 0, 0
	for _, b := range text {
		if b == '.' {
			if digits == 0 {
				return false
			}
			parts, value, digits = parts+1, 0, 0
			continue
		}
		value, digits = value*10+int(b-'0'), digits+1
		if !isDigit(b) || digits > 3 || value > 255 {
			return false
		}
	}
	return parts == 4 && digits > 0
}

func isIPv6(text []byte) bool {
	parts, digits, gap, decimal := 0, 0, false, false
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b == '.':
			if !isIPv4(text[i-digits:]) {
				return false
			}
			return decimal && (parts+2 == 8 || gap && parts+2 < 8)
		case b != ':':
			decimal = decimal || isDigit(b)
			if digits++; digits > 4 {
				return false
			}
		case i+1 < len(text) && text[i+1] == ':':
			if gap {
				return false
			}
			gap = true
			if digits > 0 {
				parts++
			}
			digits = 0
			i++
		case digits == 0:
			return false
		default:
			parts, digits = parts+1, 0
		}
	}
	if digits > 0 {
		parts++
	}
	return decimal && (parts == 8 && !gap || gap && parts < 8)
}
