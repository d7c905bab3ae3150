package sqlguard

import (
	"strings"
	"testing"
	"time"
)

// TestTurns: one who asks for all there is leaves some to the others.
func TestTurns(t *testing.T) {
	never, now := make(chan time.Time), make(chan time.Time)
	close(now)
	turns := newTurns(2)
	for range 2 {
		if !turns.take("greedy", never) {
			t.Fatal("no turn")
		}
	}
	if turns.take("greedy", now) {
		t.Error("more than a share")
	}
	if !turns.take("other", never) {
		t.Error("no turn for another")
	}
	waited := make(chan bool)
	go func() { waited <- turns.take("greedy", never) }()
	turns.giveBack("greedy")
	if !<-waited {
		t.Error("no turn after one was given back")
	}
	turns.giveBack("greedy")
	turns.giveBack("greedy")
	turns.giveBack("other")
	if len(turns.of) != 0 {
		t.Errorf("%d callers are remembered", len(turns.of))
	}
}

// TestWorkersAreShared: while one caller's long texts have all the workers that
// they can have, another's is read.
func TestWorkersAreShared(t *testing.T) {
	p := testParser(t)
	g, never := New(nil, p), make(chan time.Time)
	var held []*worker
	for range share {
		if !p.pool.turns.take("greedy", never) {
			t.Fatal("no turn")
		}
		held = append(held, <-p.pool.slots) // as one that never ends
	}
	long := "select '" + strings.Repeat("x", p.inProcess) + "'"
	if r := g.ReadFor("other", long, nil); r.Refusal != nil {
		t.Errorf("refused: %v", r.Refusal)
	}
	for _, w := range held {
		p.pool.slots <- w
		p.pool.turns.giveBack("greedy")
	}
}
