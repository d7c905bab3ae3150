package wire

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"sallyport/mask"
	"sallyport/policy"
)

// awaited is a message the server has yet to answer.
type awaited struct {
	kind   byte   // the client message: Q P B D E C S F, or c for CopyDone and CopyFail
	object byte   // for D and C: 'S' statement or 'P' portal
	ours   bool   // we sent it for ourselves: its answer is swallowed
	asked  *asked // a question of ours

	// What the server acknowledges, so that it holds from then on.
	name      string     // of the statement (P, C) or portal (B, C)
	statement *statement // P
	portal    *portal    // B, D of a portal, E

	// What runs: Q and E.
	text    string
	reading *Reading
	refusal *policy.Refusal // the message was replaced; the error that comes back becomes this
	id      int64           // of the recorded statement, 0 for none
	start   time.Time
	nth     int       // Q: which statement of the text is being answered
	plan    mask.Plan // Q: for the rows of the nth
	fields  []mask.Field
	planned bool
	copies  bool       // a COPY TO STDOUT, or of replication, is under way
	copy    *mask.Copy // its mask; nil where nothing is masked
	tag     string
	code    string
	message string
	rows    int64
	bytes   int64
	masked  int64
}

// statement is a prepared statement.
type statement struct {
	name    string
	text    string
	reading Reading
	inside  int64 // judged inside a transaction after so many changes; 0: it was not
}

// portal is a statement bound to its values.
type portal struct {
	name      string
	source    string     // name of the statement, for the record where statement is unknown
	statement *statement // nil: prepared by SQL, not by us
	params    []boundValue
	described bool // a Describe of it is on its way: client loop only
	fields    []mask.Field
	plan      mask.Plan // valid once planned: server loop only
	planned   bool
	bound     bool     // by a Bind: source names its statement
	kept      *keeping // what it runs by a name: server loop only
	ran       bool     // rows of it have come: server loop only
}

// pipeline is what one session has under way: the messages that the server has
// yet to answer, in order, and the statements and portals it has acknowledged.
//
// The client loop pushes, the server loop answers. A name means what the server
// takes it to mean: the client loop sees its own unanswered messages only where
// no failure could put another statement under the name, and waits otherwise.
type pipeline struct {
	mu         sync.Mutex
	changed    *sync.Cond
	list       []*awaited
	few        [8]*awaited // list, as long as it is short
	segment    int         // index in list after the last Sync or Query: where the last segment begins
	queried    int         // bytes of the queries in list
	renaming   int         // how many of list are Parse or Close
	skipping   bool        // the server skips all up to the next Sync
	copying    bool        // the server is in COPY IN: it reads past Sync and Flush
	swallowed  int         // Syncs sent during the latest COPY IN, of which an error may make some count
	unsettled  bool        // something was sent since the latest ReadyForQuery that was due
	over       bool        // no answer comes any more
	ending     error       // the session ends with this when list is empty
	status     byte        // of the last ReadyForQuery: I, T or E
	since      time.Time   // when list became empty
	statements map[string]*statement
	portals    map[string]*portal
	pending    int   // how many of list may change definitions
	altered    bool  // the open transaction has changed definitions
	changes    int64 // grows whenever definitions may be others, from 1
	ended      int64 // transactions that have ended
	kept       int   // bytes that statements and portals may hold, never less than they do
	recount    int   // from how many on they are counted anew
}

// maxAwaited and maxQueried bound what a client may send ahead of the answers:
// messages, and bytes of queries, each of which the server answers at once.
const (
	maxAwaited = 1 << 14
	maxQueried = 4 << 20
)

func newPipeline() *pipeline {
	p := &pipeline{changes: 1, statements: map[string]*statement{}, portals: map[string]*portal{}, status: 'I', since: time.Now()}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// push notes a message that is about to be sent. It reports false where the
// server will not answer: it skips all up to the next Sync after an error.
func (p *pipeline) push(a *awaited) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.skipping && a.kind != 'S' {
		return false
	}
	if p.copying && a.kind == 'S' {
		p.unsettled = true
		p.swallowed++
		return true
	}
	if p.list == nil {
		p.list = p.few[:0]
	}
	p.list = append(p.list, a)
	p.unsettled = true
	if a.alters() {
		p.pending++
	}
	switch a.kind {
	case 'S':
		p.skipping = false
		p.segment = len(p.list)
	case 'Q', 'F':
		p.segment = len(p.list)
		p.queried += len(a.text)
	case 'P', 'C':
		p.renaming++
	}
	return true
}

// take removes the first n of list, and the ends of a COPY that are first then:
// there is none for them to end.
func (p *pipeline) take(n int) []*awaited {
	taken := p.list[:n:n]
	for _, a := range taken {
		if a.alters() {
			p.pending--
		}
		switch a.kind {
		case 'P', 'C':
			p.renaming--
		case 'Q':
			p.queried -= len(a.text)
		}
	}
	for n < len(p.list) && p.list[n].kind == 'c' {
		n++
	}
	p.list = p.list[n:]
	p.segment = max(p.segment-n, 0)
	p.changed.Broadcast()
	return taken
}

