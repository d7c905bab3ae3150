package wire

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sallyport/mask"
	"sallyport/policy"
)

// What SQL prepares and declares runs later by its name: its rows are masked by
// what was read when it was made, or anew where definitions have changed. The
// server loop notes it, in the order of the server's answers, so that a name means
// what it means to the server.

// kept is what a session has prepared and declared, by Keep.Name.
type kept struct {
	mu sync.Mutex
	by map[string]*keeping
}

// keeping is a Keep as it is judged by now.
type keeping struct {
	Keep
	reaches atomic.Bool // Protected, when it was last judged
}

func (k *kept) named(name string) *keeping {
	if name == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.by[name]
}

// keep notes what the statement that was just completed has made.
func (s *Session) keep(r *Reading, nth int) {
	if r == nil {
		return
	}
	for _, k := range r.Keeps {
		if k.Nth == nth {
			now := &keeping{Keep: k}
			now.reaches.Store(k.Protected)
			s.kept.mu.Lock()
			if s.kept.by == nil {
				s.kept.by = map[string]*keeping{}
			}
			s.kept.by[k.Name] = now
			s.kept.mu.Unlock()
		}
	}
}

// runNow judges once more what a text that is about to run runs by its name: its
// definitions may be others than when it was made. What is stored must be known
// to be free, by every meaning that the name may have.
func (s *Session) runNow(ctx context.Context, r *Reading) (*policy.Refusal, error) {
	if len(r.Runs) == 0 && len(r.Within) == 0 {
		return nil, nil
	}
	if err := s.up.out.flush(); err != nil {
		return nil, err
	}
	s.pipe.wait()
	for _, name := range append(slices.Clone(r.Runs), r.Within...) {
		if k := s.kept.named(name); k != nil && !r.makes(name) {
			if refusal := k.again(ctx); refusal != nil {
				return refusal, nil
			}
		}
	}
	if refusal, err := s.stored(ctx, r); refusal != nil || err != nil {
		return refusal, err
	}
	for _, k := range r.Keeps {
		if k.Shows && slices.Contains(r.Within, k.Name) {
			return errShown, nil
		}
	}
	for _, name := range r.Within {
		if k := s.kept.named(name); k != nil && k.Shows && !r.makes(name) {
			return errShown, nil
		}
	}
	return nil, nil
}

// stored refuses to store what is not known to be free.
func (s *Session) stored(ctx context.Context, r *Reading) (*policy.Refusal, error) {
	if !r.Stores {
		return nil, nil
	}
	for _, name := range r.Within {
		if name == "" {
			continue
		}
		known, free := false, !s.pipe.runs()
		for _, k := range r.Keeps {
			if k.Name == name {
				known, free = true, free && !k.Protected
			}
		}
		if k := s.kept.named(name); k != nil {
			known, free = true, free && !k.reaches.Load()
		}
		st, _ := s.pipe.findStatement(strings.TrimPrefix(name, KeptStatement("")))
		st, err := s.judgedNow(ctx, st)
		if err != nil {
			return nil, err
		}
		if st != nil {
			known, free = true, free && st.reading.Refusal == nil && !st.protected() && st.inside == 0
		}
		if !known || !free {
			return errStored, nil
		}
	}
	return nil, nil
}

// portalNow is runNow for what runs in a portal.
func (s *Session) portalNow(ctx context.Context, o *portal) (*policy.Refusal, error) {
	switch {
	case o == nil:
		return nil, nil
	case o.statement != nil:
		return s.runNow(ctx, &o.statement.reading)
	case o.bound && s.masks():
		return s.runNow(ctx, &Reading{Runs: []string{KeptStatement(o.source)}})
	}
	return nil, nil
}

var errStored = &policy.Refusal{
	Kind: policy.Denied, Rule: "(mask)",
	Public: "a table can't be made from a prepared statement that may reach protected columns",
	Hint:   "Write the query out. Where it reaches none, PREPARE it and wait for the answer before.",
}

var errShown = &policy.Refusal{
	Kind: policy.Denied, Rule: "(mask)",
	Public: "EXPLAIN of a prepared statement that calls functions over protected columns is closed",
	Detail: "A plan shows what they gave.",
}

