package sqlguard

import (
	"slices"
	"strings"
)

// What fails, or is NULL, for some values and not for others tells about the
// value, mask or no mask. Where a filter restricts what may be asked about a
// column, only what is listed here is computed from it.

// total lists the functions that fail for no value of their first argument and
// are NULL only where an argument is; the other arguments are free.
var total = map[string]bool{
	"upper": true, "lower": true, "initcap": true, "length": true, "char_length": true, "character_length": true,
	"octet_length": true, "bit_length": true, "md5": true, "sha224": true, "sha256": true, "sha384": true, "sha512": true,
	"reverse": true, "btrim": true, "ltrim": true, "rtrim": true, "trim": true, "left": true, "right": true, "substr": true, "split_part": true,
	"replace": true, "translate": true, "lpad": true, "rpad": true, "strpos": true, "position": true, "starts_with": true,
	"ascii": true, "quote_literal": true, "quote_ident": true, "quote_nullable": true, "encode": true, "digest": true, "hmac": true, "crypt": true,
	"similarity": true, "word_similarity": true, "show_trgm": true, "unaccent": true, "regexp_replace": true, "regexp_count": true, "regexp_like": true, "to_hex": true,
	"row_to_json": true, "to_json": true, "to_jsonb": true, "jsonb_pretty": true, "json_typeof": true, "jsonb_typeof": true,
	"jsonb_strip_nulls": true, "json_strip_nulls": true, "jsonb_object_keys": true, "array_to_json": true, "array_to_string": true, "cardinality": true, "array_append": true,
	"array_to_tsvector": false, "to_tsvector": false, "host": true, "family": true, "masklen": true, "network": true, "text": true, "abbrev": true, "broadcast": true, "netmask": true, "hostmask": true,
	"age": true, "to_char": true,
	"min": true, "max": true, "count": true, "avg": true, "sum": true, "array_agg": true, "string_agg": true, "json_agg": true, "jsonb_agg": true,
	"bool_and": true, "bool_or": true, "every": true, "any_value": true, "mode": true, "stddev": true, "variance": true, "stddev_pop": true,
	"stddev_samp": true, "var_pop": true, "var_samp": true, "first_value": true, "last_value": true, "rank": true, "dense_rank": true,
	"pg_typeof": true, "pg_column_size": true, "num_nulls": true, "num_nonnulls": true, "xmlcomment": false, "abs": true, "ceil": true, "floor": true, "sign": true, "round": true,
	"hashtext": true, "citext": true, "name": true, "varchar": true, "bpchar": true,
}

// ofSecond lists the functions that fail for no value of their second argument,
// and are NULL for infinity: the first says what is taken of it.
var ofSecond = map[string]bool{"date_trunc": true, "date_part": true, "extract": true}

// variadic lists those that take every argument as any value.
var variadic = map[string]bool{
	"concat": true, "concat_ws": true, "json_build_array": true, "jsonb_build_array": true, "json_build_object": true, "jsonb_build_object": true,
	"json_object_agg": true, "jsonb_object_agg": true, "format": true, "count": true, "num_nulls": true, "num_nonnulls": true,
}

// partial lists the functions that fail for no value of their first argument
// but are NULL, or have another shape, for some: their NULL is masked too.
var partial = map[string]bool{
	"substring": true, "regexp_match": true, "regexp_substr": true, "string_to_array": true, "regexp_split_to_array": true, "parse_ident": false,
	"array_length": true, "array_position": true, "array_positions": true, "array_remove": true, "array_replace": true, "array_upper": true, "array_lower": true, "array_ndims": true,
	"jsonb_extract_path": true, "jsonb_extract_path_text": true, "json_extract_path": true, "json_extract_path_text": true, "jsonb_path_query_first": true, "jsonb_path_query_array": true,
	"lag": true, "lead": true, "nth_value": true, "avals": true, "akeys": true, "svals": true, "jsonb_path_exists": true, "jsonb_set": true, "jsonb_exists": true, "jsonb_array_length": false,
	"trim_array": false,
}

// totalOperators give true or false, or join texts, for whatever they are given.
var totalOperators = map[string]bool{
	"=": true, "<>": true, "!=": true, "<": true, ">": true, "<=": true, ">=": true, "||": true,
	"@>": true, "<@": true, "&&": true, "@@": true, "?": true, "?|": true, "?&": true, "%": false, "^@": true, "<->": true,
}

// pickingOperators may be NULL where there is nothing to pick.
var pickingOperators = map[string]bool{"->": true, "->>": true, "#>": true, "#>>": true, "@?": true}

