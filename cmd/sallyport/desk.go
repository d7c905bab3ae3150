package main

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/credential"
	"sallyport/policy"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// desk judges statements as the gateway does, for nobody: what it is asked is
// neither run nor recorded.
type desk struct {
	judge  *statementJudge
	grants *policy.Grants
	cfg    *config.Config
}

// newDesk makes a desk. With connect it asks the targets' catalogs, over
// connections of its own; without, what only a catalog tells is unknown.
func newDesk(cfg *config.Config, connect bool) (*desk, error) {
	rules, wrong := policy.NewRules(cfg.Rules, cfg.Kinds())
	if len(wrong) > 0 {
		return nil, fmt.Errorf("rules: %w", wrong[0])
	}
	judge, err := newStatementJudge(cfg, cfg.Masks, rules, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	judge.sides = nowhere{}
	if connect {
		lender, err := credential.New(cfg.Vault, cfg.Dir)
		if err != nil {
			return nil, err
		}
		server, err := wire.New(wire.Config{
			Targets: cfg.Postgres, NewID: newID, Now: time.Now, Log: zerolog.Nop(), Registry: prometheus.NewRegistry(),
			Needs: wire.Needs{Lender: lender, Judge: judge},
		})
		if err != nil {
			return nil, err
		}
		judge.sides = server
	}
	return &desk{judge, policy.NewGrants(cfg.Grants), cfg}, nil
}

// nowhere is what a desk asks that is not connected.
type nowhere struct{}

func (nowhere) Side(context.Context, string) (*wire.Side, error) {
	return nil, fmt.Errorf("not connected to the targets")
}

// answer is what the gateway would do with one statement.
type answer struct {
	Action  string   `json:"action"`
	Rule    string   `json:"rule,omitempty"`
	Message string   `json:"message,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Hint    string   `json:"hint,omitempty"`
	Flags   []string `json:"flags,omitempty"`
	Granted bool     `json:"granted"`
	// Position is the character of the statement that led to a denial, from 1.
	Position int      `json:"position,omitempty"`
	Facts    *facts   `json:"facts,omitempty"`
	Marks    []mark   `json:"evidence,omitempty"`
	Results  []result `json:"results,omitempty"`
}

// mark is words of the statement, and the facts they led to.
type mark struct {
	Facts    []string `json:"facts"`
	Words    string   `json:"words,omitempty"`    // "": it is nothing in the text itself
	Position int      `json:"position,omitempty"` // in characters, from 1
	Length   int      `json:"length,omitempty"`   // in characters
	Why      string   `json:"why"`
	Hint     string   `json:"hint,omitempty"`

	from, to int // bytes
}

// facts are a statement's, under the names that conditions use.
type facts struct {
	Verbs       []string `json:"verbs"`
	Tables      []string `json:"tables"`
	Columns     []string `json:"columns"`
	Functions   []string `json:"functions"`
	Statements  int64    `json:"statements"`
	Writes      bool     `json:"writes"`
	DDL         bool     `json:"ddl"`
	Destructive bool     `json:"destructive"`
	Unbounded   bool     `json:"unbounded"`
	Protected   bool     `json:"protected"`
	Dynamic     bool     `json:"dynamic"`
	SideDoor    bool     `json:"side_door"`
	Unknown     []string `json:"unknown"`
}

// result is the lineage of one statement's rows.
type result struct {
	Statement string   `json:"statement"`
	Free      bool     `json:"free,omitempty"` // it reaches nothing that is protected
	Outputs   []output `json:"outputs,omitempty"`
}

type output struct {
	Name      string   `json:"name"`
	Protected []string `json:"protected,omitempty"` // the columns it depends on
	Plain     bool     `json:"plain,omitempty"`     // it is one of them, as it stands
	Masked    string   `json:"masked,omitempty"`    // how: the transform, "whole" for what is computed
}

// ask judges one statement.
func (d *desk) ask(ctx context.Context, who policy.Principal, target, sql string) (*answer, error) {
	b, ok := d.judge.benches[target]
	if !ok {
		return nil, fmt.Errorf("no Postgres target %q%s", target, policy.DidYouMean(target, d.targets()))
	}
	q := policy.Question{Caller: policy.Caller{Principal: who, Address: "127.0.0.1"}, Target: target, Time: time.Now()}
	sh := d.judge.shield(b, who)
	read, _ := d.judge.read(ctx, b, sh, time.Time{}, sql)
	reading := d.judge.Judge(ctx, q, sql, nil)
	a := &answer{Action: "allow", Granted: d.grants.Allows(who, target), Rule: reading.Verdict.Rule, Flags: reading.Verdict.Flags}
	if r := reading.Refusal; r != nil {
		a.Action, a.Message, a.Detail, a.Hint, a.Position = "deny", r.Public, r.Detail, r.Hint, r.Position
		if r.Rule != "" {
			a.Rule = r.Rule
		}
	}
	if f := read.Facts; f.Parsed {
		a.Facts = &facts{
			f.Verbs, f.Tables, f.Columns, f.Functions, f.Statements,
			f.Writes, f.DDL, f.Destructive, f.Unbounded, f.Protected, f.Dynamic, f.SideDoor, f.Unknown,
		}
	}
	for _, e := range read.Facts.Evidence {
		a.Marks = append(a.Marks, markOf(e, sql))
	}
	for _, s := range read.Statements {
		a.Results = append(a.Results, sh.resultOf(s))
	}
	return a, nil
}

func markOf(e policy.Evidence, sql string) mark {
	m := mark{Facts: e.Facts, Why: e.Why, Hint: e.Hint}
	if m.Words = e.Words(sql); m.Words != "" {
		m.from, m.to = e.From, e.To
		m.Position, m.Length = utf8.RuneCountInString(sql[:e.From])+1, utf8.RuneCountInString(sql[e.From:e.To])
	}
	return m
}

func (sh *shield) resultOf(s sqlguard.Statement) result {
	r := result{Statement: s.Verb, Free: s.Opaque && sh.columns != nil}
	for _, o := range s.Outputs {
		out := output{Name: o.Name, Plain: o.Plain}
		for _, c := range o.Protected {
			out.Protected = append(out.Protected, c.Schema+"."+c.Table+"."+c.Name)
			out.Masked = "whole"
			if transform, ok := sh.columns.For(c.Schema, c.Table, c.Name); ok && o.Plain {
				out.Masked = transform.Name()
			}
		}
		r.Outputs = append(r.Outputs, out)
	}
	return r
}

func (d *desk) targets() []string {
	var names []string
	for name := range d.judge.benches {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Close ends the parser's workers.
func (d *desk) Close() error { return d.judge.Close() }
