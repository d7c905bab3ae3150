package sqlguard

import "slices"

// constantText gives the text of a constant, as it was written: what is cast to
// a type that may cut it, or to one that nobody here knows, is none.
func constantText(n *node) (string, bool) {
	switch m := unwrap(n).(type) {
	case *aConst:
		return constText(m), m.GetSval() != nil
	case *typeCast:
		if !keepsText(m.TypeName) {
			return "", false
		}
		if inner, ok := unwrap(m.Arg).(*typeCast); ok && isTextType(m.TypeName) && !isTextType(inner.TypeName) {
			return "", false // as the inner type writes it: 'USERS'::regclass::text
		}
		return constantText(m.Arg)
	case *aExpr:
		if m.Kind == opPlain && operator(m) == "||" && m.Lexpr != nil {
			a, ok1 := constantText(m.Lexpr)
			b, ok2 := constantText(m.Rexpr)
			return a + b, ok1 && ok2
		}
	}
	return "", false
}

// exactText is constantText of what is a text to the server too, or one of the
// types named.
func exactText(n *node, types ...string) (string, bool) {
	if m, ok := unwrap(n).(*typeCast); ok && !isTextType(m.TypeName) {
		_, name := qualified(names(m.TypeName.GetNames()))
		if !keepsText(m.TypeName) || !slices.Contains(types, name) {
			return "", false
		}
		return exactText(m.Arg)
	}
	return constantText(n)
}

// isTextType reports whether a value of a type is any text as it is.
func isTextType(t *typeName) bool {
	schema, name := qualified(names(t.GetNames()))
	return (schema == "" || schema == "pg_catalog") && (name == "text" || name == "varchar") && len(t.GetTypmods()) == 0 && len(t.GetArrayBounds()) == 0
}

// keepsText reports whether a constant that is cast to a type is still the one
// that was written: varchar(8), "char" and name cut it, and so may any domain.
func keepsText(t *typeName) bool {
	schema, name := qualified(names(t.GetNames()))
	switch {
	case schema != "" && schema != "pg_catalog":
		return false
	case len(t.GetTypmods()) > 0:
		return len(t.GetArrayBounds()) == 0 && slices.Contains(roundedTypes, name)
	}
	return slices.Contains(keptTypes, name)
}

// roundedTypes are those whose modifier says how precise they are, and not how
// long.
var roundedTypes = []string{"numeric", "time", "timetz", "timestamp", "timestamptz", "interval"}

// keptTypes are those of which a constant is what was written.
var keptTypes = append([]string{
	"text", "varchar", "int2", "int4", "int8", "float4", "float8", "bool", "oid", "money", "date", "uuid", "json", "jsonb", "jsonpath", "xml",
	"inet", "cidr", "macaddr", "macaddr8", "pg_lsn", "tid", "xid", "xid8", "bytea", "tsquery", "tsvector", "hstore", "citext", "unknown",
	"regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator", "regrole", "regnamespace", "regconfig", "regdictionary", "regcollation",
	"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
	"int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
}, roundedTypes...)
