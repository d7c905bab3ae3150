package policy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// someTargets is two of each kind.
var someTargets = map[string]TargetKind{
	"orders": PostgresTarget, "orders-eu": PostgresTarget, "openai": HTTPTarget, "files": HTTPTarget,
}

func mustRules(t testing.TB, cfgs ...RuleConfig) *Rules {
	t.Helper()
	rules, errs := NewRules(cfgs, someTargets)
	for _, err := range errs {
		t.Errorf("rule %d: %s: %v", err.Index, err.Key, err)
	}
	if len(errs) > 0 {
		t.FailNow()
	}
	return rules
}

func deny(name, cond string) RuleConfig {
	return RuleConfig{Name: name, Targets: []string{"*"}, If: cond, Then: "deny"}
}

func drop() *SQL {
	return &SQL{
		Parsed: true, Verbs: []string{"drop table"}, Tables: []string{"users"}, Statements: 1,
		Destructive: true, Writes: true, DDL: true, Text: "DROP TABLE users -- hunter2",
	}
}

func query() *SQL {
	return &SQL{Parsed: true, Verbs: []string{"select"}, Tables: []string{"orders"}, Statements: 1, Text: "SELECT 1 FROM orders"}
}

func aboutSQL(s *SQL) Question {
	return Question{Target: "orders", SQL: s, Time: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC), Caller: Caller{
		Principal: Principal{
			Subject: "worker-1", Issuer: "https://login", Groups: []string{"agents"},
			Claims: map[string]any{"team": "blue", "level": float64(3)}, Token: "tok_public_id",
		},
		Address: "10.1.2.3",
	}}
}

func aboutHTTP(h *HTTP) Question {
	q := aboutSQL(nil)
	q.Target, q.HTTP = "openai", h
	return q
}

