package recorder

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func outcome(id int64) Event { return Event{Outcome: &Outcome{ID: id, Tag: "SELECT 1"}} }

// lines is how many the file holds.
func lines(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "v1", "2026-03-04", "01A.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// TestLateLines: what came of a statement is written before the next one, with it.
func TestLateLines(t *testing.T) {
	r, dir := open(t)
	var f *breaking
	r.create = func(path string) (file, error) {
		whole, err := createFile(path)
		f = &breaking{file: whole}
		return f, err
	}
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, "select 1"))
	rec.late = true // nobody writes it meanwhile
	if err := rec.WriteLate(outcome(1)); err != nil {
		t.Fatal(err)
	}
	if n := lines(t, dir); n != 2 {
		t.Errorf("%d lines before the next statement, want 2", n)
	}
	write(t, rec, allowed(2, "select 2"))
	if n := lines(t, dir); n != 4 || f.n != 3 {
		t.Errorf("%d lines in %d writes, want 4 in 3", n, f.n)
	}
	if err := rec.WriteLate(outcome(2)); err != nil {
		t.Fatal(err)
	}
	if err := rec.End(Closing{}); err != nil {
		t.Fatal(err)
	}
	events, err := r.Events("01A")
	if err != nil || len(events) != 6 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d has number %d", i, e.Seq)
		}
	}
}

// TestLateLinesAreNotForgotten: a session that rests has all its lines in the file soon.
func TestLateLinesAreNotForgotten(t *testing.T) {
	r, dir := open(t)
	rec := begin(t, r, "01A")
	for id := range int64(2) { // the second after the first was written
		if err := rec.WriteLate(outcome(id)); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); lines(t, dir) != int(id)+2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d lines", lines(t, dir))
			}
		}
	}
	before := lines(t, dir)
	for range 4 { // much does not wait
		if err := rec.WriteLate(Event{Outcome: &Outcome{Tag: string(bytes.Repeat([]byte("x"), lateBytes/4))}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := lines(t, dir); n != before+4 {
		t.Errorf("%d lines of 4 that are long", n-before)
	}
	if err := rec.End(Closing{}); err != nil {
		t.Fatal(err)
	}
}

// TestLateErrors: what could not be written late stops the next statement.
func TestLateErrors(t *testing.T) {
	r, dir := open(t)
	r.create = func(path string) (file, error) {
		whole, err := createFile(path)
		return &breaking{file: whole, left: 3}, err
	}
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, "select 1"))
	if err := rec.WriteLate(outcome(1)); err != nil {
		t.Fatal(err)
	}
	r.lates.write()
	if err := rec.Write(allowed(2, "select 2")); !errors.Is(err, errBroken) {
		t.Errorf("the next statement: %v", err)
	}
	if err := rec.WriteLate(outcome(2)); !errors.Is(err, errBroken) {
		t.Errorf("the next outcome: %v", err)
	}
	if n := lines(t, dir); n != 2 {
		t.Errorf("%d lines", n)
	}
}
