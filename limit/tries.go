package limit

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	Window     = time.Minute // in which tries are counted
	triesKnown = 10000       // addresses remembered; while there are more, new ones must wait
)

// Tries counts logins by address, so that tokens cannot be guessed. It is safe
// for concurrent use.
type Tries struct {
	limit int
	now   func() time.Time
	mu    sync.Mutex
	since map[netip.Prefix]window
}

type window struct {
	start time.Time
	count int
}

// NewTries allows an address so many tries in a Window.
func NewTries(limit int, now func() time.Time) *Tries {
	return &Tries{limit: limit, now: now, since: map[netip.Prefix]window{}}
}

// Take counts a login that begins, and reports whether it may. remote is an IP
// address, with or without a port.
func (t *Tries) Take(remote string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, ok := t.window(remote)
	if !ok {
		return false
	}
	w.count++
	t.since[neighbours(remote)] = w
	return true
}

// May reports whether a login may begin, and counts nothing: where many begin
// at once, those that fail are counted by Take.
func (t *Tries) May(remote string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.window(remote)
	return ok
}

// window is the address's present window; ok where it has a try left.
func (t *Tries) window(remote string) (w window, ok bool) {
	now := t.now()
	w, known := t.since[neighbours(remote)]
	if !known && len(t.since) >= triesKnown {
		for p, w := range t.since {
			if now.Sub(w.start) >= Window {
				delete(t.since, p)
			}
		}
		if len(t.since) >= triesKnown {
			return w, false
		}
	}
	if now.Sub(w.start) >= Window {
		w = window{start: now}
	}
	return w, w.count < t.limit
}

// Forget clears an address that logged in.
func (t *Tries) Forget(remote string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.since, neighbours(remote))
}

// neighbours is the address, for IPv6 its /64, which one caller has whole. What
// is no address counts as one.
func neighbours(remote string) netip.Prefix {
	ip, err := netip.ParseAddr(address(remote))
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ip.Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits) // the bits always fit
	return prefix
}

// address is a remote address without its port.
func address(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}
