package sqlguard

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// The views of statistics hold samples of every table's values, and are closed. A
// SELECT from one of them alone is open where its WHERE names the tables whose
// samples it wants, by constants, and these hold nothing protected:
//
//	SELECT attname, n_distinct, most_common_vals FROM pg_stats WHERE tablename = 'orders'
//
// The rest of the WHERE may ask for names only: a server may look at it first, in
// the rows of other tables, and its errors would quote them. What the SELECT
// computes, groups and sorts it does with the rows that the WHERE has left.

// statisticsViews are those of which each row says the table it is about.
var statisticsViews = []string{"pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"}

// statisticsNames are their columns that hold names alone.
var statisticsNames = []string{
	"schemaname", "tablename", "attname", "inherited",
	"statistics_schemaname", "statistics_name", "statistics_owner",
}

const maxName = 63 // bytes: a longer one is cut

// freeStatistics reports whether m, a statement of the text itself, is such a SELECT.
func (sh *shield) freeStatistics(r *reader, m proto.Message) bool {
	q, ok := m.(*selectStmt)
	if !ok || r.shared.moved || r.facts.DDL || len(r.within) > 0 || sh.cat.code == nil ||
		q.Op != setNone || q.WithClause != nil || q.IntoClause != nil || q.HavingClause != nil || len(q.FromClause) != 1 {
		return false
	}
	from, ok := unwrap(q.FromClause[0]).(*rangeVar)
	if !ok || !slices.Contains(statisticsViews, from.Relname) || from.Schemaname != "" && from.Schemaname != "pg_catalog" ||
		len(from.GetAlias().GetColnames()) > 0 {
		return false
	}
	others := 0
	contains(q, func(m proto.Message) bool {
		v, ok := m.(*rangeVar)
		if _, closed := findDoor(relationDoors, v.GetRelname()); ok && closed {
			others++
		}
		return false
	})
	if others != 1 || !asksNames(q.WhereClause) || sh.cat.operators["="] || sh.cat.code.shadowing["="] {
		return false
	}
	schema, tables := "", []string(nil)
	for _, n := range conjuncts(q.WhereClause, nil) {
		if said, ok := equals(n, "tablename"); ok && tables == nil {
			tables = said
		}
		if said, ok := equals(n, "schemaname"); ok && len(said) == 1 {
			schema = said[0]
		}
	}
	for _, name := range tables {
		if len(sh.cat.find(schema, name)) == 0 {
			r.unsampled = append(r.unsampled, dotted(schema, name))
		}
	}
	return len(tables) > 0 && !slices.ContainsFunc(tables, func(name string) bool { return !sh.holdsNothing(schema, name) })
}

// asksNames reports whether a condition is over columns that hold names alone.
func asksNames(where *node) bool {
	return where != nil && !contains(where, func(m proto.Message) bool {
		switch m := m.(type) {
		case *subLink:
			return true
		case *columnRef:
			parts := names(m.Fields)
			return !slices.Contains(statisticsNames, parts[len(parts)-1])
		}
		return false
	})
}

// equals gives the constants to which a condition says that a column is equal.
func equals(n *node, column string) ([]string, bool) {
	e, ok := unwrap(n).(*aExpr)
	if !ok || e.Kind != opPlain && e.Kind != opIn || len(e.Name) != 1 || operator(e) != "=" {
		return nil, false
	}
	of, ok := unwrap(e.Lexpr).(*columnRef)
	if !ok || text(of.Fields[len(of.Fields)-1]) != column {
		return nil, false
	}
	values := []*node{e.Rexpr}
	if l, ok := unwrap(e.Rexpr).(*list); ok && e.Kind == opIn {
		values = l.Items
	}
	var said []string
	for _, v := range values {
		if t, ok := unwrap(v).(*typeCast); ok && isTextType(t.TypeName) {
			v = t.Arg
		}
		c, ok := unwrap(v).(*aConst)
		if !ok || c.GetSval() == nil || len(c.GetSval().Sval) > maxName {
			return nil, false
		}
		said = append(said, c.GetSval().Sval)
	}
	return said, true
}

// holdsNothing reports whether a name is that of tables that hold nothing
// protected, and of no index that computes something, which has statistics too.
func (sh *shield) holdsNothing(schema, name string) bool {
	found := sh.cat.find(schema, name)
	return len(found) > 0 && len(sh.cat.code.computing[name]) == 0 && sh.reached([]use{{schema, name}}) == "" &&
		!slices.ContainsFunc(found, func(rel *relation) bool { return isSystem(rel.schema) || sh.closed[rel.oid] != "" })
}

// computesProtected reports whether a name is that of an index that computes
// something of a table with protected columns.
func (sh *shield) computesProtected(name string) bool {
	return sh.cat.code != nil && slices.ContainsFunc(sh.cat.code.computing[name], func(table uint32) bool { return sh.reaches[table] })
}
