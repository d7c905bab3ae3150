package wire

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/credential"
)

// maxPool is the largest pool a target may ask for.
const maxPool = 1000

// Times of a pool. A connection is checked whenever it is handed out, too.
const (
	poolRound = 30 * time.Second // from one look at the waiting connections to the next
	poolGrace = time.Second      // for what was handed out to come back before another is opened in its place
	poolAge   = time.Hour        // of a connection since its login: then the role's own settings are read anew
	poolIdle  = 30 * time.Minute // after which a set of startup parameters that nobody asks for is let go
	pingTime  = 2 * time.Second  // for a waiting server to answer
	resetTime = 5 * time.Second  // for DISCARD ALL
)

// pool keeps connections of one target logged in and ready, so that a session
// that begins waits for no login upstream. It holds no more than size of them.
//
// What a client asks for at startup is what RESET and DISCARD ALL return to: no
// statement can put that right afterwards. So a connection is fit for a session
// with the very same startup parameters, and no other.
//
// A nil pool is always empty and takes nothing back.
type pool struct {
	server *Server
	target *target
	size   int
	grace  time.Duration
	ctx    context.Context // ends with the draining; the pool lives as long as Serve
	work   sync.WaitGroup

	mu      sync.Mutex
	sets    []*poolSet  // the one asked for last first
	login   fingerprint // of the credential that all that wait are logged in with
	filling bool
	soon    *time.Timer // fills after the grace
	off     bool        // the credential is made for each session
	closed  bool
}

// poolSet is what waits for sessions of one set of startup parameters.
type poolSet struct {
	key   string
	param []param
	ready []*upstream // the one used last is taken first
	want  int         // how many there shall be
	asked time.Time
}

func newPool(s *Server, t *target, size int) *pool {
	if size == 0 {
		return nil
	}
	return &pool{server: s, target: t, size: size, grace: poolGrace, ctx: s.draining}
}

// setKey is equal for startup parameters that mean the same login.
func setKey(params []param) string {
	sorted := slices.Clone(params)
	slices.SortFunc(sorted, func(a, b param) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for _, p := range sorted {
		b.WriteString(p.name + "\x00" + p.value + "\x00")
	}
	return b.String()
}

// pooled reports whether DISCARD ALL returns to what the parameters ask for. It
// does not to a role or a seed.
// PostgreSQL 17, sql-discard.html; GUC_NO_RESET_ALL in utils/misc/guc_tables.c.
func pooled(params []param) bool {
	for _, p := range params {
		name := strings.ToLower(p.name)
		if name == "replication" || unresettable(name) {
			return false
		}
		if name != "options" {
			continue
		}
		for _, word := range splitOptions(p.value) {
			word, _, _ = strings.Cut(word, "=")
			if unresettable(strings.ToLower(strings.ReplaceAll(word, "-", "_"))) {
				return false
			}
		}
	}
	return true
}

// unresettable knows the settings that RESET ALL leaves as they are. The end of
// the name decides: in options switches can be written together with it.
func unresettable(name string) bool {
	return strings.HasSuffix(name, "role") || strings.HasSuffix(name, "session_authorization") || strings.HasSuffix(name, "seed")
}

// take gives a connection that is logged in with the lease's credential and the
// parameters, and whose server has just answered; nil when there is none.
func (p *pool) take(lease *credential.Lease, params []param) *upstream {
	if p == nil || !pooled(params) {
		return nil
	}
	if lease.PerSession() {
		p.turnOff()
		return nil
	}
	login, now := p.target.fingerprint(lease), p.server.now()
	for {
		up := p.pop(login, params, now)
		if up == nil {
			p.count("miss")
			return nil
		}
		if up.fresh(now) && up.ping() == nil && up.suits(p.target.attrs) {
			p.count("hit")
			return up
		}
		p.drop(up, "dead")
	}
}

// pop takes a connection out, and has the gap filled: at once where there was
// none, and else when what is handed out has had the time to come back.
func (p *pool) pop(login fingerprint, params []param, now time.Time) *upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.loggedInWith(login)
	set := p.set(params, now)
	if n := len(set.ready); n > 0 {
		up := set.ready[n-1]
		set.ready = set.ready[:n-1]
		if p.soon == nil {
			p.soon = time.AfterFunc(p.grace, p.fillNow)
		}
		p.gauge()
		return up
	}
	p.share(set)
	p.fillLocked()
	return nil
}

// loggedInWith lets go what is logged in with another credential: it was rotated.
func (p *pool) loggedInWith(login fingerprint) {
	if p.login == login {
		return
	}
	p.login = login
	for _, set := range p.sets {
		p.shrink(set, 0, "credential")
	}
}

// set finds the set of the parameters, or makes it, and puts it first.
func (p *pool) set(params []param, now time.Time) *poolSet {
	key := setKey(params)
	i := slices.IndexFunc(p.sets, func(s *poolSet) bool { return s.key == key })
	set := &poolSet{key: key, param: params}
	if i >= 0 {
		set = p.sets[i]
		p.sets = slices.Delete(p.sets, i, i+1)
	}
	set.asked = now
	p.sets = slices.Insert(p.sets, 0, set)
	return set
}

// share gives a set that came too short a place more: all that nobody has, or
// one of the set that was not asked for the longest.
func (p *pool) share(set *poolSet) {
	taken := 0
	for _, other := range p.sets {
		taken += other.want
	}
	if taken < p.size {
		set.want += p.size - taken
		return
	}
	for i := len(p.sets) - 1; i > 0; i-- {
		if other := p.sets[i]; other != set && other.want > 0 {
			other.want--
			set.want++
			p.shrink(other, other.want, "crowded")
			if other.want == 0 {
				p.sets = slices.Delete(p.sets, i, i+1)
			}
			return
		}
	}
}

