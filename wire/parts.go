package wire

import (
	"bytes"
	"encoding/binary"
)

// parts takes a message body apart. The first read past the end sets bad, and
// every later one gives zero values: check once, with done.
type parts struct {
	b   []byte
	bad bool
}

// text reads up to a zero byte; valid as long as the body.
func (p *parts) text() []byte {
	i := bytes.IndexByte(p.b, 0)
	if i < 0 {
		p.fail()
		return nil
	}
	t := p.b[:i]
	p.b = p.b[i+1:]
	return t
}

func (p *parts) byte() byte {
	if len(p.b) < 1 {
		p.fail()
		return 0
	}
	v := p.b[0]
	p.b = p.b[1:]
	return v
}

func (p *parts) int16() int16 {
	if len(p.b) < 2 {
		p.fail()
		return 0
	}
	v := binary.BigEndian.Uint16(p.b)
	p.b = p.b[2:]
	return int16(v)
}

func (p *parts) int32() int32 {
	if len(p.b) < 4 {
		p.fail()
		return 0
	}
	v := binary.BigEndian.Uint32(p.b)
	p.b = p.b[4:]
	return int32(v)
}

// take reads n bytes; a negative n is a fault.
func (p *parts) take(n int32) []byte {
	if n < 0 || int(n) > len(p.b) {
		p.fail()
		return nil
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

// value reads a length and that many bytes; nil is SQL NULL, length -1.
func (p *parts) value() (v []byte, null bool) {
	n := p.int32()
	if n == -1 {
		return nil, true
	}
	return p.take(n), false
}

func (p *parts) fail() { p.bad, p.b = true, nil }

// done reports whether every read was good and nothing is left over.
func (p *parts) done() bool { return !p.bad && len(p.b) == 0 }
