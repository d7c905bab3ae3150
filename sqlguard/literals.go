package sqlguard

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// shared reports whether every text of this one's shape reads the same, whatever
// its numbers and strings are. That holds where they stand for nothing but
// values that are compared, computed with, stored or counted up to; not where a
// number is the place of a column, where a string names something or is SQL, and
// not in the WHERE of what changes rows, where it may be one that takes them all.
//
// The list of what may hold a literal is closed, and what was found must be
// harmless: whatever else a fact could come from is read each time.
func shared(r *Reading, tree *parseResult) bool {
	f := &r.Facts
	if r.Refusal != nil || r.Wants || len(r.Missing) > 0 || len(r.Unknown) > 0 || len(f.Unknown) > 0 || len(tree.Stmts) != 1 ||
		f.Destructive || f.Unbounded || f.DDL || f.Dynamic || f.SideDoor || f.Protected {
		return false
	}
	for _, s := range r.Statements {
		if !s.Opaque || s.Redefinable || s.Runs != "" || s.Copy != nil || len(s.Outputs) > 0 {
			return false
		}
	}
	switch m := unwrap(tree.Stmts[0].Stmt).(type) {
	case *selectStmt:
		return valuesOnly(m)
	case *insertStmt:
		return m.WithClause == nil && m.OnConflictClause == nil && childrenValuesOnly(m)
	case *updateStmt:
		return m.WithClause == nil && len(m.FromClause) == 0 && oneKey(m.WhereClause) &&
			valuesOnly(m.Relation) && listsValuesOnly(m.TargetList, m.ReturningList)
	case *deleteStmt:
		return m.WithClause == nil && len(m.UsingClause) == 0 && oneKey(m.WhereClause) &&
			valuesOnly(m.Relation) && listsValuesOnly(m.ReturningList)
	}
	return false
}

// valuesOnly reports whether the literals at m and below it are values only.
func valuesOnly(m proto.Message) bool {
	switch m := m.(type) {
	case *aConst:
		return true
	case *funcCall: // its argument may be SQL, or name something
		return !contains(m, isConst) && childrenValuesOnly(m)
	case *typeCast:
		return isValueType(m.TypeName) && valuesOnly(m.Arg)
	case *selectStmt:
		if m.IntoClause != nil || m.WithClause != nil || len(m.WindowClause) > 0 {
			return false
		}
		for _, list := range [][]*node{m.SortClause, m.GroupClause, m.DistinctClause} { // a number there is a column's place
			if slices.ContainsFunc(list, func(n *node) bool { return contains(n, isConst) }) {
				return false
			}
		}
	case *node, *resTarget, *columnRef, *rangeVar, *alias, *str, *aStar, *aExpr, *boolExpr, *paramRef, *nullTest, *booleanTest,
		*joinExpr, *rangeSub, *subLink, *list, *sortBy, *caseExpr, *caseWhen, *coalesce, *minMax, *setDefault, *locking:
	default:
		return false
	}
	return childrenValuesOnly(m)
}

func childrenValuesOnly(m proto.Message) bool {
	only := true
	eachChild(m, func(c proto.Message) { only = only && valuesOnly(c) })
	return only
}

func listsValuesOnly(lists ...[]*node) bool {
	for _, list := range lists {
		for _, n := range list {
			if !valuesOnly(n) || contains(n, func(m proto.Message) bool { _, query := m.(*subLink); return query }) {
				return false
			}
		}
	}
	return true
}

func isConst(m proto.Message) bool { _, ok := m.(*aConst); return ok }

// oneKey reports whether a condition is that a column is one number or
// parameter, and nothing else.
func oneKey(where *node) bool {
	e, ok := unwrap(where).(*aExpr)
	if !ok || e.Kind != opPlain || len(e.Name) != 1 || operator(e) != "=" {
		return false
	}
	if _, ok := unwrap(e.Lexpr).(*columnRef); !ok {
		return false
	}
	switch v := unwrap(e.Rexpr).(type) {
	case *aConst:
		return v.GetIval() != nil
	case *paramRef:
		return true
	}
	return false
}

func isValueType(t *typeName) bool {
	parts := names(t.GetNames())
	if len(parts) == 2 && parts[0] == "pg_catalog" {
		parts = parts[1:]
	}
	return len(parts) == 1 && slices.Contains(valueTypes, parts[0]) && len(t.Typmods) == 0 && len(t.ArrayBounds) == 0
}

// valueTypes are types whose values name nothing. A cast to them is no call of
// anybody's function but PostgreSQL's.
var valueTypes = []string{
	"int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar", "bpchar", "bool", "uuid",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval",
}
