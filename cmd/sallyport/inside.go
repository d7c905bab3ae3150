package main

import (
	"context"
	"reflect"
	"slices"
	"time"

	"sallyport/policy"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// insideView is what a transaction sees of the catalog that has changed it.
type insideView struct {
	in      *wire.Inside
	catalog *sqlguard.Catalog // nil: it can't be had
	base    *sqlguard.Catalog // what everybody saw then, or before
	changes int64
	began   time.Time
	frozen  bool // the transaction does not see what others commit, and the server's parser does
}

// Inside is the transaction.
func (v *insideView) Inside() *wire.Inside { return v.in }

// readInside reads a text against what the session's own transaction sees; nil
// where that can't be had, or does not do.
func (j *statementJudge) readInside(ctx context.Context, b *bench, sh *shield, in *wire.Inside, who, text string) (*remembered, *insideView) {
	if in.Blind() {
		return nil, nil
	}
	asked := time.Now()
	v := j.catalogInside(ctx, b, in, asked.Add(-b.catalog.age))
	if v.catalog == nil {
		return nil, nil
	}
	reading := sh.guard.ReadFor(who, text, v.catalog)
	if unsure(&reading, v.catalog) {
		newer := j.catalogInside(ctx, b, in, asked)
		if newer.catalog == nil {
			return nil, nil
		}
		if newer.catalog != v.catalog {
			reading = sh.guard.ReadFor(who, text, newer.catalog)
		}
		v = newer
	}
	// What SQL prepares outlives the transaction, and nobody judges it again.
	if slices.ContainsFunc(reading.Statements, func(s sqlguard.Statement) bool { return s.Keeps != "" && !s.OfCursor }) {
		return nil, nil
	}
	if refusal := j.turns(ctx, b, sh, who, text, &reading); refusal != nil {
		reading.Refusal = refusal
	}
	return &remembered{key: text, reading: reading}, v
}

// turns refuses a text that goes on after it has ended the transaction, or taken
// back a part of it: what follows sees other definitions, unless they say the same.
func (j *statementJudge) turns(ctx context.Context, b *bench, sh *shield, who, text string, inside *sqlguard.Reading) *policy.Refusal {
	n := slices.IndexFunc(inside.Statements, func(s sqlguard.Statement) bool { return slices.Contains(turning, s.Verb) })
	if n < 0 || n == len(inside.Statements)-1 || inside.Refusal != nil {
		return nil
	}
	outside, _ := j.find(ctx, b, sh, time.Time{}, who, text)
	if outside.reading.Refusal != nil {
		return outside.reading.Refusal
	}
	if outside.shaped {
		outside = sh.readAlone(text, b.catalog.latest())
	}
	if !reflect.DeepEqual(inside.Statements, outside.reading.Statements) {
		return &policy.Refusal{
			Kind: policy.Denied, Rule: "(mask)",
			Public: "what follows COMMIT or ROLLBACK in the same text uses what this transaction has changed",
			Hint:   "Send COMMIT or ROLLBACK by itself, and then the rest.",
		}
	}
	return nil
}

// turning lists the verbs after which a transaction's definitions are others.
var turning = []string{"commit", "rollback", "rollback to savepoint", "prepare transaction"}

// catalogInside is the catalog as the transaction sees it, no earlier than since.
func (j *statementJudge) catalogInside(ctx context.Context, b *bench, in *wire.Inside, since time.Time) *insideView {
	v, _ := in.Seen.(*insideView)
	if v != nil && (v.frozen || v.changes == in.Changes() && (v.catalog == nil || !v.began.Before(b.catalog.noEarlier(since)))) {
		return v
	}
	base := b.catalog.latest()
	if base == nil {
		base = j.catalogSince(ctx, b, time.Time{})
	}
	older := base
	if v != nil && v.catalog != nil {
		older = v.catalog
	}
	v = &insideView{in: in, base: base, changes: in.Changes(), began: time.Now()}
	in.Seen = v
	if older == nil {
		return v
	}
	err := in.Ask(ctx, func(server wire.Asker) error {
		level, err := server.Query(ctx, "SHOW transaction_isolation")
		if err != nil {
			return err
		}
		if v.frozen = len(level) != 1 || level[0][0] != "read committed"; v.frozen {
			return nil
		}
		v.catalog, err = sqlguard.Within(ctx, server, older)
		return err
	})
	if err != nil {
		j.log.Warn().Err(err).Str("target", b.catalog.target).Msg("a transaction's own catalog not read")
	}
	return v
}
