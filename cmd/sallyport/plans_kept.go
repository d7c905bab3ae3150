package main

import (
	"context"

	"sallyport/mask"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// keptPlans masks the rows of what the nth statement of a text has prepared or
// declared.
type keptPlans struct {
	*plans
	n int
}

// Plan is that of the statement, whatever runs it.
func (k *keptPlans) Plan(ctx context.Context, _ int, fields []mask.Field) mask.Plan {
	return k.plans.Plan(ctx, k.n, fields)
}

// newKept has plans of its own: they outlive those of the text.
func newKept(of *plans, n int) *keptPlans {
	own := *of
	return &keptPlans{&own, n}
}

// keeps notes what a text makes and runs by names.
func keeps(out *wire.Reading, of *plans) {
	kept := func(s sqlguard.Statement, name string) string {
		if s.OfCursor {
			return wire.KeptCursor(name)
		}
		return wire.KeptStatement(name)
	}
	for i, s := range of.statements {
		switch {
		case s.Keeps != "":
			out.Keeps = append(out.Keeps, wire.Keep{Nth: i, Name: kept(s, s.Keeps), Plans: newKept(of, i), Protected: s.Reaches})
		case s.Runs != "":
			if out.Runs == nil {
				out.Runs = make([]string, len(of.statements))
			}
			out.Runs[i] = kept(s, s.Runs)
		}
	}
}
