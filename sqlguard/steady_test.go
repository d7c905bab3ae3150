package sqlguard

import (
	"math/rand/v2"
	"strings"
	"testing"

	"sallyport/internal/pgtest"
)

// literal is a constant of SQL.
func literal(t *testing.T, s string) *node {
	t.Helper()
	tree, refusal := testParser(t).parse("SELECT '" + strings.ReplaceAll(s, "'", "''") + "'")
	if refusal != nil {
		t.Fatal(refusal)
	}
	return unwrap(tree.Stmts[0].Stmt).(*selectStmt).TargetList[0].GetResTarget().GetVal()
}

// TestPlainRegex: what it takes, PostgreSQL takes too. What it does not take may
// be right or wrong.
func TestPlainRegex(t *testing.T) {
	for pattern, want := range map[string]bool{
		"a": true, "@.*$": true, "^[^@]+": true, `^\d{4}-\d\d$`: true, "(a|b)+?c{2,3}": true, "(?:ab)*x?": true, `[\w.+-]+@`: true, `\.com$`: true, "é+": true,
		"[a-zA-Z0-9_]": true, `^(.*)@(.*)$`: true, "a{2}": true, "a{2,}": true, "x|y|z": true, "[$^]": false, "[^a-]": true,
		"": false, "(": false, ")": false, "a)": false, "()": false, "(a": false, "a|": false, "|a": false, "*": false, "^*": false, "$+": false, "a**": false, "a{3,2}": false, "a{300}": false,
		"[": false, "[]": false, "[]a]": false, "[z-a]": false, "[[:alpha:]]": false, "[a-f-z]": false, `\`: false, `a\`: false, `\1`: false, `\p{L}`: false, `(?i)a`: false, "(?=a)": false, "***:a": false,
		"a{": false, "a{x}": false, "{2}": false, "a\x01": false, strings.Repeat("(", 9) + "a" + strings.Repeat(")", 9): false, strings.Repeat("a", 1001): false,
	} {
		if got := plainRegex(literal(t, pattern)); got != want {
			t.Errorf("%q: %v", pattern, got)
		}
	}
}

// pieced puts a text together from pieces, some of the time as one that was.
func pieced(rnd *rand.Rand, pieces []string) string {
	var b strings.Builder
	for range 1 + rnd.IntN(8) {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return b.String()
}

// TestSteadyOnServer: what is taken to fail for nothing, the server takes: regular
// expressions, and paths for documents of every kind.
func TestSteadyOnServer(t *testing.T) {
	conn := pgtest.New(t).Conn(t)
	rnd := rand.New(rand.NewPCG(5, 7))
	regexes := []string{"a", "b", "é", ".", "^", "$", "|", "(", ")", "(?:", "*", "+", "?", "{2}", "{1,3}", "{,2}", "[a-z]", "[^x]", `[\w.-]`, "[", "]", `\d`, `\.`, `\y`, "-", " ", "[z-a]", "\\"}
	paths := []string{
		"$", "$", ".a", `."b"`, ".*", ".**", "[*]", "[0]", "[last]", "[1 to last]", ".size()", ".type()", ".double()", ".keyvalue()", " ? (@.a == 1)", ` ? (@ starts with "x")`,
		` ? (@ like_regex "^x")`, " ? (exists (@.a[*]))", " ? (@ > 1 && @.a < \"x\")", " ? (!(@ == null))", " ? ((@ > 1) is unknown)", " + 1", "strict ", "lax ", "$x", "(", ")", "-",
	}
	documents := []string{`null`, `1`, `"x"`, `true`, `[]`, `[1, "x", null, {"a": 1}]`, `{}`, `{"a": [1, 2], "b": {"a": "x"}}`, `{"a": {"a": {"a": []}}, "b": "xyz"}`}
	taken := [2]int{}
	for range 20000 {
		if s := pieced(rnd, regexes); plainRegex(literal(t, s)) {
			taken[0]++
			var matched *bool
			if err := conn.QueryRow(t.Context(), "SELECT 'abc' ~ $1", s).Scan(&matched); err != nil {
				t.Errorf("%q: %v", s, err)
			}
		}
		s := pieced(rnd, paths)
		if !gentlePath(literal(t, s)) {
			continue
		}
		if _, err := conn.Exec(t.Context(), "SELECT $1::jsonpath", s); err != nil {
			continue // none at all: it fails before any document is read
		}
		taken[1]++
		for _, d := range documents {
			var found int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM jsonb_path_query($1::jsonb, $2::jsonpath)", d, s).Scan(&found); err != nil {
				t.Errorf("%q of %s: %v", s, d, err)
			}
		}
	}
	if t.Logf("%d regular expressions and %d paths", taken[0], taken[1]); min(taken[0], taken[1]) < 200 {
		t.Error("too few to tell anything")
	}
}

func TestGentlePath(t *testing.T) {
	for path, want := range map[string]bool{
		"$": true, "$.a.b[*].c": true, `$."a b"[0]`: true, "lax $.a": true, `$ ? (@ starts with "x")`: true, `$.** ? (@.a == 1 && !(@.b like_regex "^(x"))`: true,
		"$.*": true, "$[last]": true, "$[1 to last]": true, "$.a.size()": true, "$.type()": true, `$ ? (exists (@.a))`: true, `$ ? ((@ > 1) is unknown)`: true, `$ ? (@ == "strict \" $x .double()")`: true,
		"strict $": false, "STRICT $.a": false, "$.double()": false, "$.keyvalue()": false, "$ + 1": false, "-$": false, "$ * 2": false, "$ / 0": false, "$ % 2": false, "$x": false, `$"x"`: false,
		"$ ? (@ == $y)": false, "$[@.n]": false, "$[$.n]": false, "$[1,2]": false, "$.datetime()": false, "$.size() + 1": false, "$.ceiling ()": false, "": false, strings.Repeat("$.a", 400): false,
	} {
		if got := gentlePath(literal(t, path)); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func TestSoundLike(t *testing.T) {
	for expression, want := range map[string]bool{
		`x LIKE 'a%'`: true, `x LIKE 'a\%'`: true, `x LIKE 'a\\'`: true, `x LIKE ''`: true, `x NOT ILIKE '_\_'`: true, `x LIKE 'az' ESCAPE ''`: true, `x LIKE 'a\' ESCAPE 'z'`: true, `x LIKE 'azz' ESCAPE 'z'`: true,
		`x LIKE ANY (ARRAY['a', 'b%'])`: true, `x ~ '('`: true, `x SIMILAR TO '('`: true, `x = 'a\'`: true, `x ~ ANY (ARRAY['a', 'b+'])`: true,
		`x LIKE 'a\'`: false, `x LIKE 'a\\\'`: false, `x ILIKE '\'`: false, `x LIKE 'az' ESCAPE 'z'`: false, `x LIKE 'a' ESCAPE 'é'`: false, `x LIKE y`: false, `x LIKE $1`: false, `x LIKE 'a' || y`: false, `x LIKE 'a' ESCAPE y`: false,
		`x OPERATOR(pg_catalog.~~) 'a\'`: false, `x LIKE ANY (ARRAY['a', 'b\'])`: false, `x LIKE ANY ('{a,b}')`: false, `x LIKE ALL (ARRAY['a', y])`: false, `x ~ ANY (ARRAY['a', '('])`: false,
	} {
		tree, refusal := testParser(t).parse("SELECT " + expression)
		if refusal != nil {
			t.Fatal(refusal)
		}
		m, ok := unwrap(unwrap(tree.Stmts[0].Stmt).(*selectStmt).TargetList[0].GetResTarget().GetVal()).(*aExpr)
		if !ok || soundMatch(m, false) != want {
			t.Errorf("%s: not %v", expression, want)
		}
	}
}

// TestQuotesGrow: quotes within quotes double, each time.
func TestQuotesGrow(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	for nested, want := range map[int]bool{2: true, 12: true, 25: false} {
		text := "SELECT " + strings.Repeat("ROW(", nested) + "password" + strings.Repeat(")::text", nested) + " FROM users"
		if r := g.Read(text, cat); (r.Refusal == nil) != want {
			t.Errorf("%d times: %v", nested, r.Refusal)
		}
	}
}
