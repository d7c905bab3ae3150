package httpguard

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// askUsage makes a streaming call say at its end what it used: OpenAI does so
// only when asked. It changes nothing else of the body, and reports whether it
// had to ask.
func askUsage(body []byte) ([]byte, bool) {
	start, object, ok := member(body, "stream_options")
	if !ok {
		return body, false
	}
	if object == nil { // no such member: ours becomes the first
		return patch(body, start, start, `"stream_options":{"include_usage":true}`+comma(body[start:])), true
	}
	if bytes.Equal(object, []byte("null")) {
		return patch(body, start, start+len(object), `{"include_usage":true}`), true
	}
	at, value, ok := member(object, "include_usage")
	switch {
	case !ok || bytes.Equal(value, []byte("true")):
		return body, false
	case value != nil:
		return patch(body, start+at, start+at+len(value), "true"), true
	}
	return patch(body, start+at, start+at, `"include_usage":true`+comma(object[at:])), true
}

// comma stands before the members that follow, if any do.
func comma(rest []byte) string {
	if rest = bytes.TrimSpace(rest); len(rest) > 0 && rest[0] == '}' {
		return ""
	}
	return ","
}

func patch(body []byte, from, to int, text string) []byte {
	out := make([]byte, 0, len(body)+len(text))
	out = append(out, body[:from]...)
	out = append(out, text...)
	return append(out, body[to:]...)
}

// member finds a member of the JSON object in text: where its value begins, and
// the value; or else, with no value, where the first member would.
func member(text []byte, name string) (at int, value []byte, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if open, err := dec.ReadToken(); err != nil || open.Kind() != jsontext.KindBeginObject {
		return 0, nil, false
	}
	first := int(dec.InputOffset())
	for dec.PeekKind() == jsontext.KindString {
		key, err := dec.ReadToken()
		if err != nil {
			return 0, nil, false
		}
		found := key.String() == name
		v, err := dec.ReadValue()
		if err != nil {
			return 0, nil, false
		}
		if found {
			end := int(dec.InputOffset())
			return end - len(v), bytes.Clone(v), true
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return 0, nil, false
	}
	return first, nil, true
}

// isUsageChunk reports whether the chunk of a stream is the one that was asked
// for: the usage, and no choice.
func isUsageChunk(a *reply) bool {
	return a.Usage != nil && a.Choices != nil && len(*a.Choices) == 0
}

// setUsage is the same change to the parsed body, which rules read.
func setUsage(body any) {
	m := object(body)
	if m == nil {
		return
	}
	options := object(m["stream_options"])
	if options == nil {
		options = map[string]any{}
	}
	options["include_usage"] = true
	m["stream_options"] = options
}

// looking finds the members of a JSON body that say what was used, as the body
// passes. It keeps nothing but their values.
type looking struct {
	meter *meter

	depth, base    int // base is the depth of the members that count: 1, or 2 in a list
	quoted, escape bool
	expectKey      bool
	inKey          bool
	key            []byte
	capture        []byte
	capturing      bool
	most           int // bytes of the value that are kept
}

// maxMember is how many bytes the value of such a member may have.
const maxMember = 64 << 10

// members are those of an answer that count.
var members = map[string]bool{
	"usage": true, "usageMetadata": true, "model": true, "modelVersion": true, "service_tier": true,
	"prompt_eval_count": true, "eval_count": true,
}

// long are those in which the uses of tools stand: they are kept only where a
// tool was offered that is paid by the use.
var long = map[string]bool{"output": true, "candidates": true}

// maxLong is how many bytes one of these may have; in a longer one nothing is
// counted, and the cost is unknown.
const maxLong = 4 << 20

// feed looks at the next bytes.
func (l *looking) feed(p []byte) {
	for i := 0; i < len(p); i++ {
		if l.quoted && !l.inKey && !l.capturing && !l.escape {
			// Within a string that nobody keeps.
			n := bytes.IndexByte(p[i:], '"')
			if n < 0 {
				n = len(p) - i
			}
			if escape := bytes.IndexByte(p[i:i+n], '\\'); escape >= 0 {
				n = escape
			}
			if i += n; i == len(p) {
				return
			}
		}
		l.step(p[i])
	}
}

func (l *looking) step(b byte) {
	if l.quoted {
		l.keep(b)
		switch {
		case l.escape:
			l.escape = false
		case b == '\\':
			l.escape = true
		case b == '"':
			l.quoted, l.inKey = false, false
			return
		}
		if l.inKey && len(l.key) < 64 {
			l.key = append(l.key, b)
		}
		return
	}
	switch b {
	case '"':
		l.quoted = true
		if l.depth == l.base && l.expectKey {
			l.inKey, l.expectKey, l.key = true, false, l.key[:0]
		}
	case '{', '[':
		if l.depth == 0 {
			l.base = 1
			if b == '[' {
				l.base = 2
			}
		}
		l.depth++
		if l.depth == l.base {
			l.expectKey = b == '{'
			return
		}
	case '}', ']':
		if l.depth == l.base {
			l.end()
		}
		l.depth--
	case ',':
		if l.depth == l.base {
			l.end()
			l.expectKey = true
			return
		}
	case ':':
		if l.depth == l.base && !l.capturing {
			l.most = maxMember
			l.capturing, l.capture = members[string(l.key)], l.capture[:0]
			if long[string(l.key)] && len(l.meter.call.uses) > 0 {
				l.most, l.capturing = maxLong, true
			}
			return
		}
	}
	l.keep(b)
}

func (l *looking) keep(b byte) {
	if l.capturing && len(l.capture) <= l.most {
		l.capture = append(l.capture, b)
	}
}

// end takes the value that has ended.
func (l *looking) end() {
	if !l.capturing {
		return
	}
	l.capturing = false
	value := bytes.TrimSpace(l.capture)
	if len(l.capture) > l.most || !json.Valid(value) {
		l.meter.used.unpriced = l.meter.used.unpriced || l.most == maxLong
		return
	}
	text := append(append(append([]byte(`{"`), l.key...), `":`...), value...)
	l.meter.used.take(parseReply(append(text, '}')))
}
