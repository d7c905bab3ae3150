package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// open gives a recorder in a new folder whose clock steps a second at a look.
func open(t testing.TB) (*Recorder, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := Open("file:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	at := noon
	r.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
	return r, dir
}

func begin(t testing.TB, r *Recorder, id string) *Recording {
	t.Helper()
	rec, err := r.Begin(context.Background(), Opening{Session: id, Protocol: Postgres, Target: "orders", Subject: "worker-1", Groups: []string{"agents"}})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func write(t testing.TB, rec *Recording, events ...Event) {
	t.Helper()
	for _, e := range events {
		if err := rec.Write(e); err != nil {
			t.Fatal(err)
		}
	}
}

func allowed(id int64, text string) Event {
	return Event{Statement: &Statement{ID: id, Text: text, Verbs: []string{"select"}, Action: "allow"}}
}

func denied(id int64, text string) Event {
	return Event{Statement: &Statement{ID: id, Text: text, Action: "deny", Rule: "no-destructive"}}
}

func TestOpenRefusesWhatIsNotAFolder(t *testing.T) {
	for url, want := range map[string]string{
		"":                      "want file:DIR",
		"recordings":            "want file:DIR",
		"file:":                 "names no folder",
		"file://host/x":         "not a folder here",
		"s3://bucket?region=eu": "not built yet",
		"gs://bucket":           "not built yet",
		"azblob://box":          "not built yet",
		"ftp:x":                 "unknown scheme",
	} {
		if _, err := Open(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"file:rel", "file:/abs", "file:///abs"} {
		if _, err := Open(url); err != nil {
			t.Errorf("Open(%q) = %v", url, err)
		}
	}
}

func TestASessionReadsBackAsItWasWritten(t *testing.T) {
	r, dir := open(t)
	rec := begin(t, r, "01A")
	text := "1"
	write(t, rec,
		Event{Statement: &Statement{ID: 1, Text: "select $1 <&>\u2028\n'é'", Params: []Param{{Text: &text}, {}, BinaryParam([]byte{0, 255})}, Action: "allow"}},
		Event{Outcome: &Outcome{ID: 1, Tag: "SELECT 1", Rows: 1, Duration: 3 * time.Millisecond}},
		denied(2, "drop table users"))
	if err := rec.End(Closing{Reason: "client left"}); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(dir, "v1", "2026-03-04", "01A.jsonl")
	for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if stat, err := os.Stat(path); err != nil || stat.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, stat.Mode(), err, want)
		}
	}
	events, err := r.Events("01A")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, e := range events {
		kinds = append(kinds, e.Kind)
		if e.Seq != int64(i+1) || e.Time.IsZero() || len(e.Notes) != 0 {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if got := strings.Join(kinds, " "); got != "open statement outcome statement close" {
		t.Fatalf("kinds: %s", got)
	}
	s := events[1].Statement
	if s.Text != "select $1 <&>\u2028\n'é'" || *s.Params[0].Text != "1" || s.Params[1] != (Param{}) || *s.Params[2].Binary != "00ff" {
		t.Errorf("statement: %+v", s)
	}
	if events[2].Outcome.Duration != 3*time.Millisecond || events[4].Totals != (Totals{Statements: 2, Refused: 1}) {
		t.Errorf("outcome %+v, totals %+v", events[2].Outcome, events[4].Totals)
	}
}

func TestBeginRefusesBadAndTakenIDs(t *testing.T) {
	r, dir := open(t)
	for _, id := range []string{"", "../x", "a/b", "a.b", "a b", "ü", "a\x00", strings.Repeat("a", 65)} {
		if _, err := r.Begin(context.Background(), Opening{Session: id}); err == nil {
			t.Errorf("Begin took %q", id)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "v1")); !os.IsNotExist(err) {
		t.Errorf("a refused id left something: %v", err)
	}
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, "select 1"))
	if _, err := r.Begin(context.Background(), Opening{Session: "01A"}); !errors.Is(err, os.ErrExist) {
		t.Errorf("second Begin: %v", err)
	}
	if events, err := r.Events("01A"); err != nil || len(events) != 2 {
		t.Errorf("first recording: %d events, %v", len(events), err)
	}
}

func TestAnEventHoldsWhatItsKindSays(t *testing.T) {
	r, _ := open(t)
	for name, e := range map[string]Event{
		"nothing": {},
		"other":   {Kind: KindOutcome, Statement: &Statement{}},
	} {
		rec := begin(t, r, "id-"+name)
		if err := rec.Write(e); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	r, _ := open(t)
	rec := begin(t, r, "01A")
	if err := rec.End(Closing{}); err != nil {
		t.Fatal(err)
	}
	if err := rec.Write(allowed(1, "select 1")); !errors.Is(err, errEnded) {
		t.Errorf("Write: %v", err)
	}
	if err := rec.End(Closing{}); !errors.Is(err, errEnded) {
		t.Errorf("End: %v", err)
	}
}

// TestAFullDiskPoisons writes to a device that takes nothing.
func TestAFullDiskPoisons(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system")
	}
	r, _ := open(t)
	r.create = func(string) (file, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) }
	if _, err := r.Begin(context.Background(), Opening{Session: "01A"}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Begin: %v", err)
	}
}