// wholes lists the functions that give their arguments, or a choice of them, as
// they are: as elements, members or rows.
var wholes = map[string]bool{
	"to_json": true, "to_jsonb": true, "row_to_json": true, "array_to_json": true, "json_build_array": true, "jsonb_build_array": true,
	"json_build_object": true, "jsonb_build_object": true, "json_agg": true, "jsonb_agg": true, "array_agg": true, "json_object_agg": true,
	"jsonb_object_agg": true, "min": true, "max": true, "any_value": true, "mode": true, "first_value": true, "last_value": true,
	"lag": true, "lead": true, "nth_value": true, "jsonb_pretty": true, "unnest": true, "json_strip_nulls": true, "jsonb_strip_nulls": true,
}

// matching operators fail for some patterns, but for no text.
var matchingOperators = map[string]bool{
	"~": true, "~*": true, "!~": true, "!~*": true, "~~": true, "~~*": true, "!~~": true, "!~~*": true,
}

// textual lists the types to which every value can be cast.
var textual = map[string]bool{"text": true, "varchar": true, "bpchar": true, "char": true, "name": true, "citext": true, "json": false}

// operate is the value of an operator over two values.
func (ev eval) operate(m *aExpr, l, r value) value {
	op := strings.TrimPrefix(strings.Join(names(m.Name), "."), "pg_catalog.")
	v := computed(l, r)
	joins := op == "||"
	v.many = joins && v.many
	if joins {
		v.size++
	}
	if len(ev.restricted(v)) == 0 {
		return v
	}
	ev.grew(v)
	switch {
	case joins && v.many && !(ev.isFlat(m.Lexpr, l) && ev.isFlat(m.Rexpr, r)):
		ev.useOf(v, "arrays put together, which fails where their lengths do not fit")
	case op == "@@" && !(l.plain && (l.typ == jsonbOID || l.typ == tsvectorOID) || l.doc != nil): // makes a tsvector of a text
		ev.useOf(v, "a text search, which tells of long words")
	case totalOperators[op]:
	case pickingOperators[op] && len(ev.restricted(r)) == 0:
		v.shaky = true
	case matchingOperators[op] && len(ev.restricted(r)) == 0:
	default:
		ev.useOf(v, "an operator that fails for some values ("+op+")")
	}
	return v
}

// isFlat reports whether an expression is a single element, or an array that has
// no arrays in it.
func (ev eval) isFlat(n *node, v value) bool {
	switch m := unwrap(n).(type) {
	case *aArray:
		return !ev.kept(m.Elements).many
	case *aConst, *paramRef:
		s, ok := constantText(n)
		return ok && !strings.Contains(strings.Join(strings.Fields(s), ""), "{{")
	case *coalesce:
		return !slices.ContainsFunc(m.Args, func(n *node) bool { return !ev.isFlat(n, ev.expr(n)) })
	case *typeCast:
		return ev.isFlat(m.Arg, v)
	case *funcCall:
		return flatArrays[lastOf(names(m.Funcname))]
	}
	return !v.many || v.plain
}

// cast is the value of a cast.
func (ev eval) cast(m *typeCast) value {
	arg := ev.expr(m.Arg)
	if v, ok := castDocument(arg, m); ok {
		return v
	}
	v := computed(arg)
	schema, name := qualified(names(m.TypeName.GetNames()))
	if len(v.deps) > 0 && !ev.sh.systemType(m.TypeName) {
		ev.refuse(denied("a protected value cannot be cast to "+name, "What that type does with the value is not followed.", "Cast to a type of PostgreSQL's own."))
	}
	toArray := len(m.TypeName.GetArrayBounds()) > 0
	if len(ev.restricted(v)) > 0 && (!textual[name] || schema != "" && schema != "pg_catalog" || toArray && !isArray(m.Arg, arg)) {
		if !ev.castOf(arg, schema, name) {
			ev.useOf(v, "a cast to "+name+", which fails for some values")
		}
	}
	v.many = toArray || strings.HasPrefix(name, "_")
	if !arg.plain {
		v.size++ // quotes of records and arrays double
	}
	ev.grew(v)
	v.kept = (arg.plain || arg.kept) && (schema == "" || schema == "pg_catalog") && len(m.TypeName.GetTypmods()) == 0 &&
		slices.Contains([]string{"text", "varchar", "bpchar", "json", "jsonb"}, name)
	return v
}

// isArray reports whether an expression is an array already, and no text that
// would be read as one.
func isArray(n *node, v value) bool {
	switch m := unwrap(n).(type) {
	case *aArray:
		return true
	case *subLink:
		return m.SubLinkType == subArray
	case *funcCall:
		_, name := qualified(names(m.Funcname))
		return name == "array_agg"
	}
	return v.plain && arrayTypes[v.typ]
}

// arrayTypes are the arrays of texts.
var arrayTypes = map[uint32]bool{1002: true, 1003: true, 1009: true, 1014: true, 1015: true}

