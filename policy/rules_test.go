package policy

import (
	"fmt"
	"slices"
	"testing"
)

func TestNewRulesErrors(t *testing.T) {
	rule := func(cond string) RuleConfig { return deny("r", cond) }
	with := func(edit func(*RuleConfig)) RuleConfig {
		r := rule("sql.destructive")
		r.Targets = []string{"orders"}
		edit(&r)
		return r
	}
	for name, c := range map[string]struct {
		rules []RuleConfig
		want  []string
	}{
		"fine":         {[]RuleConfig{rule("sql.destructive")}, nil},
		"misspelt":     {[]RuleConfig{rule("sql.destructiv")}, []string{`0 if: sql has no fact "destructiv"; did you mean "destructive"?`}},
		"wrong type":   {[]RuleConfig{rule("sql.destructive == 3")}, []string{`0 if: found no matching overload for '_==_' applied to '(bool, int)' (at character 17)`}},
		"not a bool":   {[]RuleConfig{rule("sql.verbs")}, []string{"0 if: the condition must be true or false, is list(string)"}},
		"maybe a bool": {[]RuleConfig{rule("caller.claims.admin")}, []string{"0 if: the condition must be true or false, is dyn"}},
		"syntax":       {[]RuleConfig{rule("sql.destructive &&")}, []string{"0 if: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (at character 19)"}},
		"unknown name": {[]RuleConfig{rule("destructive")}, []string{"0 if: undeclared reference to 'destructive' (at character 1)"}},
		"no if":        {[]RuleConfig{rule(" ")}, []string{"0 if: if is required: the condition of the rule"}},
		"bare object":  {[]RuleConfig{rule("[sql].size() == 1")}, []string{"0 if: sql alone is not a fact: name one of them, as in sql.verbs"}},
		"indexed":      {[]RuleConfig{rule(`http["method"] == "GET"`)}, []string{"0 if: http alone is not a fact: name one of them, as in http.method"}},
		"shadowed":     {[]RuleConfig{rule(`caller.groups.exists(sql, sql == "a")`)}, []string{"0 if: sql is the name of a fact: call the variable something else", "0 if: sql alone is not a fact: name one of them, as in sql.verbs"}},
		"token":        {[]RuleConfig{rule(`caller.token == "x"`)}, []string{`0 if: caller has no fact "token"`}},
		"llm":          {[]RuleConfig{rule(`llm.estimated_usd > 0.5`)}, []string{"0 targets: none of the targets can be judged by it: the condition is about llm"}},
		"mcp":          {[]RuleConfig{rule(`mcp.tool == "x"`)}, []string{"0 targets: none of the targets can be judged by it: the condition is about mcp"}},
		"estimates":    {[]RuleConfig{rule(`sql.estimated_rows > 1 || sql.estimated_cost > 1`)}, []string{"0 if: sql.estimated_rows is known, but not built yet in this version", "0 if: sql.estimated_cost is known, but not built yet in this version"}},
		"node":         {[]RuleConfig{rule(`caller.node == "plan"`)}, []string{"0 if: caller.node is known, but not built yet in this version"}},
		"ask":          {[]RuleConfig{with(func(r *RuleConfig) { r.Then = "ask" })}, []string{`0 then: then = "ask" is known, but not built yet in this version`}},
		"then":         {[]RuleConfig{with(func(r *RuleConfig) { r.Then = "denny" })}, []string{`0 then: then must be allow, deny or flag, is "denny"; did you mean "deny"?`}},
		"no then":      {[]RuleConfig{with(func(r *RuleConfig) { r.Then = "" })}, []string{"0 then: then is required: allow, deny or flag"}},
		"no name":      {[]RuleConfig{with(func(r *RuleConfig) { r.Name = "" })}, []string{"0 name: name is required: refusals and recordings show it"}},
		"same name":    {[]RuleConfig{rule("true"), rule("true")}, []string{`1 name: name "r" is taken by an earlier rule`}},
		"no targets":   {[]RuleConfig{with(func(r *RuleConfig) { r.Targets = nil })}, []string{`0 targets: targets is required: name at least one target, or "*" for all`}},
		"bad target":   {[]RuleConfig{with(func(r *RuleConfig) { r.Targets = []string{"openai*", "order"} })}, []string{`0 targets[1]: target "order" does not exist; did you mean "orders"?`}},
		"bad pattern":  {[]RuleConfig{with(func(r *RuleConfig) { r.Targets = []string{"x*"} })}, []string{`0 targets[0]: "x*" matches no target`}},
		"wrong kind":   {[]RuleConfig{with(func(r *RuleConfig) { r.Targets = []string{"orders", "openai"} })}, []string{`0 targets[1]: target "openai" is HTTP, but the condition is about sql`}},
		"dotted sql":   {[]RuleConfig{with(func(r *RuleConfig) { r.If, r.Targets = ".sql.ddl", []string{"openai"} })}, []string{`0 targets[0]: target "openai" is HTTP, but the condition is about sql`}},
		"has sql":      {[]RuleConfig{with(func(r *RuleConfig) { r.If, r.Targets = "has(sql.ddl)", []string{"openai"} })}, []string{`0 targets[0]: target "openai" is HTTP, but the condition is about sql`}},
		"wrong kind 2": {[]RuleConfig{with(func(r *RuleConfig) { r.If = `http.method == "GET"` })}, []string{`0 targets[0]: target "orders" is Postgres, but the condition is about http`}},
		"dead pattern": {[]RuleConfig{with(func(r *RuleConfig) { r.Targets = []string{"o*i"} })}, []string{"0 targets: none of the targets can be judged by it: the condition is about sql"}},
		"many": {[]RuleConfig{{Name: "a", If: "sql.x", Then: "no"}, {If: "true", Then: "flag", Targets: []string{"*"}}}, []string{
			`0 then: then must be allow, deny or flag, is "no"`,
			`0 targets: targets is required: name at least one target, or "*" for all`,
			`0 if: sql has no fact "x"`, "1 name: name is required: refusals and recordings show it",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rules, errs := NewRules(c.rules, someTargets)
			var got []string
			for _, err := range errs {
				got = append(got, fmt.Sprintf("%d %s: %v", err.Index, err.Key, err))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
			if (rules == nil) != (len(errs) > 0) {
				t.Errorf("rules %v with errors %q", rules, got)
			}
		})
	}
}

// A rule sits at the targets its condition can be about, and nowhere else.
func TestFamilies(t *testing.T) {
	for cond, want := range map[string]struct{ sql, http bool }{
		"sql.parsed":                           {true, false},
		`"select" in sql.verbs`:                {true, false},
		`http.method == "GET"`:                 {false, true},
		`sql.writes || http.method == "GET"`:   {true, true},
		`caller.subject == "a"`:                {true, true},
		`target == "a"`:                        {true, true},
		`["sql.x"].exists(x, x == "http")`:     {true, true},
		`sql.verbs.exists(v, v == target)`:     {true, false},
		`has(http.body.a) && http.body.a == 1`: {false, true},
	} {
		rules := mustRules(t, deny("d", cond))
		if got := len(rules.targets["orders"].rules) == 1; got != want.sql {
			t.Errorf("%s: at a Postgres target: %v", cond, got)
		}
		if got := len(rules.targets["openai"].rules) == 1; got != want.http {
			t.Errorf("%s: at an HTTP target: %v", cond, got)
		}
	}
}

// What DESIGN.md section 11 lists is either a fact or one that comes later.
func TestEveryFactIsKnown(t *testing.T) {
	for object, facts := range map[string][]string{
		"caller": {"subject", "issuer", "groups", "claims", "node", "run", "thread", "address"},
		"sql": {
			"verbs", "tables", "columns", "functions", "statements", "destructive", "writes", "ddl", "unbounded",
			"protected", "parsed", "text", "estimated_rows", "estimated_cost",
		},
		"http": {"method", "path", "query", "headers", "body"},
		"llm":  {"operation", "model", "stream", "input_tokens", "max_tokens", "estimated_usd", "tools"},
		"mcp":  {"method", "tool", "arguments"},
	} {
		for _, fact := range facts {
			later := slices.Contains(laterFacts[object], fact) || slices.Contains(laterFacts[object], "*")
			if now := objects[object] != nil && slices.Contains(factNames(object), fact); now == later {
				t.Errorf("%s.%s: built %v, later %v", object, fact, now, later)
			}
		}
	}
}

// Everything a rule can read of the caller is on this list.
func TestCallerShowsNoCredential(t *testing.T) {
	if got, want := factNames("caller"), []string{"subject", "issuer", "groups", "claims", "address"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"sql.destructive", `http.body.a[0] == "x"`, "caller.groups.exists(g, g == '')", "has(sql.x)", "[", ".sql"} {
		f.Add(s)
	}
	env, err := newEnv()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, source string) {
		c, err := compile(env, source)
		if err != nil {
			return
		}
		for _, q := range []Question{aboutSQL(drop()), aboutSQL(&SQL{Text: source}), aboutHTTP(&HTTP{})} {
			_, _ = c.holds(&view{question: &q})
		}
	})
}
