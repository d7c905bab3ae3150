package main

import (
	"context"
	"time"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// keptPlans masks the rows of what the nth statement of a text has prepared or
// declared.
type keptPlans struct {
	*plans
	n      int
	text   string
	cursor bool // it is open: what it reads is not redefined
}

// Plan is that of the statement, whatever runs it, by the definitions of now.
func (k *keptPlans) Plan(ctx context.Context, _ int, fields []mask.Field) mask.Plan {
	if !k.cursor {
		cat, reading := k.read(ctx)
		if cat == nil || reading.Refusal != nil || len(reading.Statements) != 1 {
			return blind{}.Plan(ctx, k.n, fields)
		}
		k.n, k.catalog, k.then, k.statements = 0, cat, nil, reading.Statements
	}
	return k.plans.Plan(ctx, k.n, fields)
}

// read reads what was prepared against the catalog as it is known now.
func (k *keptPlans) read(ctx context.Context) (*sqlguard.Catalog, sqlguard.Reading) {
	cat := k.judge.catalogSince(ctx, k.bench, time.Now().Add(-k.bench.catalog.age))
	if cat == nil {
		return nil, sqlguard.Reading{}
	}
	return cat, k.shield.read("", k.text, cat).reading
}

// again judges what was prepared once more. That it may not run is said only where
// other definitions say so.
func (k *keptPlans) again(ctx context.Context) (protected bool, refusal *policy.Refusal) {
	cat, reading := k.read(ctx)
	switch {
	case cat == nil:
		return true, &policy.Refusal{Kind: policy.Unavailable, Public: "the target's catalog could not be read", Hint: "Try again."}
	case len(reading.Statements) != 1:
		return true, reading.Refusal
	}
	return reading.Statements[0].Reaches, reading.Refusal
}

// newKept has plans of its own: they outlive those of the text.
func newKept(of *plans, n int) *keptPlans {
	own := *of
	return &keptPlans{&own, n, of.statements[n].Alone, of.statements[n].OfCursor}
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
			plans := newKept(of, i)
			keep := wire.Keep{Nth: i, Name: kept(s, s.Keeps), Plans: plans, Protected: s.Reaches, Shows: s.Shows}
			if !s.OfCursor {
				keep.Again = plans.again
			}
			out.Keeps = append(out.Keeps, keep)
		case s.Runs != "":
			if out.Runs == nil {
				out.Runs = make([]string, len(of.statements))
			}
			out.Runs[i] = kept(s, s.Runs)
		case s.Within != "":
			if out.Within == nil {
				out.Within = make([]string, len(of.statements))
			}
			out.Within[i], out.Stores = wire.KeptStatement(s.Within), out.Stores || s.Stores
		}
	}
}
