package credential

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

const schemeFile = "file"

// checkFile has nothing to add: any path that can be printed is a path.
func checkFile(Ref) error { return nil }

func openFile(s settings) (source, error) { return files{s.base}, nil }

// files are read when the credential is wanted. A file is a JSON or TOML object
// when fields are taken from it, else a text without its last newline.
type files struct{ base string }

func (f files) fetch(_ context.Context, ref Ref) (*material, error) {
	raw, err := readSecretFile(within(f.base, ref.Path))
	if err != nil {
		return nil, err
	}
	return textMaterial(raw), nil
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
