package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// ErrNotFound says that the machine has no PostgreSQL, and what to do.
var ErrNotFound = errors.New("no PostgreSQL server found: install it (Debian, Ubuntu: apt-get install postgresql postgresql-contrib; " +
	"Fedora: dnf install postgresql-server postgresql-contrib; macOS: brew install postgresql), " +
	"or set SALLYPORT_PG_BIN to the folder that holds initdb and postgres")

// Find returns the folder that holds initdb and postgres: $SALLYPORT_PG_BIN,
// else that of the postgres on PATH, else the newest of the usual places.
func Find() (string, error) {
	if dir := os.Getenv("SALLYPORT_PG_BIN"); dir != "" {
		if !holdsServer(dir) {
			return "", fmt.Errorf("SALLYPORT_PG_BIN=%s holds no initdb and postgres", dir)
		}
		return dir, nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		// initdb finds its neighbours by its own path: resolve links first.
		if real, err := filepath.EvalSymlinks(path); err == nil && holdsServer(filepath.Dir(real)) {
			return filepath.Dir(real), nil
		}
	}
	best, version := "", -1.0
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
		"/usr/pgsql-*/bin",          // PostgreSQL's own RPMs
		"/usr/local/pgsql/bin",      // built from source
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
	} {
		dirs, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, dir := range dirs {
			if v := versionIn(dir); v > version && holdsServer(dir) {
				best, version = dir, v
			}
		}
	}
	if best == "" {
		return "", ErrNotFound
	}
	return best, nil
}

// versionIn reads 15 out of /usr/lib/postgresql/15/bin, 0 when there is none.
func versionIn(dir string) float64 {
	name := filepath.Base(filepath.Dir(dir))
	for i := range name {
		if v, err := strconv.ParseFloat(name[i:], 64); err == nil && v > 0 {
			return v
		}
	}
	return 0
}

// holdsServer reports whether dir has what Start runs.
func holdsServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
