package mask

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxJWTHeader = 16 << 10 // bytes; servers take no header lines longer than that
	maxDots      = 4        // of an encrypted token
	jwtHold      = maxJWTHeader + 16
)

// jwtMachine finds JSON Web Tokens: a first part that is the base64url of a JSON
// object with an "alg", and more parts behind it; signed (three parts) or
// encrypted (five), cut short or whole. RFC 7519, RFC 7516. A first part that is
// longer than maxJWTHeader is masked.
type jwtMachine struct {
	start int
	awake bool
	dots  int
}

func newJWT() machine { return &jwtMachine{} }

func (m *jwtMachine) reset() { *m = jwtMachine{} }

func (m *jwtMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if !m.awake {
		// {" is eyJ in base64.
		if b != 'J' || s.at(i-1) != 'y' || s.at(i-2) != 'e' || isAlnum(s.at(i-3)) {
			return false
		}
		*m = jwtMachine{start: i - 2, awake: true}
		return true
	}
	switch {
	case b == '.' && m.dots == 0 && i-m.start <= maxJWTHeader && !isJOSE(s.slice(m.start, i)):
		m.awake = false
		return false
	case b == '.' && m.dots < maxDots:
		m.dots++
		return true
	case isAlnum(b) || b == '-' || b == '_':
		if m.dots == 1 || i-m.start == maxJWTHeader {
			s.commit(m.start)
		}
		return true
	}
	m.finish(s, i)
	return false
}

func (m *jwtMachine) finish(s *scan, end int) {
	m.awake = false
	long := end-m.start > maxJWTHeader
	for !long && m.dots > 0 && s.at(end-1) == '.' {
		end--
		m.dots--
	}
	if long || m.dots > 0 {
		s.mark(m.start, end)
	}
}

func (m *jwtMachine) close(s *scan) {
	if m.awake {
		m.finish(s, s.end)
	}
}

func (m *jwtMachine) open(s *scan) int {
	if m.awake {
		return m.start
	}
	if s.at(s.end-1) == 'e' && !isAlnum(s.at(s.end-2)) {
		return s.end - 1
	}
	if s.at(s.end-1) == 'y' && s.at(s.end-2) == 'e' && !isAlnum(s.at(s.end-3)) {
		return s.end - 2
	}
	return s.end
}

// isJOSE reports whether a first part is the header of a token. RFC 7515, 4.1.1.
func isJOSE(part []byte) bool {
	header, err := base64.RawURLEncoding.AppendDecode(nil, part)
	return err == nil && bytes.Contains(header, []byte(`"alg"`)) && jsontext.Value(header).IsValid()
}
