package sqlguard

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// text gives the text of a constant or a name; "" for anything else.
func text(n *node) string {
	if n == nil {
		return ""
	}
	switch m := unwrap(n).(type) {
	case *str:
		return m.Sval
	case *aConst:
		return constText(m)
	case *typeCast: // 'off'::text
		return text(m.Arg)
	case *list:
		if len(m.Items) == 1 {
			return text(m.Items[0])
		}
	}
	switch {
	case n.GetInteger() != nil:
		return strconv.Itoa(int(n.GetInteger().Ival))
	case n.GetBoolean() != nil:
		return strconv.FormatBool(n.GetBoolean().Boolval)
	case n.GetFloat() != nil:
		return n.GetFloat().Fval
	}
	return ""
}

// makeText gives a literal.
func makeText(s string) *node {
	return &node{Node: &pgConst{AConst: &aConst{Val: &pgSval{Sval: &str{Sval: s}}}}}
}

func constText(c *aConst) string {
	switch {
	case c.GetSval() != nil:
		return c.GetSval().Sval
	case c.GetIval() != nil:
		return strconv.Itoa(int(c.GetIval().Ival))
	case c.GetFval() != nil:
		return c.GetFval().Fval
	case c.GetBoolval() != nil:
		return strconv.FormatBool(c.GetBoolval().Boolval)
	case c.GetBsval() != nil:
		return c.GetBsval().Bsval
	}
	if c.Isnull {
		return ""
	}
	return "0" // protobuf leaves out an integer zero
}

// names gives the parts of a qualified name; a * is "*".
func names(nodes []*node) []string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		switch m := unwrap(n).(type) {
		case *str:
			parts[i] = m.Sval
		case *aStar:
			parts[i] = "*"
		}
	}
	return parts
}

// qualified splits a name into schema and name; a database's name before them
// is left out, since it can only be the current one's.
func qualified(parts []string) (schema, name string) {
	switch n := len(parts); n {
	case 0:
		return "", ""
	case 1:
		return "", parts[0]
	default:
		return parts[n-2], parts[n-1]
	}
}

func dotted(schema, name string) string {
	if schema == "" {
		return name
	}
	return schema + "." + name
}

// eachChild calls f with every message directly under m, in the order of the
// parser's definitions. protobuf's own Range has an order that differs from one
// build of the program to the next.
func eachChild(m protoreflect.Message, f func(protoreflect.Message)) {
	visit := func(fd protoreflect.FieldDescriptor) {
		switch {
		case fd.Kind() != protoreflect.MessageKind || !m.Has(fd):
		case fd.IsList():
			l := m.Get(fd).List()
			for i := range l.Len() {
				f(l.Get(i).Message())
			}
		default:
			f(m.Get(fd).Message())
		}
	}
	d := m.Descriptor()
	fields, oneofs := d.Fields(), d.Oneofs()
	if oneofs.Len() == 1 && oneofs.Get(0).Fields().Len() == fields.Len() {
		// A node is one of hundreds of kinds: no need to look at each.
		if fd := m.WhichOneof(oneofs.Get(0)); fd != nil {
			visit(fd)
		}
		return
	}
	for i := range fields.Len() {
		visit(fields.Get(i))
	}
}

// contains reports whether m or anything below it satisfies is.
func contains(m proto.Message, is func(proto.Message) bool) bool {
	if m == nil {
		return false
	}
	found := false
	var visit func(protoreflect.Message)
	visit = func(m protoreflect.Message) {
		if found = found || is(m.Interface()); !found {
			eachChild(m, visit)
		}
	}
	visit(m.ProtoReflect())
	return found
}

// same reports whether two expressions read the same, wherever they stand.
func same(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return alike(a.ProtoReflect(), b.ProtoReflect())
}

func alike(a, b protoreflect.Message) bool {
	if a.Descriptor() != b.Descriptor() {
		return false
	}
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if strings.HasSuffix(string(fd.Name()), "location") {
			continue
		}
		if a.Has(fd) != b.Has(fd) {
			return false
		}
		if !a.Has(fd) {
			continue
		}
		if !alikeValues(fd, a.Get(fd), b.Get(fd)) {
			return false
		}
	}
	return true
}

func alikeValues(fd protoreflect.FieldDescriptor, a, b protoreflect.Value) bool {
	one := func(a, b protoreflect.Value) bool {
		if fd.Kind() == protoreflect.MessageKind {
			return alike(a.Message(), b.Message())
		}
		return a.Equal(b)
	}
	if !fd.IsList() {
		return one(a, b)
	}
	if a.List().Len() != b.List().Len() {
		return false
	}
	for i := range a.List().Len() {
		if !one(a.List().Get(i), b.List().Get(i)) {
			return false
		}
	}
	return true
}
