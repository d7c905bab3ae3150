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

// TestNothingSelected has queries that select no column, wherever a query may
// stand.
func TestNothingSelected(t *testing.T) {
	cat := testCatalog(t)
	rules, masks := New(nil, testParser(t)), New(protectedColumns, testParser(t))
	const none = "(SELECT FROM users)"
	for _, where := range []string{
		"id = " + none, none + " > id", "id >= " + none, "id IN " + none, "id NOT IN " + none, "id = ANY " + none, "id > ALL " + none, "EXISTS " + none,
		"NOT EXISTS " + none, "(id, id) = " + none, "id !" + none, "id <@ ARRAY" + none, "id = ARRAY" + none, "coalesce(" + none + ", id) = id", none + " IS NULL",
		"id = (SELECT FROM users UNION SELECT)", "id = (WITH x AS (SELECT) SELECT FROM x)", "id = (SELECT FROM users LIMIT 1)", "(SELECT FROM users GROUP BY id) = 1",
	} {
		for _, text := range []string{
			"DELETE FROM users WHERE " + where, "UPDATE users SET id = " + none + " WHERE " + where, "SELECT FROM users WHERE " + where, "SELECT " + none + " FROM users WHERE " + where,
			"INSERT INTO users SELECT FROM users WHERE " + where, "MERGE INTO users u USING " + none + " s ON " + where + " WHEN MATCHED THEN DELETE",
			"COPY (SELECT FROM users WHERE " + where + ") TO STDOUT", "CREATE VIEW v AS SELECT FROM users WHERE " + where, "SELECT * FROM " + none + " s, users WHERE " + where,
			"WITH d AS (DELETE FROM users WHERE " + where + " RETURNING id) SELECT FROM d", "DELETE FROM users USING " + none + " s WHERE " + where,
		} {
			reads(t, rules, cat, text)
			reads(t, masks, cat, text)
		}
	}
}
