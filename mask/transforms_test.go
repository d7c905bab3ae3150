package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNames(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"email", "last4", "null", "redact"}) {
		t.Fatalf("names %v", got)
	}
	for _, name := range Names() {
		if tr, ok := Lookup(name); !ok || tr.Name() != name {
			t.Errorf("Lookup(%q) gives %v", name, tr)
		}
	}
	if got := KeyedNames(); !slices.Equal(got, []string{"hash", "token"}) {
		t.Fatalf("names %v", got)
	}
	for _, name := range KeyedNames() {
		if _, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q) needs no key", name)
		}
	}
}

// TestApply is every transform on every kind of type; want "NULL" is SQL NULL.
func TestApply(t *testing.T) {
	const none = -1
	for name, c := range map[string]struct {
		with   string
		field  Field
		value  string
		want   string
		binary string // where binary differs from text
	}{
		"redact text":         {with: "redact", field: Field{Type: oidText, Modifier: none}, value: "hunter2", want: "[redacted]"},
		"redact empty":        {with: "redact", field: Field{Type: oidText, Modifier: none}, value: "", want: "[redacted]"},
		"redact unknown":      {with: "redact", field: Field{Type: oidUnknown, Modifier: none}, value: "x", want: "[redacted]"},
		"redact name":         {with: "redact", field: Field{Type: oidName, Modifier: none}, value: "x", want: "[redacted]"},
		"redact varchar":      {with: "redact", field: Field{Type: oidVarchar, Modifier: none}, value: "x", want: "[redacted]"},
		"redact varchar(5)":   {with: "redact", field: Field{Type: oidVarchar, Modifier: 9}, value: "hunte", want: "[reda"},
		"redact varchar(10)":  {with: "redact", field: Field{Type: oidVarchar, Modifier: 14}, value: "hunter2", want: "[redacted]"},
		"redact char":         {with: "redact", field: Field{Type: oidBpchar, Modifier: none}, value: "x", want: "[redacted]"},
		"redact char(3)":      {with: "redact", field: Field{Type: oidBpchar, Modifier: 7}, value: "abc", want: "[re"},
		"redact char(12)":     {with: "redact", field: Field{Type: oidBpchar, Modifier: 16}, value: "abc         ", want: "[redacted]  "},
		"redact json":         {with: "redact", field: Field{Type: oidJSON, Modifier: none}, value: `{"a":1}`, want: `{"masked":"[redacted]"}`},
		"redact json array":   {with: "redact", field: Field{Type: oidJSON, Modifier: none}, value: ` [1,2]`, want: `["[redacted]"]`},
		"redact json string":  {with: "redact", field: Field{Type: oidJSON, Modifier: none}, value: `"x"`, want: `"[redacted]"`},
		"redact json number":  {with: "redact", field: Field{Type: oidJSON, Modifier: none}, value: `12`, want: `"[redacted]"`},
		"redact json null":    {with: "redact", field: Field{Type: oidJSON, Modifier: none}, value: `null`, want: `null`},
		"redact jsonb":        {with: "redact", field: Field{Type: oidJSONB, Modifier: none}, value: "\x01" + `{"a":1}`, want: `"[redacted]"`, binary: "\x01" + `{"masked":"[redacted]"}`},
		"jsonb, no version":   {with: "redact", field: Field{Type: oidJSONB, Modifier: none}, value: `{"a":1}`, want: `{"masked":"[redacted]"}`, binary: "NULL"},
		"redact int4":         {with: "redact", field: Field{Type: 23, Modifier: none}, value: "1234", want: "NULL"},
		"redact bytea":        {with: "redact", field: Field{Type: 17, Modifier: none}, value: `\x00`, want: "NULL"},
		"redact uuid":         {with: "redact", field: Field{Type: 2950, Modifier: none}, value: "x", want: "NULL"},
		"redact text[]":       {with: "redact", field: Field{Type: 1009, Modifier: none}, value: "{a,b}", want: "{[redacted]}", binary: "NULL"},
		"last4 text[]":        {with: "last4", field: Field{Type: 1009, Modifier: none}, value: `[0:1]={NULL,"a \"\\bcdefg h"}`, want: `[0:1]={NULL,"********fg h"}`, binary: "NULL"},
		"last4 text[][]":      {with: "last4", field: Field{Type: 1009, Modifier: none}, value: `{{"",12345678},{NULL,"NULL"}}`, want: `{{"",****5678},{NULL,****}}`, binary: "NULL"},
		"last4 half an array": {with: "last4", field: Field{Type: 1009, Modifier: none}, value: `{a,b`, want: "NULL"},
		"last4 no array":      {with: "last4", field: Field{Type: 1009, Modifier: none}, value: `a`, want: "NULL"},
		"last4 two arrays":    {with: "last4", field: Field{Type: 1009, Modifier: none}, value: `{a}{b}`, want: "NULL"},
		"last4 int4[]":        {with: "last4", field: Field{Type: 1007, Modifier: none}, value: `{123456789}`, want: "NULL"},
		"last4 varchar(3)[]":  {with: "last4", field: Field{Type: 1015, Modifier: 7}, value: `{abc}`, want: "{***}", binary: "NULL"},
		"redact citext":       {with: "redact", field: Field{Type: 99999, Like: oidText, Modifier: none}, value: "t", want: "[redacted]"},
		"redact hstore":       {with: "redact", field: Field{Type: 99999, Like: LikeHstore, Modifier: none}, value: `"a"=>"b"`, want: `"masked"=>"[redacted]"`, binary: "\x00\x00\x00\x01\x00\x00\x00\x06masked\x00\x00\x00\x0a[redacted]"},
		"null, not null":      {with: "null", field: Field{Type: oidText, Modifier: none, NotNull: true}, value: "t", want: ""},
		"int4, not null":      {with: "redact", field: Field{Type: 23, Modifier: none, NotNull: true}, value: "t", want: "0", binary: "\x00\x00\x00\x00"},
		"redact bool":         {with: "redact", field: Field{Type: 16, Modifier: none}, value: "t", want: "NULL"},
		"redact one char":     {with: "redact", field: Field{Type: 18, Modifier: none}, value: "t", want: "NULL"},
		"redact an extension": {with: "redact", field: Field{Type: 99999, Modifier: none}, value: "t", want: "NULL"},
		"null text":           {with: "null", field: Field{Type: oidText, Modifier: none}, value: "t", want: "NULL"},
		"null jsonb":          {with: "null", field: Field{Type: oidJSONB, Modifier: none}, value: "{}", want: "NULL"},
		"last4":               {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "4111111111111111", want: "************1111"},
		"last4 of eight":      {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "12345678", want: "****5678"},
		"last4 of seven":      {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "1234567", want: "*******"},
		"last4 empty":         {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "", want: ""},
		"last4 characters":    {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "äöüßäöüß", want: "****äöüß"},
		"last4 char(12)":      {with: "last4", field: Field{Type: oidBpchar, Modifier: 16}, value: "123456789   ", want: "*****6789   "},
		"last4 not UTF-8":     {with: "last4", field: Field{Type: oidText, Modifier: none}, value: "12345678\xe4", want: "[redacted]"},
		"last4 json":          {with: "last4", field: Field{Type: oidJSON, Modifier: none}, value: `"12345678"`, want: `"****5678"`},
		"last4 jsonb":         {with: "last4", field: Field{Type: oidJSON, Modifier: none}, value: `{"a":"12345678"}`, want: `{"masked":"[redacted]"}`},
		"last4 long name":     {with: "last4", field: Field{Type: oidName, Modifier: none}, value: strings.Repeat("n", 63), want: strings.Repeat("*", 59) + "nnnn"},
		"email":               {with: "email", field: Field{Type: oidText, Modifier: none}, value: "alice@example.com", want: "a***@e***.com"},
		"email of three":      {with: "email", field: Field{Type: oidText, Modifier: none}, value: "bob@mail.example.co", want: "b***@m***.e***.co"},
		"email long TLD":      {with: "email", field: Field{Type: oidText, Modifier: none}, value: "bob@example.hunter2secret", want: "b***@e***.h***"},
		"email varchar(6)":    {with: "email", field: Field{Type: oidVarchar, Modifier: 10}, value: "a@b.de", want: "a***@b"},
		"no email":            {with: "email", field: Field{Type: oidText, Modifier: none}, value: "alice", want: "[redacted]"},
		"email without dot":   {with: "email", field: Field{Type: oidText, Modifier: none}, value: "a@localhost", want: "[redacted]"},
		"email twice":         {with: "email", field: Field{Type: oidText, Modifier: none}, value: "a@b.com@c.com", want: "[redacted]"},
		"email with name":     {with: "email", field: Field{Type: oidText, Modifier: none}, value: "Al <a@b.com>", want: "[redacted]"},
		"email, empty label":  {with: "email", field: Field{Type: oidText, Modifier: none}, value: "a@.com", want: "[redacted]"},
		"email, empty local":  {with: "email", field: Field{Type: oidText, Modifier: none}, value: "@b.com", want: "[redacted]"},
	} {
		t.Run(name, func(t *testing.T) {
			tr, _ := Lookup(c.with)
			for format, want := range []string{c.want, c.binary} {
				if want == "" && format == 1 {
					want = c.want
				}
				f := c.field
				f.Format = int16(format)
				out, null := tr.Apply([]byte("before"), f, []byte(c.value))
				got, ok := strings.CutPrefix(string(out), "before")
				if !ok {
					t.Fatalf("dst was not appended to: %q", out)
				}
				if null {
					if got != "" {
						t.Errorf("NULL, and yet %q", got)
					}
					got = "NULL"
				}
				if got != want {
					t.Errorf("format %d: got %q, want %q", format, got, want)
				}
			}
		})
	}
}

