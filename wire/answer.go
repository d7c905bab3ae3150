package wire

import (
	"context"
	"fmt"
)

// answer carries one message from the server to the client. The switch is
// closed: what it does not name, or what comes where it can't, ends the session.
// PostgreSQL 17, protocol-message-formats.html, messages marked (B).
func (s *Session) answer(ctx context.Context, kind byte, size int) error {
	if a := s.current(); a != nil && a.asked != nil && kind != 'A' {
		return s.answerInside(a, kind, size)
	}
	// What may come at any time answers nothing.
	switch kind {
	case 'N':
		return s.notice(size)
	case 'A':
		return s.notification(size)
	case 'S':
		return s.setting(size)
	case 'E':
		return s.serverError(size)
	}
	a := s.current()
	if a == nil && kind == 'Z' && s.pipe.stray() {
		return s.up.in.pass(s.out, kind, size)
	}
	if a == nil || a.refusal != nil && kind != 'Z' {
		return unasked(kind)
	}
	switch kind {
	case 'D':
		return s.dataRow(ctx, a, size)
	case 'T', 'n':
		return s.description(ctx, a, kind, size)
	case 't':
		if a.kind != 'D' {
			return unasked(kind)
		}
		return s.up.in.pass(s.out, kind, size)
	case '1', '2', '3':
		return s.acknowledged(a, kind, size)
	case 'C', 's', 'I':
		return s.completed(a, kind, size)
	case 'Z':
		return s.ready(a, size)
	case 'G', 'H', 'W':
		return s.copyBegins(a, kind, size)
	case 'd', 'c':
		return s.copyOut(a, kind, size)
	case 'V':
		return s.functionResult(a, size)
	}
	return unasked(kind)
}

// unasked is a server message that answers nothing we sent.
func unasked(kind byte) error {
	return fmt.Errorf("the server sent message %s where none was due", quoteKind(kind))
}

// current is the message being answered.
func (s *Session) current() *awaited {
	if s.head == nil {
		s.head = s.pipe.head()
	}
	return s.head
}

// answered takes the head away.
func (s *Session) answered() {
	s.pipe.pop()
	s.head = nil
}

// acknowledged makes a Parse, Bind or Close hold.
func (s *Session) acknowledged(a *awaited, kind byte, size int) error {
	if a.kind != "PBC"[kind-'1'] {
		return unasked(kind)
	}
	if kind == '2' && a.portal.statement == nil {
		a.portal.kept = s.kept.named(KeptStatement(a.portal.source))
	}
	s.pipe.commit(a)
	s.answered()
	return s.up.in.pass(s.out, kind, size)
}

