package wire

import (
	"context"
	"encoding/binary"
	"errors"

	"sallyport/mask"
)

// description is the answer to a Describe, or comes before a Query's rows. On a
// target with masks it gives the plan for the rows that follow.
func (s *Session) description(ctx context.Context, a *awaited, kind byte, size int) error {
	if a.kind != 'Q' && a.kind != 'D' || a.kind == 'Q' && kind == 'n' {
		return unasked(kind)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	if s.masks() {
		if err := s.planRows(ctx, a, kind, body); err != nil {
			return err
		}
	}
	ours := a.ours
	if a.kind == 'D' {
		s.answered()
	}
	if ours {
		return nil
	}
	return writeMessage(s.out, kind, body)
}

// planRows asks for the mask plan of a described result.
func (s *Session) planRows(ctx context.Context, a *awaited, kind byte, body []byte) error {
	var fields []mask.Field
	if kind == 'T' {
		var err error
		if fields, err = parseFields(body); err != nil {
			return err
		}
	}
	switch {
	case a.kind == 'Q':
		a.fields, a.planned = fields, true
		a.plan = s.planOf(ctx, a.reading, a.nth, fields)
	case a.portal != nil:
		a.portal.fields, a.portal.planned = fields, true
		a.portal.plan = s.planPortal(ctx, a.portal, fields)
	}
	return nil // of a statement: the portal's own description counts
}

// parseFields reads a RowDescription.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ROWDESCRIPTION.
func parseFields(body []byte) ([]mask.Field, error) {
	p := parts{b: body}
	n := int(p.int16()) & 0xffff
	fields := make([]mask.Field, 0, min(n, len(body)/18+1))
	for i := 0; i < n && !p.bad; i++ {
		f := mask.Field{Name: string(p.text()), Table: uint32(p.int32()), Attribute: p.int16(), Type: uint32(p.int32())}
		p.int16() // the type's size
		f.Modifier, f.Format = p.int32(), p.int16()
		fields = append(fields, f)
	}
	if !p.done() {
		return nil, malformed("the server sent a malformed RowDescription")
	}
	return fields, nil
}

// errTooLongRow ends a session in which a masked row has outgrown the protocol.
var errTooLongRow = errors.New("a masked row is too long")

// errUnfit ends a session whose row is not what was described.
var errUnfit = errors.New("a row does not fit its description")

// appendMasked appends a masked value with its length. changed is false where
// there was nothing to mask in it.
func appendMasked(out []byte, t *mask.Transform, f mask.Field, value []byte) (_ []byte, changed bool) {
	at := len(out)
	out = append(out, 0xff, 0xff, 0xff, 0xff) // NULL
	out, null := t.Apply(out, f, value)
	if null {
		return out[:at+4], true
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out, !t.Left(out[at+4:], value)
}

// errUnplanned ends a session whose rows came without a description: they
// could not be masked.
var errUnplanned = errors.New("rows came without a mask plan")

// dataRow carries a row: as bytes where no column is masked.
func (s *Session) dataRow(ctx context.Context, a *awaited, size int) error {
	if a.kind != 'Q' && a.kind != 'E' {
		return unasked('D')
	}
	a.rows++
	if !s.masks() {
		return s.passRows(a, 'D', size)
	}
	plan, fields, planned := a.plan, a.fields, a.planned
	if a.kind == 'E' && a.portal != nil {
		s.rerun(ctx, a.portal)
		plan, fields, planned = a.portal.plan, a.portal.fields, a.portal.planned
	}
	if !planned {
		return errUnplanned
	}
	if plan == nil {
		return s.passRows(a, 'D', size)
	}
	return s.maskedRow(a, plan, fields, size)
}

// passRows carries a row as it is, and with it those behind it that have come.
func (s *Session) passRows(a *awaited, kind byte, size int) error {
	a.bytes += int64(size)
	if err := s.up.in.pass(s.out, kind, size); err != nil {
		return err
	}
	count, bytes, err := s.up.in.passRun(s.out, kind)
	a.rows += count
	a.bytes += bytes
	return err
}

// errRow is what the server sent instead of a row.
func errRow() error { return malformed("the server sent a malformed DataRow") }

// maskedRow carries a row of which columns are masked.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-DATAROW.
func (s *Session) maskedRow(a *awaited, plan mask.Plan, fields []mask.Field, size int) error {
	if size > growStep {
		return s.maskedLongRow(a, plan, fields, size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	if len(body) < 2 || int(binary.BigEndian.Uint16(body)) != len(fields) || len(plan) != len(fields) {
		return errUnfit
	}
	out, at, run := s.row[:0], 2, 0 // body[run:at] goes as it is, and is not copied yet
	for i, t := range plan {
		if len(body)-at < 4 {
			return errRow()
		}
		size := int64(int32(binary.BigEndian.Uint32(body[at:])))
		if size < -1 || size > int64(len(body)-at-4) {
			return errRow()
		}
		if t == nil || size < 0 {
			at += 4 + max(int(size), 0)
			continue
		}
		value := body[at+4 : at+4+int(size)]
		out = append(out, body[run:at]...)
		at += 4 + int(size)
		run = at
		var changed bool
		if out, changed = appendMasked(out, t, fields[i], value); changed {
			a.masked++
		}
	}
	if at != len(body) {
		return errRow()
	}
	out = append(out, body[run:]...)
	s.row = out
	if len(out) > maxLarge {
		return errTooLongRow
	}
	a.bytes += int64(len(out))
	if err := writeMessage(s.out, 'D', out); err != nil {
		return err
	}
	if cap(s.row) > growStep {
		s.row = nil
	}
	return nil
}
