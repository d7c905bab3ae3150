package recorder

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The states of a session.
const (
	StateOpen   = "open"   // its gateway may still write to it
	StateClosed = "closed" // it ended in order
	StateBroken = "broken" // its gateway went away, or failed to write
)

// Summary is a session at a glance.
type Summary struct {
	Opening
	Started time.Time `json:"started"`
	Last    time.Time `json:"last"` // of the last event
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"` // why it closed
	Totals
}

// Sessions sums up the latest sessions, newest first; limit <= 0 means all.
// It reads the first and the last line of each file. Within a day, ids that
// sort by time, as ULIDs do, decide which are the latest.
func (r *Recorder) Sessions(limit int) ([]Summary, error) {
	days, err := r.days()
	if err != nil {
		return nil, err
	}
	var all []Summary
	for _, day := range days {
		ids, err := r.ids(day)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if limit > 0 && len(all) == limit {
				break
			}
			s, err := summarize(filepath.Join(r.root, day, id+suffix))
			if errors.Is(err, errNoOpening) || errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("sum up session %s: %w", id, err)
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Summary) int { return b.Started.Compare(a.Started) })
	return all, nil
}

// Summary sums up one session.
func (r *Recorder) Summary(id string) (Summary, error) {
	path, err := r.path(id)
	if err != nil {
		return Summary{}, err
	}
	s, err := summarize(path)
	if errors.Is(err, errNoOpening) {
		return Summary{}, fmt.Errorf("%w yet: %s", ErrNoSession, id)
	}
	if err != nil {
		return Summary{}, fmt.Errorf("sum up session %s: %w", id, err)
	}
	return s, nil
}

var errNoOpening = errors.New("recording has no opening")

// summarize reads the two ends of a recording.
func summarize(path string) (Summary, error) {
	f, err := os.Open(path)
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = f.Close() }()
	alive := locked(f) // asked before reading: a session that closes in between is seen as closed
	line, whole, err := readLine(bufio.NewReader(f))
	if err != nil && !errors.Is(err, io.EOF) {
		return Summary{}, err
	}
	first := parseLine(line, whole)
	if first.Open == nil {
		return Summary{}, errNoOpening
	}
	last, found, err := lastEvent(f)
	if err != nil {
		return Summary{}, err
	}
	if !found {
		last = first
	}
	s := Summary{Opening: *first.Open, Started: first.Time, Last: last.Time, Totals: last.Totals}
	switch {
	case last.Close != nil:
		s.State, s.Reason = StateClosed, last.Close.Reason
	case alive:
		s.State = StateOpen
	default:
		s.State = StateBroken
	}
	return s, nil
}

// lastEvent finds the last line that can be read, from the end of f.
func lastEvent(f *os.File) (last Event, found bool, err error) {
	stat, err := f.Stat()
	if err != nil {
		return Event{}, false, err
	}
	size := stat.Size()
	for chunk := int64(16 << 10); ; chunk *= 4 {
		from := max(0, size-chunk)
		tail := make([]byte, size-from)
		n, err := f.ReadAt(tail, from)
		if err != nil && !errors.Is(err, io.EOF) {
			return Event{}, false, err
		}
		if last, found = lastLine(tail[:n]); found || from == 0 || chunk > maxLine {
			return last, found, nil
		}
	}
}

// lastLine finds the last readable line that ends in tail, of which the first
// may be torn.
func lastLine(tail []byte) (Event, bool) {
	end := bytes.LastIndexByte(tail, '\n')
	for end >= 0 {
		start := bytes.LastIndexByte(tail[:end], '\n')
		if e := parseLine(tail[start+1:end], true); e.Kind != KindTorn {
			return e, true
		}
		end = start
	}
	return Event{}, false
}
