package main

import (
	"context"
	"fmt"
	"os"
	"sync"
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
	masks   []mask.Rule // of columns, on this target
	free    *shield     // for whom no mask holds
	catalog *catalog
	ruled   bool // rules depend on what a statement does
	steady  bool // rules depend on nothing else
	textual bool // rules depend on the text as it is written
	spared  bool // some masks do not hold for everybody
	outdate func()
	files   []string // folders of the server in which nothing is protected
	trusted []string // libraries of the server whose code is harmless
	unread  bool     // SQL that the parser rejects may pass
	limit   int      // bytes of a statement that is parsed

	mu      sync.Mutex
	shields map[string]*shield // by which of the masks hold
}

// shield is what stands between one kind of caller and the rows: the masks that
// hold for it.
type shield struct {
	guard   *sqlguard.Guard
	columns *mask.Columns                 // nil: nothing is masked, and no catalog is needed
	known   *readings                     // by their text
	shapes  *readings                     // by the shape of their text
	scan    func(dst, text []byte) []byte // what detectors find in what the server says; nil: nothing
}

func newStatementJudge(cfg *config.Config, masks []mask.Rule, rules *policy.Rules, log zerolog.Logger) (*statementJudge, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the parser's worker: %w", err)
	}
	j := &statementJudge{
		rules: rules, log: log, benches: map[string]*bench{},
		parser: sqlguard.NewParser([]string{self, parseWorker}),
	}
	for name, target := range cfg.Postgres {
		b := &bench{limit: target.ParseLimit, catalog: newCatalog(name, target.CatalogRefresh), unread: target.Unparsed == "allow", ruled: rules.OverSQL(name) != "", shields: map[string]*shield{}}
		b.steady, b.textual = rules.OnSQLAlone(name)
		b.outdate, b.files, b.trusted = b.catalog.outdate, target.ServerFiles, target.TrustedLibraries
		for _, m := range masks {
			if len(m.Columns) > 0 && policy.MatchAny(m.Targets, name) {
				b.masks = append(b.masks, m)
				b.spared = b.spared || len(m.Unless) > 0
			}
		}
		b.free = j.newShield(nil, b)
		b.free.guard.FreeSettings = target.ParserSettings == "free"
		j.benches[name] = b
	}
	return j, nil
}

func (j *statementJudge) newShield(columns *mask.Columns, b *bench) *shield {
	guard := sqlguard.New(guarded(columns), j.parser)
	guard.CopyRows, guard.ParseLimit = true, b.limit
	guard.Files, guard.Libraries = b.files, b.trusted
	sh := &shield{guard: guard, columns: columns, known: newReadings(), shapes: newReadings()}
	if every := columns.Every(nil); every != nil {
		guard.CopyAll, sh.scan = true, every.Text
	}
	return sh
}

