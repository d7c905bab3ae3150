package main

import (
	"fmt"
	"testing"

	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/policy"
	"sallyport/wire"
)

// benchJudge is a judge of one target with a rule, whose catalog nobody asks for.
func benchJudge(t testing.TB, condition string) *statementJudge {
	t.Helper()
	cfg := &config.Config{
		Postgres: map[string]wire.Target{"orders": {}},
		Rules:    []policy.RuleConfig{{Name: "rule", Targets: []string{"orders"}, If: condition, Then: "deny"}},
	}
	rules, wrong := policy.NewRules(cfg.Rules, cfg.Kinds())
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	j, err := newStatementJudge(cfg, nil, rules, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	j.sides = nowhere{}
	return j
}

// BenchmarkVerdict is what a verdict costs over a text judged before, over one
// of the same shape, and over a new one.
func BenchmarkVerdict(b *testing.B) {
	j := benchJudge(b, "sql.destructive || sql.unbounded")
	q := policy.Question{Target: "orders"}
	for name, text := range map[string]func(i int) string{
		"again": func(int) string { return "SELECT abalance FROM pgbench_accounts WHERE aid = 77 -- as before" },
		"shape": func(i int) string { return shapeTexts[i%len(shapeTexts)] },
		"new":   func(i int) string { return fmt.Sprintf("SELECT abalance FROM pgbench_accounts WHERE aid = %d --", i) },
	} {
		b.Run(name, func(b *testing.B) {
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if r := j.Judge(b.Context(), q, text(i), nil); r.Refusal != nil {
					b.Fatal(r.Refusal)
				}
				i++
			}
		})
	}
}

var shapeTexts = []string{
	"SELECT 12 WHERE 1 = 2", "SELECT 12345 WHERE 13 = 2", "SELECT 1 WHERE 1 = 23456",
}

// TestVerdictsAgain: what is remembered is a verdict over the same question.
func TestVerdictsAgain(t *testing.T) {
	agent := policy.Principal{Subject: "agent"}
	type ask struct {
		who  policy.Principal
		text string
		want policy.Action
	}
	for condition, asks := range map[string][]ask{
		"sql.text.contains('13')": {
			{agent, "select 12", policy.Allow},
			{agent, "select 13", policy.Deny},
			{agent, "select 12", policy.Allow},
			{agent, "select 113", policy.Deny},
		},
		"caller.subject == 'agent'": {
			{policy.Principal{Subject: "dba"}, "select 12", policy.Allow},
			{agent, "select 12", policy.Deny},
			{agent, "select 13", policy.Deny},
			{policy.Principal{Subject: "dba"}, "select 13", policy.Allow},
		},
		"sql.writes || sql.unbounded || sql.destructive": {
			{agent, "select 12 where 1 = 1", policy.Allow},
			{agent, "select 13 where 2 = 3", policy.Allow},
			{agent, "update t set a = 1 where id = 1", policy.Deny},
			{agent, "update t set a = 1 where id = 1 or true", policy.Deny},
		},
		"sql.unbounded": {
			{agent, "delete from t where id = 12", policy.Allow},
			{agent, "delete from t where id = 13", policy.Allow},
			{agent, "delete from t where 12 = 13", policy.Allow},
			{agent, "delete from t where 12 = 12", policy.Deny},
			{agent, "delete from t where name like 'a%'", policy.Allow},
			{agent, "delete from t where name like '%'", policy.Deny},
			{agent, "delete from t where id > 12", policy.Allow},
			{agent, "delete from t where id > 0", policy.Deny},
		},
	} {
		j := benchJudge(t, condition)
		for range 2 {
			for _, a := range asks {
				q := policy.Question{Caller: policy.Caller{Principal: a.who}, Target: "orders"}
				r := j.Judge(t.Context(), q, a.text, nil)
				if r.Verdict.Action != a.want || (r.Refusal == nil) != (a.want == policy.Allow) {
					t.Errorf("%s: %s, %s: %v, want %v", condition, a.who.Subject, a.text, r.Verdict.Action, a.want)
				}
			}
		}
	}
}

// TestVerdictAgainIsFree: over a text judged before, or one of its shape, a
// verdict makes nothing new.
func TestVerdictAgainIsFree(t *testing.T) {
	j := benchJudge(t, "sql.destructive || sql.unbounded")
	ctx, q, i := t.Context(), policy.Question{Target: "orders"}, 0
	made := testing.AllocsPerRun(100, func() {
		if r := j.Judge(ctx, q, shapeTexts[i%len(shapeTexts)], nil); r.Refusal != nil {
			t.Error(r.Refusal)
		}
		i++
	})
	if made != 0 {
		t.Errorf("%v allocations", made)
	}
}