// TestNoCanary masks random values of every type and looks for six characters
// of the canary in a row, of which no transform may leave that many.
func TestNoCanary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	types := []uint32{oidName, oidText, oidJSON, oidUnknown, oidBpchar, oidVarchar, oidJSONB, 17, 20, 23, 1009, 1700, 2950}
	for range 20_000 {
		canary := randomText(rnd, 12, "BCDFGHJKLMNPQRSTVWXZ23456789")
		value := randomText(rnd, rnd.IntN(4), "a@. ü") + canary + randomText(rnd, rnd.IntN(10), "a@.com ü")
		f := Field{Type: types[rnd.IntN(len(types))], Modifier: int32(rnd.IntN(40)) - 1, Format: int16(rnd.IntN(2))}
		tr, _ := Lookup(Names()[rnd.IntN(len(Names()))])
		out, _ := tr.Apply(nil, f, []byte(value))
		for i := range len(canary) - 6 {
			if bytes.Contains(out, []byte(canary[i:i+6])) {
				t.Fatalf("%s of %q as %+v leaves %q", tr.Name(), value, f, out)
			}
		}
	}
}

func randomText(rnd *rand.Rand, n int, alphabet string) string {
	letters := []rune(alphabet)
	var b strings.Builder
	for range n {
		b.WriteRune(letters[rnd.IntN(len(letters))])
	}
	return b.String()
}

