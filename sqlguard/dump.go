package sqlguard

// dumpSetting is what pg_dump sets where the server has it, since the releases
// of August 2024, by a statement that has the setting's name from a table:
//
//	SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
const dumpSetting = "restrict_nonsystem_relation_kind"

// nameSetting puts the name of the setting into a statement of that form, of
// which it would otherwise not be known what it sets. Nothing else can be named
// pg_settings there: refuseSettings sees to it.
func (f *frame) nameSetting(m *selectStmt) {
	if len(m.TargetList) != 1 || len(m.FromClause) != 1 || m.WithClause != nil || f.isCTE("pg_settings") {
		return
	}
	from, ok := unwrap(m.FromClause[0]).(*rangeVar)
	if !ok || from.Relname != "pg_settings" || from.Schemaname != "" && from.Schemaname != "pg_catalog" || from.Alias != nil {
		return
	}
	target, ok := unwrap(m.TargetList[0]).(*resTarget)
	if !ok {
		return
	}
	call, ok := unwrap(target.Val).(*funcCall)
	if !ok || len(call.Args) != 3 || !isColumn(call.Args[0], "name") || !isConstant(call.Args[1]) || !isConstant(call.Args[2]) {
		return
	}
	if schema, name := qualified(names(call.Funcname)); name != "set_config" || schema != "" && schema != "pg_catalog" {
		return
	}
	where, ok := unwrap(m.WhereClause).(*aExpr)
	if !ok || where.Kind != opPlain || operator(where) != "=" || !isColumn(where.Lexpr, "name") {
		return
	}
	if name, ok := constantText(where.Rexpr); ok && name == dumpSetting {
		call.Args[0] = where.Rexpr
	}
}

// isColumn reports whether n is a column of that name, without a table's.
func isColumn(n *node, name string) bool {
	c, ok := unwrap(n).(*columnRef)
	return ok && len(c.Fields) == 1 && text(c.Fields[0]) == name
}
