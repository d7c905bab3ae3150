package main

import (
	"context"
	"time"

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

// free reports whether the statement that a text prepares reaches nothing
// protected as of now.
func (k *keptPlans) free(ctx context.Context, text string) bool {
	cat := k.judge.catalogSince(ctx, k.bench, time.Now())
	if cat == nil {
		return false
	}
	read := k.shield.guard.Read(text, cat)
	return read.Refusal == nil && len(read.Unknown) == 0 && len(read.Missing) == 0 &&
		len(read.Statements) == len(k.statements) && !read.Statements[k.n].Reaches
}

// keeps notes what a text makes and runs by names.
func keeps(out *wire.Reading, of *plans, text string) {
	kept := func(s sqlguard.Statement, name string) string {
		if s.OfCursor {
			return wire.KeptCursor(name)
		}
		return wire.KeptStatement(name)
	}
	for i, s := range of.statements {
		switch {
		case s.Keeps != "":
			made := newKept(of, i)
			out.Keeps = append(out.Keeps, wire.Keep{
				Nth: i, Name: kept(s, s.Keeps), Plans: made, Protected: s.Reaches,
				Free: func(ctx context.Context) bool { return made.free(ctx, text) },
			})
		case s.Runs != "":
			if out.Runs == nil {
				out.Runs = make([]string, len(of.statements))
			}
			out.Runs[i] = kept(s, s.Runs)
		}
	}
}
