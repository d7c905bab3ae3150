package sqlguard

import (
	"fmt"
	"strings"
	"testing"
)

// TestAnyArity calls every function that the guard knows by name with none to
// three arguments, wherever a call may stand: what the server would reject is
// read all the same.
func TestAnyArity(t *testing.T) {
	cat := testCatalog(t)
	names := map[string]bool{}
	for _, line := range strings.Split(safeNames, "\n") {
		for _, name := range strings.Fields(line) {
			names[name] = true
		}
	}
	for _, c := range classes {
		for _, name := range strings.Fields(c.names) {
			names[strings.TrimSuffix(name, "*")] = true
		}
	}
	rules, masks := New(nil, testParser(t)), New(protectedColumns, testParser(t))
	for name := range names {
		for _, args := range []string{"", "id", "email, 'x', email"} {
			call := fmt.Sprintf("%q(%s)", name, args)
			reads(t, rules, cat, "DELETE FROM users WHERE "+call+" > 0 AND 'x' <@ "+call+" AND "+call+" AND NOT "+call)
			reads(t, masks, cat, "SELECT "+call+", * FROM users, "+call+" AS f WHERE "+call+" = id GROUP BY "+call)
		}
	}
}

func reads(t *testing.T, g *Guard, cat *Catalog, text string) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("%s: %v", text, v)
		}
	}()
	g.Read(text, cat)
}
