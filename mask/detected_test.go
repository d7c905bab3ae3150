package mask

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func scanFor(t testing.TB, names ...string) *Transform {
	t.Helper()
	d, err := NewDetectors(Detection{names, transforms["redact"]})
	if err != nil {
		t.Fatal(err)
	}
	return newScanTransform(d)
}

// part is a value behind its length.
func part(s string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// TestDetected looks into values of the types that hold texts.
func TestDetected(t *testing.T) {
	record := "\x00\x00\x00\x02" + "\x00\x00\x00\x17" + part("\x00\x00\x00\x01") + "\x00\x00\x00\x19" + part("to bob@example.com")
	array := "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x01\x00\x00\x00\x01" + part("bob@example.com")
	for name, c := range map[string]struct {
		field Field
		value string
		want  string
		null  bool
	}{
		"text":             {Field{Type: oidText}, "to bob@example.com.", "to [redacted].", false},
		"nothing":          {Field{Type: oidText}, "to bob", "to bob", false},
		"varchar":          {Field{Type: oidVarchar, Modifier: 4 + 10}, "b@x.org", "[redacted]", false},
		"short varchar":    {Field{Type: oidVarchar, Modifier: 4 + 8}, "b@xy.org", "[redacte", false},
		"char":             {Field{Type: oidBpchar, Modifier: 4 + 12}, "b@x.org     ", "[redacted]  ", false},
		"char, nothing":    {Field{Type: oidBpchar, Modifier: 4 + 5}, "ab   ", "ab   ", false},
		"json":             {Field{Type: oidJSON}, `{"a":  "b@x.org", "n": 1.50}`, `{"a":  "[redacted]", "n": 1.50}`, false},
		"json string":      {Field{Type: oidJSON}, `"b\u0040x.org"`, `"[redacted]"`, false},
		"json number":      {Field{Type: oidJSON}, `4111111111111111`, `4111111111111111`, false},
		"jsonb":            {Field{Type: oidJSONB, Format: 1}, "\x01" + `["b@x.org"]`, "\x01" + `["[redacted]"]`, false},
		"jsonb, no header": {Field{Type: oidJSONB, Format: 1}, `["b@x.org"]`, "", true},
		"array":            {Field{Type: 1009}, `{a,b@x.org,"c \"d\" e@x.org",NULL}`, `{a,[redacted],"c \"d\" [redacted]",NULL}`, false},
		"array, nothing":   {Field{Type: 1009}, `{"a",b}`, `{"a",b}`, false},
		"array, binary":    {Field{Type: 1009, Format: 1}, array, strings.Replace(array, part("bob@example.com"), part("[redacted]"), 1), false},
		"row":              {Field{Type: 2249, Format: 1}, record, strings.Replace(record, part("to bob@example.com"), part("to [redacted]"), 1), false},
		"row as text":      {Field{Type: 99999}, `(1,"to bob@example.com")`, `(1,"to [redacted]")`, false},
		"row with json":    {Field{Type: 99999}, `("{""a"": ""b\\u0040x.org""}")`, "", true},
		"unknown, binary":  {Field{Type: 99999, Format: 1}, "\x00\x01b@x.org\x02", "", true},
		"citext, binary":   {Field{Type: 99999, Format: 1}, "b@x.org", "[redacted]", false},
		"its own name":     {Field{Type: oidText, Name: "ssn"}, "078051121", "[redacted]", false},
		"number":           {Field{Type: 20}, "4111111111111111", "4111111111111111", false},
	} {
		t.Run(name, func(t *testing.T) {
			tr := scanFor(t, "email", "us-ssn", "payment-card")
			out, null := tr.Apply([]byte("dst"), c.field, []byte(c.value))
			if null != c.null || string(out[3:]) != c.want {
				t.Errorf("got %q, %v; want %q, %v", out[3:], null, c.want, c.null)
			}
		})
	}
}

// TestDetectedAfter is a column that has a mask and is looked into: members are
// masked first, and a value that was masked whole is left.
func TestDetectedAfter(t *testing.T) {
	rules := []Rule{
		{Targets: []string{"o"}, Columns: []string{"a.doc"}, Fields: []string{"key"}},
		{Targets: []string{"o"}, Columns: []string{"a.word"}, With: "last4"},
		{Targets: []string{"o"}, Columns: []string{"a.*"}, Detect: []string{"email"}, With: "email"},
		{Targets: []string{"o"}, Columns: []string{"*"}, Detect: []string{"ip"}},
	}
	for _, r := range rules {
		if p := r.Problems(); len(p) > 0 {
			t.Fatal(p)
		}
	}
	c := NewColumns(rules, "o")
	for column, want := range map[string][2]string{
		"doc":  {`{"key": "x", "to": ["bob@example.com", "10.1.2.3"]}`, `{"key": "[redacted]", "to": ["b***@e***.com", "[redacted]"]}`},
		"word": {"a word of 10.1.2.3", "**************.2.3"},
		"free": {"bob@example.com at 10.1.2.3", "b***@e***.com at [redacted]"},
	} {
		tr, ok := c.For("public", "a", column)
		if again, _ := c.For("public", "a", column); !ok || again != tr {
			t.Fatalf("%s: %v, or made twice", column, ok)
		}
		f := Field{Type: oidText, Modifier: -1}
		if column == "doc" {
			f.Type = oidJSON
		}
		if out, _ := c.Every(tr).Apply(nil, f, []byte(want[0])); string(out) != want[1] {
			t.Errorf("%s: got %s, want %s", column, out, want[1])
		}
	}
	if _, ok := c.For("public", "b", "x"); ok {
		t.Error("another table's column has a mask")
	}
	if c.Every(nil) == nil || NewColumns(rules[:3], "o").Every(nil) != nil {
		t.Error("what is looked for in every text is not what * says")
	}
}

// FuzzDetected gives bytes of any kind as values of any type: no panic, nothing
// is left to be found, and what holds nothing stays as it is.
func FuzzDetected(f *testing.F) {
	for _, s := range []string{"bob@example.com", `{"a":"b@x.org"}`, `{a,"b@x.org"}`, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07b@x.org", "\x00\x00\x00\x01\x00\x00\x00\x19\x00\x00\x00\x07b@x.org"} {
		for _, oid := range []uint32{oidText, oidJSON, oidJSONB, 1009, 3807, 2249, 99999, LikeHstore} {
			f.Add(oid, int16(0), []byte(s))
			f.Add(oid, int16(1), []byte(s))
		}
	}
	tr := scanFor(f, "email")
	f.Fuzz(func(t *testing.T, oid uint32, format int16, value []byte) {
		field := Field{Type: oid, Format: format, Modifier: -1}
		out, null := tr.Apply(nil, field, value)
		if null || !field.MayHold() {
			return
		}
		if !bytes.Equal(out, value) && !bytes.Contains(out, []byte(redacted)) && !bytes.Contains(out, []byte{0xff, 0xff, 0xff, 0xff}) {
			t.Errorf("changed without a mark: %q is %q", value, out)
		}
		if field.Format == 0 && kindOf(oid).text() && !startsDocument(value) && len(tr.scan.detect.Find(nil, out)) > 0 {
			t.Errorf("%q leaves %q", value, out)
		}
	})
}
