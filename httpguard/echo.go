package httpguard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// minPlain is how many bytes a secret must have to be searched for. A
	// shorter one is in every text.
	minPlain = 4
	// minEncoded is the same for the part of a Base64 text that is the secret's
	// alone.
	minEncoded = 8
)

// echo finds the secrets that were injected in what comes back, in every
// writing a server may have for them: as they are, in Base64 wherever they stand
// in the encoded text, escaped for an address, in hex, and in JSON. Each byte of
// a finding becomes an asterisk, so that lengths stay what they are.
//
// It is the search of Wu and Manber: the block of two bytes at the end of a
// window says how far the window can move.
type echo struct {
	forms   [][]byte // the longest first
	longest int      // bytes
	window  int      // bytes of the shortest form
	shift   [1 << 12]uint16
}

// newEcho searches for the secrets; nil when there is nothing to search for.
func newEcho(secrets ...string) *echo {
	e := &echo{}
	for _, s := range secrets {
		for _, form := range formsOf(s) {
			if !slices.ContainsFunc(e.forms, func(f []byte) bool { return string(f) == form }) {
				e.forms = append(e.forms, []byte(form))
			}
		}
	}
	if len(e.forms) == 0 {
		return nil
	}
	slices.SortStableFunc(e.forms, func(a, b []byte) int { return len(b) - len(a) })
	e.longest = len(e.forms[0])
	e.window = len(e.forms[len(e.forms)-1])
	for i := range e.shift {
		e.shift[i] = uint16(min(e.window-1, 1<<16-1))
	}
	for _, f := range e.forms {
		for i := 1; i < e.window; i++ {
			b := block(f[i-1], f[i])
			e.shift[b] = min(e.shift[b], uint16(min(e.window-1-i, 1<<16-1)))
		}
	}
	return e
}

// remembered is the search for the secrets that a target's last exchange had.
type remembered struct {
	sum  [sha256.Size]byte
	echo *echo
}

// echoOf is newEcho, made once as long as the secrets stay the same.
func (t *target) echoOf(secrets ...string) *echo {
	sum := sha256.Sum256([]byte(strings.Join(secrets, "\x00")))
	if last := t.lastEcho.Load(); last != nil && last.sum == sum {
		return last.echo
	}
	made := &remembered{sum, newEcho(secrets...)}
	t.lastEcho.Store(made)
	return made.echo
}

func block(a, b byte) uint16 { return (uint16(a)<<5 ^ uint16(b)) & (1<<12 - 1) }

// formsOf lists the writings of a secret.
func formsOf(s string) []string {
	if len(s) < minPlain {
		return nil
	}
	upper, lower := strings.Builder{}, strings.Builder{}
	for i := range len(s) {
		const digits = "0123456789ABCDEF"
		upper.Write([]byte{digits[s[i]>>4], digits[s[i]&15]})
	}
	lower.WriteString(strings.ToLower(upper.String()))
	all := []string{s, upper.String(), lower.String()}
	for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s), awsEscape(s), strings.ReplaceAll(url.QueryEscape(s), "+", "%20")} {
		all = append(all, escaped, lowerEscapes(escaped))
	}
	for _, quote := range []func(string) string{jsonPlain, jsonHTML} {
		q := quote(s)
		all = append(all, q, strings.ReplaceAll(q, "/", `\/`))
		if again := quote(q); again != s {
			all = append(all, again) // JSON within JSON
		}
	}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := alphabet.EncodeToString(append(make([]byte, before), s...))
			from, to := (8*before+5)/6, 8*(before+len(s))/6
			if to-from >= minEncoded {
				all = append(all, text[from:to], url.QueryEscape(text[from:to]), strings.ReplaceAll(text[from:to], "/", `\/`))
			}
		}
	}
	return all
}

// lowerEscapes writes the digits of %XX small.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

func jsonPlain(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return s
	}
	return strings.Trim(strings.TrimSuffix(b.String(), "\n"), `"`)
}

func jsonHTML(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(b), `"`), `"`)
}

// hide writes asterisks over every secret in text, and gives how many bytes from
// its start are settled: what is left may be the beginning of a secret whose end
// is still to come. At the end of a stream everything is settled.
func (e *echo) hide(text []byte, end bool) (settled, found int) {
	for at := e.window - 1; at < len(text); {
		if skip := e.shift[block(text[at-1], text[at])]; skip > 0 {
			at += int(skip)
			continue
		}
		start := at - e.window + 1
		n, partial := e.match(text[start:])
		switch {
		case partial && !end:
			return start, found
		case n > 0:
			for i := start; i < start+n; i++ {
				text[i] = '*'
			}
			found++
			at = start + n + e.window - 1
		default:
			at++
		}
	}
	if end {
		return len(text), found
	}
	for at := max(0, len(text)-e.longest+1); at < len(text); at++ {
		if _, partial := e.match(text[at:]); partial {
			return at, found
		}
	}
	return len(text), found
}

// match gives the length of the longest form that text begins with, and whether
// text is the beginning of a longer one.
func (e *echo) match(text []byte) (n int, partial bool) {
	for _, f := range e.forms {
		switch {
		case f[0] != text[0]:
		case len(f) > len(text):
			partial = partial || bytes.HasPrefix(f, text)
		case bytes.HasPrefix(text, f):
			return len(f), partial
		}
	}
	return 0, partial
}

// text hides the secrets in a whole text.
func (e *echo) text(s string) string {
	if e == nil || len(s) < e.window {
		return s
	}
	b := []byte(s)
	if _, found := e.hide(b, true); found == 0 {
		return s
	}
	return string(b)
}

// header hides the secrets in every value.
func (e *echo) header(h http.Header) {
	if e == nil {
		return
	}
	for name, values := range h {
		if clean := e.text(name); clean != name {
			delete(h, name)
			continue
		}
		for i, v := range values {
			values[i] = e.text(v)
		}
	}
}
