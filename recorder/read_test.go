package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// raw writes a recording's bytes past the recorder.
func raw(t *testing.T, dir, day, id, text string) {
	t.Helper()
	path := filepath.Join(dir, "v1", day, id+".jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	openLine = `{"seq":1,"time":"2026-03-04T12:00:00Z","kind":"open","open":{"session":"01A","protocol":"postgres","target":"orders","subject":"w"},"totals":{"statements":0,"refused":0}}` + "\n"
	denyLine = `{"seq":2,"time":"2026-03-04T12:00:01Z","kind":"statement","statement":{"id":1,"text":"drop table t","action":"deny"},"totals":{"statements":1,"refused":1}}` + "\n"
	endLine  = `{"seq":3,"time":"2026-03-04T12:00:02Z","kind":"close","close":{"reason":"bye"},"totals":{"statements":1,"refused":1}}` + "\n"
)

func TestTornLinesCostNoOther(t *testing.T) {
	for name, c := range map[string]struct{ text, kinds, state string }{
		"whole":           {openLine + denyLine + endLine, "open statement close", StateClosed},
		"no close":        {openLine + denyLine, "open statement", StateBroken},
		"torn end":        {openLine + denyLine + endLine[:40], "open statement torn", StateBroken},
		"no line feed":    {openLine + denyLine + strings.TrimSuffix(endLine, "\n"), "open statement torn", StateBroken},
		"hole of zeros":   {openLine + denyLine + strings.Repeat("\x00", 50), "open statement torn", StateBroken},
		"torn in between": {openLine + denyLine[:30] + "\n" + denyLine + endLine, "open torn statement close", StateClosed},
		"not an event":    {openLine + denyLine + `{"kind":"outcome"}` + "\n", "open statement torn", StateBroken},
	} {
		t.Run(name, func(t *testing.T) {
			r, dir := open(t)
			raw(t, dir, "2026-03-04", "01A", c.text)
			events, err := r.Events("01A")
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, e := range events {
				kinds = append(kinds, e.Kind)
			}
			if got := strings.Join(kinds, " "); got != c.kinds {
				t.Errorf("kinds: %s, want %s", got, c.kinds)
			}
			list, err := r.Sessions(0)
			if err != nil || len(list) != 1 {
				t.Fatalf("sessions: %+v, %v", list, err)
			}
			if s := list[0]; s.State != c.state || s.Statements != 1 || s.Refused != 1 || s.Target != "orders" {
				t.Errorf("summary: %+v, want %s", s, c.state)
			}
		})
	}
}

func TestSessionsNewestFirst(t *testing.T) {
	r, dir := open(t)
	if list, err := r.Sessions(5); err != nil || len(list) != 0 {
		t.Fatalf("empty folder: %v, %v", list, err)
	}
	at := noon
	r.now = func() time.Time { return at }
	for i := range 6 {
		at = noon.Add(time.Duration(i) * 8 * time.Hour) // two days and a bit
		rec := begin(t, r, fmt.Sprintf("01%c", 'A'+i))
		if i%2 == 0 {
			if err := rec.End(Closing{Reason: "done"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	raw(t, dir, "2026-03-04", "01Z", "")                 // begun, nothing written yet
	raw(t, dir, "not-a-day", "01Y", openLine)            // not ours
	raw(t, dir, "2026-03-04", "no session id", openLine) // not ours
	for limit, want := range map[int]string{
		0: "01F open, 01E closed, 01D open, 01C closed, 01B open, 01A closed",
		2: "01F open, 01E closed",
		5: "01F open, 01E closed, 01D open, 01C closed, 01B open",
	} {
		list, err := r.Sessions(limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.Session+" "+s.State)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("limit %d: %v, want %s", limit, got, want)
		}
	}
}

func TestASummaryOfALongRecording(t *testing.T) {
	r, _ := open(t)
	rec := begin(t, r, "01A")
	write(t, rec, denied(1, strings.Repeat("x", 300<<10)), allowed(2, strings.Repeat("y", 200<<10)))
	list, err := r.Sessions(1)
	if err != nil || list[0].Statements != 2 || list[0].Refused != 1 || list[0].State != StateOpen {
		t.Fatalf("%+v, %v", list, err)
	}
}

func TestFind(t *testing.T) {
	r, _ := open(t)
	for _, id := range []string{"01ABC", "01ABD", "01X"} {
		begin(t, r, id)
	}
	for prefix, want := range map[string]string{"01ABC": "01ABC", "01X": "01X", "01ABD": "01ABD", "01AB": "", "02": "", "": "", "../": "", "*": ""} {
		got, err := r.Find(prefix)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Find(%q) = %q, %v, want %q", prefix, got, err, want)
		}
	}
	if _, err := r.Find("01AB"); err == nil || errors.Is(err, ErrNoSession) {
		t.Errorf("ambiguous: %v", err)
	}
	for _, id := range []string{"02", "../../etc/passwd", ""} {
		if _, err := r.Events(id); !errors.Is(err, ErrNoSession) {
			t.Errorf("Events(%q): %v", id, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(openLine + denyLine + endLine))
	f.Add([]byte(openLine + denyLine[:50]))
	f.Add([]byte("\n\n{}\nnull\n[]\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := bytes.Count(text, []byte("\n"))
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			lines++
		}
		n := 0
		for e, err := range parse(bytes.NewReader(text)) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != KindTorn && e.Kind != e.kind() {
				t.Fatalf("event %+v", e)
			}
			n++
		}
		if n != lines {
			t.Fatalf("%d events of %d lines", n, lines)
		}
		lastLine(text)
	})
}
