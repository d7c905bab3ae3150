package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/policy"
)

var errEnded = errors.New("recording has ended")

// file is what a recording is written to.
type file interface {
	io.WriteCloser
}

// Recording is one session's file, open for writing.
type Recording struct {
	session string
	now     func() time.Time
	metrics *metrics

	mu    sync.Mutex
	f     file
	err   error  // the first failure; never cleared
	event Event  // the last one written: Seq and Totals go on from it
	line  []byte // what is not written yet: whole lines; nil for none
	lent  *[]byte
	lines *sync.Pool // of *[]byte: lines are written in memory that is lent
	late  bool       // lates knows of it
	lates *lateList

	statements, outcomes prometheus.Counter // nil until the first of them
}

// Begin makes the recording of a new session and writes its first event.
func (r *Recorder) Begin(ctx context.Context, o Opening) (*Recording, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	if !sessionID.MatchString(o.Session) {
		return nil, fmt.Errorf("begin recording: bad session id %q", o.Session)
	}
	path := filepath.Join(r.root, r.now().UTC().Format(time.DateOnly), o.Session+suffix)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.metrics.errors.Inc()
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	f, err := r.create(path)
	if err != nil {
		r.metrics.errors.Inc()
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	rec := &Recording{session: o.Session, now: r.now, metrics: r.metrics, lines: &r.lines, lates: &r.lates, f: f}
	if err := rec.Write(Event{Kind: KindOpen, Open: &o}); err != nil {
		_ = f.Close()
		return nil, err
	}
	return rec, nil
}

// Session is the id the recording was begun with.
func (rec *Recording) Session() string { return rec.session }

// Write adds one event. It returns nil only when all its bytes are with the
// operating system. After an error every later Write fails with that error.
func (rec *Recording) Write(e Event) error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.write(e)
}

// End writes the closing event and closes the file, whatever happened before.
func (rec *Recording) End(c Closing) error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if errors.Is(rec.err, errEnded) {
		return rec.err
	}
	err := rec.write(Event{Kind: KindClose, Close: &c})
	if shut := rec.f.Close(); shut != nil && err == nil {
		rec.metrics.errors.Inc()
		err = fmt.Errorf("record session %s: %w", rec.session, shut)
	}
	if rec.err == nil {
		rec.err = fmt.Errorf("record session %s: %w", rec.session, errEnded)
	}
	return err
}

// write is Write with the lock held.
func (rec *Recording) write(e Event) error {
	if rec.err != nil {
		return rec.err
	}
	if err := rec.append(e); err != nil {
		return rec.fail(err)
	}
	return rec.flush()
}

// append stamps and encodes one event behind the lines that wait.
func (rec *Recording) append(e Event) error {
	kind := e.kind()
	if kind == "" || (e.Kind != "" && e.Kind != kind) {
		return fmt.Errorf("event of kind %q holds %q", e.Kind, kind)
	}
	e.Kind = kind
	e.Seq, e.Time, e.Totals = rec.event.Seq+1, rec.now().UTC(), rec.event.Totals
	e.count()
	fit(&e, maxText)

	if rec.line == nil {
		rec.lent = rec.lines.Get().(*[]byte)
		rec.line = (*rec.lent)[:0]
	}
	rec.event = e // encoded from here: an Event passed by value would be copied to the heap
	line, err := appendLine(rec.line, &rec.event)
	if err != nil {
		return fmt.Errorf("encode %s: %w", kind, err)
	}
	rec.line = line
	rec.event.drop()
	rec.counter(kind).Inc()
	return nil
}

// counter is that of a kind, looked up once for those that come often.
func (rec *Recording) counter(kind string) prometheus.Counter {
	kept := &rec.statements
	switch kind {
	case KindStatement:
	case KindOutcome:
		kept = &rec.outcomes
	default:
		return rec.metrics.events.WithLabelValues(kind)
	}
	if *kept == nil {
		*kept = rec.metrics.events.WithLabelValues(kind)
	}
	return *kept
}

// count adds the event to its totals.
func (e *Event) count() {
	var action string
	switch {
	case e.Statement != nil:
		action = e.Statement.Action
	case e.Exchange != nil:
		action = e.Exchange.Action
	case e.Frame != nil && e.Frame.Action != "":
		action = e.Frame.Action
	default:
		return
	}
	e.Totals.Statements++
	if action != policy.Allow.String() {
		e.Totals.Refused++
	}
}

// drop forgets all but what the next event goes on from.
func (e *Event) drop() { *e = Event{Seq: e.Seq, Totals: e.Totals} }

// createFile opens a new recording: appended to, never truncated, the owner's
// alone. The lock on it lasts as long as the session and tells readers that
// its writer lives.
func createFile(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	lock(f)
	return f, nil
}
