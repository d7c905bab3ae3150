package sqlguard

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Reach says how much of what lies at a path of a document is protected.
type Reach int

// What may be protected at a path. The zero Reach is all of it.
const (
	ReachAll  Reach = iota // what is there is protected, or part of what is
	ReachSome              // members of it may be
	ReachNone
)

// document is a value that is a document, or what lies at a path of one, and is
// masked by the paths of the members that are protected. Places in arrays are
// no part of a path.
type document struct {
	dep *dep
	// paths is where it may lie: a number in a path may be a place in an array
	// or a member's name.
	paths [][]string
	text  bool // ->> or a cast made it a text
}

const maxPaths = 8 // that one value may lie at

// documentOf is the document that a column holds; nil where the column is
// protected as a whole.
func documentOf(v value) *document {
	if len(v.deps) != 1 || v.deps[0].members == nil {
		return nil
	}
	return &document{dep: v.deps[0], paths: [][]string{nil}}
}

// reach is the most that is protected at any of the paths.
func (d *document) reach() Reach {
	most := ReachNone
	for _, p := range d.paths {
		most = min(most, d.dep.members(p))
	}
	return most
}

// taken reports whether it is a part of its document.
func (d *document) taken() bool {
	return !slices.ContainsFunc(d.paths, func(p []string) bool { return len(p) == 0 })
}

// value is the document as the value of an expression: free where nothing of it
// is protected.
func (d *document) value() value {
	if d.reach() == ReachNone {
		return value{}
	}
	v := value{deps: []*dep{d.dep}, doc: d}
	if d.text {
		v.typ, v.mod = 25, -1
	}
	return v
}

// step is one step of a path.
type step struct {
	name string
	kind stepKind
}

type stepKind int

const (
	memberStep stepKind = iota // the member of that name
	placeStep                  // an element of an array
	eitherStep                 // one or the other
)

// at takes a part out of a document; nil when it could lie at too many places.
func (d *document) at(steps []step, text bool) *document {
	out := &document{dep: d.dep, paths: slices.Clone(d.paths), text: text}
	for _, s := range steps {
		if s.kind == placeStep {
			continue
		}
		n := len(out.paths)
		for i := range n {
			with := append(slices.Clip(out.paths[i]), s.name)
			if s.kind == eitherStep {
				out.paths = append(out.paths, with)
			} else {
				out.paths[i] = with
			}
		}
		if len(out.paths) > maxPaths {
			return nil
		}
	}
	return out
}

// member is a step by a name of an object, or by a place of an array: a text
// that reads as a number may be either.
func member(name string) step {
	if _, err := strconv.Atoi(strings.TrimSpace(name)); err == nil {
		return step{name, eitherStep}
	}
	return step{name, memberStep}
}

// arrowStep reads the right side of -> or ->>, whose type says what it is: a text
// names a member, an integer, '0'::int too, is a place.
func arrowStep(n *node) (step, bool) {
	if c, ok := unwrap(n).(*typeCast); ok && !isTextType(c.TypeName) {
		_, as := qualified(names(c.TypeName.GetNames()))
		_, isText := constantText(c.Arg)
		_, isNumber := number(c.Arg)
		return step{kind: placeStep}, (isNumber || isText) && slices.Contains([]string{"int2", "int4"}, as)
	}
	if _, isNumber := number(n); isNumber {
		return step{kind: placeStep}, true
	}
	name, ok := exactText(n)
	return step{name, memberStep}, ok
}

// stepsOf reads constants as steps; false when one of them is none.
func stepsOf(nodes []*node) ([]step, bool) {
	var steps []step
	for _, n := range nodes {
		if _, isNumber := number(bare(n)); isNumber {
			steps = append(steps, member(text(bare(n))))
			continue
		}
		name, ok := exactText(n, "int2", "int4", "int8")
		if !ok {
			return nil, false
		}
		steps = append(steps, member(name))
	}
	return steps, true
}