// completed is the end of one statement's answer.
func (s *Session) completed(a *awaited, kind byte, size int) error {
	if a.kind != 'Q' && a.kind != 'E' || a.kind == 'Q' && kind == 's' {
		return unasked(kind)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	a.tag = ""
	if kind == 'C' {
		p := parts{b: body}
		if a.tag = string(p.text()); !p.done() {
			return malformed("the server sent a malformed CommandComplete")
		}
		s.keep(a.reading, a.nth)
	}
	if err := s.recordOutcome(a); err != nil {
		return err
	}
	if a.reading != nil && a.reading.Changed != nil {
		s.changed = a.reading.Changed
	}
	s.pipe.ran(a.reading, false)
	s.touched = s.touched || s.protected(a)
	if a.kind == 'E' {
		s.answered()
	} else {
		a.nth++
		a.plan, a.fields, a.planned, a.copy, a.copies = nil, nil, false, nil, false
		a.rows, a.bytes, a.masked = 0, 0, 0
	}
	return writeMessage(s.out, kind, body)
}

// ready is the end of a Query's, a FunctionCall's or a Sync's answer.
func (s *Session) ready(a *awaited, size int) error {
	if a.kind != 'Q' && a.kind != 'S' && a.kind != 'F' {
		return unasked('Z')
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	if len(body) != 1 {
		return malformed("the server sent a malformed ReadyForQuery")
	}
	if a.refusal != nil && a.code == "" {
		return unasked('Z') // the refused statement did not fail: never tell the client that it did
	}
	if a.kind == 'Q' {
		s.pipe.forget("") // a Query drops the unnamed statement
	}
	if body[0] == 'I' {
		s.touched = false
		if s.changed != nil {
			s.changed()
			s.changed = nil
		}
	}
	s.answered()
	s.pipe.ready(body[0])
	if err := writeMessage(s.out, 'Z', body); err != nil {
		return err
	}
	return s.pipe.finished()
}

// serverError carries an ErrorResponse: as it is, scrubbed of values where the
// statement reaches protected columns, or as the refusal that waited for it.
func (s *Session) serverError(size int) error {
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	r, err := parseReport(body)
	if err != nil {
		return err
	}
	a := s.current()
	if a == nil || r.get('V') == "FATAL" || r.get('V') == "PANIC" {
		return writeMessage(s.out, 'E', s.scrubbed(a, r).encode())
	}
	s.pipe.ran(a.reading, true)
	refusal, r := a.instead(r)
	if refusal != nil {
		a.code, a.message = sqlstates[refusal.Kind], refusal.Public
		err = s.say(errorResponse(refusal, "ERROR"))
	} else {
		r = s.scrubbed(a, r)
		a.code, a.message = r.get('C'), r.get('M')
		err = writeMessage(s.out, 'E', r.encode())
	}
	if err != nil {
		return err
	}
	if a.id != 0 {
		if err := s.recordOutcome(a); err != nil {
			return err
		}
	}
	return s.skipRest(a)
}

// skipRest follows the server, which after an error in the extended protocol
// skips all up to the next Sync.
func (s *Session) skipRest(a *awaited) error {
	switch a.kind {
	case 'Q', 'F', 'S':
		s.pipe.copyFailed()
		return nil
	case 'P':
		if a.name == "" {
			s.pipe.forget("") // dropped before its successor was parsed
		}
	}
	for _, skipped := range s.pipe.fail()[1:] {
		if err := s.skipped(skipped); err != nil {
			return err
		}
	}
	s.head = nil
	return nil
}

// scrubbed removes what can quote a protected value.
func (s *Session) scrubbed(a *awaited, r report) report {
	if s.blank.Scan != nil {
		r = r.scan(s.blank.Scan)
	}
	switch {
	case a != nil && s.protected(a):
		s.touched = true
		return r.scrub(a.said())
	case s.touched && a != nil:
		return r.scrub(a.said())
	case s.touched:
		return r.scrub("")
	}
	return r
}

// sql is the text behind what is being answered, as far as known.
func (a *awaited) sql() string {
	if a.text == "" && a.portal != nil && a.portal.statement != nil {
		return a.portal.statement.text
	}
	return a.text
}

// said is what the client itself has written: the text, and the names in the
// messages of the extended protocol.
func (a *awaited) said() string {
	text := a.sql() + " " + a.name
	if a.portal != nil {
		text += " " + a.portal.source
	}
	return text
}

// notice carries a NoticeResponse, which comes with a statement or on its own.
func (s *Session) notice(size int) error {
	a := s.current()
	if s.blank.Scan == nil && !s.touched && (a == nil || !s.protected(a)) {
		return s.up.in.pass(s.out, 'N', size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	r, err := parseReport(body)
	if err != nil {
		return err
	}
	return writeMessage(s.out, 'N', s.scrubbed(a, r).encode())
}

// setting carries a ParameterStatus, and ends a session whose server no longer
// reads what the guard reads.
func (s *Session) setting(size int) error {
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	name, value := string(p.text()), string(p.text())
	if !p.done() {
		return malformed("the server sent a malformed ParameterStatus")
	}
	if err := s.target.pins(name, value); err != nil {
		return err
	}
	if s.target.pool != nil {
		s.up.reported(name, value)
	}
	return writeMessage(s.out, 'S', body)
}
