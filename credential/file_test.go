package credential

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFileRotation: whatever way a secret is replaced, the next lease has the new
// one, by a clock that stands still.
func TestFileRotation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write("key", "one")
	now := time.Now()
	f := newFiles(dir, func() time.Time { return now })
	lent := func() string {
		m, err := f.fetch(context.Background(), mustRef(t, "file://key"))
		if err != nil {
			return "error"
		}
		text, err := m.whole()
		must(err)
		return text.Reveal()
	}
	for _, step := range []struct {
		name, want string
		change     func()
	}{
		{"as it is", "one", func() {}},
		{"written over, another length", "second", func() { write("key", "second") }},
		{"written over, the same length", "third!", func() { write("key", "third!"); must(os.Chtimes(path, now, now.Add(time.Hour))) }},
		{"another file in its place, of the same length and time", "fourth", func() {
			write("new", "fourth")
			must(os.Chtimes(filepath.Join(dir, "new"), now, now.Add(time.Hour)))
			must(os.Rename(filepath.Join(dir, "new"), path))
		}},
		{"gone", "error", func() { must(os.Remove(path)) }},
		{"a link", "fourth", func() {
			must(os.MkdirAll(filepath.Join(dir, "v1"), 0o700))
			write("v1/key", "fourth")
			must(os.Symlink("v1", filepath.Join(dir, "data")))
			must(os.Symlink("data/key", path))
		}},
		{"the link leads elsewhere, as in Kubernetes", "fifth!", func() {
			must(os.MkdirAll(filepath.Join(dir, "v2"), 0o700))
			write("v2/key", "fifth!")
			must(os.Symlink("v2", filepath.Join(dir, "data.new")))
			must(os.Rename(filepath.Join(dir, "data.new"), filepath.Join(dir, "data")))
		}},
		{"a folder", "error", func() { must(os.Remove(path)); must(os.Mkdir(path, 0o700)) }},
	} {
		step.change()
		if got := lent(); got != step.want {
			t.Fatalf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

// TestFileIsRead: once while nothing changes, and anew when it was long ago, so that
// a change which leaves no trace is seen too.
func TestFileIsRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	then := time.Unix(1700000000, 0)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	write(canary + "1")
	now := then
	f := newFiles(dir, func() time.Time { return now })
	lent := func() string {
		t.Helper()
		m, err := f.fetch(context.Background(), mustRef(t, "file://key"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := m.whole()
		if err != nil {
			t.Fatal(err)
		}
		return text.Reveal()
	}
	if got := lent(); got != canary+"1" {
		t.Fatal(got)
	}
	write(canary + "2")
	if got := lent(); got != canary+"1" {
		t.Errorf("it was read again: %s", got)
	}
	for _, ahead := range []time.Duration{fileTrust, -time.Hour} { // the clock may be set back
		now = now.Add(ahead)
		want := fmt.Sprintf("%s%d", canary, len(fmt.Sprint(ahead)))
		write(want)
		if got := lent(); got != want {
			t.Errorf("after %v: %s, want %s", ahead, got, want)
		}
	}
	if s := fmt.Sprintf("%v %+v", f.read, f.read[path]); strings.Contains(s, canary) {
		t.Errorf("the secret is printed: %s", s)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { lent() })
	}
	all.Wait()
}

func BenchmarkFile(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("sk-1234"), 0o600); err != nil {
		b.Fatal(err)
	}
	f := newFiles(dir, time.Now)
	ref, err := ParseRef("file://key")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := f.fetch(context.Background(), ref); err != nil {
			b.Fatal(err)
		}
	}
}
