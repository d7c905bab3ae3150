package sqlguard

import (
	"strings"
	"testing"

	"sallyport/policy"
)

func TestNewerGrammar(t *testing.T) {
	const add = "ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n    SEQUENCE NAME public.orders_id_seq\n    UNLOGGED\n    START WITH 1\n);"
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	for _, text := range []string{
		add,
		strings.Replace(add, "UNLOGGED", "logged", 1),
		strings.Replace(add, "public.orders_id_seq", `"é ""x"""."y"`, 1),
		"SELECT 'é'; " + add + add,
	} {
		r := g.Read(text, cat)
		if r.Refusal != nil || len(r.Facts.Tables) != 1 || r.Facts.Tables[0] != "orders" || !r.Facts.DDL || r.Facts.Text != text {
			t.Errorf("%s\n%+v", text, r)
		}
	}
	// Elsewhere the word is no more than what the parser says of it.
	for _, text := range []string{
		strings.Replace(add, "UNLOGGED\n    START WITH 1", "START WITH 1 UNLOGGED", 1),
		strings.Replace(add, "UNLOGGED", "UNLOGGEDX", 1),
		strings.Replace(add, "UNLOGGED", `"UNLOGGED"`, 1),
		strings.Replace(add, "SEQUENCE NAME public.orders_id_seq", "", 1),
		"SELECT 1 UNLOGGED 2", "SELECT 'IDENTITY (SEQUENCE NAME x ' UNLOGGED 2", "DELETE FROM orders UNLOGGED WHERE id = 1 UNLOGGED", "UNLOGGED",
		strings.Repeat(add, maxNewer+1),
	} {
		if r := g.Read(text, cat); r.Refusal == nil || r.Refusal.Kind != policy.Unparsed {
			t.Errorf("%.200s\n%v", text, r.Refusal)
		}
	}
	// What it holds is judged as before.
	r := g.Read("ALTER TABLE users ALTER COLUMN password ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s UNLOGGED); SELECT password::int FROM users", cat)
	if r.Refusal == nil || r.Refusal.Kind != policy.Denied {
		t.Errorf("%v", r.Refusal)
	}
}
