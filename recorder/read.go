package recorder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLine is the longest line read. maxText bytes in the longest JSON spelling,
// six bytes for one, stay well below.
const maxLine = 64 << 20

// Events reads a whole recording, which may still be written to.
func (r *Recorder) Events(id string) ([]Event, error) {
	var events []Event
	for e, err := range r.All(id) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// All reads a recording event by event. An error ends it; a line that cannot be
// read is no error but an event of kind KindTorn.
func (r *Recorder) All(id string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		path, err := r.path(id)
		if err != nil {
			yield(Event{}, err)
			return
		}
		f, err := os.Open(path)
		if err != nil {
			yield(Event{}, fmt.Errorf("read session %s: %w", id, err))
			return
		}
		defer func() { _ = f.Close() }()
		for e, err := range parse(f) {
			if err != nil {
				err = fmt.Errorf("read session %s: %w", id, err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// parse turns JSON lines into events.
func parse(in io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lines := bufio.NewReaderSize(in, 64<<10)
		for {
			line, whole, err := readLine(lines)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(Event{}, err)
				}
				return
			}
			if !yield(parseLine(line, whole), nil) {
				return
			}
		}
	}
}

// readLine returns the next line without its end. whole is false for one that
// has no end or is too long, of which the rest is skipped.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	part, err := in.ReadSlice('\n')
	line = append(line, part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = in.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, false, err
	}
	line, ended := bytes.CutSuffix(line, []byte{'\n'})
	return line, ended && len(line) <= maxLine, nil
}

// parseLine reads one event, or gives the torn one in its place.
func parseLine(line []byte, whole bool) Event {
	var e Event
	if whole && json.Unmarshal(line, &e) == nil && e.Kind != "" && e.Kind == e.kind() {
		return e
	}
	return Event{Kind: KindTorn, Notes: []Note{{Field: "line", Change: "unreadable", Length: int64(len(line))}}}
}

// path finds the file of a session.
func (r *Recorder) path(id string) (string, error) {
	if !sessionID.MatchString(id) {
		return "", fmt.Errorf("%w: %q", ErrNoSession, id)
	}
	days, err := r.days()
	if err != nil {
		return "", err
	}
	for _, day := range days {
		path := filepath.Join(r.root, day, id+suffix)
		if _, err := os.Lstat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find session %s: %w", id, err)
		}
	}
	return "", fmt.Errorf("%w: %s", ErrNoSession, id)
}

// Find completes the beginning of a session id, if only one session has it.
func (r *Recorder) Find(prefix string) (string, error) {
	_, err := r.path(prefix)
	if err == nil {
		return prefix, nil
	}
	if !errors.Is(err, ErrNoSession) || !sessionID.MatchString(prefix) {
		return "", err
	}
	days, dirErr := r.days()
	if dirErr != nil {
		return "", dirErr
	}
	var found []string
	for _, day := range days {
		ids, err := r.ids(day)
		if err != nil {
			return "", err
		}
		for _, id := range ids {
			if strings.HasPrefix(id, prefix) {
				found = append(found, id)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", err
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%d sessions begin with %s: give more of the id", len(found), prefix)
}

// days lists the folders of recordings, newest first.
func (r *Recorder) days() ([]string, error) {
	return names(r.root, func(name string) (string, bool) { return name, dayName.MatchString(name) })
}

// ids lists the sessions of a day, newest first.
func (r *Recorder) ids(day string) ([]string, error) {
	return names(filepath.Join(r.root, day), func(name string) (string, bool) {
		id, ok := strings.CutSuffix(name, suffix)
		return id, ok && sessionID.MatchString(id)
	})
}

// names lists a folder backwards, as keep wants each name, or leaves it out.
func names(dir string, keep func(string) (string, bool)) ([]string, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	defer func() { _ = d.Close() }()
	all, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	kept := all[:0]
	for _, name := range all {
		if name, ok := keep(name); ok {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	slices.Reverse(kept)
	return kept, nil
}
