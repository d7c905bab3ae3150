package recorder

import (
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendLine adds the event's line to dst: byte for byte what encoding/json makes
// of it, HTML unescaped. Statements, exchanges and their outcomes, two for each
// round trip of a session, are written by hand.
func appendLine(dst []byte, e *Event) ([]byte, error) {
	year := e.Time.Year()
	if e.Statement == nil && e.Exchange == nil && e.Outcome == nil || e.Open != nil || e.Frame != nil || e.Close != nil || e.Notes != nil || year < 0 || year > 9999 {
		return appendJSON(dst, e)
	}
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, e.Seq, 10)
	dst = append(dst, `,"time":"`...)
	dst = e.Time.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","kind":`...)
	dst = appendString(dst, e.Kind)
	if e.Statement != nil {
		dst = append(dst, `,"statement":`...)
		dst = e.Statement.append(dst)
	}
	if e.Exchange != nil {
		dst = append(dst, `,"exchange":`...)
		dst = e.Exchange.append(dst)
	}
	if e.Outcome != nil {
		dst = append(dst, `,"outcome":`...)
		dst = e.Outcome.append(dst)
	}
	dst = append(dst, `,"totals":{"statements":`...)
	dst = strconv.AppendInt(dst, e.Totals.Statements, 10)
	dst = append(dst, `,"refused":`...)
	dst = strconv.AppendInt(dst, e.Totals.Refused, 10)
	return append(dst, "}}\n"...), nil
}

// appendJSON leaves it to encoding/json.
func appendJSON(dst []byte, e *Event) ([]byte, error) {
	w := (*appender)(&dst)
	encode := json.NewEncoder(w)
	encode.SetEscapeHTML(false)
	err := encode.Encode(e)
	return dst, err
}

// appender is a Writer onto a slice.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

func (s *Statement) append(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, s.ID, 10)
	dst = append(dst, `,"text":`...)
	dst = appendString(dst, s.Text)
	if len(s.Params) > 0 {
		dst = append(dst, `,"params":[`...)
		for i, p := range s.Params {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = p.append(dst)
		}
		dst = append(dst, ']')
	}
	dst = appendTexts(dst, `,"verbs":`, s.Verbs)
	dst = append(dst, `,"action":`...)
	dst = appendString(dst, s.Action)
	dst = appendText(dst, `,"rule":`, s.Rule)
	dst = appendText(dst, `,"message":`, s.Message)
	dst = appendText(dst, `,"detail":`, s.Detail)
	dst = appendTexts(dst, `,"flags":`, s.Flags)
	return append(dst, '}')
}

func (p Param) append(dst []byte) []byte {
	dst = append(dst, '{')
	if p.Text != nil {
		dst = append(dst, `"text":`...)
		dst = appendString(dst, *p.Text)
	}
	if p.Binary != nil {
		if p.Text != nil {
			dst = append(dst, ',')
		}
		dst = append(dst, `"binary":`...)
		dst = appendString(dst, *p.Binary)
	}
	return append(dst, '}')
}

func (x *Exchange) append(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, x.ID, 10)
	dst = append(dst, `,"method":`...)
	dst = appendString(dst, x.Method)
	dst = appendText(dst, `,"host":`, x.Host)
	dst = append(dst, `,"path":`...)
	dst = appendString(dst, x.Path)
	dst = appendText(dst, `,"query":`, x.Query)
	dst = appendText(dst, `,"content_type":`, x.ContentType)
	dst = appendText(dst, `,"body":`, x.Body)
	dst = append(dst, `,"action":`...)
	dst = appendString(dst, x.Action)
	dst = appendText(dst, `,"rule":`, x.Rule)
	dst = appendText(dst, `,"message":`, x.Message)
	dst = appendText(dst, `,"detail":`, x.Detail)
	dst = appendTexts(dst, `,"flags":`, x.Flags)
	if e := x.Estimate; e != nil {
		dst = append(dst, `,"estimate":{"input_tokens":`...)
		dst = strconv.AppendInt(dst, e.InputTokens, 10)
		dst = appendNumber(dst, `,"max_tokens":`, e.MaxTokens)
		dst = appendText(dst, `,"worst_usd":`, e.Worst)
		dst = appendText(dst, `,"expected_usd":`, e.Expected)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

func (u *Usage) append(dst []byte) []byte {
	dst = append(dst, '{')
	if u.Model != "" {
		dst = append(dst, `"model":`...)
		dst = append(appendString(dst, u.Model), ',')
	}
	dst = append(dst, `"input_tokens":`...)
	dst = strconv.AppendInt(dst, u.InputTokens, 10)
	dst = appendNumber(dst, `,"cached_tokens":`, u.CachedTokens)
	dst = append(dst, `,"output_tokens":`...)
	dst = strconv.AppendInt(dst, u.OutputTokens, 10)
	dst = appendText(dst, `,"usd":`, u.USD)
	if u.Estimated {
		dst = append(dst, `,"estimated":true`...)
	}
	return append(dst, '}')
}

func (o *Outcome) append(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, o.ID, 10)
	dst = appendText(dst, `,"tag":`, o.Tag)
	dst = appendText(dst, `,"code":`, o.Code)
	dst = appendText(dst, `,"error":`, o.Error)
	dst = appendNumber(dst, `,"rows":`, o.Rows)
	dst = appendNumber(dst, `,"bytes":`, o.Bytes)
	dst = appendNumber(dst, `,"masked":`, o.Masked)
	dst = appendNumber(dst, `,"duration_ns":`, int64(o.Duration))
	dst = appendText(dst, `,"body":`, o.Body)
	if o.Usage != nil {
		dst = append(dst, `,"usage":`...)
		dst = o.Usage.append(dst)
	}
	dst = appendNumber(dst, `,"sent":`, o.Sent)
	dst = appendText(dst, `,"sent_sha256":`, o.SentSHA256)
	return append(dst, '}')
}

// appendNumber adds a member that is left out when it is zero.
func appendNumber(dst []byte, member string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, member...), n, 10)
}

// appendText adds a member that is left out when it is empty.
func appendText(dst []byte, member, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(append(dst, member...), s)
}

// appendTexts is appendText for a list.
func appendTexts(dst []byte, member string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, member...)
	for i, s := range list {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// appendString adds s as a JSON string, escaped as encoding/json does it.
func appendString(dst []byte, s string) []byte {
	dst = append(slices.Grow(dst, len(s)+2), '"')
	from := 0 // s[from:i] stands as it is
	for i := 0; i < len(s); {
		if i += plain(s[i:]); i == len(s) {
			break
		}
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[from:i]...)
			dst = appendEscape(dst, c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[from:i]...)
			dst = append(dst, `\ufffd`...)
			from = i + size
		case r == '\u2028' || r == '\u2029': // line ends to JavaScript
			dst = append(dst, s[from:i]...)
			dst = append(dst, `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			from = i + size
		}
		i += size
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// plain is how many bytes of ASCII at the beginning of s need no escape. It looks
// at eight at once: a byte below another borrows from its highest bit, and the
// lowest byte that has it is the first.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func plain(s string) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 | uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash := w^'"'*ones, w^'\\'*ones
		if found := (w | (w - ' '*ones) | (quote - ones) | (slash - ones)) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	return i
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
