package sqlguard

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"sallyport/policy"
)

const (
	maxText         = 16 << 20 // bytes of one text, whatever a target says
	parsedText      = 1 << 20  // bytes of one that is parsed where a target says nothing
	maxCommentDepth = 32       // the parser is quadratic in it, and cannot be interrupted
)

// prelex refuses the texts that the parser must not be given.
func prelex(text string) *policy.Refusal {
	switch {
	case len(text) > maxText:
		return &policy.Refusal{
			Kind: policy.TooLarge, Public: fmt.Sprintf("statement is longer than %d bytes", maxText),
			Hint: "send it in parts, or use COPY for bulk data",
		}
	case strings.IndexByte(text, 0) >= 0:
		return &policy.Refusal{Kind: policy.Unparsed, Public: "statement holds a zero byte"}
	case !utf8.ValidString(text):
		return &policy.Refusal{
			Kind: policy.Unparsed, Public: "statement is not valid UTF-8",
			Hint: "the gateway reads statements as UTF-8",
		}
	case strings.Count(text, "/*") > maxCommentDepth && commentDepth(text) > maxCommentDepth:
		return &policy.Refusal{
			Kind: policy.TooComplex, Public: tooComplex,
			Detail: "comments are nested too deeply",
		}
	}
	return nil
}

const tooComplex = "statement is too complex to be judged"

// commentDepth is the deepest nesting of block comments in text, as
// PostgreSQL's scanner sees it under standard_conforming_strings = on
// (sql-syntax-lexical.html). It stops counting just above the limit.
func commentDepth(text string) int {
	deepest := 0
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case strings.HasPrefix(rest, "--"):
			i += lineEnd(rest)
		case strings.HasPrefix(rest, "/*"):
			n, depth := blockComment(rest)
			i, deepest = i+n, max(deepest, depth)
			if deepest > maxCommentDepth {
				return deepest
			}
		case c == '\'':
			i += quoted(rest, false)
		case c == '"':
			i += closing(rest, '"')
		case c == '$':
			i += dollarQuoted(rest)
		case identStart(c):
			n := 1
			for n < len(rest) && identPart(rest[n]) {
				n++
			}
			if n == 1 && (c == 'e' || c == 'E') && len(rest) > 1 && rest[1] == '\'' {
				n += quoted(rest[1:], true)
			}
			i += n
		default:
			i++
		}
	}
	return deepest
}

func identStart(c byte) bool {
	return c == '_' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func identPart(c byte) bool { return identStart(c) || c == '$' || c >= '0' && c <= '9' }

func lineEnd(s string) int {
	if n := strings.IndexAny(s, "\r\n"); n >= 0 {
		return n
	}
	return len(s)
}

// blockComment gives the length and depth of the comment s begins with.
func blockComment(s string) (n, deepest int) {
	depth := 0
	for n < len(s) {
		switch {
		case strings.HasPrefix(s[n:], "/*"):
			depth++
			deepest = max(deepest, depth)
			n += 2
		case strings.HasPrefix(s[n:], "*/"):
			depth--
			n += 2
		default:
			n++
		}
		if depth == 0 || deepest > maxCommentDepth {
			return n, deepest
		}
	}
	return n, deepest
}

// closing gives the length of s up to its closing quote; a doubled quote reads
// as two strings side by side, which is as good here.
func closing(s string, quote byte) int {
	if n := strings.IndexByte(s[1:], quote); n >= 0 {
		return n + 2
	}
	return len(s)
}

// quoted gives the length of the string s begins with. With escapes it also
// follows the string over line breaks, where it goes on as an escape string.
func quoted(s string, escapes bool) int {
	if !escapes {
		return closing(s, '\'')
	}
	for n := 1; n < len(s); n++ {
		switch s[n] {
		case '\\':
			n++
		case '\'':
			if n+1 < len(s) && s[n+1] == '\'' {
				n++
				continue
			}
			more := continued(s[n+1:])
			if more == 0 {
				return n + 1
			}
			n += more
		}
	}
	return len(s)
}

// continued gives the length of the white space with a line break, and of the
// quote after it, that continue a string; 0 when the string has ended.
func continued(s string) int {
	newline := false
	for n := 0; n < len(s); n++ {
		switch c := s[n]; {
		case c == '\n' || c == '\r':
			newline = true
		case c == ' ' || c == '\t' || c == '\f' || c == '\v':
		case strings.HasPrefix(s[n:], "--"):
			n += lineEnd(s[n:]) - 1
		case c == '\'' && newline:
			return n + 1
		default:
			return 0
		}
	}
	return 0
}

// dollarQuoted gives the length of the dollar-quoted string s begins with, or 1.
func dollarQuoted(s string) int {
	n := 1
	for n < len(s) && s[n] != '$' && identPart(s[n]) && (n > 1 || identStart(s[n])) {
		n++
	}
	if n == len(s) || s[n] != '$' {
		return 1
	}
	tag := s[:n+1]
	if end := strings.Index(s[n+1:], tag); end >= 0 {
		return n + 1 + end + len(tag)
	}
	return len(s)
}
