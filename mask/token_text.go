package mask

import "unicode/utf8"

// tokenText draws letters for letters, keeping their case, and digits for
// digits. White space, control characters and punctuation stay, unless most of
// the value is punctuation: then that is drawn anew, too. The length stays, in
// characters and in bytes.
//
// It is one-to-one: the classes of the characters stay, and among the values
// with the same classes it is a permutation. Letters of one class have the same
// number in upper and lower case of ASCII, so that a token in lower case is the
// token of the value in lower case.
func (m *material) tokenText(dst, value []byte) []byte {
	d := m.draft()
	defer m.done(d)
	drawn, points := 0, 0
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		i += size
		switch c := m.classOf(r); {
		case c.points:
			points++
		case c.size > 0:
			drawn++
		}
	}
	all := points > drawn
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		i += size
		if c := m.classOf(r); c.size > 0 && (all || !c.points) {
			d.push(c.index(r), c.size)
		}
	}
	m.permute(d)
	next := 0
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		i += size
		if c := m.classOf(r); c.size > 0 && (all || !c.points) {
			r = c.rune(int(d.symbols[next]))
			next++
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// class is a set of characters that may stand for each other. All have the same
// number of bytes in UTF-8.
type class struct {
	base   rune   // the first character
	size   int    // how many there are; 0: the character stays
	points bool   // punctuation
	block  *block // nil: they follow each other
	sort   byte   // those of the block that are in the class
}

// scripts are the larger alphabets whose characters follow each other.
var scripts = []class{
	{base: 'α', size: 17}, {base: 'σ', size: 7}, {base: 'Α', size: 17}, // Greek but the final sigma, which has no capital
	{base: 'а', size: 32}, {base: 'А', size: 32}, // Cyrillic, of which р-я are in another block of 64
	{base: 'ぁ', size: 86}, {base: 'ァ', size: 90}, // kana
	{base: '一', size: 20992}, {base: '가', size: 11172}, // CJK ideographs, Hangul
}

// asciiPoints is the punctuation of ASCII.
const asciiPoints = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// classOf is the class of a character.
func (m *material) classOf(r rune) class {
	switch {
	case r >= 'a' && r <= 'z':
		return class{base: 'a', size: 26}
	case r >= '0' && r <= '9':
		return class{base: '0', size: 10}
	case r >= 'A' && r <= 'Z':
		return class{base: 'A', size: 26}
	case r <= ' ' || r == 0x7f:
		return class{}
	case r < utf8.RuneSelf:
		return class{size: len(asciiPoints), points: true, sort: sortASCII}
	}
	for _, s := range scripts {
		if r >= s.base && int(r-s.base) < s.size {
			return s
		}
	}
	b := m.blockOf(r)
	sort := b.sorts[r%blockSize]
	if sort == sortBlank {
		return class{}
	}
	return class{base: r - r%blockSize, size: b.size[sort], points: sort == sortPoint, block: b, sort: sort}
}

// index is where in its class a character is.
func (c class) index(r rune) int {
	switch {
	case c.sort == sortASCII:
		n := 0
		for asciiPoints[n] != byte(r) {
			n++
		}
		return n
	case c.block == nil:
		return int(r - c.base)
	}
	return int(c.block.index[r-c.base])
}

// rune is the character that index gives n for.
func (c class) rune(n int) rune {
	switch {
	case c.sort == sortASCII:
		return rune(asciiPoints[n])
	case c.block == nil:
		return c.base + rune(n)
	}
	return c.base + rune(c.block.members[c.sort][n])
}
