package sqlguard

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/policy"
)

// TestFacts runs testdata/sqlguard/facts.txt. An expectation is
//
//	verb, verb; FLAGS; tables=a,b; columns=...; functions=...; statements=2
//	refused KIND: part of the message
//
// FLAGS are D(estructive) W(rites) L (ddl) U(nbounded) X (dynamic: it runs other SQL or code) S(ide door) ? (something unknown runs), or -. What is not named
// is not compared.
func TestFacts(t *testing.T) {
	g, cat := New(nil, testParser(t)), testCatalog(t)
	for _, v := range vectors(t, "facts.txt") {
		t.Run(fmt.Sprintf("line %d", v.line), func(t *testing.T) {
			r := g.Read(v.text, cat)
			if want, ok := strings.CutPrefix(v.want, "refused "); ok {
				checkRefused(t, v, r.Refusal, want)
				return
			}
			if r.Refusal != nil {
				t.Fatalf("%s:%d: %s\nrefused: %v %s", v.file, v.line, v.text, r.Refusal, r.Refusal.Detail)
			}
			got := factsText(r.Facts)
			for i, part := range strings.Split(v.want, ";") {
				part = strings.TrimSpace(part)
				key, _, named := strings.Cut(part, "=")
				if have := got[key]; named && have != part || !named && got[fmt.Sprint(i)] != part {
					t.Errorf("%s:%d: %s\n got %q\nwant %q", v.file, v.line, v.text, got[fmt.Sprint(i)]+have, part)
				}
			}
		})
	}
}

func factsText(f policy.SQL) map[string]string {
	flags := ""
	for _, x := range []struct {
		on   bool
		flag string
	}{{f.Destructive, "D"}, {f.Writes, "W"}, {f.DDL, "L"}, {f.Unbounded, "U"}, {f.Dynamic, "X"}, {f.SideDoor, "S"}, {len(f.Unknown) > 0, "?"}} {
		if x.on {
			flags += x.flag
		}
	}
	if flags == "" {
		flags = "-"
	}
	return map[string]string{
		"0": strings.Join(f.Verbs, ", "), "1": flags,
		"tables":     "tables=" + strings.Join(f.Tables, ","),
		"columns":    "columns=" + strings.Join(f.Columns, ","),
		"functions":  "functions=" + strings.Join(f.Functions, ","),
		"statements": fmt.Sprintf("statements=%d", f.Statements),
	}
}

func checkRefused(t *testing.T, v vector, r *policy.Refusal, want string) {
	t.Helper()
	kind, message, _ := strings.Cut(want, ":")
	if r == nil {
		t.Fatalf("%s:%d: %s\nnot refused, want %s", v.file, v.line, v.text, want)
	}
	whole := r.Public + " " + r.Detail + " " + r.Hint
	if r.Kind.String() != strings.TrimSpace(kind) || !strings.Contains(whole, strings.TrimSpace(message)) {
		t.Errorf("%s:%d: %s\n got %s: %s\nwant %s", v.file, v.line, v.text, r.Kind, whole, want)
	}
}

// TestLineage runs testdata/sqlguard/lineage.txt. An expectation is
//
//	opaque                      reaches no protected relation
//	none                        understood, returns nothing
//	id, password!users.password, x~users.password+users.email
//	refused KIND: part of the message
//
// where ! is a column as it stands, ~ is computed, ? may be NULL for what it is
// computed from, and name... is one of several columns of *.
func TestLineage(t *testing.T) {
	g, cat := New(protectedColumns, testParser(t)), testCatalog(t)
	g.Files = []string{"/srv/import"}
	for _, v := range vectors(t, "lineage.txt") {
		t.Run(fmt.Sprintf("line %d", v.line), func(t *testing.T) {
			r := g.Read(v.text, cat)
			if want, ok := strings.CutPrefix(v.want, "refused "); ok {
				checkRefused(t, v, r.Refusal, want)
				return
			}
			if r.Refusal != nil {
				t.Fatalf("%s:%d: %s\nrefused: %v %s", v.file, v.line, v.text, r.Refusal, r.Refusal.Detail)
			}
			if got := lineageText(r); got != v.want {
				t.Errorf("%s:%d: %s\n got %s\nwant %s", v.file, v.line, v.text, got, v.want)
			}
		})
	}
}

func lineageText(r Reading) string {
	var statements []string
	for _, s := range r.Statements {
		var outs []string
		for _, o := range s.Outputs {
			outs = append(outs, outputText(o))
		}
		text := strings.Join(outs, ", ")
		switch {
		case s.Opaque:
			text = "opaque"
		case text == "":
			text = "none"
		}
		statements = append(statements, text)
	}
	return strings.Join(statements, " / ")
}

func outputText(o Output) string {
	if o.Many {
		o.Name += "..."
	}
	if len(o.Protected) == 0 {
		return o.Name
	}
	sep := "~"
	if o.Blank {
		sep = "?"
	}
	if o.Plain {
		sep = "!"
	}
	for i, c := range o.Protected {
		if i > 0 {
			sep = "+"
		}
		o.Name += sep + c.Table + "." + c.Name
	}
	return o.Name
}
