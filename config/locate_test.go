package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const awkward = `# [not.a.table]
top = 1
"quoted key" = 'a # b' # c
a.b."c.d" = """
[not]
x = 1 \"""\"
"""
list = [ # comment ]
  "one",
  [ "two", '''
three ]''' ],

  { x = 1, y.z = [ 2,
    3 ] },
]
[ server . "eu\u00e4" ] # ]
port = 1
[[rule]]
name = "a"
[rule.more]
k = 1
[[rule]]
name = "b"
`

func TestLocate(t *testing.T) {
	found := locate("\ufeff" + strings.ReplaceAll(awkward, "\n", "\r\n"))
	for path, want := range map[string]int{
		"top": 2, "quoted key": 3, "a|b|c.d": 4, "list": 8, "list|[0]": 9, "list|[1]": 10, "list|[1]|[0]": 10, "list|[1]|[1]": 10,
		"list|[2]": 13, "list|[2]|x": 13, "list|[2]|y|z": 13, "list|[2]|y|z|[1]": 14,
		"server": 16, "server|euä": 16, "server|euä|port": 17, "rule": 18, "rule|[0]": 18, "rule|[0]|name": 19,
		"rule|[0]|more": 20, "rule|[0]|more|k": 21, "rule|[1]": 22, "rule|[1]|name": 23,
	} {
		if got := found[strings.ReplaceAll(path, "|", "\x00")]; got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
	if _, ok := found["not"]; ok {
		t.Error("found a table in a string")
	}
	if got := found.of([]string{"rule", entry(1), "nothing", "here"}); got != 22 {
		t.Errorf("a missing key is at line %d", got)
	}
}

// Every key of a valid text is found, on a line that mentions it.
func FuzzLocate(f *testing.F) {
	f.Add(awkward)
	f.Add(base)
	for _, s := range []string{
		"a = 1979-05-27 07:32:00Z\nb = 3", "[[a]]\n[a.b]\n[[a]]\n[a.b]\n[[a.c]]", "'x' = ''''a'''''\ny=1", "x = \"\"\"a\\\"\"\"\"\"\ny=1",
		"a.b.c = {d.e = 1, 'f' = [[],[{g = 1}]],}\n", "[a.b]\n[a]\n", "\"\\u0041\\x42\\e\" = 1", "a=[1,#]\n2]", "x = \"\"\nb = ''",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var from tree
		if _, err := toml.Decode(text, &from); err != nil {
			locate(text) // any text must end
			return
		}
		found := locate(text)
		all := 1 + strings.Count(text, "\n")
		for _, path := range pathsOf(nil, reflect.ValueOf(from)) {
			line, ok := found[pathKey(path)]
			if !ok || line < 1 || line > all {
				t.Errorf("%q is at line %d of %d (found: %v) in\n%s", path, line, all, ok, text)
			}
		}
	})
}

// pathsOf lists the paths of all keys and entries of a tree.
func pathsOf(path []string, v reflect.Value) [][]string {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	var all [][]string
	if len(path) > 0 {
		all = append(all, path)
	}
	switch v.Kind() {
	case reflect.Map:
		for _, k := range v.MapKeys() {
			all = append(all, pathsOf(at(path, k.String()), v.MapIndex(k))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, pathsOf(at(path, entry(i)), v.Index(i))...)
		}
	}
	return all
}

// Whatever the text, the answer is a Config or problems with their lines, each of one line.
func FuzzParse(f *testing.F) {
	f.Add(base)
	f.Add(awkward)
	f.Add("[[rule]]\nif = 'sql.ddl'\n[[mask]]\n[tls]\n[listen]\nhttp='x'\n[vault]\n[[token]]\nexpires=2020-01-01\n")
	f.Add("postgres = {x = {upstream = 'a', credential = 'env://A'}}\nhttp.y.inject = 'a: {secret}'\n[[grant]]\nwho=['group:*']\ntargets=['*']")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("gw.toml", dir, text, (*Config).check)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		if err == nil {
			return
		}
		var all Errors
		if !errors.As(err, &all) {
			t.Fatalf("got a %T", err)
		}
		last := 0
		for _, p := range all {
			if p.Line < last || p.Line < 1 || p.Line > 1+strings.Count(text, "\n") {
				t.Errorf("line %d after %d: %s", p.Line, last, p)
			}
			if last = p.Line; strings.Contains(p.Message, "\n") {
				t.Errorf("several lines: %q", p.Message)
			}
			if want := fmt.Sprintf("gw.toml:%d: ", p.Line); !strings.HasPrefix(p.String(), want) {
				t.Errorf("%q does not begin with %q", p, want)
			}
		}
	})
}
