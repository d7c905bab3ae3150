package mask

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// event is the JSON of one event of a stream, and what is to be changed in it.
type event struct {
	src   []byte
	nodes []node
	edits []edit
	names map[string]string // of members, each kept once
	full  bool              // lists of tokens stay
	in    bytes.Buffer
	dec   *jsontext.Decoder
}

const (
	maxNodes = 1 << 18 // values in one event
	maxNames = 1 << 10 // that are remembered
)

// errNodes is said of an event with more of them.
var errNodes = errors.New("too many values")

// node is a value of the document. Nodes are known by their place in the list;
// the root is 0.
type node struct {
	kind        jsontext.Kind
	start, end  int // in src
	name        string
	first, next int  // child and sibling; 0: none
	last        int  // after the last node that is in it
	done        bool // it and what is in it need no more masking
}

// edit replaces src[start:end].
type edit struct {
	start, end int
	text       []byte
}

// parse reads a document. A member that is there twice makes it unreadable: the
// client may take the other one.
func (e *event) parse(src []byte) error {
	e.src, e.nodes, e.edits = src, e.nodes[:0], e.edits[:0]
	if cap(e.nodes) > maxNodes/16 {
		e.nodes = nil
	}
	if len(e.names) > maxNames || e.names == nil {
		e.names = map[string]string{}
	}
	e.in = *bytes.NewBuffer(src)
	if e.dec == nil {
		e.dec = jsontext.NewDecoder(&e.in)
	} else {
		e.dec.Reset(&e.in)
	}
	dec := e.dec
	if err := e.read(dec, ""); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read event: %w", err)
	}
	switch _, err := dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("read event: %w", err)
	}
	return fmt.Errorf("read event: %w", errTrailing)
}

// read reads a value and all that is in it. The decoder bounds the depth.
func (e *event) read(dec *jsontext.Decoder, name string) error {
	kind, at := dec.PeekKind(), len(e.nodes)
	if at == maxNodes {
		return errNodes
	}
	e.nodes = append(e.nodes, node{kind: kind, name: name})
	if kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		e.nodes[at].end = int(dec.InputOffset())
		e.nodes[at].start, e.nodes[at].last = e.nodes[at].end-len(value), at+1
		return nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	e.nodes[at].start = int(dec.InputOffset()) - 1
	last := 0
	for k := dec.PeekKind(); k != jsontext.KindEndObject && k != jsontext.KindEndArray; k = dec.PeekKind() {
		member := ""
		if kind == jsontext.KindBeginObject {
			quoted, err := dec.ReadValue()
			if err != nil {
				return err
			}
			if member, err = e.name(quoted); err != nil {
				return err
			}
		}
		child := len(e.nodes)
		if err := e.read(dec, member); err != nil {
			return err
		}
		if last == 0 {
			e.nodes[at].first = child
		} else {
			e.nodes[last].next = child
		}
		last = child
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	e.nodes[at].end, e.nodes[at].last = int(dec.InputOffset()), len(e.nodes)
	return nil
}

// name is the name of a member that is written so.
func (e *event) name(quoted jsontext.Value) (string, error) {
	plain := []byte(quoted[1 : len(quoted)-1])
	if bytes.IndexByte(plain, '\\') >= 0 {
		var err error
		if plain, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return "", err
		}
	}
	name, ok := e.names[string(plain)]
	if !ok {
		name = string(plain)
		e.names[name] = name
	}
	return name, nil
}

// none is no node.
const none = -1

// get is the member of that name, or none.
func (e *event) get(n int, names ...string) int {
	for _, name := range names {
		if n == none || e.nodes[n].kind != jsontext.KindBeginObject {
			return none
		}
		child := e.nodes[n].first
		for child != 0 && e.nodes[child].name != name {
			child = e.nodes[child].next
		}
		if n = child; child == 0 {
			return none
		}
	}
	return n
}

// children are the elements of an array or the values of an object.
func (e *event) children(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		if n == none {
			return
		}
		for c := e.nodes[n].first; c != 0; c = e.nodes[c].next {
			if !yield(c) {
				return
			}
		}
	}
}

// is reports whether there is a node of this kind that still needs masking.
func (e *event) is(n int, kind jsontext.Kind) bool {
	return n != none && e.nodes[n].kind == kind && !e.nodes[n].done
}

// raw is the value as it is written; nothing for none.
func (e *event) raw(n int) []byte {
	if n == none {
		return nil
	}
	return e.src[e.nodes[n].start:e.nodes[n].end]
}

// text is a string without quotes and escapes; nothing for what is no string.
func (e *event) text(n int) []byte {
	if n == none || e.nodes[n].kind != jsontext.KindString {
		return nil
	}
	raw := e.raw(n)
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, raw) // the decoder has read it
	return text
}

// number is a small integer, or what it is when there is none.
func (e *event) number(n, or int) int {
	if i, err := strconv.Atoi(string(e.raw(n))); err == nil {
		return i
	}
	return or
}

// set puts another text in the place of a value, and is done with it.
func (e *event) set(n int, text []byte) {
	e.edits = append(e.edits, edit{e.nodes[n].start, e.nodes[n].end, text})
	e.skip(n)
}

// skip is done with a value as it is.
func (e *event) skip(n int) {
	for i := n; i < e.nodes[n].last; i++ {
		e.nodes[i].done = true
	}
}

// empty empties a list of tokens, unless it is empty.
func (e *event) empty(n int) {
	switch {
	case n == none || e.nodes[n].first == 0 || e.nodes[n].done || e.full:
	case e.nodes[n].kind == jsontext.KindBeginArray:
		e.set(n, []byte("[]"))
	default:
		e.set(n, []byte("null"))
	}
}

// write appends the document with its changes to dst.
func (e *event) write(dst []byte) []byte {
	slices.SortFunc(e.edits, func(a, b edit) int { return a.start - b.start })
	at := 0
	for _, d := range e.edits {
		dst = append(append(dst, e.src[at:d.start]...), d.text...)
		at = d.end
	}
	return append(dst, e.src[at:]...)
}