// again judges what is kept by the definitions of now.
func (k *keeping) again(ctx context.Context) *policy.Refusal {
	if k.Again == nil {
		return nil
	}
	protected, refusal := k.Again(ctx)
	k.reaches.Store(protected)
	return refusal
}

// makes reports whether the text itself makes what goes by a name.
func (r *Reading) makes(name string) bool {
	return slices.ContainsFunc(r.Keeps, func(k Keep) bool { return k.Name == name })
}

// runs is what the nth statement runs by its name; empty for nothing.
func (r *Reading) runs(nth int) string {
	if r == nil || nth >= len(r.Runs) {
		return ""
	}
	return r.Runs[nth]
}

// within is what the nth statement runs without returning its rows.
func (r *Reading) within(nth int) string {
	if r == nil || nth >= len(r.Within) {
		return ""
	}
	return r.Within[nth]
}

// planOf is the mask plan of the nth statement of a text.
func (s *Session) planOf(ctx context.Context, r *Reading, nth int, fields []mask.Field) mask.Plan {
	if kept := s.kept.named(r.runs(nth)); kept != nil {
		return kept.Plans.Plan(ctx, 0, fields)
	}
	return r.Plans.Plan(ctx, nth, fields)
}

// planPortal is the mask plan of what runs in a portal.
func (s *Session) planPortal(ctx context.Context, o *portal, fields []mask.Field) mask.Plan {
	switch {
	case o.statement != nil:
		o.kept = s.kept.named(o.statement.reading.runs(0))
		return s.planOf(ctx, &o.statement.reading, 0, fields)
	case o.bound: // prepared by SQL
		if o.kept != nil {
			return o.kept.Plans.Plan(ctx, 0, fields)
		}
	default: // opened by SQL
		if o.kept = s.kept.named(KeptCursor(o.name)); o.kept != nil {
			return o.kept.Plans.Plan(ctx, 0, fields)
		}
	}
	return s.blank.Plans.Plan(ctx, 0, fields)
}

// protected reports whether what is being answered reaches masked columns, by
// itself or by what it runs by a name. Only what is known to be free is.
func (s *Session) protected(a *awaited) bool {
	if a.reading != nil && a.reading.Protected {
		return true
	}
	o := a.portal
	switch {
	case !s.masks():
		return false
	case o == nil:
		return s.mayRun(a.reading.runs(a.nth)) || s.mayRun(a.reading.within(a.nth))
	case o.statement != nil:
		return o.statement.reading.Protected || s.mayRun(o.statement.reading.runs(0)) || s.mayRun(o.statement.reading.within(0))
	case a.kind == 'B':
		return s.mayRun(KeptStatement(o.source))
	case o.bound:
		return o.kept == nil || o.kept.reaches.Load()
	}
	return s.mayRun(KeptCursor(o.name))
}

// mayRun reports whether masked columns may be behind a name.
func (s *Session) mayRun(name string) bool {
	k := s.kept.named(name)
	return name != "" && (k == nil || k.reaches.Load())
}

// rerun plans anew where the name that a portal runs means something else by
// now than when it was described: what the server said of its columns does not
// hold for these rows, so that they are masked by what was read alone.
func (s *Session) rerun(ctx context.Context, o *portal) {
	if o.ran {
		return
	}
	o.ran = true
	name := ""
	switch {
	case o.statement != nil:
		name = o.statement.reading.runs(0)
	case !o.bound:
		name = KeptCursor(o.name)
	}
	now := s.kept.named(name)
	if name == "" || now == o.kept {
		return
	}
	bare := make([]mask.Field, len(o.fields))
	for i, f := range o.fields {
		f.Table, f.Attribute = 0, 0
		bare[i] = f
	}
	o.plan = strongest(o.plan, now.Plans.Plan(ctx, 0, bare), len(bare))
}

// strongest masks what either plan does; what they mask in two ways is NULL.
func strongest(a, b mask.Plan, n int) mask.Plan {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	null, _ := mask.Lookup("null")
	plan := make(mask.Plan, n)
	for i := range plan {
		switch {
		case a[i] == nil || a[i] == b[i]:
			plan[i] = b[i]
		case b[i] == nil:
			plan[i] = a[i]
		default:
			plan[i] = null
		}
	}
	return plan
}
