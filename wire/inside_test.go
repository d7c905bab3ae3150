package wire

import (
	"testing"

	"sallyport/internal/pgtest"
)

// TestInsideSettings: whatever a client has set neither bends what is asked
// inside its transaction, nor is it changed by that.
func TestInsideSettings(t *testing.T) {
	conn := pgtest.New(t).Conn(t)
	do := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	settings := map[string]struct{ clients, ours string }{
		"enable_hashjoin":                 {"off", "on"},
		"enable_nestloop":                 {"off", "on"},
		"enable_indexscan":                {"off", "on"},
		"random_page_cost":                {"77", "4"},
		"effective_cache_size":            {"8MB", "4GB"},
		"join_collapse_limit":             {"1", "8"},
		"plan_cache_mode":                 {"force_generic_plan", "auto"},
		"max_parallel_workers_per_gather": {"4", "0"},
		"search_path":                     {"pg_temp", `""`},
		"statement_timeout":               {"1d", "15s"},
	}
	expect := func(ours bool) {
		t.Helper()
		for name, value := range settings {
			want, got := value.clients, ""
			if ours {
				want = value.ours
			}
			if err := conn.QueryRow(t.Context(), "SHOW "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s, want %s: %v", name, got, want, err)
			}
		}
	}
	do("BEGIN")
	for name, value := range settings {
		do("SET LOCAL " + name + " = '" + value.clients + "'")
	}
	for _, sql := range insideBegin {
		do(sql)
	}
	expect(true)
	for _, sql := range insideEnd {
		do(sql)
	}
	expect(false)
}
