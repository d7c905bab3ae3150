package main

import (
	"context"
	"time"

	"sallyport/mask"
	"sallyport/sqlguard"
)

// plans says how the results of one text are masked: by the origin that the
// server reports for a column, and by lineage where it reports none.
type plans struct {
	judge      *statementJudge
	bench      *bench
	shield     *shield
	catalog    *sqlguard.Catalog
	statements []sqlguard.Statement
}

// redact is what is done to a value that is computed from protected ones, or
// of which nothing is known.
func redact() *mask.Transform {
	t, _ := mask.Lookup("redact")
	return t
}

// Plan is nil where nothing is masked.
func (p *plans) Plan(ctx context.Context, n int, fields []mask.Field) mask.Plan {
	plan := make(mask.Plan, len(fields))
	masked := false
	for i, f := range fields {
		plan[i] = p.column(ctx, n, i, len(fields), f)
		masked = masked || plan[i] != nil
	}
	if !masked {
		return nil
	}
	return plan
}

// column is the transform of the i-th of many columns of the n-th result.
func (p *plans) column(ctx context.Context, n, i, many int, f mask.Field) *mask.Transform {
	if f.Table != 0 {
		if origin, known := p.origin(ctx, f); known {
			return p.transform(origin)
		}
		// A relation that the catalog does not hold even now is one that this
		// transaction has made itself. Nothing protected could be put there:
		// lineage has the word.
	}
	switch {
	case len(p.statements) == 0: // prepared or opened by SQL: refused over protected columns
		return nil
	case n >= len(p.statements):
		return redact()
	case p.statements[n].Opaque:
		return nil
	case len(p.statements[n].Outputs) != many:
		return redact()
	}
	return p.transform(p.statements[n].Outputs[i])
}

// origin is the column that the server reports, through partitions and views.
func (p *plans) origin(ctx context.Context, f mask.Field) (sqlguard.Output, bool) {
	origin, known := p.shield.guard.Origin(p.catalog, f.Table, f.Attribute)
	if known {
		return origin, true
	}
	cat := p.judge.catalogSince(ctx, p.bench, time.Now())
	if cat == nil {
		return sqlguard.Output{Protected: []sqlguard.Column{{}}}, true // unknown for want of a catalog: masked
	}
	p.catalog = cat
	return p.shield.guard.Origin(cat, f.Table, f.Attribute)
}

// transform is what is done to an output: the mask's own transform to a plain
// protected value, redaction to all that is computed from one.
func (p *plans) transform(out sqlguard.Output) *mask.Transform {
	if len(out.Protected) == 0 {
		return nil
	}
	if !out.Plain {
		return redact()
	}
	var common *mask.Transform
	for _, c := range out.Protected {
		t, ok := p.shield.columns.For(c.Schema, c.Table, c.Name)
		if !ok || common != nil && common != t {
			return redact()
		}
		common = t
	}
	return common
}

// blind masks all there is.
type blind struct{}

// Plan redacts every column.
func (blind) Plan(_ context.Context, _ int, fields []mask.Field) mask.Plan {
	plan := make(mask.Plan, len(fields))
	for i := range plan {
		plan[i] = redact()
	}
	return plan
}
