package mask

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// pass lets a byte through, behind what was kept, or into the value that is
// swallowed.
func (d *jsonText) pass(dst []byte, b byte) []byte {
	if isSpace(b) && len(d.held) > 0 {
		d.keep(b)
		return dst
	}
	if len(d.held) > 0 {
		// What was kept is a name before its colon, or a literal before what ends it.
		literal := d.state != docColon
		if literal && d.lane.content.restores != nil {
			d.held = d.lane.restored(d.held)
		}
		dst = d.emit(dst, d.held)
		d.held = d.held[:0]
		if literal && d.with != nil && len(d.open) == d.from {
			dst = d.replace(dst)
		}
	}
	return d.emit(dst, []byte{b})
}

// emit appends bytes, or swallows them.
func (d *jsonText) emit(dst, p []byte) []byte {
	if d.with == nil {
		return append(dst, p...)
	}
	if len(d.raw)+len(p) > maxValue {
		d.long = true
		return dst
	}
	d.raw = append(d.raw, p...)
	return dst
}

// keep keeps a byte back.
func (d *jsonText) keep(b byte) {
	d.held = append(d.held, b)
	if len(d.held) >= maxHeld {
		d.state = docBroken
	}
}

// replace appends the masked form of the value that was swallowed.
func (d *jsonText) replace(dst []byte) []byte {
	with, raw := d.with, bytes.TrimLeft(d.raw, " \t\r\n")
	// White space before a value is no part of it.
	dst = append(dst, d.raw[:len(d.raw)-len(raw)]...)
	d.with = nil
	switch value := jsontext.Value(raw); {
	case d.long:
		dst = append(dst, `"`+redacted+`"`...)
	case bytes.HasPrefix(raw, []byte("null")):
		return append(dst, raw...)
	default:
		trimmed := bytes.TrimRight(value, " \t\r\n")
		dst = with.appendJSON(dst, trimmed)
		dst = append(dst, value[len(trimmed):]...)
	}
	d.lane.masked++
	return dst
}