// castOf reports whether a cast leaves a column's type as it is.
func (ev eval) castOf(arg value, schema, name string) bool {
	return arg.plain && arg.typ != 0 && (schema == "" || schema == "pg_catalog") && castsTo[name] != nil && castsTo[name][arg.typ]
}

// castsTo lists, by type, the types of which each value can be cast to it.
var castsTo = map[string]map[uint32]bool{
	"int8":    {20: true, 21: true, 23: true},
	"int4":    {21: true, 23: true},
	"numeric": {20: true, 21: true, 23: true, 1700: true},
	"float8":  {20: true, 21: true, 23: true, 700: true, 701: true},
	"json":    {114: true, 3802: true}, "jsonb": {114: true, 3802: true},
	"uuid": {2950: true}, "bytea": {17: true}, "inet": {869: true, 650: true},
	"date":      {1082: true, 1114: true, 1184: true},
	"timestamp": {1082: true, 1114: true, 1184: true}, "timestamptz": {1082: true, 1114: true, 1184: true},
}

// failsByNull reports whether a call fails where an argument is NULL that is so by
// its value: as a key of a document, and what the text of format asks of it.
func (ev eval) failsByNull(name string, nodes []*node, args []value) bool {
	bad := func(v value) bool { return v.shaky && len(ev.restricted(v)) > 0 }
	switch name {
	case "json_build_object", "jsonb_build_object":
		for i := 0; i < len(args); i += 2 {
			if bad(args[i]) {
				return true
			}
		}
	case "json_object_agg", "jsonb_object_agg":
		return len(args) > 0 && bad(args[0])
	case "format":
		if len(nodes) == 0 || len(ev.restricted(computed(args...))) == 0 {
			return false
		}
		form, ok := constantText(nodes[0])
		return !ok || strings.ContainsAny(strings.ReplaceAll(form, "%%", ""), "*") || slices.ContainsFunc(args, bad) && strings.Contains(form, "I")
	}
	return false
}

// applied is the value of a function over its arguments.
func (ev eval) applied(name string, m *funcCall, args []value) value {
	v := computed(args...)
	arrays := v.many
	v.many = flatArrays[name] || name == "array_agg" || passingOn[name] && arrays
	v.size = grown(name, m.Args, v.size)
	if len(ev.restricted(v)) == 0 {
		return v
	}
	ev.grew(v)
	user, isUser := ev.sh.cat.user[name]
	ours := !isUser || user.trusted
	rest := false // whether another than the first argument is restricted
	for i, arg := range args {
		rest = rest || i > 0 && len(ev.restricted(arg)) > 0
	}
	switch {
	case ev.failsByNull(name, m.Args, args), v.shaky && !steady(name, m.Args), m.FuncVariadic && strings.Contains(name, "_object") || m.FuncVariadic && name == "format",
		arrays && name == "array_agg", flatOnly[name] && len(m.Args) > 0 && !ev.isFlat(m.Args[0], args[0]):
		ev.useOf(v, "function "+name+", which fails for some values")
	case ours && ofSecond[name] && len(args) > 1 && len(ev.restricted(args[0])) == 0 && len(ev.restricted(computed(args[2:]...))) == 0:
		v.shaky = true
	case len(args) > 1 && (name == "varchar" || name == "bpchar"), // that fails where it is too long
		strings.HasPrefix(name, "jsonb_path_") && !(len(m.Args) == 2 && gentlePath(m.Args[1])),
		name == "jsonb_set" && !args[0].plain:
		ev.useOf(v, "function "+name+", which may fail for some values")
	case ours && (total[name] && !rest || variadic[name]):
	case ours && name == "string_agg", ours && (name == "strpos" || name == "position" || name == "similarity" || name == "replace"):
	case ours && partial[name] && !rest:
		v.shaky = true
	default:
		ev.useOf(v, "function "+name+", which may fail for some values")
	}
	return v
}

// flatOnly fail for an array of arrays, but for an empty one.
var flatOnly = map[string]bool{"array_append": true, "array_remove": true, "array_position": true, "array_positions": true}

// flatArrays give arrays that have none in them, whatever they are given that is
// flat itself.
var flatArrays = map[string]bool{
	"string_to_array": true, "regexp_split_to_array": true, "regexp_match": true, "akeys": true, "avals": true, "show_trgm": true,
	"array_append": true, "array_prepend": true, "array_remove": true, "array_replace": true, "array_positions": true, "trim_array": true, "parse_ident": true,
}

// passingOn give one of their arguments.
var passingOn = map[string]bool{
	"min": true, "max": true, "any_value": true, "mode": true, "first_value": true, "last_value": true, "lag": true, "lead": true, "nth_value": true,
}