// shrink closes what a set has beyond n.
func (p *pool) shrink(set *poolSet, n int, why string) {
	for len(set.ready) > n {
		up := set.ready[0]
		set.ready = slices.Delete(set.ready, 0, 1)
		p.work.Go(func() { p.drop(up, why) })
	}
	p.gauge()
}

// fillNow is fillLocked for the timer.
func (p *pool) fillNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.soon = nil
	p.fillLocked()
}

// fillLocked opens what is missing, one after the other, unless that is under way.
func (p *pool) fillLocked() {
	if p.filling || p.closed || p.off {
		return
	}
	p.filling = true
	p.work.Go(func() {
		for {
			set := p.missing()
			if set == nil {
				return
			}
			if err := guarded(func() error { return p.open(set) }); err != nil {
				if p.ctx.Err() == nil {
					p.server.log.Warn().Err(err).Str("target", p.target.name).Msg("pool not filled")
				}
				p.mu.Lock()
				p.filling = false // the next who finds none, or the next round, tries again
				p.mu.Unlock()
				return
			}
		}
	})
}

// missing is a set that wants more; nil when none does, and then the filling is over.
func (p *pool) missing() *poolSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && !p.off {
		for _, set := range p.sets {
			if len(set.ready) < set.want {
				return set
			}
		}
	}
	p.filling = false
	return nil
}

// open logs one connection of a set in.
func (p *pool) open(set *poolSet) error {
	ctx, cancel := context.WithTimeout(p.ctx, loginTimeout)
	defer cancel()
	lease, err := p.server.needs.Lender.Login(ctx, p.target.ref)
	if err != nil {
		return err
	}
	if lease.PerSession() {
		p.turnOff()
		p.server.giveBack(lease)
		return nil
	}
	up, err := p.server.logIn(ctx, p.target, lease, set.param)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.loggedInWith(up.login)
	p.mu.Unlock()
	if !p.put(up) {
		p.drop(up, "crowded")
	}
	return nil
}

// turnOff says once that there can be no pool, and lets go what there is.
func (p *pool) turnOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off {
		return
	}
	p.off = true
	p.server.log.Warn().Str("target", p.target.name).Msg("pool is off: the credential is made for each session")
	for _, set := range p.sets {
		p.shrink(set, 0, "credential")
	}
}

// put makes a connection wait for the next session; false when there is no place.
func (p *pool) put(up *upstream) bool {
	if !up.idle() {
		return false
	}
	key := setKey(up.startup)
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.sets, func(s *poolSet) bool { return s.key == key })
	if p.closed || p.off || i < 0 || up.login != p.login || len(p.sets[i].ready) >= p.sets[i].want {
		return false
	}
	p.sets[i].ready = append(p.sets[i].ready, up)
	p.gauge()
	return true
}

// takeBack resets, behind the session's back, a connection that it left idle,
// and closes one that it can't.
func (p *pool) takeBack(up *upstream) {
	p.work.Go(func() {
		why := "dead"
		err := guarded(func() error {
			up.interrupts.Wait() // a late cancel request would meet the next session's statement
			return up.reset()
		})
		if err == nil && up.fresh(p.server.now()) {
			why = "crowded"
			if p.put(up) {
				return
			}
		}
		p.drop(up, why)
	})
}

// drop closes a connection that waited, or was to.
func (p *pool) drop(up *upstream, why string) {
	p.server.metrics.poolClosed.WithLabelValues(p.target.name, why).Inc()
	up.close()
}

// fresh reports whether the connection is young enough to be used once more.
func (up *upstream) fresh(now time.Time) bool { return now.Sub(up.born) < poolAge }

// serve looks after what waits until the draining begins.
func (p *pool) serve() {
	ticker := time.NewTicker(poolRound)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-ticker.C:
			p.round(p.server.now())
		}
	}
}

// round lets go what nobody asks for and what is old or dead, and fills up.
func (p *pool) round(now time.Time) {
	var waiting []*upstream
	p.mu.Lock()
	for i := len(p.sets) - 1; i >= 0; i-- {
		set := p.sets[i]
		if now.Sub(set.asked) >= poolIdle {
			p.shrink(set, 0, "idle")
			p.sets = slices.Delete(p.sets, i, i+1)
			continue
		}
		waiting = append(waiting, set.ready...)
	}
	p.mu.Unlock()
	for _, up := range waiting {
		if !p.remove(up) {
			continue // a session has it
		}
		switch {
		case !up.fresh(now):
			p.drop(up, "old")
		case up.ping() != nil:
			p.drop(up, "dead")
		case !p.put(up):
			p.drop(up, "crowded")
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fillLocked()
}

// remove takes one connection out; false when it is not there any more.
func (p *pool) remove(up *upstream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, set := range p.sets {
		if i := slices.Index(set.ready, up); i >= 0 {
			set.ready = slices.Delete(set.ready, i, i+1)
			p.gauge()
			return true
		}
	}
	return false
}

// close lets everything go and returns when all that the pool began has ended.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.soon != nil {
		p.soon.Stop()
	}
	for _, set := range p.sets {
		p.shrink(set, 0, "shutdown")
	}
	p.mu.Unlock()
	p.work.Wait()
}

// gauge tells how many wait.
func (p *pool) gauge() {
	n := 0
	for _, set := range p.sets {
		n += len(set.ready)
	}
	p.server.metrics.poolReady.WithLabelValues(p.target.name).Set(float64(n))
}

func (p *pool) count(result string) {
	p.server.metrics.poolTaken.WithLabelValues(p.target.name, result).Inc()
}
