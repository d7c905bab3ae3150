package main

import (
	"context"
	"slices"
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
	// then is nil, or what everybody saw when the catalog was read inside a
	// transaction that had changed it.
	then  *sqlguard.Catalog
	fresh bool // the catalog was read after the rows being planned were begun
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
	p.fresh = false
	if slices.ContainsFunc(fields, func(f mask.Field) bool { return f.Table == 0 }) && !p.current(ctx, n) {
		return blind{}.Plan(ctx, n, fields)
	}
	for i, f := range fields {
		plan[i] = p.column(ctx, n, i, len(fields), f)
		if f.Type >= ownTypes {
			f.Like = like(p.catalog, f.Type)
			fields[i] = f
		}
		if f.MayHold() {
			plan[i] = p.shield.columns.Every(plan[i])
		}
		masked = masked || plan[i] != nil
	}
	if !masked {
		return nil
	}
	return plan
}

// current reads the text once more where what it reads may have been replaced
// since it was judged; false when nothing of it can be said now.
func (p *plans) current(ctx context.Context, n int) bool {
	if n >= len(p.statements) || !p.statements[n].Redefinable {
		return true
	}
	if p.then != nil {
		return p.agrees(ctx)
	}
	if !p.renew(ctx) {
		return false
	}
	read := p.shield.read("", p.statements[n].Text, p.catalog).reading
	if read.Refusal != nil || len(read.Statements) != len(p.statements) {
		return false
	}
	p.statements = read.Statements
	return true
}

// renew asks for the catalog as of now; false when it can't be had.
func (p *plans) renew(ctx context.Context) bool {
	if p.fresh {
		return true
	}
	cat := p.judge.catalogSince(ctx, p.bench, time.Now())
	if cat == nil {
		return false
	}
	p.catalog, p.fresh = cat, true
	return true
}

// agrees reports whether nobody but the transaction itself can have replaced a
// view or a function since it saw the catalog.
func (p *plans) agrees(ctx context.Context) bool {
	cat := p.judge.catalogSince(ctx, p.bench, time.Now())
	return cat != nil && (cat == p.then || p.then.SameCode(cat))
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
	}
	return p.aligned(p.statements[n].Outputs, i, many, f)
}

// aligned is the transform of the i-th of many columns by lineage. Where * stands
// for columns that are not all known, those before and after it are counted from
// their ends, and those of it go by their names.
func (p *plans) aligned(outputs []sqlguard.Output, i, many int, f mask.Field) *mask.Transform {
	first := slices.IndexFunc(outputs, func(o sqlguard.Output) bool { return o.Many })
	if first < 0 {
		if len(outputs) != many {
			return blank()
		}
		return p.transform(outputs[i])
	}
	last := len(outputs) // of what follows the last such column
	for !outputs[last-1].Many {
		last--
	}
	after := len(outputs) - last
	switch {
	case many < first+after:
		return blank()
	case i < first:
		return p.transform(outputs[i])
	case i >= many-after:
		return p.transform(outputs[len(outputs)-(many-i)])
	}
	var all, same []sqlguard.Output
	rest := false
	for _, o := range outputs[first:last] {
		rest = rest || o.Name == "*"
		if len(o.Protected) > 0 {
			all = append(all, o)
		}
		if o.Name == f.Name {
			same = append(same, o)
		}
	}
	switch {
	case len(all) == 0:
		return nil
	case rest || len(same) == 0:
		return blank()
	}
	var masked *mask.Transform
	for _, o := range same {
		if t := p.transform(o); t != nil && masked != nil && t != masked {
			return blank()
		} else if t != nil {
			masked = t
		}
	}
	return masked
}

// blank is what is done to a value of which even NULL would tell.
func blank() *mask.Transform {
	t, _ := mask.Lookup("null")
	return t
}

// origin is the column that the server reports, through partitions and views.
func (p *plans) origin(ctx context.Context, f mask.Field) (sqlguard.Output, bool) {
	origin, known := p.shield.guard.Origin(p.catalog, f.Table, f.Attribute)
	if known && (!p.shield.guard.Redefined(p.catalog, f.Table) || p.fresh) {
		return origin, true
	}
	if known && p.then != nil && p.agrees(ctx) {
		return origin, true
	}
	// Not known, or a view, which another session may have replaced since: what
	// the catalog says now holds for these rows, for the server has locked what
	// they come from.
	if !p.renew(ctx) {
		return sqlguard.Output{Protected: []sqlguard.Column{{}}}, true // unknown for want of a catalog: masked
	}
	return p.shield.guard.Origin(p.catalog, f.Table, f.Attribute)
}

// transform is what is done to an output: the mask's own transform to a plain
// protected value, redaction to all that is computed from one.
func (p *plans) transform(out sqlguard.Output) *mask.Transform {
	if len(out.Protected) == 0 {
		return nil
	}
	if out.Blank {
		return blank()
	}
	if out.Document && len(out.Protected) == 1 {
		c := out.Protected[0]
		if t := p.inside(c, out.Also); t != nil {
			return t.AtAny(out.Paths, out.Taken)
		}
		return redact()
	}
	if (out.Plain || out.Kept) && len(out.Also) > 0 && len(out.Protected) == 1 {
		if t := p.inside(out.Protected[0], out.Also); t != nil && out.Plain {
			return t
		}
		return redact()
	}
	if !out.Plain && !out.Kept {
		return redact()
	}
	var common *mask.Transform
	for _, c := range out.Protected {
		t, ok := p.shield.columns.For(c.Schema, c.Table, c.Name)
		if !ok || common != nil && common != t || !out.Plain && !t.Scans() {
			return redact()
		}
		common = t
	}
	return common
}

// inside is what masks members of a column's documents; nil where it masks the
// whole of them.
func (p *plans) inside(c sqlguard.Column, also []string) *mask.Transform {
	t, ok := p.shield.columns.For(c.Schema, c.Table, c.Name)
	switch {
	case ok && !t.Inside(), !ok && len(also) == 0:
		return nil
	case len(also) > 0:
		return mask.Within(t, also)
	}
	return t
}

// blind masks all there is.
type blind struct{}

// Copy lets no row pass.
func (blind) Copy(int, int) (*mask.Copy, error) { return nil, errCopyUnknown }

// Plan redacts every column.
func (blind) Plan(_ context.Context, _ int, fields []mask.Field) mask.Plan {
	plan := make(mask.Plan, len(fields))
	for i := range plan {
		plan[i] = blank()
	}
	return plan
}
