package mask

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sallyport/internal/pgtest"
	"sallyport/policy"
)

// profile is the transform of a column with fields.
func profile(t testing.TB, with string, fields ...string) *Transform {
	t.Helper()
	r := Rule{Targets: []string{"*"}, Columns: []string{"customers.profile"}, Fields: fields, With: with, Key: "env://KEY"}
	tr, ok := NewColumns([]Rule{r.WithKey(testKey(t))}, "t").For("public", "customers", "profile")
	if !ok || !tr.Inside() {
		t.Fatal("the column has no fields")
	}
	return tr
}

// TestInside is documents in columns, of every type that holds one.
func TestInside(t *testing.T) {
	for name, c := range map[string]struct {
		with          string
		field         Field
		in, out, null string
	}{
		"jsonb":           {field: Field{Type: oidJSONB}, in: `{"a": 1.50, "password": "x", "z": [{"password": [1]}]}`, out: `{"a": 1.50, "password": "[redacted]", "z": [{"password": "[redacted]"}]}`},
		"jsonb, binary":   {field: Field{Type: oidJSONB, Format: 1}, in: "\x01{\"password\": \"x\"}", out: "\x01{\"password\": \"[redacted]\"}"},
		"json":            {field: Field{Type: oidJSON}, in: " {\n\"b\" : 1e5,\"password\":{}, \"b\":2 }", out: " {\n\"b\" : 1e5,\"password\":\"[redacted]\", \"b\":2 }"},
		"a path":          {field: Field{Type: oidJSONB}, in: `{"prefs": {"codes": ["a"], "x": {"codes": 1}}, "codes": 2}`, out: `{"prefs": {"codes": "[redacted]", "x": {"codes": 1}}, "codes": 2}`},
		"null":            {with: "null", field: Field{Type: oidJSONB}, in: `{"password": "x"}`, out: `{"password": null}`},
		"token":           {with: "token", field: Field{Type: oidJSONB}, in: `{"password": 10, "n": 10}`, out: `{"password": 82, "n": 10}`},
		"nothing in it":   {field: Field{Type: oidJSONB}, in: `[1, "password"]`, out: `[1, "password"]`},
		"a string":        {field: Field{Type: oidJSONB}, in: `"password"`, out: `"password"`},
		"no version":      {field: Field{Type: oidJSONB, Format: 1}, in: `{"password":"x"}`, null: "yes"},
		"text":            {field: Field{Type: oidText, Modifier: -1}, in: `{"password":"x","a":1}`, out: `{"password":"[redacted]","a":1}`},
		"text, no JSON":   {field: Field{Type: oidText, Modifier: -1}, in: `{"password":"x"`, out: `[redacted]`},
		"text, a string":  {field: Field{Type: oidText, Modifier: -1}, in: `"x"`, out: `[redacted]`},
		"varchar, fits":   {field: Field{Type: oidVarchar, Modifier: 40}, in: `{"password":"x"}`, out: `{"password":"[redacted]"}`},
		"varchar, no fit": {field: Field{Type: oidVarchar, Modifier: 20}, in: `{"password":"x"}`, out: `[redacted]`},
		"json[]":          {field: Field{Type: 199}, in: `{"{\"password\": \"x\", \"a\": 1}",NULL,2}`, out: `{"{\"password\": \"[redacted]\", \"a\": 1}",NULL,2}`},
		"int4":            {field: Field{Type: 23}, in: `7`, null: "yes"},
		"unknown":         {field: Field{Type: 99999}, in: `{}`, null: "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			out, null := profile(t, c.with, "password", "prefs.codes").Apply(nil, c.field, []byte(c.in))
			if string(out) != c.out || null != (c.null != "") {
				t.Errorf("got %q, %v, want %q", out, null, c.out)
			}
		})
	}
}

