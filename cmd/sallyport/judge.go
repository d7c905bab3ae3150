package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// statementJudge is wire's Judge: sqlguard reads the text, the rules decide over
// what it says, and the masks over its rows.
type statementJudge struct {
	rules   *policy.Rules
	parser  *sqlguard.Parser
	benches map[string]*bench // by target
	sides   sides
	log     zerolog.Logger
}

// bench is what is judged by on one target.
type bench struct {
	guard   *sqlguard.Guard
	columns *mask.Columns // nil: nothing is masked, and no catalog is needed
	catalog *catalog
	known   *readings
	unread  bool // SQL that the parser rejects may pass
}

func newStatementJudge(cfg *config.Config, rules *policy.Rules, log zerolog.Logger) (*statementJudge, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the parser's worker: %w", err)
	}
	j := &statementJudge{
		rules: rules, log: log, benches: map[string]*bench{},
		parser: sqlguard.NewParser([]string{self, parseWorker}),
	}
	for name, target := range cfg.Postgres {
		columns := mask.NewColumns(cfg.Masks, name)
		j.benches[name] = &bench{
			guard: sqlguard.New(guarded(columns), j.parser), columns: columns,
			catalog: newCatalog(name), known: newReadings(), unread: target.Unparsed == "allow",
		}
	}
	return j, nil
}

// guarded are the masked columns, in the guard's words.
func guarded(columns *mask.Columns) []sqlguard.Pattern {
	filters := map[string]sqlguard.Filter{"equality": sqlguard.Equality, "deny": sqlguard.Deny, "allow": sqlguard.AllowUse}
	var out []sqlguard.Pattern
	for _, p := range columns.Patterns() {
		filter, ok := filters[p.Filter]
		if !ok {
			filter = sqlguard.Deny
		}
		out = append(out, sqlguard.Pattern{Schema: p.Schema, Table: p.Table, Column: p.Column, Filter: filter})
	}
	return out
}

// Close ends the parser's workers.
func (j *statementJudge) Close() error { return j.parser.Close() }

// Judge reads one SQL text, and decides. Where columns are masked it asks the
// target's catalog, anew when the text names what the last one does not hold.
func (j *statementJudge) Judge(ctx context.Context, q policy.Question, text string) wire.Reading {
	b, ok := j.benches[q.Target]
	if !ok {
		return denied(&policy.Refusal{Kind: policy.Unknown, Public: "no such target"})
	}
	read, cat := j.read(ctx, b, text)
	out := wire.Reading{Verbs: read.Facts.Verbs, Protected: read.Facts.Protected}
	for _, s := range read.Statements {
		if s.Runs != "" {
			out.Uses = append(out.Uses, s.Runs)
		}
	}
	if b.columns != nil {
		out.Plans = &plans{judge: j, bench: b, catalog: cat, statements: read.Statements}
		if read.Facts.DDL {
			out.Changed = b.catalog.outdate
		}
	}
	if read.Refusal != nil && !read.Facts.Parsed {
		if !b.unread {
			out.Refusal = read.Refusal // no rule can tell what it does
			return out
		}
		read.Refusal = nil // a rule that asks what it does still refuses it
	}
	q.SQL = &read.Facts
	out.Verdict = j.rules.Judge(&q)
	switch {
	case out.Verdict.Action != policy.Allow:
		out.Refusal = policy.Refuse(out.Verdict)
	case read.Refusal != nil:
		out.Refusal = read.Refusal
		out.Verdict = policy.Verdict{Rule: read.Refusal.Rule, Message: read.Refusal.Public, Detail: read.Refusal.Detail, Flags: out.Verdict.Flags}
	}
	return out
}

// read reads the text against a catalog that holds the names in it.
func (j *statementJudge) read(ctx context.Context, b *bench, text string) (sqlguard.Reading, *sqlguard.Catalog) {
	if b.columns == nil {
		return b.read(text, nil), nil
	}
	asked := time.Now()
	cat := j.catalogSince(ctx, b, asked.Add(-catalogAge))
	read := b.read(text, cat)
	if len(read.Unknown) > 0 && cat != nil {
		if cat = j.catalogSince(ctx, b, asked); cat != nil {
			read = b.read(text, cat)
		}
	}
	return read, cat
}

// read asks the guard, unless it has read the same text before.
func (b *bench) read(text string, cat *sqlguard.Catalog) sqlguard.Reading {
	read, ok := b.known.get(text, cat)
	if !ok {
		read = b.guard.Read(text, cat)
		b.known.put(text, cat, read)
	}
	return read
}

// catalogSince is the target's catalog, loaded no earlier than since; nil when
// it can't be had, and then nothing passes that needs it.
func (j *statementJudge) catalogSince(ctx context.Context, b *bench, since time.Time) *sqlguard.Catalog {
	cat, err := b.catalog.since(ctx, j.sides, since)
	if err != nil {
		j.log.Error().Err(err).Str("target", b.catalog.target).Msg("catalog not loaded")
		return nil
	}
	return cat
}

// denied is a reading that lets nothing pass.
func denied(r *policy.Refusal) wire.Reading {
	return wire.Reading{Refusal: r, Verdict: policy.Verdict{Message: r.Public}, Protected: true, Plans: blind{}}
}
