package recorder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// layout is the folder below DIR. Files of a released layout are never written
// in another way: a new way is a v2.
const layout = "v1"

// suffix ends the name of every recording.
const suffix = ".jsonl"

// ErrNoSession is returned for a session that has no recording here.
var ErrNoSession = errors.New("no such session")

var (
	sessionID = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	dayName   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// Recorder is the folder of all recordings.
type Recorder struct {
	root    string // DIR/v1
	now     func() time.Time
	create  func(path string) (file, error)
	metrics *metrics
	lates   lateList
	lines   sync.Pool // of *[]byte
}

// Open names the store of recordings: "file:DIR". It touches no file; Ready
// tells whether recordings can be written.
func Open(url string) (*Recorder, error) {
	scheme, dir, found := strings.Cut(url, ":")
	switch {
	case !found:
		return nil, fmt.Errorf("recordings %q: want file:DIR", url)
	case scheme == "s3", scheme == "gs", scheme == "azblob":
		return nil, fmt.Errorf("recordings in %s:// are known, but not built yet: use file:DIR", scheme)
	case scheme != "file":
		return nil, fmt.Errorf("recordings %q: unknown scheme: use file:DIR", scheme+":")
	}
	if rest, host := strings.CutPrefix(dir, "//"); host {
		if !strings.HasPrefix(rest, "/") {
			return nil, errors.New("recordings: file://HOST is not a folder here: use file:DIR")
		}
		dir = rest
	}
	if dir == "" {
		return nil, errors.New("recordings: file: names no folder")
	}
	return &Recorder{
		root:    filepath.Join(dir, layout),
		now:     time.Now,
		create:  createFile,
		metrics: newMetrics(),
		lines:   sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Ready makes the folder if need be and tries whether a line can be written
// there: what /readyz asks.
func (r *Recorder) Ready() error {
	if err := os.MkdirAll(r.root, 0o700); err != nil {
		return fmt.Errorf("make folder of recordings: %w", err)
	}
	f, err := os.CreateTemp(r.root, ".ready-*")
	if err != nil {
		return fmt.Errorf("create recording: %w", err)
	}
	_, err = f.WriteString("{}\n")
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}
