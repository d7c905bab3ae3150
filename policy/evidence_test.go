package policy

import (
	"strings"
	"testing"
)

func TestEvidenceWords(t *testing.T) {
	for text, want := range map[string]string{
		"DROP  TABLE\n\tusers":               "DROP TABLE users",
		"PASSWORD 'a very long secret word'": "PASSWORD '…'",
		"PASSWORD 'an open one that is long": "PASSWORD '…",
		"WHERE a = 'short' AND b = ''":       "WHERE a = 'short' AND b = ''",
		strings.Repeat("é", 100):             strings.Repeat("é", 59) + "…",
		"":                                   "",
	} {
		if got := (Evidence{To: len(text)}).Words(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, e := range []Evidence{{From: -1, To: 2}, {From: 0, To: 99}, {From: 3, To: 3}, {From: 4, To: 2}} {
		if got := e.Words("SELECT"); got != "" || e.position("SELECT") != 0 {
			t.Errorf("%+v: %q", e, got)
		}
	}
}

// TestBecause: a refusal says which words led to it, and where they stand.
func TestBecause(t *testing.T) {
	s := query()
	s.Text = "SELECT 'é'; DELETE FROM orders"
	s.Writes, s.Unbounded = true, true
	s.Evidence = []Evidence{
		{Facts: []string{"writes"}, Why: "a trigger writes"},
		{Facts: []string{"writes"}, From: 13, To: 31, Why: "it writes"},
		{Facts: []string{"unbounded"}, From: 13, To: 31, Why: "no WHERE clause", Hint: "add one"},
	}
	q := aboutSQL(s)
	v := mustRules(t, deny("d", "sql.unbounded")).Judge(&q)
	if want := `condition: sql.unbounded; statement: select; because of "DELETE FROM orders": no WHERE clause`; v.Detail != want {
		t.Errorf("detail %q, want %q", v.Detail, want)
	}
	if r := Refuse(v); r.Position != 13 || r.Hint != "add one" {
		t.Errorf("%+v", r)
	}
	v = mustRules(t, deny("d", "sql.writes")).Judge(&q)
	if !strings.HasSuffix(v.Detail, `because of "DELETE FROM orders": it writes; a trigger writes`) || v.Hint != "use a statement that only reads" {
		t.Errorf("%+v", v)
	}
	v = mustRules(t, deny("d", `caller.subject == "worker-1"`)).Judge(&q)
	if strings.Contains(v.Detail, "because") || v.Position != 0 {
		t.Errorf("%+v", v)
	}
}
