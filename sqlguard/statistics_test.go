package sqlguard

import "testing"

// TestStatistics: whose samples a SELECT shows depends on its constants, and on
// definitions that may change.
func TestStatistics(t *testing.T) {
	const text = "SELECT attname, most_common_vals::text FROM pg_stats WHERE tablename = 'orders'"
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	r := g.Read(text, cat)
	if r.Refusal != nil || r.Shared || !r.Statements[0].Redefinable || r.Statements[0].Text != text || !r.Facts.SideDoor {
		t.Errorf("%+v", r)
	}
	if r := g.ReadMoved("", text, cat); r.Refusal == nil {
		t.Error("open where definitions may have changed")
	}
	for _, before := range []string{"DROP TABLE orders; ", "ALTER TABLE orders RENAME TO x; ", "ALTER INDEX i RENAME TO orders; "} {
		if r := g.Read(before+text, cat); r.Refusal == nil {
			t.Errorf("open behind %s", before)
		}
	}
	if r := g.Read("SELECT 1; "+text, cat); r.Refusal != nil {
		t.Error(r.Refusal)
	}
	if r := g.Read("SELECT * FROM pg_stats WHERE tablename IN ('orders', 'new') AND schemaname = 'public'", cat); r.Refusal == nil || len(r.Unknown) != 1 || r.Unknown[0] != "public.new" {
		t.Errorf("a table that may be new: %+v", r)
	}
	own := *cat
	own.operators = map[string]bool{"=": true}
	if r := g.Read(text, &own); r.Refusal == nil {
		t.Error("open where = may be somebody else's")
	}
}