// copyEnds notes that the client sends CopyDone or CopyFail.
func (p *pipeline) copyEnds() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.copying:
		p.copying = false
	case len(p.list) > 0 && !p.skipping:
		p.list = append(p.list, &awaited{kind: 'c'})
	}
}

// copyBegins notes that the head has begun to read data. From there to the
// client's CopyDone or CopyFail, in the order of the stream, the server reads
// past Sync: those sent ahead already get no answer.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-COPY.
func (p *pipeline) copyBegins() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.copying, p.swallowed = true, 0
	kept := p.list[:1]
	for i, a := range p.list[1:] {
		if a.kind == 'c' {
			p.copying = false
			kept = append(kept, p.list[i+2:]...)
			break
		}
		if a.kind == 'S' {
			p.swallowed++
			continue
		}
		kept = append(kept, a)
	}
	p.list, p.segment = kept, 0
	for i, a := range p.list {
		if a.kind == 'S' || a.kind == 'Q' || a.kind == 'F' {
			p.segment = i + 1
		}
	}
	p.changed.Broadcast()
}

// copyFailed notes that the server reads no more data.
func (p *pipeline) copyFailed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.copying = false
}

// stray reports whether a ReadyForQuery that nothing waits for can be the
// answer to a Sync sent during a COPY IN that failed before it was read.
func (p *pipeline) stray() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) > 0 || p.swallowed == 0 {
		return false
	}
	p.swallowed--
	p.skipping = false
	return true
}

// full reports that the client is too far ahead of the answers.
func (p *pipeline) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tooFar()
}

func (p *pipeline) tooFar() bool { return len(p.list) >= maxAwaited || p.queried >= maxQueried }

// room blocks while the client is too far ahead of the answers.
func (p *pipeline) room() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.tooFar() && !p.over {
		p.changed.Wait()
	}
}

// wait blocks until every segment but the last is answered, or the session is
// over. The caller has flushed what it pushed; each of those segments ends in a
// message that the server answers at once.
func (p *pipeline) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.segment > 0 && !p.over {
		p.changed.Wait()
	}
}

// end wakes who waits: no answer comes any more.
func (p *pipeline) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.changed.Broadcast()
}

// head is the message being answered, nil when the server owes nothing.
func (p *pipeline) head() *awaited {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) == 0 {
		return nil
	}
	return p.list[0]
}

// pop takes the head away: it is answered.
func (p *pipeline) pop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(1)
	if len(p.list) == 0 { // from the beginning again: only the server loop, which is here, holds what was taken
		clear(p.few[:])
		p.list = p.few[:0]
	}
}

// fail takes away the head and all the server now skips, up to the next Sync.
// They are returned: none of them has run to its end.
func (p *pipeline) fail() []*awaited {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.list) && p.list[n].kind != 'S' {
		n++
	}
	p.skipping, p.copying = n == len(p.list), false
	return p.take(n)
}

// drop empties the list at the session's end.
func (p *pipeline) drop() []*awaited {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(len(p.list))
}

// commit makes an acknowledged Parse, Bind or Close hold.
func (p *pipeline) commit(a *awaited) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case a.kind == 'P':
		p.statements[a.name] = a.statement
	case a.kind == 'B':
		p.portals[a.name] = a.portal
	case a.object == 'S':
		delete(p.statements, a.name)
	case a.object == 'P':
		delete(p.portals, a.name)
	}
}

// forget drops a prepared statement whose Parse failed: the server drops the
// unnamed one before it parses its successor.
func (p *pipeline) forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.statements, name)
}

// ready notes a ReadyForQuery. Where a transaction has ended, so have portals.
func (p *pipeline) ready(status byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.since = status, time.Now()
	if status == 'I' {
		clear(p.portals)
		p.ended++
		if p.altered {
			p.altered = false
			p.changes++
		}
	}
	if len(p.list) == 0 {
		p.unsettled = false
	}
}

// ran notes that a statement has come to its end, or has failed with all that
// its transaction or savepoint did: by its reading.
func (p *pipeline) ran(r *Reading, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !failed && r != nil && r.Changed != nil {
		p.altered = true
	}
	if p.altered && (failed || !r.steady()) {
		p.changes++
	}
}

// altering reports whether the open transaction has changed definitions, or may
// have by what is under way.
func (p *pipeline) altering() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.altered || p.pending > 0
}

// inside gives the number of the open transaction, and of the changes so far, if
// it has changed definitions and nothing is under way in it.
func (p *pipeline) inside() (number, changes int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok = p.altered && p.status == 'T' && len(p.list) == 0 && !p.unsettled && !p.skipping && !p.copying && p.swallowed == 0 && !p.over
	return p.ended, p.changes, ok
}

