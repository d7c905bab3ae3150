package recorder

import (
	"strings"
	"testing"
)

func TestLatest(t *testing.T) {
	r, dir := open(t)
	rec := begin(t, r, "01A")
	for i := range int64(9) {
		write(t, rec, allowed(i, strings.Repeat("x", 20<<10)))
	}
	raw(t, dir, "2026-03-04", "01T", openLine+denyLine+endLine[:20])
	raw(t, dir, "2026-03-04", "01E", "")
	raw(t, dir, "2026-03-04", "01L", openLine+strings.Repeat("x", maxLatest+5)+"\n"+endLine)
	for name, c := range map[string]struct {
		id   string
		n    int
		want string
	}{
		"one":           {"01A", 1, "10"},
		"some":          {"01A", 4, "7 8 9 10"},
		"all":           {"01A", 10, "1 2 3 4 5 6 7 8 9 10"},
		"more than all": {"01A", 50, "1 2 3 4 5 6 7 8 9 10"},
		"torn":          {"01T", 2, "2 torn"},
		"empty":         {"01E", 2, ""},
		"too long":      {"01L", 9, "3"},
	} {
		events, err := r.Latest(c.id, c.n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			if e.Kind == KindTorn {
				got = append(got, "torn")
			} else {
				got = append(got, string("0123456789"[e.Seq%10]))
			}
		}
		if want := strings.ReplaceAll(c.want, "10", "0"); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if _, err := r.Latest("nope", 3); err == nil {
		t.Error("no error for no session")
	}
}
