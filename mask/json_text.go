package mask

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxHeld  = 4 << 10 // bytes of a name or a number
	maxDepth = 512     // objects and arrays open at once
)

// jsonText reads one JSON document that comes in pieces and masks it. What it
// has not understood yet it keeps: where the text stops being JSON, that is read
// as plain text. RFC 8259, but control characters may stand in strings.
type jsonText struct {
	lane  *lane
	state docState
	open  []byte   // { or [ for each open object or array
	path  []string // names down to the current member
	bases []int    // len(path) at each open object or array
	named bool     // a member's name was read

	held []byte // of a name up to its colon, or of a number up to what ends it
	name []byte // without escapes
	str  unescaper
	sub  *lane  // the string that is read
	text []byte // of it
	out  []byte // masked

	with *Transform // what becomes of the member that is read; nil: it is not protected
	from int        // len(open) where its value began
	raw  []byte     // its value, as far as it is not too long
	long bool
}

type docState int8

const (
	docValue  docState = iota // a value comes
	docFirst                  // a value or the end of the array
	docName                   // a name
	docMember                 // a name or the end of the object
	docColon
	docMore // a comma or an end
	docInName
	docInString
	docInLiteral
	docDone
	docBroken
)

func (d *jsonText) reset() {
	*d = jsonText{lane: d.lane, open: d.open[:0], path: d.path[:0], bases: d.bases[:0], held: d.held[:0], name: d.name[:0], sub: d.sub, text: d.text[:0], raw: d.raw[:0]}
}

// write appends to dst what is decided, and says how many bytes of p were of the
// document, or had been until it broke.
func (d *jsonText) write(dst, p []byte) ([]byte, int) {
	for i := 0; i < len(p); {
		switch d.state {
		case docDone, docBroken:
			return dst, i
		case docInString:
			var n int
			dst, n = d.string(dst, p[i:])
			i += n
		case docInName:
			i += d.nameBytes(p[i:])
		case docInLiteral:
			if b := p[i]; isAlnum(b) || b == '+' || b == '-' || b == '.' {
				d.keep(b)
				i++
				continue
			}
			if !literal(d.held) {
				d.state = docBroken
				continue
			}
			d.state = docMore
			fallthrough
		default:
			kept := len(d.held)
			dst = d.structure(dst, p[i])
			if d.state != docBroken || len(d.held) > kept {
				i++
			}
		}
	}
	return dst, len(p)
}

// structure takes a byte outside of strings and literals.
func (d *jsonText) structure(dst []byte, b byte) []byte {
	if isSpace(b) {
		return d.pass(dst, b)
	}
	next := docBroken // unless b can stand here
	switch d.state {
	case docFirst, docValue:
		if b == ']' && d.state == docFirst {
			return d.end(dst, b)
		}
		return d.begin(dst, b)
	case docMember, docName:
		switch {
		case b == '"':
			next, d.name, d.str = docInName, d.name[:0], unescaper{}
			d.held = append(d.held, b)
		case b == '}' && d.state == docMember:
			return d.end(dst, b)
		}
	case docColon:
		if b == ':' {
			dst = d.pass(dst, b)
			d.member()
			d.state = docValue
			return dst
		}
	case docMore:
		top := d.open[len(d.open)-1]
		switch {
		case b == ',' && top == '{':
			next = docName
		case b == ',':
			next = docValue
		case b == top+2: // ] is two behind [, and } behind {
			return d.end(dst, b)
		}
		if next != docBroken {
			dst = d.pass(dst, b)
		}
	}
	d.state = next
	return dst
}

// begin takes the first byte of a value.
func (d *jsonText) begin(dst []byte, b byte) []byte {
	switch {
	case b == '{' || b == '[':
		if len(d.open) == maxDepth {
			d.state = docBroken
			return dst
		}
		dst = d.pass(dst, b)
		d.open, d.bases = append(d.open, b), append(d.bases, len(d.path))
		if d.state = docFirst; b == '{' {
			d.state = docMember
		}
	case b == '"':
		dst = d.pass(dst, b)
		d.state, d.str = docInString, unescaper{}
		if d.with == nil {
			if d.sub == nil {
				d.sub = newLane(d.lane.content, "", d.lane.depth+1)
			}
			d.sub.again(d.context())
			d.sub.masked = 0
		}
	case b == '-' || isAlnum(b):
		d.state = docInLiteral
		d.keep(b)
	default:
		d.state = docBroken
	}
	return dst
}

