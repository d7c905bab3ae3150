package mask

import (
	"sync/atomic"
	"unicode"
)

// blockSize is the number of characters in a block: those of one have the same
// number of bytes in UTF-8, and there are no surrogates among them.
const blockSize = 64

// block says of 64 characters that follow each other which can stand for which.
type block struct {
	sorts   [blockSize]byte // of each character
	index   [blockSize]byte // where it is among those of its sort
	members [sorts][blockSize]byte
	size    [sorts]int // how many members
}

// blocks are those met so far, by number. Made when first met: finding out is
// slow, and there are few in any text.
type blocks [(unicode.MaxRune + 1) / blockSize]atomic.Pointer[block]

// The sorts of characters that are told apart outside of ASCII and scripts.
// The tables are those of Go: a character that Unicode adds becomes another
// sort, and tokens with it, when the gateway is built by a newer Go.
const (
	sortASCII = iota + 1 // punctuation of ASCII
	sortBlank            // white space, control and format characters
	sortPoint
	sortUpper
	sortLower
	sortLetter
	sortDigit
	sortRest   // marks, symbols, and what has no meaning yet
	sortScript // those of scripts: a class of their own
	sorts
)

// blockOf is the block the character is in.
func (m *material) blockOf(r rune) *block {
	at := &m.blocks[r/blockSize]
	if b := at.Load(); b != nil {
		return b
	}
	b := &block{}
	for i := range rune(blockSize) {
		sort := sortOf(r - r%blockSize + i)
		b.sorts[i] = sort
		b.index[i] = byte(b.size[sort])
		b.members[sort][b.size[sort]] = byte(i)
		b.size[sort]++
	}
	at.Store(b)
	return b
}

func sortOf(r rune) byte {
	for _, s := range scripts {
		if r >= s.base && int(r-s.base) < s.size {
			return sortScript
		}
	}
	switch {
	case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		return sortBlank
	case unicode.IsPunct(r):
		return sortPoint
	case unicode.IsUpper(r):
		return sortUpper
	case unicode.IsLower(r):
		return sortLower
	case unicode.IsLetter(r):
		return sortLetter
	case unicode.IsDigit(r):
		return sortDigit
	}
	return sortRest
}
