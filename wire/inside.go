package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// A transaction that has changed definitions sees tables that no other session
// does. What a Judge needs to know of them it asks the server over the session's
// own connection, between two statements: inside the transaction, and leaving
// nothing of it behind.

// Inside is an open transaction that has changed definitions, before what is to
// be judged. It is the client loop's, and lives as long as the transaction.
type Inside struct {
	session *Session
	number  int64 // of the transaction
	changes int64 // see Changes
	blind   bool  // see Blind

	// Seen is what the Judge has made of the transaction; nil at first. It is
	// the Judge's own.
	Seen Seen
}

// Seen is what a Judge keeps of a transaction from one statement to the next.
type Seen interface{ Inside() *Inside }

// Blind reports whether nothing can be asked, for what changes definitions is still
// under way: a statement that was sent with others before it is answered.
func (in *Inside) Blind() bool { return in.blind }

// Changes is another number whenever the definitions may be others, in this
// transaction or by its end.
func (in *Inside) Changes() int64 { return in.changes }

// Asker runs queries, and returns their rows in text; NULL is "".
type Asker interface {
	Query(ctx context.Context, sql string) ([][]string, error)
}

// Ask lets f ask what is so inside the transaction. Whatever f sets, and an
// error of the server's, is undone by a savepoint.
func (in *Inside) Ask(ctx context.Context, f func(Asker) error) error {
	for _, sql := range insideBegin {
		if _, err := in.Query(ctx, sql); err != nil {
			return fmt.Errorf("begin to ask: %w", err)
		}
	}
	err := f(in)
	for _, sql := range insideEnd {
		if _, failed := in.Query(ctx, sql); failed != nil {
			return errors.Join(err, fmt.Errorf("undo what was asked with: %w", failed))
		}
	}
	return err
}

// insideBegin and insideEnd stand around what is asked. The settings of the
// client's must neither change the answers nor end the asking halfway, and the
// planner be as it is by itself: without hash joins it would ask for minutes.
var (
	insideBegin = []string{
		"SAVEPOINT sallyport_inside",
		"SET LOCAL search_path = ''", "SET LOCAL statement_timeout = '15s'", "SET LOCAL lock_timeout = '5s'", "SET LOCAL quote_all_identifiers = off",
		"SET LOCAL max_parallel_workers_per_gather = 0",
		`SELECT pg_catalog.set_config(s.name, s.boot_val, true) FROM pg_catalog.pg_settings s
			WHERE s.category LIKE 'Query Tuning%' AND s.context = 'user' AND s.setting <> s.boot_val`,
	}
	insideEnd = []string{"ROLLBACK TO SAVEPOINT sallyport_inside", "RELEASE SAVEPOINT sallyport_inside"}
)

// asked is what the server answers to a question of ours.
type asked struct {
	rows   [][]string
	failed error
	done   bool
}

// insideName is what our statement and portal are called: the unnamed ones may
// be the client's.
const insideName = "sallyport inside"

var errOver = errors.New("the session is over")

// Query asks one question, by the extended protocol: the simple one would take the
// client's unnamed statement away.
func (in *Inside) Query(_ context.Context, sql string) ([][]string, error) {
	s := in.session
	a := &awaited{kind: 'S', ours: true, asked: &asked{}}
	if !s.pipe.push(a) {
		return nil, errOver
	}
	name := append([]byte(insideName), 0)
	statement, opened := append([]byte{'S'}, name...), append([]byte{'P'}, name...)
	parse := append(slices.Clone(name), sql...)
	for _, m := range []struct {
		kind byte
		body []byte
	}{
		{'C', opened}, // what an error has left
		{'C', statement},
		{'P', append(parse, 0, 0, 0)},
		{'B', append(append(slices.Clone(name), name...), 0, 0, 0, 0, 0, 0)},
		{'E', binary.BigEndian.AppendUint32(slices.Clone(name), 0)},
		{'C', opened},
		{'C', statement},
		{'S', nil},
	} {
		if err := writeMessage(s.up.out, m.kind, m.body); err != nil {
			return nil, err
		}
	}
	if err := s.up.out.flush(); err != nil {
		return nil, err
	}
	if !s.pipe.waitFor(a) {
		return nil, errOver
	}
	return a.asked.rows, a.asked.failed
}

