package main

import (
	"context"
	"slices"
	"time"

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
	asked := time.Now()
	v := j.catalogInside(ctx, b, in, asked.Add(-b.catalog.age))
	if v.catalog == nil {
		return nil, nil
	}
	reading := sh.guard.ReadFor(who, text, v.catalog)
	if len(reading.Unknown) > 0 {
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
	return &remembered{key: text, reading: reading}, v
}

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