// pathOf reads the right side of #> : '{a,b}' or ARRAY['a', 'b'].
func pathOf(n *node) ([]step, bool) {
	if c, ok := unwrap(n).(*typeCast); ok && len(c.TypeName.GetArrayBounds()) > 0 {
		if !isTextType(&typeName{Names: c.TypeName.Names, Typmods: c.TypeName.Typmods}) {
			return nil, false
		}
		n = c.Arg
	}
	if a, ok := unwrap(n).(*aArray); ok {
		return stepsOf(a.Elements)
	}
	s, ok := exactText(n)
	if !ok || len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' || strings.ContainsAny(s[1:len(s)-1], `{}\`) {
		return nil, false
	}
	var steps []step
	for _, part := range strings.Split(s[1:len(s)-1], ",") {
		part = strings.TrimSpace(part)
		if len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' {
			part = part[1 : len(part)-1]
		}
		if strings.Contains(part, `"`) {
			return nil, false
		}
		if part != "" {
			steps = append(steps, member(part))
		}
	}
	return steps, true
}

// take is v's document at a path, as a value.
func (v value) take(steps []step, text bool) (value, bool) {
	if v.doc == nil || v.doc.text {
		return value{}, false
	}
	d := v.doc.at(steps, text)
	if d == nil {
		return value{}, false
	}
	out := d.value()
	if !text {
		out.typ, out.mod = v.typ, -1
	}
	return out, true
}

// ofDocument works out an operator over a document: what it takes out, or asks
// of what is not protected. False: nothing special is known of it.
func (ev eval) ofDocument(op string, l value, right *node) (value, bool) {
	if l.doc == nil || l.doc.text {
		return value{}, false
	}
	switch op {
	case "->", "->>":
		s, ok := arrowStep(right)
		if !ok {
			return value{}, false
		}
		return l.take([]step{s}, op == "->>")
	case "#>", "#>>":
		if steps, ok := pathOf(right); ok {
			return l.take(steps, op == "#>>")
		}
	case "-", "#-": // without a member
		_, named := exactText(right)
		_, listed := pathOf(right)
		if named || listed {
			return l, true
		}
	case "?", "?|", "?&": // names of members are not protected
		_, named := constantText(right)
		_, listed := pathOf(right)
		if (named || listed) && l.doc.reach() == ReachSome {
			return value{}, true
		}
	case "@>":
		if s, ok := exactText(right, "jsonb"); ok && l.doc.frees(s) {
			return value{}, true
		}
	case "@?", "@@":
		if s, ok := exactText(right, "jsonpath"); ok {
			if steps, ok := simplePath(s); ok && op == "@?" {
				if v, ok := l.take(steps, false); ok && (v.doc == nil || v.doc.reach() != ReachAll) {
					return value{}, true
				}
			}
		}
	}
	return value{}, false
}

// frees reports whether containing a document asks for nothing that is
// protected in this one.
func (d *document) frees(contained string) bool {
	dec := json.NewDecoder(strings.NewReader(contained))
	dec.UseNumber()
	var doc any
	if dec.Decode(&doc) != nil {
		return false
	}
	if _, err := dec.Token(); err != io.EOF {
		return false
	}
	return d.free(doc, nil)
}

// free: an array in it may be compared with an array alone, an object with an
// object: no text of a whole document is.
func (d *document) free(doc any, path []step) bool {
	switch doc := doc.(type) {
	case map[string]any:
		for name, member := range doc {
			if !d.free(member, append(slices.Clip(path), step{name, memberStep})) {
				return false
			}
		}
	case []any:
		for _, element := range doc {
			if !d.free(element, path) {
				return false
			}
		}
	}
	at := d.at(path, false)
	return at != nil && at.reach() != ReachAll
}

