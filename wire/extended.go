package wire

import (
	"context"

	"sallyport/policy"
	"sallyport/recorder"
)

// The extended protocol. A statement is judged when it is parsed and recorded
// each time it runs, with its values.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY.

// parse judges a statement to be prepared.
func (s *Session) parse(ctx context.Context, size int) error {
	body, refusal, err := s.readText(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	name, text := string(p.text()), string(p.text())
	for n := int(p.int16()) & 0xffff; n > 0 && !p.bad; n-- {
		p.int32()
	}
	if refusal == nil && !p.done() {
		refusal = malformed("invalid message format")
	}
	if err := s.pipe.keep(objectWeight + len(text)); refusal == nil && err != nil {
		refusal = policy.AsRefusal(err)
	}
	reading, changes, err := s.judge(ctx, text, refusal)
	if err != nil {
		return err
	}
	a := &awaited{
		kind: 'P', name: name, text: text, refusal: reading.Refusal, reading: &reading,
		statement: &statement{name: name, text: text, reading: reading, inside: changes},
	}
	if a.refusal != nil {
		if err := s.recordStatement(a, text, nil); err != nil {
			return err
		}
	}
	if !s.pipe.push(a) {
		return s.skipped(a)
	}
	if a.refusal != nil {
		return s.poisonParse(a)
	}
	return writeMessage(s.up.out, 'P', body)
}

// statementNamed waits where only the server's answer can tell what a name means.
func (s *Session) statementNamed(name string) (*statement, error) {
	found, open := s.pipe.findStatement(name)
	if open {
		if err := s.up.out.flush(); err != nil {
			return nil, err
		}
		s.pipe.wait()
		found, _ = s.pipe.findStatement(name)
	}
	return found, nil
}

// portalNamed is statementNamed for portals.
func (s *Session) portalNamed(name string) (*portal, error) {
	found, open := s.pipe.findPortal(name)
	if open {
		if err := s.up.out.flush(); err != nil {
			return nil, err
		}
		s.pipe.wait()
		found, _ = s.pipe.findPortal(name)
	}
	return found, nil
}

// describe forwards a Describe. Of a portal, the answer gives the mask plan.
func (s *Session) describe(size int) error {
	object, name, body, err := s.readNamed('D', size)
	if err != nil {
		return err
	}
	a := &awaited{kind: 'D', object: object, name: name}
	if object == 'P' {
		if a.portal, err = s.portalNamed(name); err != nil {
			return err
		}
		if a.portal != nil {
			a.portal.described = true
		}
	}
	if !s.pipe.push(a) {
		return nil
	}
	return writeMessage(s.up.out, 'D', body)
}

// execute records a statement with its values and runs it. On a target with
// masks a portal that nobody described is described for us first: its rows
// could not be masked otherwise.
func (s *Session) execute(ctx context.Context, size int) error {
	if size > maxSmall {
		return malformed("message %s has %d bytes", quoteKind('E'), size)
	}
	body, err := s.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	name := string(p.text())
	p.int32()
	if !p.done() {
		return malformed("invalid format of an Execute message")
	}
	o, err := s.portalNamed(name)
	if err != nil {
		return err
	}
	a := &awaited{kind: 'E', name: name, portal: o, reading: &s.blank}
	refusal, err := s.portalNow(ctx, o)
	if err != nil {
		return err
	}
	text := "(portal " + name + ", opened by SQL)"
	var params []recorder.Param
	var notes []recorder.Note
	if o != nil {
		text = "(statement " + o.source + ", prepared by SQL)"
		params, notes = o.recorded()
		if o.statement != nil {
			text, a.reading = o.statement.text, &o.statement.reading
			a.text = text
		}
	}
	if refusal != nil {
		refused := *a.reading
		s.refuseReading(&refused, refusal)
		a.reading, a.refusal = &refused, refusal
	}
	if err := s.recordStatement(a, text, params, notes...); err != nil {
		return err
	}
	if refusal != nil {
		if !s.pipe.push(a) {
			return s.skipped(a)
		}
		return s.poisonBind(a)
	}
	if s.masks() && (o == nil || !o.described) {
		if o == nil {
			o = &portal{name: name}
			a.portal = o
		}
		o.described = true
		if s.pipe.push(&awaited{kind: 'D', object: 'P', name: name, portal: o, ours: true}) {
			if err := writeMessage(s.up.out, 'D', append(append([]byte{'P'}, name...), 0)); err != nil {
				return err
			}
		}
	}
	if !s.pipe.push(a) {
		return s.skipped(a)
	}
	return writeMessage(s.up.out, 'E', body)
}

// closeNamed forwards a Close.
func (s *Session) closeNamed(size int) error {
	object, name, body, err := s.readNamed('C', size)
	if err != nil {
		return err
	}
	if !s.pipe.push(&awaited{kind: 'C', object: object, name: name}) {
		return nil
	}
	return writeMessage(s.up.out, 'C', body)
}

// readNamed reads the body of a Describe or Close: what kind of object, and its name.
func (s *Session) readNamed(kind byte, size int) (object byte, name string, body []byte, err error) {
	if size > maxSmall {
		return 0, "", nil, malformed("message %s has %d bytes", quoteKind(kind), size)
	}
	if body, err = s.in.hold(size); err != nil {
		return 0, "", nil, err
	}
	p := parts{b: body}
	object, name = p.byte(), string(p.text())
	if !p.done() || object != 'S' && object != 'P' {
		return 0, "", nil, malformed("invalid format of message %s", quoteKind(kind))
	}
	return object, name, body, nil
}

// masks reports whether the target masks anything.
func (s *Session) masks() bool { return s.blank.Plans != nil }
