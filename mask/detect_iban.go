package mask

const (
	ibanSlots = 12            // numbers that may be under way at once: one begins after four bytes
	ibanHold  = maxIBAN*4 + 4 // each character with a separator of three bytes
	maxIBAN   = 34
)

// ibanMachine finds IBANs: a country's code, its length, and the checksum modulo
// 97. Single spaces or hyphens between characters don't count. ISO 13616.
type ibanMachine struct {
	slots [ibanSlots]ibanSlot
	n     int
}

type ibanSlot struct {
	start, length int
	text          [maxIBAN]byte // without separators, upper case
	n             int
	end           int // after the last character
}

func newIBAN() machine { return &ibanMachine{} }

func (m *ibanMachine) reset() { m.n = 0 }

func (m *ibanMachine) step(s *scan, i int) bool {
	b := s.at(i)
	kept := 0
	for k := range m.slots[:m.n] {
		if slot := &m.slots[k]; slot.step(s, i, b) {
			m.slots[kept] = *slot
			kept++
		}
	}
	m.n = kept
	if isDigit(b) && isDigit(s.at(i-1)) && isLetter(s.at(i-2)) && isLetter(s.at(i-3)) && !isAlnum(s.at(i-4)) && m.n < ibanSlots {
		length := ibanLengths[[2]byte{s.at(i-3) &^ 0x20, s.at(i-2) &^ 0x20}]
		if length > 0 {
			slot := ibanSlot{start: i - 3, length: length, n: 4, end: i + 1}
			for n, b := range s.slice(i-3, i+1) {
				slot.text[n] = upper(b)
			}
			m.slots[m.n] = slot
			m.n++
		}
	}
	return m.n > 0
}

// step takes a byte, and says whether the number can go on.
func (t *ibanSlot) step(s *scan, i int, b byte) bool {
	switch {
	case t.n == t.length:
		if !isAlnum(b) {
			t.finish(s)
		}
		return false
	case isAlnum(b):
		if i > t.end && separator(s.slice(t.end, i), " -") == 0 {
			return false
		}
		t.text[t.n] = upper(b)
		t.n++
		t.end = i + 1
		return true
	}
	return separatorByte(b) && i-t.end < 3
}

func (t *ibanSlot) finish(s *scan) {
	rest := 0
	for k := range t.length {
		switch b := t.text[(k+4)%t.length]; {
		case isDigit(b):
			rest = (rest*10 + int(b-'0')) % 97
		default:
			rest = (rest*100 + int(b-'A') + 10) % 97
		}
	}
	if rest == 1 {
		s.mark(t.start, t.end)
	}
}

func (m *ibanMachine) close(s *scan) {
	for k := range m.slots[:m.n] {
		if t := &m.slots[k]; t.n == t.length {
			t.finish(s)
		}
	}
	m.n = 0
}

func (m *ibanMachine) open(s *scan) int {
	if m.n > 0 {
		return m.slots[0].start
	}
	// Two letters and a digit, at the end and at the beginning of a word.
	at := s.end
	for n := 1; n <= 3; n++ {
		shape := true
		for k := range n {
			b := s.at(s.end - n + k)
			shape = shape && (k < 2 && isLetter(b) || k == 2 && isDigit(b))
		}
		if shape && !isAlnum(s.at(s.end-n-1)) {
			at = s.end - n
		}
	}
	return at
}

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - 0x20
	}
	return b
}

// ibanLengths are the lengths of the numbers of each country. SWIFT IBAN
// registry, release 99.
var ibanLengths = map[[2]byte]int{
	{'A', 'D'}: 24, {'A', 'E'}: 23, {'A', 'L'}: 28, {'A', 'T'}: 20, {'A', 'Z'}: 28, {'B', 'A'}: 20, {'B', 'E'}: 16,
	{'B', 'G'}: 22, {'B', 'H'}: 22, {'B', 'I'}: 27, {'B', 'R'}: 29, {'B', 'Y'}: 28, {'C', 'H'}: 21, {'C', 'R'}: 22,
	{'C', 'Y'}: 28, {'C', 'Z'}: 24, {'D', 'E'}: 22, {'D', 'J'}: 27, {'D', 'K'}: 18, {'D', 'O'}: 28, {'E', 'E'}: 20,
	{'E', 'G'}: 29, {'E', 'S'}: 24, {'F', 'I'}: 18, {'F', 'K'}: 18, {'F', 'O'}: 18, {'F', 'R'}: 27, {'G', 'B'}: 22,
	{'G', 'E'}: 22, {'G', 'I'}: 23, {'G', 'L'}: 18, {'G', 'R'}: 27, {'G', 'T'}: 28, {'H', 'N'}: 28, {'H', 'R'}: 21,
	{'H', 'U'}: 28, {'I', 'E'}: 22, {'I', 'L'}: 23, {'I', 'Q'}: 23, {'I', 'S'}: 26, {'I', 'T'}: 27, {'J', 'O'}: 30,
	{'K', 'W'}: 30, {'K', 'Z'}: 20, {'L', 'B'}: 28, {'L', 'C'}: 32, {'L', 'I'}: 21, {'L', 'T'}: 20, {'L', 'U'}: 20,
	{'L', 'V'}: 21, {'L', 'Y'}: 25, {'M', 'C'}: 27, {'M', 'D'}: 24, {'M', 'E'}: 22, {'M', 'K'}: 19, {'M', 'N'}: 20,
	{'M', 'R'}: 27, {'M', 'T'}: 31, {'M', 'U'}: 30, {'N', 'I'}: 28, {'N', 'L'}: 18, {'N', 'O'}: 15, {'O', 'M'}: 23,
	{'P', 'K'}: 24, {'P', 'L'}: 28, {'P', 'S'}: 29, {'P', 'T'}: 25, {'Q', 'A'}: 29, {'R', 'O'}: 24, {'R', 'S'}: 22,
	{'R', 'U'}: 33, {'S', 'A'}: 24, {'S', 'C'}: 31, {'S', 'D'}: 18, {'S', 'E'}: 24, {'S', 'I'}: 19, {'S', 'K'}: 24,
	{'S', 'M'}: 27, {'S', 'O'}: 23, {'S', 'T'}: 25, {'S', 'V'}: 28, {'T', 'L'}: 23, {'T', 'N'}: 24, {'T', 'R'}: 26,
	{'U', 'A'}: 29, {'V', 'A'}: 22, {'V', 'G'}: 24, {'X', 'K'}: 20, {'Y', 'E'}: 30,
}
