package wire

import (
	"context"

	"sallyport/mask"
)

// What SQL prepares and declares runs later by its name: its rows are masked by
// what was read when it was made. Only the server loop looks here, in the order
// of the server's answers, so that a name means what it means to the server.

// keep notes what the statement that was just completed has made.
func (s *Session) keep(r *Reading, nth int) {
	if r == nil {
		return
	}
	for _, k := range r.Keeps {
		if k.Nth == nth {
			if s.kept == nil {
				s.kept = map[string]*Keep{}
			}
			s.kept[k.Name] = &k
		}
	}
}

// runs is what the nth statement runs by its name; empty for nothing.
func (r *Reading) runs(nth int) string {
	if r == nil || nth >= len(r.Runs) {
		return ""
	}
	return r.Runs[nth]
}

// planOf is the mask plan of the nth statement of a text.
func (s *Session) planOf(ctx context.Context, r *Reading, nth int, fields []mask.Field) mask.Plan {
	if kept := s.kept[r.runs(nth)]; kept != nil {
		return kept.Plans.Plan(ctx, 0, fields)
	}
	return r.Plans.Plan(ctx, nth, fields)
}

// planPortal is the mask plan of what runs in a portal.
func (s *Session) planPortal(ctx context.Context, o *portal, fields []mask.Field) mask.Plan {
	switch {
	case o.statement != nil:
		o.kept = s.kept[o.statement.reading.runs(0)]
		return s.planOf(ctx, &o.statement.reading, 0, fields)
	case o.bound: // prepared by SQL
		if o.kept != nil {
			return o.kept.Plans.Plan(ctx, 0, fields)
		}
	default: // opened by SQL
		if o.kept = s.kept[KeptCursor(o.name)]; o.kept != nil {
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
		return s.mayRun(a.reading.runs(a.nth))
	case o.statement != nil:
		return o.statement.reading.Protected || s.mayRun(o.statement.reading.runs(0))
	case a.kind == 'B':
		return s.mayRun(KeptStatement(o.source))
	case o.bound:
		return o.kept == nil || o.kept.Protected
	}
	return s.mayRun(KeptCursor(o.name))
}

// mayRun reports whether masked columns may be behind a name.
func (s *Session) mayRun(name string) bool {
	return name != "" && (s.kept[name] == nil || s.kept[name].Protected)
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
	if name == "" || s.kept[name] == o.kept {
		return
	}
	bare := make([]mask.Field, len(o.fields))
	for i, f := range o.fields {
		f.Table, f.Attribute = 0, 0
		bare[i] = f
	}
	o.plan = strongest(o.plan, s.kept[name].Plans.Plan(ctx, 0, bare), len(bare))
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