// unchanged reports whether no definition has changed since there were so many
// changes, nor may by what is under way.
func (p *pipeline) unchanged(changes int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.list {
		if a.kind == 'Q' || a.kind == 'F' || a.kind == 'E' && !a.reading.steady() {
			return false
		}
	}
	return p.changes == changes
}

// replace puts a statement in the place of one that was acknowledged.
func (p *pipeline) replace(old, now *statement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.statements[old.name] == old {
		p.statements[old.name] = now
	}
}

// waitFor blocks until a, which is all that is under way, is answered; false
// where the session is over before.
func (p *pipeline) waitFor(a *awaited) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.list) > 0 && !p.over {
		p.changed.Wait()
	}
	return a.asked.done
}

// runs reports whether something that is under way runs a statement.
func (p *pipeline) runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.list, func(a *awaited) bool { return a.kind == 'Q' || a.kind == 'F' || a.kind == 'E' })
}

// settled reports whether the server owes nothing, is in no transaction, and has
// nothing that waits for a Sync.
func (p *pipeline) settled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list) == 0 && p.status == 'I' && !p.unsettled && !p.skipping && !p.copying && p.swallowed == 0
}

// Bytes that a prepared statement or a portal, and a value, count besides what is
// in them.
const (
	objectWeight = 1 << 10
	valueWeight  = 64
)

// keep makes room for what holds n bytes more, until the session has too much.
// What was let go is found by counting, each time that enough came to it.
func (p *pipeline) keep(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept += n
	if p.kept <= max(p.recount, growStep) {
		return nil
	}
	held := n
	for _, s := range p.statements {
		held += s.weight()
	}
	for _, o := range p.portals {
		held += o.weight()
	}
	for _, a := range p.list {
		if a.kind == 'P' {
			held += a.statement.weight()
		}
		if a.kind == 'B' {
			held += a.portal.weight()
		}
	}
	if held > maxKept {
		p.kept = held - n
		p.recount = p.kept
		return tooLarge(fmt.Sprintf("the session's prepared statements and portals hold more than %d bytes", maxKept), "Close those that are not needed.")
	}
	p.kept, p.recount = held, held+(maxKept-held)/2+growStep
	return nil
}

// weight is about what the statement holds, in bytes.
func (s *statement) weight() int { return objectWeight + len(s.text) }

// changes reports whether a, once acknowledged, gives name another meaning.
func (a *awaited) changes(object byte, name string) bool {
	switch a.kind {
	case 'P':
		return object == 'S' && a.name == name
	case 'B':
		return object == 'P' && a.name == name
	case 'C':
		return object == a.object && a.name == name
	}
	return false
}

// findStatement says what a name means to the server at this point of the
// pipeline; nil is a statement that was prepared by SQL, or none. open asks the
// caller to flush, wait and ask again: an unanswered earlier segment decides.
func (p *pipeline) findStatement(name string) (found *statement, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.renaming > 0 {
		for i := len(p.list) - 1; i >= 0; i-- {
			if a := p.list[i]; a.changes('S', name) {
				return a.statement, i < p.segment
			}
		}
	}
	return p.statements[name], false
}

// findPortal is findStatement for portals. Those end with their transaction,
// which each unanswered segment may do.
func (p *pipeline) findPortal(name string) (found *portal, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.list) - 1; i >= p.segment; i-- {
		if a := p.list[i]; a.changes('P', name) {
			return a.portal, false
		}
	}
	return p.portals[name], p.segment > 0
}

// named reports whether a statement or portal of ours under one of the names
// reaches protected columns: SQL must not run it behind the mask.
func (p *pipeline) named(names []string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if s := p.statements[name]; s.protected() {
			return true
		}
		if o := p.portals[name]; o != nil && o.protected() {
			return true
		}
		for _, a := range p.list {
			if a.name == name && (a.statement.protected() || a.portal != nil && a.portal.protected()) {
				return true
			}
		}
	}
	return false
}

// protected reports whether the statement reaches a masked column, or runs by a
// name what may.
func (s *statement) protected() bool {
	return s != nil && (s.reading.Protected || len(s.reading.Uses) > 0)
}

// protected reports whether what runs in the portal does.
func (o *portal) protected() bool { return o.statement.protected() }

// finish asks for the session's end when nothing is under way; now reports that
// this is so already.
func (p *pipeline) finish(why error) (now bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending == nil {
		p.ending = why
	}
	return len(p.list) == 0
}

// finished is why a session that has nothing under way shall end, nil if it shall not.
func (p *pipeline) finished() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) > 0 {
		return nil
	}
	return p.ending
}

// idle says how long nothing has been under way, and in which transaction
// status; zero while something is.
func (p *pipeline) idle(now time.Time) (time.Duration, byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) > 0 {
		return 0, p.status
	}
	return now.Sub(p.since), p.status
}
