package recorder

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// lateness is how long at most the outcome of what has run stays with us alone.
const lateness = 100 * time.Millisecond

// lateBytes is how much of it there may be in one recording, in bytes.
const lateBytes = 16 << 10

// lateList are the recordings with lines that are not written yet.
type lateList struct {
	mu      sync.Mutex
	waiting []*Recording
}

// add has rec written after a while. A recording is added once, and again only
// when it has been written since.
func (l *lateList) add(rec *Recording) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting = append(l.waiting, rec); len(l.waiting) == 1 {
		time.AfterFunc(lateness, l.write)
	}
}

// write writes all that waits. What fails is told by the next Write.
func (l *lateList) write() {
	l.mu.Lock()
	waiting := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for _, rec := range waiting {
		rec.mu.Lock()
		rec.late = false
		_ = rec.flush()
		rec.mu.Unlock()
	}
}

// WriteLate adds one event that says what came of others. Its bytes are with the
// operating system before those of the next Write, and a tenth of a second from
// now; until then a crash of this process loses them. Errors are Write's, or
// come with the next Write.
func (rec *Recording) WriteLate(e Event) error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.err != nil {
		return rec.err
	}
	if err := rec.append(e); err != nil {
		return rec.fail(err)
	}
	if len(rec.line) > lateBytes {
		return rec.flush()
	}
	if !rec.late {
		rec.late = true
		rec.lates.add(rec)
	}
	return nil
}

// flush writes the lines that wait, as one, with the lock held.
func (rec *Recording) flush() error {
	if rec.err != nil || len(rec.line) == 0 {
		return rec.err
	}
	n, err := rec.f.Write(rec.line)
	if err == nil && n < len(rec.line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return rec.fail(fmt.Errorf("write: %w", err))
	}
	rec.metrics.bytes.Add(float64(n))
	*rec.lent = rec.line[:0]
	rec.lines.Put(rec.lent)
	rec.line, rec.lent = nil, nil
	return nil
}

// fail keeps the first error: after it nothing is written.
func (rec *Recording) fail(err error) error {
	rec.metrics.errors.Inc()
	rec.err = fmt.Errorf("record session %s: %w", rec.session, err)
	return rec.err
}