func FuzzApply(f *testing.F) {
	f.Add([]byte("alice@example.com"), uint32(oidText), int32(-1), false)
	f.Add([]byte("4111111111111111"), uint32(oidBpchar), int32(24), true)
	f.Add([]byte(`{"a":"b"}`), uint32(oidJSONB), int32(-1), true)
	f.Add([]byte("\xff\xfe@a.b"), uint32(oidVarchar), int32(5), false)
	f.Fuzz(func(t *testing.T, value []byte, oid uint32, modifier int32, binary bool) {
		if modifier > 1<<20 {
			return // char(n) is at most 10485760, and slow here
		}
		field := Field{Type: oid, Modifier: modifier}
		if binary {
			field.Format = 1
		}
		for _, name := range Names() {
			tr, _ := Lookup(name)
			out, null := tr.Apply(nil, field, value)
			if null {
				continue
			}
			if k := kindOf(oid); !utf8.Valid(out) && (k.text() || k == kindJSON || k == kindJSONB) {
				t.Fatalf("%s: not UTF-8: %q", name, out)
			}
			if oid == oidJSON && !json.Valid(out) {
				t.Fatalf("%s: not JSON: %q", name, out)
			}
			if oid == oidName && len(out) > maxName {
				t.Fatalf("%s: %d bytes of name", name, len(out))
			}
			if oid == oidBpchar && modifier >= headerLen && utf8.RuneCount(out) != int(modifier)-headerLen {
				t.Fatalf("%s: char(%d) has %d characters", name, modifier-headerLen, utf8.RuneCount(out))
			}
			if len(value) > 20 && bytes.Contains(out, value) && !strings.Contains(redacted+stars, string(value)) && strings.Trim(string(value), "* ") != "" {
				t.Fatalf("%s leaves %q in %q", name, value, out)
			}
		}
	})
}

