package wire

import "fmt"

// COPY, in both directions, row by row as bytes where nothing is masked.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-COPY.

// copyBegins carries CopyInResponse, CopyOutResponse and, of replication,
// CopyBothResponse.
func (s *Session) copyBegins(a *awaited, kind byte, size int) error {
	if a.kind != 'Q' && a.kind != 'E' || kind == 'W' && !s.target.replication {
		return unasked(kind)
	}
	if kind == 'G' {
		s.pipe.copyBegins()
	} else {
		a.copies = true
	}
	if kind == 'G' || !s.protected(a) && s.blank.Scan == nil {
		return s.up.in.pass(s.out, kind, size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	p.byte()
	columns := len(p.formats())
	if !p.done() || kind != 'H' {
		return malformed("the server sent a malformed CopyOutResponse")
	}
	if a.copy, err = s.plansOf(a).Copy(a.nth, columns); err != nil {
		return fmt.Errorf("COPY over protected columns can't be masked: %w", err)
	}
	return writeMessage(s.out, kind, body)
}

// plansOf are the mask plans of what is being answered.
func (s *Session) plansOf(a *awaited) Planner {
	if a.reading != nil && a.reading.Plans != nil {
		return a.reading.Plans
	}
	return s.blank.Plans
}

// copyOut carries CopyData and CopyDone.
func (s *Session) copyOut(a *awaited, kind byte, size int) error {
	if !a.copies {
		return unasked(kind)
	}
	if kind == 'd' {
		a.rows++
	}
	if a.copy == nil && kind == 'd' {
		return s.passRows(a, kind, size)
	}
	if a.copy == nil {
		return s.up.in.pass(s.out, kind, size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	if kind == 'c' {
		if err := a.copy.End(); err != nil {
			return err
		}
		return writeMessage(s.out, kind, body)
	}
	out, masked, err := a.copy.Row(s.row[:0], body)
	if err != nil {
		return err
	}
	s.row = out
	a.masked += int64(masked)
	a.bytes += int64(len(out))
	if len(out) == 0 {
		return nil
	}
	if len(out) > maxLarge {
		return fmt.Errorf("a masked row of %d bytes", len(out))
	}
	return writeMessage(s.out, kind, out)
}
