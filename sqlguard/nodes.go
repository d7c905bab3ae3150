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

//go:generate go run ../internal/nodegen nodes_gen.go

// eachOf calls f with every message of a list.
func eachOf[M proto.Message](list []M, f func(proto.Message)) {
	for _, m := range list {
		f(m)
	}
}

// eachUnknownChild is eachChild for what nodes_gen.go does not know. There is
// nothing of that kind; were there, it must not go unseen.
func eachUnknownChild(m proto.Message, f func(proto.Message)) {
	r := m.ProtoReflect()
	fields := r.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch {
		case fd.Kind() != protoreflect.MessageKind || !r.Has(fd):
		case fd.IsList():
			l := r.Get(fd).List()
			for i := range l.Len() {
				f(l.Get(i).Message().Interface())
			}
		default:
			f(r.Get(fd).Message().Interface())
		}
	}
}

// unwrapUnknown is unwrap for the same.
func unwrapUnknown(n *node) proto.Message {
	m := n.ProtoReflect()
	return m.Get(m.WhichOneof(m.Descriptor().Oneofs().Get(0))).Message().Interface()
}

// contains reports whether m or anything below it satisfies is.
func contains(m proto.Message, is func(proto.Message) bool) bool {
	if m == nil {
		return false
	}
	found := false
	var visit func(proto.Message)
	visit = func(m proto.Message) {
		if found = found || is(m); !found {
			eachChild(m, visit)
		}
	}
	visit(m)
	return found
}

// same reports whether two expressions read the same, wherever they stand.
func same(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := unwrap(a), unwrap(b)
	if x == nil || y == nil {
		return x == y
	}
	return alike(x.ProtoReflect(), y.ProtoReflect())
}

func alike(a, b protoreflect.Message) bool {
	if n, ok := a.Interface().(*node); ok {
		m, ok := b.Interface().(*node)
		return ok && same(n, m)
	}
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