func TestColumns(t *testing.T) {
	rules := []Rule{
		{Targets: []string{"orders"}, Columns: []string{"users.password", "audit.users.ssn"}, Filter: "deny"},
		{Targets: []string{"*"}, Columns: []string{"users.*", "*.card_*"}, With: "last4"},
		{Targets: []string{"other"}, Columns: []string{"notes.text"}},
	}
	c := NewColumns(rules, "orders")
	for name, want := range map[string]string{
		"public users password":    "redact",
		"any users password":       "redact",
		"audit users ssn":          "redact",
		"public users ssn":         "last4",
		"public users name":        "last4",
		"public payments card_no":  "last4",
		"public payments account":  "",
		"public notes text":        "",
		"public Users password":    "",
		"public users_old pass":    "",
		"public xusers password":   "",
		"public payments xcard_no": "",
	} {
		var schema, table, column, got string
		fmt.Sscan(name, &schema, &table, &column)
		if tr, ok := c.For(schema, table, column); ok {
			got = tr.Name()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	want := []ColumnPattern{
		{"*", "users", "password", "deny", nil, false},
		{"audit", "users", "ssn", "deny", nil, false},
		{"*", "users", "*", "equality", nil, false},
		{"*", "*", "card_*", "equality", nil, false},
	}
	if got := c.Patterns(); !slices.Equal(got, want) {
		t.Errorf("patterns %v", got)
	}
	none := NewColumns(rules[:1], "openai")
	if _, ok := none.For("a", "b", "c"); none != nil || ok || none.Patterns() != nil {
		t.Error("a target without rules has protected columns")
	}
}

func TestProblems(t *testing.T) {
	good := Rule{Targets: []string{"a"}, Columns: []string{"t.c", "s.*.c"}, With: "last4", Filter: "allow"}
	if p := good.Problems(); p != nil {
		t.Errorf("a good rule has problems: %v", p)
	}
	for _, good := range []Rule{
		{Targets: []string{"a"}, Fields: []string{"x", "a.b", "*.c"}, In: "response"},
		{Targets: []string{"a"}, Columns: []string{"t.c"}, Fields: []string{"x", "a.b"}, Unless: []string{"group:dba", "subject:ci-*", "issuer:https://a"}},
		{Targets: []string{"a"}, Columns: []string{"t.c"}, With: "token", Key: "vault://a#b"},
	} {
		if p := good.Problems(); p != nil {
			t.Errorf("a good rule has problems: %v", p)
		}
	}
	for name, c := range map[string]struct {
		rule Rule
		keys []string
		says string
	}{
		"nothing":           {Rule{}, []string{"targets", ""}, "columns"},
		"empty target":      {Rule{Targets: []string{""}, Fields: []string{"a"}}, []string{"targets"}, "matches no target"},
		"bare column":       {Rule{Targets: []string{"a"}, Columns: []string{"c"}}, []string{"columns"}, "can't match"},
		"database.column":   {Rule{Targets: []string{"a"}, Columns: []string{"d.s.t.c"}}, []string{"columns"}, "can't match"},
		"empty part":        {Rule{Targets: []string{"a"}, Columns: []string{"t."}}, []string{"columns"}, "can't match"},
		"quotes":            {Rule{Targets: []string{"a"}, Columns: []string{`"T".c`}}, []string{"columns"}, "without quotes"},
		"empty path part":   {Rule{Targets: []string{"a"}, Fields: []string{"a..b", ""}}, []string{"fields", "fields"}, "can't match"},
		"unknown transform": {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, With: "rot13"}, []string{"with"}, "email, last4, null, redact"},
		"no key":            {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, With: "hash"}, []string{"with"}, "needs a key"},
		"idle key":          {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, Key: "env://K"}, []string{"key"}, "redact"},
		"unless nobody":     {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, Unless: []string{"dba", "group:", "grup:a"}}, []string{"unless", "unless", "unless"}, "group:NAME"},
		"in, of columns":    {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, Fields: []string{"x"}, In: "response"}, []string{"in"}, "are in columns"},
		"filter":            {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, Filter: "maybe"}, []string{"filter"}, "equality, deny, allow"},
		"filter on fields":  {Rule{Targets: []string{"a"}, Fields: []string{"c"}, Filter: "deny"}, []string{"filter"}, "no columns"},
		"in on columns":     {Rule{Targets: []string{"a"}, Columns: []string{"t.c"}, In: "response"}, []string{"in"}, "no fields"},
		"in request":        {Rule{Targets: []string{"a"}, Columns: []string{"b.c"}, Fields: []string{"c"}, In: "both"}, []string{"in"}, "are in columns"},
		"in nowhere":        {Rule{Targets: []string{"a"}, Fields: []string{"c"}, In: "out"}, []string{"in"}, "none of"},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []string
			said := false
			for _, p := range c.rule.Problems() {
				keys = append(keys, p.Key)
				said = said || strings.Contains(p.Message, c.says)
			}
			if !slices.Equal(keys, c.keys) || !said {
				t.Errorf("problems %v, want keys %q and %q", c.rule.Problems(), c.keys, c.says)
			}
		})
	}
}
