package credential

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const schemeFile = "file"

// checkFile has nothing to add: any path that can be printed is a path.
func checkFile(Ref) error { return nil }

func openFile(s settings) (source, error) { return newFiles(s.base, time.Now), nil }

// fileTrust is how long what a file held is believed while nothing about the file
// changes: one that is written anew with the same length, in the same tick of its
// clock or with its time set back, is noticed this late.
const fileTrust = time.Second

// files are looked at when the credential is wanted, and read when they changed. A
// file is a JSON or TOML object when fields are taken from it, else a text without
// its last newline.
type files struct {
	base string
	now  func() time.Time

	mu   sync.Mutex
	read map[string]readFile // by path; there are as many as references
}

// readFile is what a file held, and how it looked before it was read.
type readFile struct {
	info os.FileInfo
	at   time.Time
	held *material
}

func newFiles(base string, now func() time.Time) *files {
	return &files{base: base, now: now, read: map[string]readFile{}}
}

func (f *files) fetch(_ context.Context, ref Ref) (*material, error) {
	path := within(f.base, ref.Path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.read[path]; ok && r.is(info) && now.Sub(r.at) < fileTrust && !now.Before(r.at) {
		return r.held, nil
	}
	delete(f.read, path)
	raw, err := readSecretFile(path)
	if err != nil {
		return nil, err
	}
	r := readFile{info, now, textMaterial(raw)}
	f.read[path] = r
	return r.held, nil
}

// is reports whether the file still looks as it did. One that was put in its place
// is another, behind a symbolic link too.
func (r readFile) is(info os.FileInfo) bool {
	return os.SameFile(r.info, info) && r.info.Size() == info.Size() && r.info.Mode() == info.Mode() && r.info.ModTime().Equal(info.ModTime())
}

// within resolves a relative path against base.
func within(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// readSecretFile reads a regular file: a pipe or a device would hold the
// session for as long as it likes.
func readSecretFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxMaterial+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxMaterial {
		return nil, errors.New("larger than 1 MiB")
	}
	return raw, nil
}
