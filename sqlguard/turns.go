package sqlguard

import (
	"sync"
	"time"
)

// turns keeps anybody from having more than a share of the workers at a time.
// Whoever wants more waits for himself.
type turns struct {
	mu    sync.Mutex
	share int
	of    map[string]*turn
}

// turn is one caller's share.
type turn struct {
	taken chan struct{} // as long as the share
	asked int           // who holds or awaits some of it
}

func newTurns(share int) *turns { return &turns{share: share, of: map[string]*turn{}} }

// take waits for a turn of who's until stop; each that is taken is to be given back.
func (t *turns) take(who string, stop <-chan time.Time) bool {
	t.mu.Lock()
	mine := t.of[who]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, t.share)}
		t.of[who] = mine
	}
	mine.asked++
	t.mu.Unlock()
	select {
	case mine.taken <- struct{}{}:
		return true
	case <-stop:
		t.leave(who, mine)
		return false
	}
}

func (t *turns) giveBack(who string) {
	t.mu.Lock()
	mine := t.of[who]
	t.mu.Unlock()
	<-mine.taken
	t.leave(who, mine)
}

func (t *turns) leave(who string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.asked--; mine.asked == 0 {
		delete(t.of, who)
	}
}