// TestAt is what lies at a path of a document, taken out as JSON and as text.
func TestAt(t *testing.T) {
	text, jsonb := Field{Type: oidText, Modifier: -1}, Field{Type: oidJSONB}
	for name, c := range map[string]struct {
		path  string
		field Field
		in    string
		out   string // "" is nothing protected there
	}{
		"protected":             {"password", text, "hunter2", "[redacted]"},
		"protected, JSON":       {"password", jsonb, `"hunter2"`, `"[redacted]"`},
		"deep":                  {"a/b/password", text, "hunter2", "[redacted]"},
		"below":                 {"password/old", text, "hunter2", "[redacted]"},
		"at a path":             {"prefs/codes", jsonb, `["x"]`, `["[redacted]"]`},
		"below a path":          {"prefs/codes/first", text, `x`, `[redacted]`},
		"above a path":          {"prefs", jsonb, `{"codes": 1, "a": {"codes": 2}}`, `{"codes": "[redacted]", "a": {"codes": 2}}`},
		"above a path, text":    {"prefs", text, `{"codes": 1}`, `{"codes": "[redacted]"}`},
		"beside":                {"address/city", text, "Berlin", "Berlin"},
		"beside, number":        {"address/no", text, "12", "12"},
		"beside, object":        {"address", text, `{"password": 1}`, `{"password": "[redacted]"}`},
		"beside, looks like it": {"address", text, `{"password": 1`, `[redacted]`},
		"beside, JSON":          {"address", jsonb, `{"password": 1, "city": "x"}`, `{"password": "[redacted]", "city": "x"}`},
		"dotted":                {"prefs.codes", text, "x", "[redacted]"},
		"the top":               {"", jsonb, `{"password": 1}`, `{"password": "[redacted]"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var path []string
			if c.path != "" {
				path = strings.Split(c.path, "/")
			}
			tr := profile(t, "", "password", "prefs.codes").At(path, c.field.Type == oidText)
			if out, _ := tr.Apply(nil, c.field, []byte(c.in)); string(out) != c.out {
				t.Errorf("got %q, want %q", out, c.out)
			}
		})
	}
	if tr := profile(t, "", "prefs.codes").At([]string{"address"}, true); tr != nil {
		t.Error("nothing is protected there, and yet it is masked")
	}
	if tr := profile(t, "", "a.*.c").At([]string{"a", "b"}, false); tr == nil || tr.At([]string{"c"}, false).Inside() {
		t.Error("a * in a path matches no member")
	}
	if tr := every(t)["token"].At([]string{"a"}, true); tr.Name() != "redact" {
		t.Error("part of a column that is masked whole is shown")
	}
}

// TestInsideServer masks random documents as a server sends them, and has the server
// look: members that are not protected stay, the others are gone.
func TestInsideServer(t *testing.T) {
	conn := pgtest.New(t).Conn(t)
	rnd := rand.New(rand.NewPCG(7, 8))
	tr := profile(t, "", "secret")
	const canary = "CANARY-99"
	for range 300 {
		doc := document(rnd, 4, canary)
		if strings.Contains(doc, "1e400") {
			continue // more digits than the test needs
		}
		for _, sqlType := range []string{"json", "jsonb"} {
			for format := range int16(2) {
				f, sent := ask(t, conn, sqlType, doc, format)
				out, null := tr.Apply(nil, f, sent)
				if null || strings.Contains(string(out), canary) {
					t.Fatalf("%s becomes %q", sent, out)
				}
				if _, err := give(t, conn, f, out); err != nil {
					t.Fatalf("%s becomes %q: %v", sent, out, err)
				}
				if !strings.Contains(doc, canary) && string(out) != string(sent) {
					t.Fatalf("%s becomes %q", sent, out)
				}
			}
		}
	}
}

func TestUnless(t *testing.T) {
	rules := []Rule{
		{Targets: []string{"*"}, Columns: []string{"users.email"}, With: "last4", Unless: []string{"group:dba", "subject:ci-*"}},
		{Targets: []string{"*"}, Columns: []string{"users.*"}, Unless: []string{"issuer:https://staff"}},
	}
	for name, c := range map[string]struct {
		who  policy.Principal
		with string
	}{
		"an agent":  {policy.Principal{Subject: "agent", Groups: []string{"agents"}, Issuer: "x"}, "last4"},
		"a dba":     {policy.Principal{Subject: "ann", Groups: []string{"x", "dba"}}, "redact"},
		"by name":   {policy.Principal{Subject: "ci-7"}, "redact"},
		"by issuer": {policy.Principal{Subject: "ann", Issuer: "https://staff"}, "last4"},
		"by both":   {policy.Principal{Subject: "ci-7", Issuer: "https://staff"}, ""},
		"nobody":    {policy.Principal{}, "last4"},
		"lookalike": {policy.Principal{Subject: "group:dba", Groups: []string{"dbas"}}, "last4"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if tr, ok := NewColumns(Held(rules, c.who), "t").For("public", "users", "email"); ok {
				got = tr.Name()
			}
			if got != c.with {
				t.Errorf("got %q, want %q", got, c.with)
			}
		})
	}
	if !(Rule{}).Holds(policy.Principal{}) {
		t.Error("a rule without unless does not hold")
	}
}

func TestKey(t *testing.T) {
	if _, err := NewKey([]byte("too short")); err == nil {
		t.Error("a short secret makes a key")
	}
	key := testKey(t)
	for _, s := range []string{fmt.Sprint(key), fmt.Sprintf("%#v", key), fmt.Sprintf("%+v", struct{ k Key }{key}), fmt.Sprintf("%+v", Rule{}.WithKey(key))} {
		if strings.Contains(s, "secret for tests") || strings.Contains(s, "hash:[") {
			t.Errorf("a key is printed: %s", s)
		}
	}
	for _, name := range KeyedNames() {
		if _, err := LookupKeyed(name, Key{}); err == nil {
			t.Errorf("%s works without a key", name)
		}
		rule := Rule{Targets: []string{"*"}, Columns: []string{"a.b"}, With: name, Key: "env://K"}
		if tr, _ := NewColumns([]Rule{rule}, "t").For("s", "a", "b"); tr.Name() != "redact" {
			t.Errorf("%s without its key is %s", name, tr.Name())
		}
		rules := []Rule{rule.WithKey(key), {Targets: []string{"*"}, Columns: []string{"a.c"}, With: name, Key: "env://K", key: key}}
		columns := NewColumns(rules, "t")
		one, _ := columns.For("s", "a", "b")
		two, _ := columns.For("s", "a", "c")
		if one.Name() != name || one != two {
			t.Errorf("two columns with one key have %v and %v", one, two)
		}
	}
	if _, err := LookupKeyed("redact", key); err == nil {
		t.Error("redact works by a key")
	}
	if (Key{}).IsZero() == key.IsZero() {
		t.Error("no key and a key are the same")
	}
}

// TestAtAny is a value that may lie at several paths, and fields from the top.
func TestAtAny(t *testing.T) {
	rule := Rule{Targets: []string{"o"}, Columns: []string{"a.doc"}, Fields: []string{"$.pin", "list.*.code", "list.key"}}
	if p := rule.Problems(); len(p) > 0 {
		t.Fatal(p)
	}
	whole := rule.column()
	for name, c := range map[string]struct {
		paths [][]string
		text  bool
		value string
		want  string // "" is free
	}{
		"the top alone":   {[][]string{nil}, false, `{"pin": 1, "a": {"pin": 2}}`, `{"pin": "[redacted]", "a": {"pin": 2}}`},
		"elsewhere":       {[][]string{{"a"}}, false, `{"pin": 2}`, ""},
		"itself":          {[][]string{{"pin"}}, true, `1234`, `[redacted]`},
		"place or member": {[][]string{{"list"}, {"list", "0"}}, false, `{"key": 1, "code": 2, "0": {"code": 3}}`, `{"key": "[redacted]", "code": "[redacted]", "0": {"code": "[redacted]"}}`},
		"one of them":     {[][]string{{"a"}, {"pin"}}, true, `x`, `[redacted]`},
		"a text":          {[][]string{{"list"}}, true, `plain`, `plain`},
		"a root's text":   {[][]string{nil}, true, `plain`, `[redacted]`},
	} {
		t.Run(name, func(t *testing.T) {
			tr := whole.AtAny(c.paths, c.text)
			if tr == nil {
				if c.want != "" {
					t.Error("it is free")
				}
				return
			}
			f := Field{Type: oidJSON, Modifier: -1}
			if c.text {
				f.Type = oidText
			}
			if out, null := tr.Apply(nil, f, []byte(c.value)); null || string(out) != c.want {
				t.Errorf("got %s, want %s", out, c.want)
			}
		})
	}
}
