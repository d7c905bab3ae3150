package mask

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// JSON appends the document src to dst with all that is protected in it masked,
// and says how many values those were. Bytes outside of masked values stay as
// they are. src must be one JSON value in UTF-8 and nothing else, or nothing of
// it may be used.
//
// Where anything was masked, lists of logprobs are emptied: they repeat the text
// token by token. Where nothing was and dst is nil, out is src itself.
func (c *Content) JSON(dst, src []byte) (out []byte, masked int, err error) {
	w := newWalk(dst, src)
	w.fields, w.texts = c.fields, c
	if err := w.document(); err != nil {
		return dst, 0, fmt.Errorf("mask json: %w", err)
	}
	if dst == nil && w.masked == 0 {
		return src, 0, nil
	}
	w.copy(len(src))
	out = w.dst
	if w.masked > 0 && c.restores == nil {
		out = w.tokens.cut(out)
	}
	return out, w.masked, nil
}

// text reads a string and writes its masked form.
func (w *walk) text() error {
	value, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if sealed(w.context(), value) {
		return nil
	}
	plain := []byte(value[1 : len(value)-1])
	if bytes.IndexByte(plain, '\\') >= 0 {
		if plain, err = jsontext.AppendUnquote(nil, value); err != nil {
			return err
		}
	}
	masked, n := w.texts.text(nil, plain, w.context(), 0)
	if n == 0 {
		return nil
	}
	end := int(w.dec.InputOffset())
	w.copy(end - len(value))
	w.dst = appendString(w.dst, masked)
	w.copied = end
	w.masked += n
	return nil
}

// context is the name of the member that is read, "" outside of objects.
func (w *walk) context() string {
	if len(w.path) == 0 {
		return ""
	}
	return w.path[len(w.path)-1]
}

// tokenLists notes where a document repeats its text token by token.
type tokenLists struct {
	next  bool // the member whose value comes is one
	depth int  // of the list that is open; 0: none
	found []tokenList
}

// tokenList is a part of what was written.
type tokenList struct {
	start, end int
	empty      string // what stands for it
}

// isTokens reports whether the member repeats text token by token.
func isTokens(name string) bool { return name == "logprobs" || name == "logprobsResult" }

func (t *tokenLists) named(w *walk, name string) {
	t.next = w.texts != nil && t.depth == 0 && isTokens(name)
}

func (t *tokenLists) begin(w *walk) {
	if !t.next {
		return
	}
	t.next, t.depth = false, w.dec.StackDepth()
	at := int(w.dec.InputOffset()) - 1
	w.copy(at)
	empty := "null"
	if w.src[at] == '[' {
		empty = "[]"
	}
	t.found = append(t.found, tokenList{start: len(w.dst), empty: empty})
}

func (t *tokenLists) end(w *walk) {
	if t.depth == 0 || w.dec.StackDepth() != t.depth-1 {
		return
	}
	t.depth = 0
	at := int(w.dec.InputOffset())
	w.copy(at)
	t.found[len(t.found)-1].end = len(w.dst)
}

// cut puts the empty forms where the lists are.
func (t *tokenLists) cut(out []byte) []byte {
	for i := len(t.found) - 1; i >= 0; i-- {
		l := t.found[i]
		out = append(out[:l.start], append([]byte(l.empty), out[l.end:]...)...)
	}
	return out
}

// opaque are members whose text means something to a machine alone: signatures,
// ciphers, encoded sound and pictures.
var opaque = map[string]bool{
	"signature": true, "thoughtSignature": true, "thought_signature": true, "encrypted_content": true, "encrypted_index": true,
	"b64_json": true, "partial_image_b64": true, "obfuscation": true,
}

// sealed reports whether a string, in quotes, is the value of such a member and
// looks like one.
func sealed(name string, quoted []byte) bool {
	return opaque[name] && (len(quoted) >= 34 || name == "obfuscation") && isBase64(quoted)
}

// isBase64 reports whether a string, in quotes, has only what encoded bytes have.
func isBase64(quoted []byte) bool {
	for _, b := range quoted[1 : len(quoted)-1] {
		if !isEncoded(b) {
			return false
		}
	}
	return true
}

func isEncoded(b byte) bool {
	return isAlnum(b) || b == '+' || b == '/' || b == '=' || b == '-' || b == '_'
}
