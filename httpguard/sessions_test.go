package httpguard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"sallyport/policy"
	"sallyport/recorder"
)

func TestOneSession(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	for range 2 {
		g.do(t, "GET", "/plain/x", "")
	}
	g.do(t, "GET", "/free/y", "")
	g.Server.Close()
	if err := g.guard.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"open plain", "allow /base/x", "200", "allow /base/x", "200", "close the gateway shut down",
		"open free", "allow /y", "200", "close the gateway shut down",
	}
	if got := g.journal.told(); !slices.Equal(got, want) {
		t.Errorf("recorded %q", got)
	}
	if e := g.journal.exchanges(); e[0].ID != 1 || e[1].ID != 2 || e[2].ID != 1 {
		t.Errorf("numbers %d %d %d", e[0].ID, e[1].ID, e[2].ID)
	}
}

func TestClosed(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	if err := g.guard.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res, _ := g.do(t, "GET", "/plain/x", ""); res.StatusCode != 503 || len(p.requests()) != 0 {
		t.Errorf("status %d, upstream received %d", res.StatusCode, len(p.requests()))
	}
}

func testSessions(j Journal) *sessions {
	n := 0
	return newSessions(j, func() string { n++; return fmt.Sprint(n) }, zerolog.New(io.Discard), newMetrics())
}

// TestIdle lets time pass: a session ends a quarter of an hour after its last
// exchange, and not while one runs.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		all := testSessions(j)
		join := func() *session {
			s, err := all.join(t.Context(), recorder.Opening{Target: "t", Subject: "a"})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first := join()
		time.Sleep(2 * idleSession)
		all.leave(first)
		time.Sleep(idleSession - time.Second)
		if again := join(); again != first {
			t.Fatal("another session")
		} else {
			time.Sleep(time.Minute)
			all.leave(again)
		}
		time.Sleep(idleSession - time.Second)
		synctest.Wait()
		if got := j.told(); len(got) != 1 {
			t.Fatalf("ended early: %q", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := j.told(); !slices.Equal(got, []string{"open t", "close idle"}) {
			t.Fatalf("recorded %q", got)
		}
		if next := join(); next == first {
			t.Fatal("an ended session")
		} else {
			all.leave(next)
		}
		if err := all.close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCloseWaits ends a session only when its exchange has left.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		all := testSessions(j)
		s, err := all.join(t.Context(), recorder.Opening{Target: "t"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := all.close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("close: %v", err)
		}
		done := make(chan error)
		go func() { done <- all.close(t.Context()) }()
		synctest.Wait()
		if got := j.told(); len(got) != 1 {
			t.Fatalf("ended with an exchange running: %q", got)
		}
		all.leave(s)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := j.told(); !slices.Equal(got, []string{"open t", "close the gateway shut down"}) {
			t.Fatalf("recorded %q", got)
		}
		_, err = all.join(t.Context(), recorder.Opening{Target: "t"})
		if policy.AsRefusal(err).Kind != policy.ShuttingDown {
			t.Fatalf("join: %v", err)
		}
	})
}

type panicking struct{}

func (panicking) Begin(context.Context, recorder.Opening) (Recording, error) { panic("boom") }

// TestBeginPanics must not leave a session that Close waits for.
func TestBeginPanics(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, func(cfg *Config) { cfg.Journal = panicking{} })
	for range 2 {
		if res, _ := g.do(t, "GET", "/plain/x", ""); res.StatusCode != 500 || len(p.requests()) != 0 {
			t.Errorf("status %d, upstream received %d", res.StatusCode, len(p.requests()))
		}
	}
	if err := g.guard.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestManyAtOnce shares one session among concurrent exchanges.
func TestManyAtOnce(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			req, _ := http.NewRequest("GET", g.URL+"/plain/x", nil)
			req.Header.Set("X-Api-Key", token)
			res, err := g.Client().Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != 200 {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
	wg.Wait()
	numbers := map[int64]bool{}
	for _, e := range g.journal.exchanges() {
		numbers[e.ID] = true
	}
	if len(numbers) != 40 || len(g.journal.outcomes()) != 40 || len(g.journal.recordings) != 1 {
		t.Errorf("%d numbers, %d outcomes, %d recordings", len(numbers), len(g.journal.outcomes()), len(g.journal.recordings))
	}
	p.noToken(t, 1)
}
