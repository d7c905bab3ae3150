package policy

import "testing"

func TestOnSQLAlone(t *testing.T) {
	for condition, want := range map[string][2]bool{
		"sql.destructive":                                {true, false},
		"sql.destructive && target == 'orders'":          {true, false},
		"sql.text.contains('x') || sql.writes":           {true, true},
		"sql.writes && caller.subject == 'ci'":           {false, false},
		"sql.writes && now.getHours() < 8":               {false, false},
		"sql.writes && caller.groups.exists(g, g == '')": {false, false},
	} {
		steady, text := mustRules(t, deny("d", condition)).OnSQLAlone("orders")
		if steady != want[0] || text != want[1] {
			t.Errorf("%s: %v, %v, want %v", condition, steady, text, want)
		}
	}
	if steady, text := mustRules(t).OnSQLAlone("orders"); !steady || text {
		t.Error("no rule depends on something")
	}
}
