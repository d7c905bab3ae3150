package pgserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sallyport/internal/loopback"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// downloaded is the version that download fetches.
const downloaded = embedded.V17

// download fetches an embedded PostgreSQL once and returns its bin folder.
//
// The library has no "fetch only": its Start downloads, checks the sum, unpacks
// and then runs initdb as whoever we are, which root may not. So its initdb is
// given an encoding that does not exist, and what counts is whether the
// binaries are there afterwards.
func download(ctx context.Context) (string, error) {
	cache, err := sharedCache()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "postgresql-"+string(downloaded))
	bin := filepath.Join(home, "bin")
	if holdsServer(bin) {
		return bin, nil
	}
	runtime, err := os.MkdirTemp("", "sallyport-pg-download-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(runtime) }()
	port, err := loopback.Port(ctx)
	if err != nil {
		return "", err
	}
	var log bytes.Buffer
	err = embedded.NewDatabase(embedded.DefaultConfig().
		Version(downloaded).
		Port(uint32(port)).
		Encoding("only-unpack").
		CachePath(cache).
		BinariesPath(home).
		RuntimePath(runtime).
		Logger(io.Writer(&log))).Start()
	if !holdsServer(bin) {
		return "", fmt.Errorf("%w (and it could not be downloaded: %w)", ErrNotFound, err)
	}
	return bin, nil
}

// sharedCache is a folder that keeps the download and that the account which
// runs PostgreSQL can read: root's home is closed to others.
func sharedCache() (string, error) {
	dir := "/var/cache/sallyport"
	if os.Getuid() != 0 {
		own, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(own, "sallyport")
	}
	return dir, os.MkdirAll(dir, 0o755)
}
