package wire

import (
	"encoding/binary"
	"fmt"

	"sallyport/mask"
)

// maskedLongRow is maskedRow for a row that is not held whole. A row says its
// length first, so all of it is held up to its last masked value; what follows
// streams, and is checked as it passes. How long masked values are decides over
// nothing that the client sees: one that is too long to be held is NULL.
func (s *Session) maskedLongRow(a *awaited, plan mask.Plan, fields []mask.Field, size int) error {
	b := &body{s.up.in, size}
	n, err := b.int16()
	if err != nil {
		return err
	}
	if n != len(fields) || len(plan) != len(fields) {
		return errUnfit
	}
	last := -1 // of the masked columns
	for i := range plan {
		if plan[i] != nil {
			last = i
		}
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(n))
	var value []byte // scratch
	for i := range last + 1 {
		length, err := b.length()
		switch {
		case err != nil:
			return err
		case length < 0:
			out = append(out, 0xff, 0xff, 0xff, 0xff)
			continue
		case plan[i] != nil && length > maxHeld: // NULL: how long it is must not tell
			if err := b.drop(length); err != nil {
				return err
			}
			out = append(out, 0xff, 0xff, 0xff, 0xff)
			a.masked++
			continue
		case plan[i] == nil && len(out)+length > maxHeld:
			return tooLarge(fmt.Sprintf("a row with a masked column, and more than %d bytes ahead of that; so many are held", maxHeld),
				"Select long columns after the masked ones, or apart from them.")
		case plan[i] == nil:
			if out, err = b.hold(binary.BigEndian.AppendUint32(out, uint32(length)), length); err != nil {
				return err
			}
			continue
		}
		if value, err = b.hold(value[:0], length); err != nil {
			return err
		}
		var changed bool
		if out, changed = appendMasked(out, plan[i], fields[i], value); changed {
			a.masked++
		}
	}
	value = nil
	long := len(out) + b.left
	if long > maxLarge {
		return errTooLongRow
	}
	a.bytes += int64(long)
	if err := writeHeader(s.out, 'D', long); err != nil {
		return err
	}
	if _, err := s.out.Write(out); err != nil {
		return err
	}
	out = nil
	if err := passRest(b, s.out, n-last-1); err != nil {
		return fmt.Errorf("%w: %w", errTorn, err)
	}
	return nil
}

// passRest passes the last n values of a row on.
func passRest(b *body, w *outbox, n int) error {
	var number [4]byte
	for range n {
		length, err := b.length()
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint32(number[:], uint32(int32(length)))
		if _, err := w.Write(number[:]); err != nil {
			return err
		}
		if err := b.pass(w, max(length, 0)); err != nil {
			return err
		}
	}
	if b.left > 0 {
		return errBeyond{}
	}
	return nil
}
