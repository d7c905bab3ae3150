package mask

import (
	"slices"
	"strings"

	"sallyport/policy"
)

// Fields says which members of a target's JSON documents are protected, and how
// they are masked.
//
// A rule's field is a member's name, which holds at any depth, or a dotted path
// from the top of the document, before which $. may stand: $.name is that
// member of the top alone; each part takes *, and arrays on the way don't
// count. Names compare unescaped and case by case. A member whose own name has
// dots in it is looked at as if it were nested, so that {"user.ssn": 1} is found
// like {"user": {"ssn": 1}}.
type Fields struct{ list []field }

type field struct {
	path []string
	deep bool // path is a name, and holds at any depth
	with *Transform
}

// NewFields compiles the rules for a target; nil when none protects a field.
// Fields of a rule with columns are members of documents in these columns, and
// not meant.
func NewFields(rules []Rule, target string) *Fields {
	f := &Fields{}
	for _, r := range rules {
		if r.on(target) && len(r.Columns) == 0 {
			f.list = append(f.list, r.fields()...)
		}
	}
	if len(f.list) == 0 {
		return nil
	}
	return f
}

// fields are the rule's own.
func (r Rule) fields() (list []field) {
	t := r.transform()
	for _, s := range r.Fields {
		top, fromTop := strings.CutPrefix(s, "$.")
		path := strings.Split(top, ".")
		list = append(list, field{path, len(path) == 1 && !fromTop, t})
	}
	return list
}

// Names reports whether a member of that name is protected by its name, or may
// be on the way to one that is.
func (c *Content) Names(name string) bool {
	if c == nil || c.fields == nil {
		return false
	}
	return slices.ContainsFunc(c.fields.list, func(f field) bool {
		return slices.ContainsFunc(f.path, func(part string) bool {
			return (part != "*" || f.deep) && policy.Match(part, name) // any name is on such a way
		})
	})
}

// ends reports whether a protected path may end in a member of that name.
func (f *Fields) ends(name string) bool {
	return slices.ContainsFunc(f.list, func(one field) bool { return policy.Match(one.path[len(one.path)-1], name) })
}

// find gives the transform of the member at path: the first matching rule's,
// or nil.
func (f *Fields) find(path []string) *Transform {
	if f == nil {
		return nil
	}
	for _, one := range f.list {
		at := path
		if one.deep {
			at = path[len(path)-1:]
		}
		if slices.EqualFunc(one.path, at, policy.Match) {
			return one.with
		}
	}
	return nil
}
