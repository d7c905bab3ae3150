package mask

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// errTrailing is said of a document with something behind its value.
var errTrailing = errors.New("more than one value")

// JSON appends the document src to dst with every protected member masked, and
// says how many those were. Bytes outside of masked values stay as they are:
// order, white space, the digits of numbers, repeated members. src must be one
// JSON value in UTF-8 and nothing else, or nothing of it may be used.
//
// A masked member's value becomes a JSON string, whatever it was; null stays
// null, and the token of a number is a number.
func (f *Fields) JSON(dst, src []byte) (out []byte, masked int, err error) {
	w := newWalk(dst, src)
	w.fields = f
	if err := w.document(); err != nil {
		return dst, 0, fmt.Errorf("mask json: %w", err)
	}
	w.copy(len(src))
	return w.dst, w.masked, nil
}

// walk is one pass over a document.
type walk struct {
	fields *Fields  // nil: no member is protected
	texts  *Content // nil: strings are not looked into
	tokens tokenLists
	dec    *jsontext.Decoder
	src    []byte
	dst    []byte
	copied int // bytes of src that are in dst, masked or not: none until something is masked

	path   []string // names down to the current member
	bases  []int    // len(path) at each open object or array
	masked int
}

func newWalk(dst, src []byte) *walk {
	return &walk{
		src: src, dst: dst,
		// Repeated members must not hide: each one is looked at.
		dec: jsontext.NewDecoder(bytes.NewBuffer(src), jsontext.AllowDuplicateNames(true)),
	}
}

// copy appends what stands before at in src and is not in dst yet.
func (w *walk) copy(at int) {
	if w.copied == 0 {
		w.dst = slices.Grow(w.dst, len(w.src))
	}
	w.dst = append(w.dst, w.src[w.copied:at]...)
	w.copied = at
}

// document reads the one value there is, member by member.
func (w *walk) document() error {
	for {
		if err := w.value(); err != nil {
			return err
		}
		if w.dec.StackDepth() == 0 {
			break
		}
	}
	switch _, err := w.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errTrailing
}

// value reads the next token, and in an object the member's name before it.
func (w *walk) value() error {
	if kind, n := w.dec.StackIndex(w.dec.StackDepth()); kind == jsontext.KindBeginObject && n%2 == 0 && w.dec.PeekKind() != jsontext.KindEndObject {
		name, err := w.dec.ReadToken()
		if err != nil {
			return err
		}
		if t := w.member(name.String()); t != nil {
			return w.replace(t)
		}
	}
	if w.texts != nil && w.dec.PeekKind() == jsontext.KindString {
		return w.text()
	}
	if w.texts != nil && w.texts.restores != nil && w.dec.PeekKind() == jsontext.KindNumber {
		return w.number()
	}
	token, err := w.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	switch token.Kind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		w.tokens.begin(w)
		w.bases = append(w.bases, len(w.path))
	case jsontext.KindEndObject, jsontext.KindEndArray:
		w.tokens.end(w)
		last := len(w.bases) - 1
		w.path, w.bases = w.path[:w.bases[last]], w.bases[:last]
	}
	return nil
}

// member makes name the end of the path and finds its transform, or nil.
func (w *walk) member(name string) *Transform {
	w.path = w.path[:w.bases[len(w.bases)-1]]
	w.tokens.named(w, name)
	for part := range strings.SplitSeq(name, ".") {
		w.path = append(w.path, part)
		if t := w.fields.find(w.path); t != nil {
			return t
		}
	}
	return nil
}

// replace reads a member's value and writes its masked form.
func (w *walk) replace(t *Transform) error {
	value, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		return nil
	}
	end := int(w.dec.InputOffset())
	w.copy(end - len(value))
	w.dst = t.appendJSON(w.dst, value)
	w.copied = end
	w.masked++
	return nil
}

// appendJSON appends the masked form of a JSON value. Strings and numbers are
// transformed as text; of anything with more inside nothing is kept.
func (t *Transform) appendJSON(dst []byte, value jsontext.Value) []byte {
	if t.text == nil {
		return append(dst, "null"...)
	}
	plain := []byte(redacted)
	switch value.Kind() {
	case jsontext.KindString:
		text, err := jsontext.AppendUnquote(nil, value)
		if err == nil {
			plain = t.text(nil, text)
		}
	case jsontext.KindNumber:
		if t.number != nil {
			return t.number(dst, value)
		}
		plain = t.text(nil, value)
	}
	quoted, err := jsontext.AppendQuote(dst, plain)
	if err != nil {
		return append(dst, `"`+redacted+`"`...)
	}
	return quoted
}