// simplePath reads a path of the SQL/JSON path language that only names
// members and elements, of which how many there are tells nothing: $.a.b[*].c.
func simplePath(s string) ([]step, bool) {
	s = strings.TrimSpace(s)
	s = strings.TrimSpace(strings.TrimPrefix(s, "lax ")) // strict fails where a member is missing
	if !strings.HasPrefix(s, "$") {
		return nil, false
	}
	var steps []step
	for s = s[1:]; s != ""; {
		switch {
		case strings.HasPrefix(s, "[*]"):
			s = s[3:]
		case s[0] == '[':
			end := strings.IndexByte(s, ']')
			if end < 2 || strings.Trim(s[1:end], "0123456789") != "" {
				return nil, false
			}
			s = s[end+1:]
		case strings.HasPrefix(s, `."`):
			end := strings.IndexByte(s[2:], '"')
			if end < 1 || strings.Contains(s[2:2+end], `\`) {
				return nil, false
			}
			steps, s = append(steps, step{s[2 : 2+end], memberStep}), s[3+end:]
		case s[0] == '.':
			n := 1
			for n < len(s) && (s[n] == '_' || s[n] >= 0x80 || isWordByte(s[n])) {
				n++
			}
			if n == 1 || s[1] >= '0' && s[1] <= '9' {
				return nil, false
			}
			steps, s = append(steps, step{s[1:n], memberStep}), s[n:]
			if strings.HasPrefix(s, "(") { // a method
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return steps, true
}

func isWordByte(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// documentCall works out a function over a document. False: nothing special is
// known of it, and what it gives is redacted whole.
func (ev eval) documentCall(name string, m *funcCall, args []value) (value, bool) {
	if len(args) == 0 || args[0].doc == nil || len(m.AggOrder) > 0 && !slices.Contains([]string{"array_agg", "json_agg", "jsonb_agg"}, name) {
		return value{}, false
	}
	doc := args[0]
	for _, other := range args[1:] {
		if len(other.deps) > 0 {
			return value{}, false
		}
	}
	some := doc.doc.reach() == ReachSome && !doc.doc.text
	switch name {
	case "jsonb_extract_path", "json_extract_path", "jsonb_extract_path_text", "json_extract_path_text":
		if steps, ok := stepsOf(m.Args[1:]); ok && !m.FuncVariadic {
			return doc.take(steps, strings.HasSuffix(name, "_text"))
		}
	case "jsonb_path_query", "jsonb_path_query_first", "jsonb_path_query_array":
		s, ok := "", false
		if len(m.Args) == 2 {
			s, ok = exactText(m.Args[1], "jsonpath")
		}
		if steps, simple := simplePath(s); ok && simple {
			return doc.take(steps, false)
		}
		if _, simple := simplePath(strings.ReplaceAll(strings.ReplaceAll(s, ".**", ""), ".*", "")); ok && simple && !strings.Contains(s, `"`) && !doc.doc.text {
			return computed(doc), true // of every name
		}
	case "jsonb_path_exists":
		if len(m.Args) == 2 {
			return ev.ofDocument("@?", doc, m.Args[1])
		}
	case "to_json", "to_jsonb", "jsonb_strip_nulls", "json_strip_nulls":
		if !doc.doc.text {
			return doc, true
		}
	case "jsonb_array_elements", "json_array_elements":
		if some {
			return doc, true
		}
	case "jsonb_array_elements_text", "json_array_elements_text":
		if some {
			return doc.take(nil, true)
		}
	case "jsonb_pretty":
		return doc.take(nil, true)
	case "any_value", "mode", "first_value", "last_value", "lag", "lead", "nth_value", "array_agg", "json_agg", "jsonb_agg", "unnest":
		doc.typ = 0
		return doc, true
	case "jsonb_typeof", "json_typeof", "jsonb_array_length", "json_array_length", "jsonb_object_keys", "json_object_keys":
		if some {
			return value{}, true
		}
	case "jsonb_each", "json_each", "jsonb_each_text", "json_each_text":
		if some {
			return computed(doc), true
		}
	}
	return value{}, false
}

// scalars are the types of which no text that begins with a brace or a bracket
// is a value: what was cast to one of them is no document, and at a path
// that is not protected itself nothing protected.
var scalars = map[string]bool{
	"int2": true, "int4": true, "int8": true, "numeric": true, "float4": true, "float8": true, "bool": true, "uuid": true,
	"date": true, "time": true, "timetz": true, "timestamp": true, "timestamptz": true,
}

// castDocument works out a cast of a document, or of a part of one.
func castDocument(arg value, m *typeCast) (value, bool) {
	schema, name := qualified(names(m.TypeName.GetNames()))
	d := arg.doc
	if d == nil || schema != "" && schema != "pg_catalog" || len(m.TypeName.GetArrayBounds()) > 0 {
		return value{}, false
	}
	switch {
	case scalars[name] && d.taken() && d.reach() == ReachSome:
		return value{}, true
	case len(m.TypeName.GetTypmods()) > 0:
		return value{}, false
	case name == "json" || name == "jsonb":
		again := &document{dep: d.dep, paths: d.paths}
		v := again.value()
		v.typ, v.mod = map[string]uint32{"json": 114, "jsonb": 3802}[name], -1
		return v, true
	case name == "text" || name == "varchar":
		again := &document{dep: d.dep, paths: d.paths, text: true}
		return again.value(), true
	}
	return value{}, false
}

// freeComparison reports whether a comparison of a part of a document with
// constants asks for nothing that is protected: none of them could be the text
// of a document.
func (ev eval) freeComparison(m *aExpr, l value) bool {
	if l.doc == nil || !l.doc.taken() || l.doc.reach() != ReachSome {
		return false
	}
	bracket := func(n *node, more string) bool {
		s, ok := exactText(n, "json", "jsonb")
		s = strings.TrimLeft(s, " \t\r\n")
		return !ok || s == "" || strings.ContainsAny(s[:1], "{["+more)
	}
	op := operator(m)
	switch m.Kind {
	case opPlain, opDistinct, opNotDistinct:
		return (op == "=" || op == "<>") && !bracket(m.Rexpr, "")
	case opIn:
		items, ok := unwrap(m.Rexpr).(*list)
		return ok && !slices.ContainsFunc(items.Items, func(n *node) bool { return bracket(n, "") })
	case opLike, opILike:
		return l.doc.text && !bracket(m.Rexpr, `%_\`)
	}
	return false
}

// memberColumns gives the columns of a function in FROM that takes a document
// apart into columns; false when it is none.
func (ev eval) memberColumns(name string, m *funcCall, defined []*node) ([]column, bool) {
	if len(m.Args) == 0 {
		return nil, false
	}
	args := make([]value, len(m.Args))
	for i, n := range m.Args {
		args[i] = ev.expr(n)
	}
	doc := args[0]
	if doc.doc == nil || doc.doc.text || doc.doc.reach() == ReachAll {
		return nil, false
	}
	switch name {
	case "jsonb_each", "json_each", "jsonb_each_text", "json_each_text":
		return []column{{name: "key"}, {name: "value", value: computed(doc)}}, true
	case "jsonb_object_keys", "json_object_keys":
		return []column{{name: name}}, true
	case "jsonb_array_elements", "json_array_elements", "jsonb_array_elements_text", "json_array_elements_text", "jsonb_path_query":
		if v, ok := ev.documentCall(name, m, args); ok && (v.doc == nil || v.doc.reach() == ReachSome) {
			if name == "jsonb_path_query" {
				return []column{{name: name, value: v}}, true
			}
			return []column{{name: "value", value: v}}, true
		}
	case "jsonb_to_record", "json_to_record", "jsonb_to_recordset", "json_to_recordset":
		var columns []column
		for _, n := range defined {
			def := n.GetColumnDef()
			_, typ := qualified(names(def.GetTypeName().GetNames()))
			v, ok := doc.take([]step{{def.GetColname(), memberStep}}, true)
			switch {
			case !ok:
				return nil, false
			case v.doc == nil:
			case len(def.GetTypeName().GetArrayBounds()) > 0 || len(def.GetTypeName().GetTypmods()) > 0:
				v = computed(v)
			case typ == "text" || typ == "varchar":
			case typ == "json" || typ == "jsonb":
				v, _ = doc.take([]step{{def.GetColname(), memberStep}}, false)
			case scalars[typ] && v.doc.reach() == ReachSome:
				v = value{}
			default:
				ev.useOf(v, "a column of type "+typ+", which fails for some values")
			}
			columns = append(columns, column{name: def.GetColname(), value: v})
		}
		return columns, true
	}
	return nil, false
}