// breaking fails from the nth write on, having written part of it, and works
// again afterwards.
type breaking struct {
	file
	left  int
	short bool
	n     int
}

var errBroken = errors.New("broken")

func (b *breaking) Write(p []byte) (int, error) {
	b.n++
	if b.left--; b.left != 0 {
		return b.file.Write(p)
	}
	n, _ := b.file.Write(p[:len(p)/2])
	if b.short {
		return n, nil
	}
	return n, errBroken
}

func TestTheFirstErrorIsKept(t *testing.T) {
	for name, short := range map[string]bool{"error": false, "short write": true} {
		t.Run(name, func(t *testing.T) {
			r, _ := open(t)
			var f *breaking
			r.create = func(path string) (file, error) {
				whole, err := createFile(path)
				f = &breaking{file: whole, left: 3, short: short}
				return f, err
			}
			rec := begin(t, r, "01A")
			write(t, rec, allowed(1, "select 1"))
			first := rec.Write(allowed(2, "select 2"))
			if first == nil || (!short && !errors.Is(first, errBroken)) {
				t.Fatalf("broken write: %v", first)
			}
			if err := rec.Write(allowed(3, "select 3")); !errors.Is(err, first) {
				t.Errorf("next write: %v, want %v", err, first)
			}
			if err := rec.End(Closing{}); !errors.Is(err, first) {
				t.Errorf("End: %v, want %v", err, first)
			}
			if f.n != 3 {
				t.Errorf("%d writes reached the file, want 3", f.n)
			}
			events, err := r.Events("01A")
			if err != nil || len(events) != 3 || events[2].Kind != KindTorn {
				t.Errorf("events: %+v, %v", events, err)
			}
			list, err := r.Sessions(0)
			if err != nil || len(list) != 1 || list[0].State != StateBroken || list[0].Statements != 1 {
				t.Errorf("sessions: %+v, %v", list, err)
			}
			if got := testutil.ToFloat64(r.metrics.errors); got != 1 {
				t.Errorf("errors counted: %v", got)
			}
		})
	}
}

// TestOneWritePerEvent is what lets a line be torn only by a crash.
func TestOneWritePerEvent(t *testing.T) {
	r, _ := open(t)
	var f *breaking
	r.create = func(path string) (file, error) {
		whole, err := createFile(path)
		f = &breaking{file: whole}
		return f, err
	}
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, strings.Repeat("x", 1<<20)), allowed(2, "select 2"))
	if err := rec.End(Closing{}); err != nil || f.n != 4 {
		t.Fatalf("%d writes, %v", f.n, err)
	}
}

func TestManyWritersKeepOrder(t *testing.T) {
	r, _ := open(t)
	rec := begin(t, r, "01A")
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := rec.Write(allowed(int64(w*each+i), strings.Repeat("x", i*97))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 { // read while it is written
			if _, err := r.Sessions(10); err != nil {
				t.Error(err)
			}
			if _, err := r.Events("01A"); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if err := rec.End(Closing{}); err != nil {
		t.Fatal(err)
	}
	events, err := r.Events("01A")
	if err != nil || len(events) != writers*each+2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) || (i > 0 && e.Time.Before(events[i-1].Time)) {
			t.Fatalf("event %d: seq %d", i, e.Seq)
		}
	}
}

func TestMetrics(t *testing.T) {
	r, dir := open(t)
	reg := prometheus.NewRegistry()
	if err := r.Register(reg); err != nil {
		t.Fatal(err)
	}
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, "a"), allowed(2, "b"))
	stat, err := os.Stat(filepath.Join(dir, "v1", "2026-03-04", "01A.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`
# HELP sallyport_recorder_bytes_total Bytes written to recordings.
# TYPE sallyport_recorder_bytes_total counter
sallyport_recorder_bytes_total %d
# HELP sallyport_recorder_events_total Events written to recordings.
# TYPE sallyport_recorder_events_total counter
sallyport_recorder_events_total{kind="open"} 1
sallyport_recorder_events_total{kind="statement"} 2
`, stat.Size())
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "sallyport_recorder_bytes_total", "sallyport_recorder_events_total"); err != nil {
		t.Error(err)
	}
}

func TestReady(t *testing.T) {
	r, dir := open(t)
	if err := r.Ready(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "v1", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open("file:" + blocked)
	if err != nil {
		t.Fatal(err)
	}
	if r.Ready() == nil {
		t.Error("a file is no folder")
	}
}

func BenchmarkWrite(b *testing.B) {
	r, _ := open(b)
	rec := begin(b, r, "01A")
	e := allowed(1, "select id, email from users where id = $1")
	b.ReportAllocs()
	for b.Loop() {
		if err := rec.Write(e); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLinesAreJSON reads the file without this package.
func TestLinesAreJSON(t *testing.T) {
	r, dir := open(t)
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, "select 1"))
	text, err := os.ReadFile(filepath.Join(dir, "v1", "2026-03-04", "01A.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
		t.Fatal(err)
	}
	if got["kind"] != "statement" || got["seq"] != 2.0 || got["statement"].(map[string]any)["text"] != "select 1" {
		t.Errorf("line: %s", lines[1])
	}
}
