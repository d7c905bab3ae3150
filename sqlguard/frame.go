package sqlguard

import (
	"slices"
	"strings"
)

// frame is what names mean at one place: the relations of one FROM clause, and
// the WITH queries above it.
type frame struct {
	parent *frame
	ctes   map[string]bool
	bodies map[string]*node  // of the WITH queries
	tables map[string]string // by alias: the relation as written; "" for anything else
	target string            // of INSERT and the like, as written
	query  bool              // opens a FROM clause
}

func (f *frame) isCTE(name string) bool {
	for ; f != nil; f = f.parent {
		if f.ctes[name] {
			return true
		}
	}
	return false
}

// with visits the WITH queries and gives the frame that knows them.
func (r *reader) with(w *withClause, f *frame) *frame {
	if w == nil {
		return f
	}
	inner := &frame{parent: f, ctes: map[string]bool{}, bodies: map[string]*node{}}
	if w.Recursive {
		for _, n := range w.Ctes {
			inner.ctes[n.GetCommonTableExpr().GetCtename()] = true
		}
	}
	for _, n := range w.Ctes {
		r.walk(n, inner)
		inner.bodies[n.GetCommonTableExpr().GetCtename()] = n.GetCommonTableExpr().GetCtequery()
		inner.ctes[n.GetCommonTableExpr().GetCtename()] = true
	}
	return inner
}

// frame gives the names of one FROM clause.
func (r *reader) frame(parent *frame, target *rangeVar, from []*node) *frame {
	f := &frame{parent: parent, tables: map[string]string{}, query: true}
	f.note(target, true)
	for _, n := range from {
		f.from(n)
	}
	return f
}

func (f *frame) note(v *rangeVar, target bool) {
	if v == nil {
		return
	}
	name := v.Relname
	if v.Alias != nil {
		name = v.Alias.Aliasname
	}
	f.tables[name] = dotted(v.Schemaname, v.Relname)
	if target {
		f.target = f.tables[name]
	}
	if !target && v.Schemaname == "" && f.isCTE(v.Relname) {
		f.tables[name] = ""
	}
}

func (f *frame) from(n *node) {
	switch m := unwrap(n).(type) {
	case *rangeVar:
		f.note(m, false)
	case *joinExpr:
		f.from(m.Larg)
		f.from(m.Rarg)
	case *rangeSample:
		f.from(m.Relation)
	case *rangeSub:
		f.tables[m.Alias.GetAliasname()] = ""
	case *rangeFunc:
		f.tables[m.Alias.GetAliasname()] = ""
	case nil:
	default:
		f.tables[""] = ""
	}
}

// column notes a column under the name of its table, where that is known.
func (r *reader) column(m *columnRef, f *frame) {
	parts := names(m.Fields)
	if len(parts) == 0 {
		return
	}
	name := parts[len(parts)-1]
	if r.variables[parts[0]] {
		return
	}
	if len(parts) > 1 {
		r.add(&r.fields, name)
		r.noteColumn(f.lookup(parts[:len(parts)-1]), name)
		return
	}
	for ; f != nil; f = f.parent {
		if !f.query || len(f.tables) == 0 {
			continue
		}
		for _, table := range r.holders(f, name) {
			r.noteColumn(table, name)
		}
		return
	}
	r.noteColumn("", name)
}

// holders gives the tables of a frame that may hold a column; "" when that is
// not known.
func (r *reader) holders(f *frame, column string) []string {
	var sure, all []string
	for _, table := range f.tables {
		if table == "" {
			continue
		}
		all = append(all, table)
		parts := strings.Split(table, ".")
		schema, name := qualified(parts)
		for _, rel := range r.cat.find(schema, name) {
			if slices.ContainsFunc(rel.columns, func(a attribute) bool { return a.name == column }) {
				sure = append(sure, table)
				break
			}
		}
	}
	slices.Sort(all)
	slices.Sort(sure)
	switch {
	case column == "*" || len(f.tables) == 1 && len(all) == 1:
		return all
	case len(sure) > 0:
		return sure
	}
	return []string{""}
}

func (r *reader) noteColumn(table, column string) {
	if column != "*" || table == "" {
		if column != "*" {
			r.add(&r.facts.Columns, dotted(table, column))
		}
		return
	}
	r.add(&r.facts.Columns, table+".*")
	schema, name := qualified(strings.Split(table, "."))
	for _, rel := range r.cat.find(schema, name) {
		for _, a := range rel.columns {
			r.add(&r.facts.Columns, table+"."+a.name)
		}
	}
}

// lookup gives the relation that the qualifier of a column means, as written.
func (f *frame) lookup(qualifier []string) string {
	schema, name := qualified(qualifier)
	inner := f
	for ; f != nil; f = f.parent {
		if table, ok := f.tables[name]; ok && (schema == "" || table == dotted(schema, name)) {
			return table
		}
	}
	if schema == "" && (name == "new" || name == "old") {
		for ; inner != nil; inner = inner.parent {
			if inner.target != "" {
				return inner.target // PostgreSQL 18: RETURNING old.x, new.x
			}
		}
		return ""
	}
	if schema == "" && name == "excluded" {
		return ""
	}
	return dotted(schema, name)
}