func TestJudge(t *testing.T) {
	post := &HTTP{
		Method: "POST", Host: "api.openai.com", Path: "/v1/chat/completions",
		Query: map[string][]string{"a": {"1", "2"}}, Headers: map[string]string{"user-agent": "x"},
		Body: map[string]any{"model": "gpt-4", "n": float64(2), "messages": []any{map[string]any{"role": "user"}}},
	}
	update := query()
	update.Verbs, update.Unbounded, update.Writes = []string{"update"}, true, true
	flag := RuleConfig{Name: "mark", Targets: []string{"*"}, If: "true", Then: "flag"}
	allow := RuleConfig{Name: "open", Targets: []string{"*"}, If: `caller.subject == "worker-1"`, Then: "allow"}
	no := deny("no", "true")
	no.Message = "closed"

	for name, c := range map[string]struct {
		rules []RuleConfig
		q     Question
		want  Verdict
	}{
		"no rule":             {nil, aboutSQL(query()), Verdict{Action: Allow}},
		"a rule that is not":  {[]RuleConfig{deny("d", "sql.destructive")}, aboutSQL(query()), Verdict{Action: Allow}},
		"deny":                {[]RuleConfig{deny("d", "sql.destructive")}, aboutSQL(drop()), Verdict{Rule: "d", Detail: "condition: sql.destructive; statement: drop table", Hint: "use a statement that loses nothing"}},
		"unbounded":           {[]RuleConfig{deny("d", "sql.unbounded")}, aboutSQL(update), Verdict{Rule: "d", Detail: "condition: sql.unbounded; statement: update", Hint: "add a WHERE clause that selects the rows you mean"}},
		"message":             {[]RuleConfig{no}, aboutSQL(query()), Verdict{Rule: "no", Message: "closed", Detail: "condition: true; statement: select"}},
		"first deny decides":  {[]RuleConfig{deny("a", "false"), deny("b", "true"), deny("c", "true")}, aboutSQL(query()), Verdict{Rule: "b", Detail: "condition: true; statement: select"}},
		"flag goes on":        {[]RuleConfig{flag, no}, aboutSQL(query()), Verdict{Rule: "no", Message: "closed", Detail: "condition: true; statement: select", Flags: []string{"mark"}}},
		"flag then nothing":   {[]RuleConfig{flag}, aboutSQL(query()), Verdict{Action: Allow, Flags: []string{"mark"}}},
		"allow ends":          {[]RuleConfig{allow, no}, aboutSQL(query()), Verdict{Action: Allow, Rule: "open"}},
		"deny before allow":   {[]RuleConfig{no, allow}, aboutSQL(query()), Verdict{Rule: "no", Message: "closed", Detail: "condition: true; statement: select"}},
		"claim":               {[]RuleConfig{deny("d", `caller.claims.team == "blue" && caller.claims["level"] > 2`)}, aboutSQL(query()), Verdict{Rule: "d", Detail: `condition: caller.claims.team == "blue" && caller.claims["level"] > 2; statement: select`}},
		"missing claim":       {[]RuleConfig{deny("d", `caller.claims["x"] == 1`)}, aboutSQL(query()), Verdict{Rule: "d", Detail: `the rule could not be evaluated; condition: caller.claims["x"] == 1; statement: select`}},
		"has claim":           {[]RuleConfig{deny("d", `has(caller.claims.x) && caller.claims.x == 1`)}, aboutSQL(query()), Verdict{Action: Allow}},
		"error in allow":      {[]RuleConfig{{Name: "a", Targets: []string{"*"}, If: `caller.claims.x == 1`, Then: "allow"}}, aboutSQL(query()), Verdict{Rule: "a", Detail: "the rule could not be evaluated; condition: caller.claims.x == 1; statement: select"}},
		"error in flag":       {[]RuleConfig{{Name: "a", Targets: []string{"*"}, If: `caller.claims.x == 1`, Then: "flag"}}, aboutSQL(query()), Verdict{Rule: "a", Detail: "the rule could not be evaluated; condition: caller.claims.x == 1; statement: select"}},
		"now":                 {[]RuleConfig{deny("d", `now.getHours() == 12 && now < timestamp("2027-01-01T00:00:00Z")`)}, aboutSQL(query()), Verdict{Rule: "d", Detail: `condition: now.getHours() == 12 && now < timestamp("2027-01-01T00:00:00Z"); statement: select`}},
		"target and address":  {[]RuleConfig{deny("d", `target == "orders" && cidr("10.0.0.0/8").containsIP(caller.address)`)}, aboutSQL(query()), Verdict{Rule: "d", Detail: `condition: target == "orders" && cidr("10.0.0.0/8").containsIP(caller.address); statement: select`}},
		"lists":               {[]RuleConfig{deny("d", `"users" in sql.tables && sets.intersects(sql.verbs, ["drop table"]) && sql.statements == 1`)}, aboutSQL(drop()), Verdict{Rule: "d", Detail: `condition: "users" in sql.tables && sets.intersects(sql.verbs, ["drop table"]) && sql.statements == 1; statement: drop table`}},
		"several lines":       {[]RuleConfig{deny("d", "sql.writes\n\t|| sql.ddl\n")}, aboutSQL(update), Verdict{Rule: "d", Detail: "condition: sql.writes || sql.ddl; statement: update", Hint: "use a statement that only reads"}},
		"http":                {[]RuleConfig{deny("d", `http.method == "POST" && http.body.model.startsWith("gpt") && "2" in http.query["a"]`)}, aboutHTTP(post), Verdict{Rule: "d", Detail: `condition: http.method == "POST" && http.body.model.startsWith("gpt") && "2" in http.query["a"]; request: POST`}},
		"body, cross types":   {[]RuleConfig{deny("d", `http.body.n > 1 && http.body.messages.exists(m, m.role == "user")`)}, aboutHTTP(post), Verdict{Rule: "d", Detail: `condition: http.body.n > 1 && http.body.messages.exists(m, m.role == "user"); request: POST`}},
		"no body":             {[]RuleConfig{deny("d", `http.body != null && http.body.n > 1`)}, aboutHTTP(&HTTP{Method: "GET"}), Verdict{Action: Allow}},
		"absent header":       {[]RuleConfig{deny("d", `http.headers["x"] == "1"`)}, aboutHTTP(post), Verdict{Rule: "d", Detail: `the rule could not be evaluated; condition: http.headers["x"] == "1"; request: POST`}},
		"sql rule, http":      {[]RuleConfig{deny("d", "!sql.parsed || sql.verbs.size() == 0")}, aboutHTTP(post), Verdict{Action: Allow}},
		"http rule, sql":      {[]RuleConfig{deny("d", `http.method == ""`)}, aboutSQL(query()), Verdict{Action: Allow}},
		"both, sql":           {[]RuleConfig{deny("d", `sql.destructive || http.method == "DELETE"`)}, aboutSQL(drop()), Verdict{Rule: "d", Detail: `condition: sql.destructive || http.method == "DELETE"; statement: drop table`, Hint: "use a statement that loses nothing"}},
		"both, http, neutral": {[]RuleConfig{deny("d", `!sql.parsed || sql.destructive || http.method == "DELETE"`)}, aboutHTTP(post), Verdict{Action: Allow}},
		"unparsed, unknown":   {[]RuleConfig{deny("d", "sql.destructive")}, aboutSQL(&SQL{Text: "%"}), Verdict{Rule: "d", Detail: "the rule could not be evaluated: the statement could not be parsed; condition: sql.destructive", Hint: unparsedHint}},
		"unparsed, settled":   {[]RuleConfig{deny("d", "!sql.parsed || sql.destructive")}, aboutSQL(&SQL{Text: "%"}), Verdict{Rule: "d", Detail: "condition: !sql.parsed || sql.destructive", Hint: unparsedHint}},
		"unparsed, text":      {[]RuleConfig{deny("d", `sql.text.contains("x")`)}, aboutSQL(&SQL{Text: "%"}), Verdict{Action: Allow}},
		"unparsed, unrelated": {[]RuleConfig{deny("d", `caller.subject == "other"`)}, aboutSQL(&SQL{Text: "%"}), Verdict{Action: Allow}},
		"no facts":            {nil, aboutSQL(nil), Verdict{Detail: "nothing is known about the question"}},
		"no http facts":       {nil, aboutHTTP(nil), Verdict{Detail: "nothing is known about the question"}},
		"no such target":      {nil, Question{Target: "x", SQL: query()}, Verdict{Detail: "there is no such target"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRules(t, c.rules...).Judge(&c.q)
			if got.Action != c.want.Action || got.Rule != c.want.Rule || got.Message != c.want.Message ||
				got.Detail != c.want.Detail || got.Hint != c.want.Hint || !slices.Equal(got.Flags, c.want.Flags) {
				t.Errorf("\n got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestJudgeCostLimit(t *testing.T) {
	rules := mustRules(t, deny("dear", `sql.tables.all(a, sql.tables.all(b, a != b + "!"))`))
	s := query()
	s.Tables = slices.Repeat([]string{"t"}, 5000)
	q := aboutSQL(s)
	v := rules.Judge(&q)
	if v.Action != Deny || v.Rule != "dear" || !strings.HasPrefix(v.Detail, "the rule could not be evaluated") {
		t.Errorf("got %+v", v)
	}
	s.Tables = []string{"t", "u"}
	if v := rules.Judge(&q); v.Rule != "dear" || strings.HasPrefix(v.Detail, "the rule") {
		t.Errorf("got %+v", v)
	}
}

// A large statement is no reason to refuse: a search in it is within the limit.
func TestJudgeLargeText(t *testing.T) {
	rules := mustRules(t, deny("d", `sql.text.contains("xp_cmdshell")`))
	s := query()
	s.Text = strings.Repeat("insert ", 1<<20)
	q := aboutSQL(s)
	if v := rules.Judge(&q); v.Action != Allow {
		t.Errorf("got %+v", v)
	}
}

func TestRefusalShowsNoText(t *testing.T) {
	q := aboutSQL(drop())
	for _, cond := range []string{`sql.text.contains("hunter")`, `caller.claims[sql.text] == 1`} {
		r := Refuse(mustRules(t, deny("d", cond)).Judge(&q))
		if all := r.Public + r.Detail + r.Hint; strings.Contains(all, "hunter2") || strings.Contains(all, "users") {
			t.Errorf("%s: %s", cond, all)
		}
	}
}

func TestJudgeAtOnce(t *testing.T) {
	rules := mustRules(t, deny("d", `sql.destructive && caller.groups.exists(g, g == "agents")`))
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 200 {
				bad, good := aboutSQL(drop()), aboutSQL(query())
				if rules.Judge(&bad).Action != Deny || rules.Judge(&good).Action != Allow {
					t.Fatal("wrong verdict")
				}
			}
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	for name, cond := range map[string]string{
		"fact":  "sql.destructive",
		"mixed": `sql.destructive && caller.subject == "ci" || "users" in sql.tables`,
	} {
		b.Run(name, func(b *testing.B) {
			rules := mustRules(b, deny("d", cond))
			q := aboutSQL(query())
			b.ReportAllocs()
			for b.Loop() {
				rules.Judge(&q)
			}
		})
	}
}
