package limit

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestTriesAreBounded(t *testing.T) {
	now := noon
	tr := NewTries(10, func() time.Time { return now })
	for i := range triesKnown {
		if !tr.Take(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)) {
			t.Fatalf("address %d", i)
		}
	}
	if tr.Take("192.0.2.1:1") {
		t.Error("one more than can be remembered was let in")
	}
	if !tr.Take("10.0.0.1:2") {
		t.Error("a known address was shut out")
	}
	now = now.Add(Window)
	if !tr.Take("192.0.2.1:1") || len(tr.since) != 1 {
		t.Errorf("%d addresses remembered after a window", len(tr.since))
	}
}

func TestOnlyFailuresCount(t *testing.T) {
	tr := NewTries(2, func() time.Time { return noon })
	for range 10 {
		if !tr.May("192.0.2.1:1") {
			t.Fatal("asking was counted")
		}
	}
	tr.Take("192.0.2.1:1")
	tr.Take("192.0.2.1:2")
	if tr.May("192.0.2.1:3") || !tr.May("192.0.2.2:1") {
		t.Fatal("two failures did not shut the address out, or shut out another")
	}
	tr.Forget("192.0.2.1:4")
	if !tr.May("192.0.2.1:5") {
		t.Fatal("a login did not clear the address")
	}
}
