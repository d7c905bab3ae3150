package sqlguard

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// What changes the definition of a relation with protected columns, and leaves
// these where they are and as they are: nothing may be computed from them,
// compared with them or sorted by them, and none may come to be under another name.

// definition works out statements that define or change tables, indexes and
// columns; false when m is none.
func (a *analyst) definition(m proto.Message) bool {
	switch m := m.(type) {
	case *indexStmt:
		a.index(m)
	case *createStmt:
		a.refers(m, m.Relation, "CREATE TABLE")
	case *alterTableStmt:
		if a.sh.reached([]use{{m.Relation.Schemaname, m.Relation.Relname}}) != "" {
			a.alter(m)
		} else {
			a.refers(m, m.Relation, "ALTER TABLE")
		}
	case *renameStmt:
		a.renameColumn(m)
	case *refreshStmt: // to what its owner defined; what it says is scrubbed
	default:
		return false
	}
	return true
}

// defined is the relation of a definition, and a scope over its columns.
func (a *analyst) defined(v *rangeVar) (*item, eval) {
	rel := a.relation(v)
	return rel, a.in(&scope{tables: single(rel)}, nil)
}

// free reports whether an expression depends on nothing protected. What it
// calls is judged elsewhere.
func (ev eval) free(n *node) bool { return len(ev.expr(n).deps) == 0 }

// freeColumns reports whether names mean no protected column.
func (it *item) freeColumns(columns []*node) bool {
	return !slices.ContainsFunc(columns, func(n *node) bool { return dependsOnAny(it.named(text(n))) })
}

// index allows an index over what is not protected: others are computed from
// values, say which there are, and give rows in their order.
func (a *analyst) index(m *indexStmt) {
	rel, ev := a.defined(m.Relation)
	for _, n := range append(append([]*node{}, m.IndexParams...), m.IndexIncludingParams...) {
		if !ev.freeElement(n, rel) {
			a.misunderstood("CREATE INDEX over a protected column")
		}
	}
	if m.WhereClause != nil && !ev.free(m.WhereClause) {
		a.misunderstood("CREATE INDEX with WHERE over a protected column")
	}
}

// freeElement reports whether an entry of an index is over nothing protected.
func (ev eval) freeElement(n *node, rel *item) bool {
	e, ok := unwrap(n).(*inferElem)
	switch {
	case !ok:
		return false
	case e.Expr != nil:
		return ev.free(e.Expr)
	}
	return !dependsOnAny(rel.named(e.Name))
}

// alter allows the parts of ALTER TABLE that are known to leave what is
// protected alone.
func (a *analyst) alter(m *alterTableStmt) {
	if m.Objtype.String() != "OBJECT_TABLE" || m.MissingOk && len(a.sh.cat.find(m.Relation.Schemaname, m.Relation.Relname)) == 0 {
		a.misunderstood("ALTER TABLE of that form")
		return
	}
	rel, ev := a.withAdded(a.relation(m.Relation), m.Cmds)
	for _, n := range m.Cmds {
		cmd, ok := unwrap(n).(*alterTableCmd)
		if !ok || !ev.keepsProtected(cmd, rel) {
			a.misunderstood("ALTER TABLE that may touch protected columns, or ask about them")
			return
		}
	}
}

// withAdded is a relation with the columns that ALTER TABLE adds, which its other
// parts may name.
func (a *analyst) withAdded(rel *item, cmds []*node) (*item, eval) {
	wider := *rel
	for _, n := range cmds {
		if cmd, ok := unwrap(n).(*alterTableCmd); ok && cmd.Subtype.String() == "AT_AddColumn" {
			wider.columns = append(slices.Clip(wider.columns), column{name: cmd.Def.GetColumnDef().GetColname()})
		}
	}
	return &wider, a.in(&scope{tables: single(&wider)}, nil)
}

// keepsProtected reports whether a part of ALTER TABLE is one of those.
func (ev eval) keepsProtected(cmd *alterTableCmd, rel *item) bool {
	known := dependsOnAny(rel.named(cmd.Name))
	switch cmd.Subtype.String() {
	case "AT_AddColumn":
		def := cmd.Def.GetColumnDef()
		return def != nil && !ev.sh.inherited(rel, def.Colname) && ev.freeConstraints(def.Constraints, rel)
	case "AT_AddConstraint":
		return ev.freeConstraints([]*node{cmd.Def}, rel)
	case "AT_ColumnDefault":
		return cmd.Def == nil || ev.free(cmd.Def)
	case "AT_DropColumn", "AT_DropNotNull", "AT_DropConstraint",
		"AT_SetStatistics", "AT_SetStorage", "AT_SetCompression", "AT_SetRelOptions", "AT_ResetRelOptions":
		return true
	case "AT_SetNotNull": // fails where a value is NULL
		return !known
	case "AT_AlterColumnType":
		def := cmd.Def.GetColumnDef()
		return !known && def != nil && ev.free(def.RawDefault)
	}
	return false
}

