package mask

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// strState says where a string stands.
type strState int8

const (
	strOpen strState = iota
	strEnded
	strBroken // an escape that is none
)

// unescaper undoes the escapes of a string that comes in pieces.
type unescaper struct {
	raw  [6]byte // the escape as far as it was read
	esc  int     // bytes of it
	code rune    // the digits so far
	high rune    // a high surrogate that waits for its other half
}

// write appends the text of p up to the quote that ends the string, and says how
// many bytes of p that were, the quote included. At an escape that is none it
// stops before the byte that can't be; raw then holds what was read.
func (u *unescaper) write(dst, p []byte) ([]byte, int, strState) {
	for i, b := range p {
		switch {
		case u.esc == 0 && b == '"':
			return u.flush(dst), i + 1, strEnded
		case u.esc == 0 && b != '\\':
			dst = append(u.flush(dst), b)
			continue
		case u.esc == 0:
		case u.esc == 1 && b == 'u':
			u.code = 0
		case u.esc == 1:
			plain := strings.IndexByte(`"\/bfnrt`, b)
			if plain < 0 {
				return u.flush(dst), i, strBroken
			}
			dst = append(u.flush(dst), "\"\\/\b\f\n\r\t"[plain])
			u.esc = 0
			continue
		case !isHex(b):
			return u.flush(dst), i, strBroken
		default:
			u.code = u.code<<4 | hexValue(b)
		}
		u.raw[u.esc] = b
		if u.esc++; u.esc == len(u.raw) {
			dst = u.unit(dst)
		}
	}
	return dst, len(p), strOpen
}

// hexValue is the value of a hexadecimal digit.
func hexValue(b byte) rune {
	if isDigit(b) {
		return rune(b - '0')
	}
	return rune(b|0x20-'a') + 10
}

// unit takes one UTF-16 code unit.
func (u *unescaper) unit(dst []byte) []byte {
	u.esc = 0
	if u.high != 0 {
		if r := utf16.DecodeRune(u.high, u.code); r != utf8.RuneError {
			u.high = 0
			return utf8.AppendRune(dst, r)
		}
	}
	dst = u.flush(dst)
	if u.code >= 0xd800 && u.code < 0xdc00 {
		u.high = u.code
		return dst
	}
	return utf8.AppendRune(dst, u.code)
}

// flush appends what stands for half a pair without its other half.
func (u *unescaper) flush(dst []byte) []byte {
	if u.high == 0 {
		return dst
	}
	u.high = 0
	return utf8.AppendRune(dst, utf8.RuneError)
}