// end closes an object or array.
func (d *jsonText) end(dst []byte, b byte) []byte {
	dst = d.pass(dst, b)
	last := len(d.open) - 1
	d.path, d.open, d.bases = d.path[:d.bases[last]], d.open[:last], d.bases[:last]
	return d.complete(dst)
}

// complete is behind a value.
func (d *jsonText) complete(dst []byte) []byte {
	d.state = docMore
	if d.with != nil && len(d.open) == d.from {
		dst = d.replace(dst)
	}
	if len(d.open) == 0 {
		d.state = docDone
	}
	return dst
}

// string takes bytes of a string's value.
func (d *jsonText) string(dst, p []byte) ([]byte, int) {
	text, n, state := d.str.write(d.text[:0], p)
	d.text = text
	if d.with != nil {
		dst = d.emit(dst, p[:n])
	} else {
		dst = d.substring(dst, text, state)
	}
	switch state {
	case strEnded:
		dst = d.complete(dst)
	case strBroken:
		d.state = docBroken
	}
	return dst, n
}

// substring masks a part of a string.
func (d *jsonText) substring(dst, text []byte, state strState) []byte {
	d.out = d.sub.write(d.out[:0], text)
	if state != strOpen {
		d.out = d.sub.close(d.out)
		d.lane.masked += d.sub.masked
	}
	dst = appendInString(dst, d.out)
	switch state {
	case strEnded:
		dst = append(dst, '"')
	case strBroken:
		dst = append(dst, d.str.raw[:d.str.esc]...)
	}
	return dst
}

// nameBytes takes bytes of a member's name.
func (d *jsonText) nameBytes(p []byte) int {
	name, n, state := d.str.write(d.name, p)
	d.name = name
	switch {
	case state == strBroken || len(d.held)+n > maxHeld:
		// What was kept is read as plain text, and the rest after it.
		d.state = docBroken
		d.held = append(d.held, p[:n]...)
		return n
	case state == strEnded:
		d.state = docColon
	}
	d.held = append(d.held, p[:n]...)
	return n
}

// member puts the name that was read at the end of the path, and looks whether
// its value is protected. Within a value that is swallowed all is.
func (d *jsonText) member() {
	d.named = true
	if d.with != nil {
		return
	}
	d.path = d.path[:d.bases[len(d.bases)-1]]
	for part := range strings.SplitSeq(string(d.name), ".") {
		d.path = append(d.path, part)
		if d.with = d.lane.content.fields.find(d.path); d.with != nil {
			d.from, d.raw, d.long = len(d.open), d.raw[:0], false
			return
		}
	}
}

// context is the name of the member that is read.
func (d *jsonText) context() string {
	if len(d.path) == 0 {
		return d.lane.context
	}
	return d.path[len(d.path)-1]
}

// close appends what is left of a document that was cut short.
func (d *jsonText) close(dst []byte) []byte {
	switch {
	case d.with != nil:
		d.lane.masked++
		dst = append(dst, `"`+redacted+`"`...)
	case d.state == docInString:
		dst = d.substring(dst, d.str.flush(nil), strBroken)
	default:
		var n int
		dst, n = d.lane.content.detect.Append(dst, d.held, "")
		d.lane.masked += n
	}
	d.state = docDone
	return dst
}

// literal reports whether text, white space behind it aside, is a number, true,
// false or null.
func literal(text []byte) bool {
	value := jsontext.Value(text)
	switch string(bytes.TrimRight(text, " \t\r\n")) {
	case "true", "false", "null":
		return true
	}
	return value.Kind() == jsontext.KindNumber && value.IsValid()
}