// answerInside takes one message of the answer to a question of ours. None of it
// is for the client.
func (s *Session) answerInside(a *awaited, kind byte, size int) error {
	if size > maxText {
		return fmt.Errorf("an answer of %d bytes", size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	switch kind {
	case 'D':
		row, err := parseRow(body)
		if err != nil {
			return err
		}
		a.asked.rows = append(a.asked.rows, row)
	case 'E':
		r, err := parseReport(body)
		if err != nil {
			return err
		}
		if v := r.get('V'); v == "FATAL" || v == "PANIC" {
			return writeMessage(s.out, 'E', s.scrubbed(nil, r).encode())
		}
		a.asked.failed = fmt.Errorf("SQLSTATE %s: %s", r.get('C'), r.get('M'))
	case 'S':
		name, value := string(p.text()), string(p.text())
		if !p.done() {
			return malformed("the server sent a malformed ParameterStatus")
		}
		return s.target.pins(name, value) // undone before the client could see it
	case 'Z':
		status := p.byte()
		if !p.done() {
			return malformed("the server sent a malformed ReadyForQuery")
		}
		a.asked.done = true
		s.answered()
		s.pipe.ready(status)
	case '1', '2', '3', 'C', 'T', 'n', 's', 'I', 'N':
	default:
		return unasked(kind)
	}
	return nil
}

// inside is the session's transaction, where it has changed definitions and
// nothing is under way in it; nil otherwise.
func (s *Session) inside() (*Inside, error) {
	if !s.masks() || !s.pipe.altering() {
		s.within = nil
		return nil, nil
	}
	if err := s.up.out.flush(); err != nil {
		return nil, err
	}
	s.pipe.wait()
	number, changes, ok := s.pipe.inside()
	if !ok {
		return &Inside{session: s, blind: true}, nil
	}
	if s.within == nil || s.within.number != number {
		s.within = &Inside{session: s, number: number}
	}
	s.within.changes = changes
	return s.within, nil
}

// alters reports whether a may change definitions once it has run.
func (a *awaited) alters() bool {
	return (a.kind == 'Q' || a.kind == 'E') && a.reading != nil && a.reading.Changed != nil
}

// steady lists the verbs of statements that leave definitions as they are, where
// they are not said to change any.
var steady = []string{
	"select", "insert", "update", "delete", "merge", "copy", "declare", "fetch", "move", "close", "show", "lock", "set",
	"prepare", "deallocate", "execute", "listen", "unlisten", "notify",
}

// steady reports whether definitions are after it what they were before.
func (r *Reading) steady() bool {
	return r != nil && r.Changed == nil && !slices.ContainsFunc(r.Verbs, func(v string) bool { return !slices.Contains(steady, v) })
}

// judgedNow gives the statement as it is to be judged now: it holds as long as
// the definitions that it was judged by, everybody's or inside a transaction.
func (s *Session) judgedNow(ctx context.Context, st *statement) (*statement, error) {
	switch {
	case st == nil || st.reading.Refusal != nil && st.inside == 0:
		return st, nil
	case st.inside == 0:
		if st.reading.Holds == nil || st.reading.Holds(ctx) && !s.pipe.altering() {
			return st, nil
		}
	default:
		if err := s.up.out.flush(); err != nil {
			return nil, err
		}
		s.pipe.wait()
		if s.pipe.unchanged(st.inside) {
			return st, nil
		}
	}
	again := &statement{name: st.name, text: st.text}
	reading, changes, err := s.judge(ctx, st.text, nil)
	if err != nil {
		return nil, err
	}
	again.reading, again.inside = reading, changes
	s.pipe.replace(st, again)
	return again, nil
}
