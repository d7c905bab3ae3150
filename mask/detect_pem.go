package mask

import "bytes"

const (
	maxLabel = 48 // bytes between BEGIN and the dashes behind it
	pemHold  = maxLabel + 24
)

const (
	dashes   = "-----"
	pemBegin = "BEGIN "
)

// pemMachine finds private keys: from the line -----BEGIN ... PRIVATE KEY----- to
// its END, or else to the end of the text. RFC 7468; OpenPGP's armour is alike.
// It doesn't matter how line ends are written.
type pemMachine struct {
	state pemState
	start int // of the dashes
	label int // of what is behind BEGIN
}

type pemState int8

const (
	pemNothing pemState = iota
	pemDashes           // some dashes
	pemWord             // in BEGIN
	pemLabel            // behind BEGIN
	pemBody
)

func newPEM() machine { return &pemMachine{} }

func (m *pemMachine) reset() { *m = pemMachine{} }

func (m *pemMachine) step(s *scan, i int) bool {
	b := s.at(i)
	switch m.state {
	case pemDashes:
		switch {
		case b == '-':
			m.start = max(m.start, i+1-len(dashes))
		case b == 'B' && i-m.start == len(dashes):
			m.state, m.label = pemWord, i+len(pemBegin)
		default:
			m.state = pemNothing
		}
	case pemWord:
		switch {
		case b != pemBegin[len(pemBegin)-(m.label-i)]:
			m.again(b, i)
		case i+1 == m.label:
			m.state = pemLabel
		}
	case pemLabel:
		switch {
		case b >= 'A' && b <= 'Z' || b == ' ' || isDigit(b):
			if i-m.label >= maxLabel {
				m.state = pemNothing
			}
		case b == '-' && isPrivate(s.slice(m.label, i)):
			m.state = pemBody
			s.commit(m.start)
		default:
			m.again(b, i)
		}
	case pemBody:
		if b == '-' && m.ends(s, i) {
			s.mark(m.start, i+1)
			m.state = pemNothing
		}
	default:
		m.again(b, i)
	}
	return m.state != pemNothing
}

// again looks whether the byte that went wrong begins something new.
func (m *pemMachine) again(b byte, i int) {
	m.state = pemNothing
	if b == '-' {
		m.state, m.start = pemDashes, i
	}
}

// ends reports whether the dash at i is the last one of a block.
func (m *pemMachine) ends(s *scan, i int) bool {
	line, ok := bytes.CutSuffix(s.slice(max(m.label, i+1-maxLabel-24), i+1), []byte(dashes))
	if !ok {
		return false
	}
	at := bytes.LastIndex(line, []byte("END "))
	return at >= 0 && isPrivate(line[at+len("END "):])
}

// isPrivate reports whether a label is that of a private key.
func isPrivate(label []byte) bool {
	return bytes.HasSuffix(label, []byte("PRIVATE KEY")) || bytes.HasSuffix(label, []byte("PRIVATE KEY BLOCK"))
}

func (m *pemMachine) open(s *scan) int {
	if m.state == pemNothing {
		return s.end
	}
	return m.start
}

func (m *pemMachine) close(s *scan) {
	if m.state == pemBody {
		s.mark(m.start, s.end)
	}
	m.state = pemNothing
}
