package mask

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	stars  = "***"
	maxTLD = 6 // letters; a longer last label is masked as the others are
)

// email keeps the first character of each part of an address and its last
// label: a***@e***.com. What is no address is redacted.
func email(dst, value []byte) []byte {
	at := bytes.IndexByte(value, '@')
	if at <= 0 || !mayBeAddress(value) {
		return redact(dst, value)
	}
	domain := value[at+1:]
	if bytes.IndexByte(domain, '.') < 0 || bytes.IndexByte(domain, '@') >= 0 {
		return redact(dst, value)
	}
	out := first(dst, value[:at])
	for separator, more := byte('@'), true; more; separator = '.' {
		var label []byte
		label, domain, more = bytes.Cut(domain, []byte("."))
		if len(label) == 0 {
			return redact(dst, value)
		}
		out = append(out, separator)
		if !more && isTLD(label) {
			out = append(out, label...)
			continue
		}
		out = first(out, label)
	}
	return out
}

// first appends the first character of part, and stars for whatever follows.
func first(dst, part []byte) []byte {
	_, size := utf8.DecodeRune(part)
	return append(append(dst, part[:size]...), stars...)
}

// mayBeAddress reports whether value holds nothing that an address cannot.
func mayBeAddress(value []byte) bool {
	for i, c := range value {
		switch c {
		case '<', '>', '(', ')', '[', ']', '{', '}', ',', ';', ':', '"', '\\', '/', 0x7f:
			return false
		}
		if c <= ' ' {
			return false
		}
		if c >= utf8.RuneSelf {
			return !bytes.ContainsFunc(value[i:], notInAddress)
		}
	}
	return true
}

func notInAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>()[]{},;:"\/`, r)
}

func isTLD(label []byte) bool {
	if len(label) < 2 || len(label) > maxTLD {
		return false
	}
	return !bytes.ContainsFunc(label, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
}