// freeConstraints reports whether constraints are over nothing protected, here
// and in what they refer to.
func (ev eval) freeConstraints(constraints []*node, rel *item) bool {
	for _, n := range constraints {
		c, ok := unwrap(n).(*constraint)
		if !ok || c.Indexname != "" || !ev.free(c.RawExpr) || !ev.free(c.WhereClause) ||
			!rel.freeColumns(c.Keys) || !rel.freeColumns(c.Including) || !rel.freeColumns(c.FkAttrs) {
			return false
		}
		for _, n := range c.Exclusions {
			if pair, ok := unwrap(n).(*list); !ok || len(pair.Items) == 0 || !ev.freeElement(pair.Items[0], rel) {
				return false
			}
		}
		if c.Pktable != nil && !ev.freeKey(c) {
			return false
		}
	}
	return true
}

// freeKey reports whether the columns that a foreign key refers to are not
// protected: those it names, or the primary key.
func (a *analyst) freeKey(c *constraint) bool {
	v := c.Pktable
	if a.sh.reached([]use{{v.Schemaname, v.Relname}}) == "" {
		return true
	}
	rel := a.relation(v)
	for _, n := range c.PkAttrs {
		if found := rel.named(text(n)); len(found) == 0 || dependsOnAny(found) {
			return false
		}
	}
	if len(c.PkAttrs) > 0 {
		return true
	}
	for _, r := range a.sh.cat.find(v.Schemaname, v.Relname) {
		key := a.sh.cat.code.primary[r.oid]
		if len(key) == 0 || slices.ContainsFunc(key, func(name string) bool { return dependsOnAny(rel.named(name)) }) {
			return false
		}
	}
	return true
}

// inherited reports whether a relation that inherits from this one has a
// protected column of a name: a column of that name would hold its values too.
func (sh *shield) inherited(rel *item, column string) bool {
	seen := map[uint32]bool{}
	var within func(id uint32) bool
	within = func(id uint32) bool {
		if seen[id] {
			return false
		}
		seen[id] = true
		return len(sh.columns[id][column]) > 0 || slices.ContainsFunc(sh.cat.children[id], within)
	}
	return slices.ContainsFunc(sh.cat.find(rel.baseSchema, rel.baseName), func(r *relation) bool { return within(r.oid) })
}

// renameColumn allows another name for a column of a table that is not protected,
// and for a view that shows none that is.
func (a *analyst) renameColumn(m *renameStmt) {
	if kind := m.RenameType.String(); kind == "OBJECT_VIEW" || kind == "OBJECT_MATVIEW" {
		if rel, _ := a.defined(m.Relation); rel.vague || len(rel.columns) == 0 || dependsOnAny(rel.columns) {
			a.misunderstood("ALTER VIEW ... RENAME of one with protected columns")
		}
		return
	}
	if m.RenameType.String() != "OBJECT_COLUMN" || m.RelationType.String() != "OBJECT_TABLE" || m.Relation == nil {
		a.misunderstood("ALTER " + strings.ToUpper(object(m.RenameType.String())) + " ... RENAME")
		return
	}
	if rel, _ := a.defined(m.Relation); len(rel.named(m.Subname)) == 0 || dependsOnAny(rel.named(m.Subname)) {
		a.misunderstood("ALTER TABLE ... RENAME of a protected column")
	}
}

// refers allows m, by which the table own is made or changed, to refer to
// protected tables by foreign keys over free columns, and to take its columns
// from theirs: their definitions, that is, without any values.
func (a *analyst) refers(m proto.Message, own *rangeVar, what string) {
	allowed, mentions, bad := 0, 0, false
	contains(m, func(m proto.Message) bool {
		switch m := m.(type) {
		case *constraint:
			if m.Pktable != nil && a.sh.reached([]use{{m.Pktable.Schemaname, m.Pktable.Relname}}) != "" {
				allowed++
				bad = bad || !a.freeKey(m)
			}
		case *likeClause:
			if a.sh.reached([]use{{m.Relation.GetSchemaname(), m.Relation.GetRelname()}}) != "" {
				allowed++
				bad = bad || a.sh.attachedHarm(m.Relation) != ""
			}
		case *rangeVar:
			if a.sh.reached([]use{{m.Schemaname, m.Relname}}) != "" {
				mentions++
			}
		}
		return false
	})
	if a.sh.reached([]use{{own.Schemaname, own.Relname}}) != "" {
		mentions-- // its own name
	}
	if bad || allowed < mentions {
		a.misunderstood(what + " that refers to it, but by a foreign key over columns that are not protected")
	}
	a.stores(m, what)
}

// stores refuses expressions in a definition that call a function over protected
// columns: a default, a check, a bound or USING keeps what it gives.
func (a *analyst) stores(m proto.Message, what string) {
	if contains(m, func(m proto.Message) bool {
		f, ok := m.(*funcCall)
		return ok && len(a.sh.called(lastOf(names(f.Funcname)))) > 0
	}) {
		a.misunderstood(what + " with a function that reads it")
	}
}

// attachedHarm says why defaults and the like of a relation, which LIKE takes
// over, are not harmless.
func (sh *shield) attachedHarm(v *rangeVar) string {
	for _, rel := range sh.cat.find(v.GetSchemaname(), v.GetRelname()) {
		for _, f := range sh.cat.code.attached[rel.oid] {
			if why := sh.harmIn(sh.scans.of(sh.parser, f.definition, nil), 0); why != "" {
				return why
			}
		}
	}
	return ""
}
