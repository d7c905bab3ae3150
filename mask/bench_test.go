package mask

import "testing"

// BenchmarkApply is one value through each transform.
func BenchmarkApply(b *testing.B) {
	for name, c := range map[string]struct {
		field Field
		value string
	}{
		"text":    {Field{Type: oidText, Modifier: -1}, "alice.liddell@example.com"},
		"varchar": {Field{Type: oidVarchar, Modifier: 44}, "4111 1111 1111 1111"},
		"json":    {Field{Type: oidJSONB, Modifier: -1}, `{"name": "alice", "tags": ["a", "b"], "n": 12.50}`},
		"text[]":  {Field{Type: 1009, Modifier: -1}, `{alice,"b c",NULL,d}`},
		"int4":    {Field{Type: 23, Format: 1}, "\x00\x01\x02\x03"},
		"numeric": {Field{Type: 1700}, "1234.50"},
		"uuid":    {Field{Type: 2950}, "123e4567-e89b-42d3-a456-426614174000"},
	} {
		for with, tr := range every(b) {
			b.Run(name+"/"+with, func(b *testing.B) {
				dst, value := make([]byte, 0, 1024), []byte(c.value)
				b.ReportAllocs()
				for b.Loop() {
					dst, _ = tr.Apply(dst[:0], c.field, value)
				}
			})
		}
	}
}

// TestNoAllocs: masking a text allocates nothing. Those that work by a key
// don't either, as the benchmark shows, but for the race detector: it drops
// what is in a pool.
func TestNoAllocs(t *testing.T) {
	f, value, dst := Field{Type: oidText, Modifier: -1}, []byte("alice.liddell@example.com"), make([]byte, 0, 1024)
	for _, name := range Names() {
		tr, _ := Lookup(name)
		if n := testing.AllocsPerRun(100, func() { dst, _ = tr.Apply(dst[:0], f, value) }); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
