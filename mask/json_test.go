package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func fields(with string, names ...string) *Fields {
	return NewFields([]Rule{{Targets: []string{"t"}, Fields: names, With: with}}, "t")
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		fields  *Fields
		in, out string
		masked  int
	}{
		"a name":             {fields("", "key"), `{"key":"v","a":1}`, `{"key":"[redacted]","a":1}`, 1},
		"at any depth":       {fields("", "key"), `{"a":[[{"b":{"key":"v"}}]]}`, `{"a":[[{"b":{"key":"[redacted]"}}]]}`, 1},
		"top array":          {fields("", "key"), `[{"key":"v"},{"key":"w"}]`, `[{"key":"[redacted]"},{"key":"[redacted]"}]`, 2},
		"bytes stay":         {fields("", "key"), " {\t\"z\" : 1.50e+01 ,\n\"key\" :  \"v\" , \"a\":10000000000000000000001 } \n", " {\t\"z\" : 1.50e+01 ,\n\"key\" :  \"[redacted]\" , \"a\":10000000000000000000001 } \n", 1},
		"escaped name":       {fields("", "key"), `{"k\u0065y":"v"}`, `{"k\u0065y":"[redacted]"}`, 1},
		"repeated name":      {fields("", "key"), `{"key":"v","key":"w"}`, `{"key":"[redacted]","key":"[redacted]"}`, 2},
		"an object":          {fields("", "key"), `{"key":{"a":"v"}}`, `{"key":"[redacted]"}`, 1},
		"an array":           {fields("", "key"), `{"key":["v",{"key":"w"}]}`, `{"key":"[redacted]"}`, 1},
		"a number":           {fields("", "key"), `{"key":12}`, `{"key":"[redacted]"}`, 1},
		"a boolean":          {fields("", "key"), `{"key":true}`, `{"key":"[redacted]"}`, 1},
		"null stays":         {fields("", "key"), `{"key":null}`, `{"key":null}`, 0},
		"not a prefix":       {fields("", "key"), `{"keys":"v","monkey":"v","Key":"v"}`, `{"keys":"v","monkey":"v","Key":"v"}`, 0},
		"star":               {fields("", "*_key"), `{"api_key":"v","key":"v"}`, `{"api_key":"[redacted]","key":"v"}`, 1},
		"a value is no name": {fields("", "key"), `["key","v",{"a":"key"}]`, `["key","v",{"a":"key"}]`, 0},
		"a path":             {fields("", "user.ssn"), `{"user":{"ssn":"v","a":{"ssn":1}},"ssn":2}`, `{"user":{"ssn":"[redacted]","a":{"ssn":1}},"ssn":2}`, 1},
		"path over arrays":   {fields("", "user.ssn"), `[{"user":[{"ssn":"v"},[{"ssn":"w"}]]}]`, `[{"user":[{"ssn":"[redacted]"},[{"ssn":"[redacted]"}]]}]`, 2},
		"path with star":     {fields("", "*.ssn"), `{"a":{"ssn":1,"b":{"ssn":2}}}`, `{"a":{"ssn":"[redacted]","b":{"ssn":2}}}`, 1},
		"path, sibling":      {fields("", "a.c"), `{"a":{"b":{"x":1},"c":"v"},"c":1}`, `{"a":{"b":{"x":1},"c":"[redacted]"},"c":1}`, 1},
		"dotted name":        {fields("", "user.ssn"), `{"user.ssn":"v"}`, `{"user.ssn":"[redacted]"}`, 1},
		"name within dots":   {fields("", "key"), `{"a.key":"v","key.b":"w"}`, `{"a.key":"[redacted]","key.b":"[redacted]"}`, 2},
		"null":               {fields("null", "key"), `{"key":{"a":1}}`, `{"key":null}`, 1},
		"last4":              {fields("last4", "key"), `{"key":"4111-1111","n":1}`, `{"key":"*****1111","n":1}`, 1},
		"last4 unescaped":    {fields("last4", "key"), `{"key":"\u0031\u0032\u0033\u0034\u0035\u0036\u0037\""}`, `{"key":"****567\""}`, 1},
		"last4 number":       {fields("last4", "key"), `{"key":4111111111111111}`, `{"key":"************1111"}`, 1},
		"last4 object":       {fields("last4", "key"), `{"key":{"n":4111111111111111}}`, `{"key":"[redacted]"}`, 1},
		"email":              {fields("email", "m"), `{"m":"bob@acme.org"}`, `{"m":"b***@a***.org"}`, 1},
		"a bare value":       {fields("", "key"), ` "key" `, ` "key" `, 0},
		"empty object":       {fields("", "key"), `{}`, `{}`, 0},
		"first rule wins": {NewFields([]Rule{
			{Targets: []string{"t"}, Fields: []string{"a.k"}, With: "last4"}, {Targets: []string{"*"}, Fields: []string{"k"}},
		}, "t"), `{"a":{"k":"123456789"},"k":"123456789"}`, `{"a":{"k":"*****6789"},"k":"[redacted]"}`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			out, masked, err := c.fields.JSON([]byte("before"), []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(string(out), "before"); got != c.out || masked != c.masked {
				t.Errorf("got %s and %d, want %s and %d", got, masked, c.out, c.masked)
			}
		})
	}
}

func TestJSONRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":        "",
		"white space":    " \n",
		"half":           `{"key":"v"`,
		"half a value":   `{"key":`,
		"half a name":    `{"ke`,
		"garbage":        `hello`,
		"trailing":       `{"key":"v"} x`,
		"two values":     `{"key":"v"}{"key":"v"}`,
		"lines":          "{\"key\":\"v\"}\n{\"key\":\"v\"}\n",
		"trailing comma": `{"key":"v",}`,
		"comment":        `{"key":"v"/*x*/}`,
		"byte order":     "\ufeff{\"key\":\"v\"}",
		"not UTF-8":      "{\"key\":\"\xff\"}",
		"name not UTF-8": "{\"k\xffey\":\"v\"}",
		"single quotes":  `{'key':"v"}`,
		"too deep":       strings.Repeat("[", 100_000),
		"close first":    `}`,
	} {
		t.Run(name, func(t *testing.T) {
			out, masked, err := fields("", "key").JSON(nil, []byte(in))
			if err == nil || len(out) != 0 || masked != 0 {
				t.Fatalf("got %q, %d, %v", out, masked, err)
			}
		})
	}
}

func TestNoFields(t *testing.T) {
	if f := NewFields([]Rule{{Targets: []string{"x"}, Fields: []string{"a"}}, {Targets: []string{"t"}, Columns: []string{"a.b"}}}, "t"); f != nil {
		t.Fatal("a target without rules has protected fields")
	}
}

// document writes a random document, with canaries under the protected names,
// spelt in random ways.
func document(rnd *rand.Rand, depth int, canary string) string {
	space := []string{"", "", " ", "\n\t"}[rnd.IntN(4)]
	switch n := rnd.IntN(8); {
	case depth == 0 || n < 3:
		return space + []string{"1.50", "-0", "1e400", "true", "null", `"plain"`, `"\u00e4\n"`, "123456789012345678901"}[rnd.IntN(8)]
	case n < 5:
		var parts []string
		for range rnd.IntN(4) {
			parts = append(parts, document(rnd, depth-1, canary))
		}
		return "[" + strings.Join(parts, ",") + space + "]"
	}
	var parts []string
	for range rnd.IntN(5) {
		name, value := []string{`"a"`, `"b"`, `"user"`, `""`}[rnd.IntN(4)], ""
		if rnd.IntN(3) == 0 {
			name = []string{`"secret"`, `"s\u0065cret"`, `"x.secret"`, `"secret"`}[rnd.IntN(4)]
			value = []string{`"` + canary + `"`, `{"a":"` + canary + `"}`, `["` + canary + `"]`}[rnd.IntN(3)]
		} else {
			value = document(rnd, depth-1, canary)
		}
		parts = append(parts, space+name+space+":"+space+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestJSONProperty masks random documents: no canary is left, the result is
// still JSON, and rules that match nothing change nothing.
func TestJSONProperty(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const canary = "CANARY-7351"
	for range 5_000 {
		doc := document(rnd, 5, canary)
		for _, with := range Names() {
			out, masked, err := fields(with, "secret").JSON(nil, []byte(doc))
			if err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			if want := strings.Count(doc, canary); masked != want || bytes.Contains(out, []byte(canary)) || !json.Valid(out) {
				t.Fatalf("%s: masked %d of %d: %s", with, masked, want, out)
			}
		}
		same, masked, err := fields("", "absent", "user.absent.*").JSON(nil, []byte(doc))
		if err != nil || masked != 0 || string(same) != doc {
			t.Fatalf("an untouched document changed: %v\n%s\n%s", err, doc, same)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"key":"v"}`, `{"k\u0065y":[1,{"key":2}]}`, `[{"user":{"ssn":"1"}},null]`, `{"a":1}x`, `{"key"`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	protect, absent := fields("", "key", "user.ssn"), fields("", "absent\x00")
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := bytes.Clone(doc)
		out, _, err := protect.JSON(nil, doc)
		if !bytes.Equal(before, doc) {
			t.Fatal("the source was changed")
		}
		if err != nil {
			if len(out) != 0 {
				t.Fatal("an error, and yet output")
			}
			return
		}
		if !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatalf("not JSON: %q", out)
		}
		if left := leaks(t, out); left != "" {
			t.Fatalf("%s is left in %q", left, out)
		}
		same, masked, err := absent.JSON(nil, doc)
		if err != nil || masked != 0 || !bytes.Equal(same, doc) {
			t.Fatalf("an untouched document changed: %v %q", err, same)
		}
		again, _, err := protect.JSON(nil, out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("masking twice differs: %q, %q", out, again)
		}
	})
}

// leaks looks for a member "key" that is neither masked nor null, by another
// road than the code's: encoding/json.
func leaks(t *testing.T, doc []byte) string {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Skip("only the last of repeated members, and other limits")
	}
	var look func(v any) string
	look = func(v any) string {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if s := look(e); s != "" {
					return s
				}
			}
		case map[string]any:
			for k, e := range v {
				if k == "key" && e != nil && e != redacted {
					return fmt.Sprint(e)
				}
				if s := look(e); s != "" {
					return s
				}
			}
		}
		return ""
	}
	return look(v)
}

func BenchmarkJSON(b *testing.B) {
	doc := []byte("[" + strings.Repeat(`{"id":12345,"name":"a name of some length","api_key":"sk-000000000000","tags":["a","b"],"nested":{"x":1.5}},`, 9000) + "1]")
	f := fields("", "api_key", "nested.y")
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, _, err := f.JSON(nil, doc); err != nil {
			b.Fatal(err)
		}
	}
}
