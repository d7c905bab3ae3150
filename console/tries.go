package console

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	tryWindow  = time.Minute
	tryLimit   = 10    // failed logins of an address in a window
	triesKnown = 10000 // addresses remembered; while there are more, new ones must wait
)

// tries counts failed logins by address.
type tries struct {
	now   func() time.Time
	mu    sync.Mutex
	since map[netip.Prefix]window
}

type window struct {
	start time.Time
	count int
}

func newTries(now func() time.Time) *tries {
	return &tries{now: now, since: map[netip.Prefix]window{}}
}

// take counts a login that begins, and reports whether it may.
func (t *tries) take(remote string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, who := t.now(), neighbours(remote)
	w, known := t.since[who]
	if !known && len(t.since) >= triesKnown {
		for p, w := range t.since {
			if now.Sub(w.start) >= tryWindow {
				delete(t.since, p)
			}
		}
		if len(t.since) >= triesKnown {
			return false
		}
	}
	if now.Sub(w.start) >= tryWindow {
		w = window{start: now}
	}
	if w.count >= tryLimit {
		return false
	}
	w.count++
	t.since[who] = w
	return true
}

// forget clears an address that logged in.
func (t *tries) forget(remote string) {
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
