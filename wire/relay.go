package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"sallyport/policy"
)

// fromClient carries messages from the client to the server, one by one,
// until the client leaves. The switch is closed: what it does not name ends
// the session.
// PostgreSQL 17, protocol-message-formats.html, messages marked (F).
func (s *Session) fromClient(ctx context.Context) error {
	for {
		if err := s.waitForRoom(); err != nil {
			return err
		}
		kind, size, err := s.in.next()
		if err != nil {
			if isRefusal(err) {
				return err
			}
			return fmt.Errorf("%w: %w", errLeft, err)
		}
		switch kind {
		case 'Q':
			err = s.query(ctx, size)
		case 'P':
			err = s.parse(ctx, size)
		case 'B':
			err = s.bind(ctx, size)
		case 'D':
			err = s.describe(size)
		case 'E':
			err = s.execute(ctx, size)
		case 'C':
			err = s.closeNamed(size)
		case 'S':
			err = s.forwardEmpty(kind, size)
		case 'H':
			err = s.forwardEmpty(kind, size)
		case 'd', 'c', 'f':
			// Outside COPY the server reads past these, as it must: a client
			// learns late that its COPY has failed.
			err = s.forwardCopy(kind, size)
		case 'F':
			err = s.functionCall(size)
		case 'X':
			return errLeft
		default:
			err = malformed("invalid frontend message type %d", kind)
		}
		if err != nil {
			return err
		}
	}
}

// waitForRoom stops reading a client that is too far ahead of its answers.
func (s *Session) waitForRoom() error {
	if !s.pipe.full() {
		return nil
	}
	if err := s.up.out.flush(); err != nil {
		return err
	}
	s.pipe.room()
	return nil
}

// query is the simple protocol: a text of one or more statements.
func (s *Session) query(ctx context.Context, size int) error {
	body, refusal, err := s.readText(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	text := string(p.text())
	if refusal == nil && !p.done() {
		refusal = malformed("invalid message format")
	}
	a, err := s.admit(ctx, text, refusal)
	if err != nil {
		return err
	}
	a.kind = 'Q'
	if !s.pipe.push(a) {
		return s.skipped(a)
	}
	if a.refusal != nil {
		return s.poisonQuery(a)
	}
	return writeMessage(s.up.out, 'Q', body)
}

// readText holds the body of a Query or Parse, unless it is too long to be
// judged: then it is read past and refused.
func (s *Session) readText(size int) (body []byte, refusal *policy.Refusal, err error) {
	if size > maxText {
		return nil, &policy.Refusal{
			Kind:   policy.TooLarge,
			Public: fmt.Sprintf("the statement has %d bytes; at most %d are read", size, maxText),
			Hint:   "Send values as parameters, or load them with COPY FROM STDIN.",
		}, s.in.drop(size)
	}
	body, err = s.in.hold(size)
	return body, nil, err
}

// forwardEmpty forwards Sync or Flush, which have no body.
func (s *Session) forwardEmpty(kind byte, size int) error {
	if size != 0 {
		return malformed("message %s has a body", quoteKind(kind))
	}
	if kind == 'S' {
		s.pipe.push(&awaited{kind: 'S'})
	}
	return writeHeader(s.up.out, kind, 0)
}

// forwardCopy forwards CopyData, CopyDone or CopyFail.
func (s *Session) forwardCopy(kind byte, size int) error {
	if kind != 'd' {
		if size > maxSmall {
			return malformed("message %s has %d bytes", quoteKind(kind), size)
		}
		s.pipe.copyEnds()
	}
	err := s.in.pass(s.up.out, kind, size)
	s.up.torn = err != nil
	return err
}

// skipped records that a message was judged and the server skips it.
func (s *Session) skipped(a *awaited) error {
	if a.id == 0 {
		return nil
	}
	a.message = skippedMessage
	return s.recordOutcome(a)
}

// skippedMessage is the outcome of what the server skips after an error.
const skippedMessage = "skipped after an earlier error"

// errServerLeft says that the server closed the connection.
var errServerLeft = errors.New("the server left")

// fromServer carries messages from the server to the client until the server
// leaves.
func (s *Session) fromServer(ctx context.Context) error {
	for {
		kind, size, err := s.up.in.next()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return errServerLeft
		default:
			s.rested = errors.Is(err, os.ErrDeadlineExceeded) && s.left.Load()
			return fmt.Errorf("read from upstream: %w", err)
		}
		if err := s.answer(ctx, kind, size); err != nil {
			s.torn = s.torn || errors.Is(err, errTorn)
			return err
		}
	}
}
