package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"sallyport/recorder"
)

// A Bind gives a prepared statement its values. The statement was judged at
// Parse, and the values are for the record only: a long Bind streams, and is
// checked as it passes.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-BIND.

// maxRecorded is how many bytes of values are kept for the record.
const maxRecorded = 1 << 20

// boundValue is one parameter of a Bind; nil is SQL NULL.
type boundValue struct {
	value  []byte
	binary bool
	size   int    // what came in, where only the beginning of it is kept
	sum    string // then the SHA-256 of all of it, in hex
}

// bind notes which statement a portal runs, and with which values.
func (s *Session) bind(ctx context.Context, size int) error {
	if size > growStep {
		return s.bindLong(ctx, size)
	}
	body, err := s.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	o := &portal{name: string(p.text()), source: string(p.text()), bound: true}
	formats := p.formats()
	count := int(p.int16()) & 0xffff
	for i := 0; i < count && !p.bad; i++ {
		v, null := p.value()
		b := boundValue{binary: formats.of(i)}
		if !null {
			b.value = append(make([]byte, 0, len(v)), v...)
		}
		o.params = append(o.params, b)
	}
	p.formats() // of the results: the Describe of the portal repeats them
	if !p.done() {
		return errMalformedBind()
	}
	a, err := s.bound(ctx, o)
	if err != nil {
		return err
	}
	if err := s.pipe.keep(o.weight()); err != nil {
		return err
	}
	switch {
	case !s.pipe.push(a):
		return s.skipped(a)
	case a.refusal != nil:
		return s.poisonBind(a)
	}
	return writeMessage(s.up.out, 'B', body)
}

// bound finds the statement that a Bind means, as it is judged now. Where that
// refuses it, so is the Bind, and recorded as a statement would be.
func (s *Session) bound(ctx context.Context, o *portal) (*awaited, error) {
	found, err := s.statementNamed(o.source)
	if err != nil {
		return nil, err
	}
	if o.statement, err = s.judgedNow(ctx, found); err != nil {
		return nil, err
	}
	a := &awaited{kind: 'B', name: o.name, portal: o}
	if st := o.statement; st != nil && st.reading.Refusal != nil {
		a.refusal, a.reading, a.text = st.reading.Refusal, &st.reading, st.text
		params, notes := o.recorded()
		return a, s.recordStatement(a, st.text, params, notes...)
	}
	return a, nil
}

func errMalformedBind() error { return malformed("invalid format of a Bind message") }

// bindLong is bind for a message that is not held. Its head is read before any
// of it is sent. When the rest turns out malformed the session ends, and with it
// the message that the server has begun to read: it is never completed.
func (s *Session) bindLong(ctx context.Context, size int) error {
	b := &body{s.in, size}
	o, formats, head, count, err := readBindHead(b)
	if err != nil {
		return bindError(err)
	}
	a, err := s.bound(ctx, o)
	if err != nil {
		return err
	}
	if err := s.pipe.keep(o.weight() + maxRecorded); err != nil {
		return err
	}
	var w io.Writer = io.Discard // the server skips up to the next Sync
	switch {
	case !s.pipe.push(a):
		if err := s.skipped(a); err != nil {
			return err
		}
	case a.refusal != nil:
		if err := s.poisonBind(a); err != nil {
			return err
		}
	default:
		w = s.up.out
		if err := writeHeader(s.up.out, 'B', size); err != nil {
			return err
		}
		s.up.torn = true
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	if err := passValues(b, w, o, formats, count); err != nil {
		return bindError(err)
	}
	s.up.torn = false
	return nil
}

// bindError is a fault of the client's where it is one.
func bindError(err error) error {
	if errors.As(err, new(errBeyond)) {
		return errMalformedBind()
	}
	return err
}

// readBindHead reads what comes before the values, and gives it back as it stood.
func readBindHead(b *body) (o *portal, f formats, head []byte, count int, err error) {
	o = &portal{bound: true}
	if o.name, err = b.name(maxSmall); err != nil {
		return nil, nil, nil, 0, err
	}
	if o.source, err = b.name(maxSmall); err != nil {
		return nil, nil, nil, 0, err
	}
	head = append(append(append(append(head, o.name...), 0), o.source...), 0)
	at := len(head)
	n, err := b.int16()
	if err != nil {
		return nil, nil, nil, 0, err
	}
	head = binary.BigEndian.AppendUint16(head, uint16(n))
	if head, err = b.hold(head, 2*n); err != nil {
		return nil, nil, nil, 0, err
	}
	p := parts{b: head[at:]}
	f = p.formats()
	if count, err = b.int16(); err != nil {
		return nil, nil, nil, 0, err
	}
	return o, f, binary.BigEndian.AppendUint16(head, uint16(count)), count, nil
}

// passValues passes the values and the formats of the results on, and keeps the
// beginning of them for the record.
func passValues(b *body, w io.Writer, o *portal, f formats, count int) error {
	room := maxRecorded
	var number [4]byte
	for i := range count {
		n, err := b.length()
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint32(number[:], uint32(int32(n)))
		if _, err := w.Write(number[:]); err != nil {
			return err
		}
		v := boundValue{binary: f.of(i)}
		if n >= 0 {
			kept := newSample(room)
			if err := b.pass(io.MultiWriter(w, kept), n); err != nil {
				return err
			}
			room = kept.room
			v.value, v.size, v.sum = kept.kept, kept.size, kept.sum()
		}
		o.params = append(o.params, v)
	}
	n, err := b.int16()
	if err != nil {
		return err
	}
	if b.left != 2*n {
		return errBeyond{}
	}
	binary.BigEndian.PutUint16(number[:2], uint16(n))
	if _, err := w.Write(number[:2]); err != nil {
		return err
	}
	return b.pass(w, 2*n)
}

// formats are format codes of a Bind: none is all text, one is for all.
type formats []bool

func (p *parts) formats() formats {
	n := int(p.int16()) & 0xffff
	if n*2 > len(p.b) {
		p.fail()
		return nil
	}
	f := make(formats, n)
	for i := range f {
		f[i] = p.int16() == 1
	}
	return f
}

func (f formats) of(i int) bool {
	switch {
	case len(f) == 1:
		return f[0]
	case i < len(f):
		return f[i]
	}
	return false
}

// weight is about what the portal holds, in bytes.
func (o *portal) weight() int {
	n := objectWeight
	for _, v := range o.params {
		n += len(v.value) + valueWeight
	}
	return n
}

// recorded are the values as the record keeps them, and what it has to say of
// those that were cut.
func (o *portal) recorded() ([]recorder.Param, []recorder.Note) {
	if len(o.params) == 0 {
		return nil, nil
	}
	var notes []recorder.Note
	out := make([]recorder.Param, len(o.params))
	for i, v := range o.params {
		if v.binary {
			out[i] = recorder.BinaryParam(v.value)
		} else {
			out[i] = recorder.TextParam(v.value)
		}
		if v.sum != "" {
			notes = append(notes, recorder.Note{Field: fmt.Sprintf("statement.params.%d", i+1), Change: "cut", Length: int64(v.size), SHA256: v.sum})
		}
	}
	return out, notes
}