// shield is the one for the caller. There are as many as there are sets of
// masks that hold for somebody.
func (j *statementJudge) shield(b *bench, p policy.Principal) *shield {
	if len(b.masks) == 0 {
		return b.free
	}
	var held []byte
	if b.spared {
		held = make([]byte, len(b.masks))
		for i, m := range b.masks {
			if m.Holds(p) {
				held[i] = 1
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shields[string(held)]
	if s == nil {
		s = b.free
		if columns := mask.NewColumns(mask.Held(b.masks, p), b.catalog.target); columns != nil {
			s = j.newShield(columns, b)
		}
		b.shields[string(held)] = s
	}
	return s
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
		out = append(out, sqlguard.Pattern{Schema: p.Schema, Table: p.Table, Column: p.Column, Filter: filter, Members: members(p.Within), Looked: p.Looked})
	}
	return out
}

// members says what a mask protects at a path of a document; nil for a mask of
// the whole.
func members(within *mask.Transform) func(path []string) sqlguard.Reach {
	if within == nil {
		return nil
	}
	return func(path []string) sqlguard.Reach {
		switch t := within.At(path, false); {
		case t == nil:
			return sqlguard.ReachNone
		case t.Inside():
			return sqlguard.ReachSome
		}
		return sqlguard.ReachAll
	}
}

// Close ends the parser's workers, and the connections to the catalogs.
func (j *statementJudge) Close() error {
	for _, b := range j.benches {
		b.catalog.close()
	}
	return j.parser.Close()
}

// Judge reads one SQL text, and decides. Where columns are masked it asks the
// target's catalog, anew when the text names what the last one does not hold, and
// in a transaction that has changed definitions what it sees of the catalog itself.
func (j *statementJudge) Judge(ctx context.Context, q policy.Question, text string, in *wire.Inside) wire.Reading {
	b, ok := j.benches[q.Target]
	if !ok {
		return denied(&policy.Refusal{Kind: policy.Unknown, Public: "no such target"})
	}
	sh := j.shield(b, q.Caller.Principal)
	var known *remembered
	var cat, then *sqlguard.Catalog
	if in != nil && sh.columns != nil {
		if read, v := j.readInside(ctx, b, sh, in, q.Caller.Subject, text); v != nil {
			known, cat, then = read, v.catalog, v.base
		} else { // as everybody sees it, and that may be another way
			_, cat = j.find(ctx, b, sh, q.Since, q.Caller.Subject, text)
			known = &remembered{key: text, reading: sh.guard.ReadMoved(q.Caller.Subject, text, cat)}
		}
	}
	if known == nil {
		known, cat = j.find(ctx, b, sh, q.Since, q.Caller.Subject, text)
	}
	var out wire.Reading
	if v := known.verdict.Load(); v != nil {
		out = *v
	} else if out = j.decide(b, q, known, text); out.Refusal != nil && known.shaped {
		known = sh.readAlone(text, cat) // a refusal speaks of the text itself
		out = j.decide(b, q, known, text)
	}
	if sh.columns != nil {
		p := &plans{judge: j, bench: b, shield: sh, catalog: cat, then: then, statements: known.reading.Statements}
		keeps(&out, p)
		out.Plans = p
		if then == nil {
			out.Holds = func(ctx context.Context) bool {
				return j.catalogSince(ctx, b, time.Now().Add(-b.catalog.age)) == cat
			}
		}
		out.Scan = sh.scan
	}
	return out
}

// decide asks the rules about a text. What they say is remembered where they say
// it whoever asks, and whenever.
func (j *statementJudge) decide(b *bench, q policy.Question, known *remembered, text string) wire.Reading {
	read := known.reading
	read.Facts.Text = text
	out := wire.Reading{Verbs: read.Facts.Verbs, Protected: read.Reaches, Resettable: read.Resettable}
	for _, s := range read.Statements {
		if name := s.Runs + s.Within; name != "" { // one of them at most
			out.Uses = append(out.Uses, name)
		}
	}
	if read.Facts.DDL {
		out.Changed = b.outdate
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
	case b.steady && !(known.shaped && b.textual):
		remember := out
		known.verdict.Store(&remember)
	}
	return out
}

// find reads the text against a catalog that holds the names in it.
func (j *statementJudge) find(ctx context.Context, b *bench, sh *shield, since time.Time, who, text string) (*remembered, *sqlguard.Catalog) {
	if sh.columns == nil {
		return j.readRuled(ctx, b, sh, since, who, text)
	}
	asked := time.Now()
	cat := j.catalogSince(ctx, b, asked.Add(-b.catalog.age))
	known := sh.read(who, text, cat)
	if cat != nil && unsure(&known.reading, cat) {
		if cat = j.catalogSince(ctx, b, asked); cat != nil {
			known = sh.read(who, text, cat)
		}
	}
	return known, cat
}

// unsure reports whether a text could read otherwise by the catalog of now: it has
// names that are not in there, or falls for what somebody had locked as it was read.
func unsure(r *sqlguard.Reading, cat *sqlguard.Catalog) bool {
	return len(r.Unknown) > 0 || cat.Torn() && (r.Refusal != nil || len(r.Facts.Unknown) > 0 || r.Facts.Protected)
}

// read is find for who wants to know of the text itself, and not of another one
// of its shape.
func (j *statementJudge) read(ctx context.Context, b *bench, sh *shield, since time.Time, text string) (sqlguard.Reading, *sqlguard.Catalog) {
	known, cat := j.find(ctx, b, sh, since, "", text)
	if known.shaped {
		known = sh.readAlone(text, cat)
	}
	return known.reading, cat
}

// read asks the guard, unless it has read the same text before, or one that
// says the same but for its literals.
func (s *shield) read(who, text string, cat *sqlguard.Catalog) *remembered {
	if known := s.known.get(text, cat); known != nil {
		return known
	}
	var room [shapeRoom]byte
	shape, shaped := sqlguard.Shape(room[:0], text)
	if shaped {
		if known := s.shapes.getShape(shape, cat); known != nil {
			return known
		}
	}
	known := &remembered{key: text, reading: s.guard.ReadFor(who, text, cat)}
	if shaped && known.reading.Shared {
		known.key, known.shaped = string(shape), true
		s.shapes.put(known, cat)
	} else {
		s.known.put(known, cat)
	}
	return known
}

// shapeRoom is for the shape of most texts, in bytes; longer ones find their own.
const shapeRoom = 1 << 10

// readAlone asks the guard, whatever it has read before.
func (s *shield) readAlone(text string, cat *sqlguard.Catalog) *remembered {
	return &remembered{key: text, reading: s.guard.Read(text, cat)}
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
