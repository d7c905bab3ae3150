package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxLatest is how many bytes Latest reads of a recording.
const maxLatest = 8 << 20

// Latest reads the last n events of a recording, the oldest of them first, and
// for a recording with long events fewer: it looks at the last 8 MiB at most.
// The first one's Seq tells whether others came before it.
func (r *Recorder) Latest(id string, n int) ([]Event, error) {
	path, err := r.path(id)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", id, err)
	}
	defer func() { _ = f.Close() }()
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", id, err)
	}
	size := stat.Size()
	for chunk := int64(64 << 10); ; chunk *= 4 {
		from := max(0, size-min(chunk, maxLatest))
		tail := make([]byte, size-from)
		read, err := f.ReadAt(tail, from)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read session %s: %w", id, err)
		}
		events := lastLines(tail[:read], from == 0, n)
		if len(events) == n || from == 0 || chunk >= maxLatest {
			return events, nil
		}
	}
}

// lastLines parses up to n lines at the end of tail. The first line counts only
// if it is whole.
func lastLines(tail []byte, whole bool, n int) []Event {
	var events []Event
	if rest := bytes.LastIndexByte(tail, '\n') + 1; rest < len(tail) { // no end yet
		if !whole && rest == 0 {
			return nil
		}
		events = append(events, parseLine(tail[rest:], false))
		tail = tail[:rest]
	}
	for len(tail) > 0 && len(events) < n {
		start := bytes.LastIndexByte(tail[:len(tail)-1], '\n') + 1
		if start == 0 && !whole {
			break
		}
		events = append(events, parseLine(tail[start:len(tail)-1], true))
		tail = tail[:start]
	}
	slices.Reverse(events)
	return events
}
