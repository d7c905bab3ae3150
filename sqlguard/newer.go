package sqlguard

import (
	"regexp"
	"strings"
)

// What minor releases have added to the grammar since the parser's. pg_dump of
// PostgreSQL 15.9, 16.5, 17 and later writes of an identity column's sequence whether
// it is logged, where its table is not the same:
//
//	ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s UNLOGGED START WITH 1)
//
// The word changes nothing that is judged: it is blanked out for the parser.

const maxNewer = 64 // words of a text

var (
	newerWord   = regexp.MustCompile(`^(?i:UN)?(?i:LOGGED)\b`)
	beforeNewer = regexp.MustCompile(`(?i)\bIDENTITY\s*\(\s*SEQUENCE\s+NAME\s+` + newerName + `(?:\s*\.\s*` + newerName + `)*\s+$`)
)

const newerName = `(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")`

// beforeLimit is how much of what stands before the word is looked at, in bytes.
const beforeLimit = 1 << 10

// withoutNewer blanks out such a word where the parser stumbled over it: at is
// its place in characters, from 1.
func withoutNewer(text string, at int) (string, bool) {
	from := 0
	for i := range text {
		if at--; at == 0 {
			from = i
			break
		}
	}
	word := newerWord.FindString(text[from:])
	if at != 0 || word == "" || !beforeNewer.MatchString(text[max(0, from-beforeLimit):from]) {
		return "", false
	}
	return text[:from] + strings.Repeat(" ", len(word)) + text[from+len(word):], true
}
