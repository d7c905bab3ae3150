package store

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenRefuses(t *testing.T) {
	for dsn, want := range map[string]string{
		"":                            "want sqlite:PATH",
		"state.db":                    "want sqlite:PATH",
		"sqlite:":                     "names no file",
		"mysql:x":                     "unknown scheme",
		"postgres://u:hunter2@host/d": "not built yet",
		"sqlite:/nowhere/at/all/x.db": "no such file",
	} {
		_, err := Open(context.Background(), dsn)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) = %v, want %q", dsn, err, want)
		}
	}
}

func TestOpenMakesPrivateFilesWithStrictSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ?#%20b.db") // a path is no URL
	s, err := Open(context.Background(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if stat, err := os.Stat(name); err != nil || stat.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, stat, err)
		}
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "synchronous": "2"} {
		var got string
		if err := s.DB().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
		}
	}
}

// TestManyOpenAtOnce is a gateway, its restart and a command at the same moment.
func TestManyOpenAtOnce(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "s.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := Open(context.Background(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			files, _ := fs.Glob(migrations, "migrations/*.sql")
			var n int
			if err := s.DB().QueryRow(`SELECT count(*) FROM schema_version`).Scan(&n); err != nil || n != len(files) {
				t.Errorf("%d versions, %v, want %d", n, err, len(files))
			}
		})
	}
	wg.Wait()
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "s.db")
	s, err := Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().Exec(`INSERT INTO schema_version (version, name) VALUES (999, 'later')`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dsn); err == nil || !strings.Contains(err.Error(), "use the newer program") {
		t.Fatalf("Open = %v", err)
	}
}
