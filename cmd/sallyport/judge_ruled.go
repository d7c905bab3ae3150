package main

import (
	"context"
	"slices"
	"time"

	"sallyport/sqlguard"
)

// catalogFresh is how old a catalog may be that does not know what a text calls:
// more than a moment, so that nobody makes the gateway load it all the time.
const catalogFresh = 2 * time.Second

// readRuled reads a text on a target without masks. Where rules depend on what
// it does, functions, views, triggers and rules of the target are looked into:
// that takes its catalog, as of a moment in the session's life. Without one the
// facts are unknown.
func (j *statementJudge) readRuled(ctx context.Context, b *bench, sh *shield, since time.Time, who, text string) (*remembered, *sqlguard.Catalog) {
	var cat *sqlguard.Catalog
	asked := time.Now()
	if oldest := asked.Add(-b.catalog.age); since.Before(oldest) {
		since = oldest
	}
	if b.ruled {
		cat = b.catalog.known(since)
	}
	known := sh.read(who, text, cat)
	read := &known.reading
	if !b.ruled || !read.Wants && len(read.Facts.Unknown) == 0 && len(read.Missing) == 0 {
		return known, cat
	}
	if _, offline := j.sides.(nowhere); offline {
		return known, cat
	}
	if read.Wants {
		if cat = j.catalogSince(ctx, b, since); cat == nil {
			without := &remembered{reading: *read}
			without.reading.Facts.Unknown = append(slices.Clone(read.Facts.Unknown), "the target's catalog could not be read")
			return without, nil
		}
		known = sh.read(who, text, cat)
	}
	// What is missing must be so now: it passes.
	if len(known.reading.Missing) > 0 && b.catalog.olderThan(asked) {
		newer := j.catalogSince(ctx, b, asked)
		if newer == nil {
			without := &remembered{reading: known.reading}
			without.reading.Facts.Unknown = append(slices.Clone(read.Facts.Unknown), "the target's catalog could not be read")
			return without, nil
		}
		return sh.read(who, text, newer), newer
	}
	// A name the catalog does not hold may be new, and what was locked may be free.
	fresh := asked.Add(-catalogFresh)
	if cat.Torn() {
		fresh = asked
	}
	if len(known.reading.Facts.Unknown) > 0 && b.catalog.olderThan(fresh) {
		if newer := j.catalogSince(ctx, b, fresh); newer != nil {
			return sh.read(who, text, newer), newer
		}
	}
	return known, cat
}

// olderThan reports whether the catalog was loaded before a moment.
func (c *catalog) olderThan(at time.Time) bool {
	return c.known(at) == nil
}
