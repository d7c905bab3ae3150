package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// masksQuery writes queries. free says that nothing protected was reached.
type masksQuery struct {
	*rand.Rand
	free   bool
	writes bool
	n      int
}

// masksTable is what a FROM clause can name, with its columns, and of which
// nothing is protected.
type masksTable struct {
	name    string
	columns []string
	free    bool
}

var masksTables = []masksTable{
	{"users", []string{"id", "name", "email", "password", "api_key", "active", "login"}, false},
	{"admins", []string{"id", "email", "seed", "name"}, false},
	{"customers", []string{"id", "user_id", "name", "ssn", "card", "phone", "country", "profile", "notes", "tags"}, false},
	{"vault", []string{"id", "owner", "secrets", "seed", "cred", "pairs", "token"}, false},
	{"events", []string{"id", "day", "device", "ok"}, false},
	{"events_h2", []string{"id", "device"}, false},
	{"legacy.users", []string{"id", "password", "name"}, false},
	{"directory", []string{"id", "name", "contact"}, false},
	{"secrets_v", []string{"id", "pw", "k", "name"}, false},
	{"cached", []string{"id", "k2", "pw2", "name"}, false},
	{"cities", []string{"id", "address", "word"}, false},
	{"find_user(3)", []string{"uid", "display", "word"}, false},
	{"trail", []string{"id", "what", "was", "became", "word"}, false},
	{"orders", []string{"id", "customer_id", "status", "amount", "placed", "note"}, true},
	{"products", []string{"id", "sku", "title", "price", "tags", "made"}, true},
	{"notes", []string{"id", "body", "n"}, true},
	{"totals", []string{"customer_id", "n", "total"}, true},
}

func (q *masksQuery) pick(s ...string) string { return s[q.IntN(len(s))] }

// query is a whole one, that gives the same rows in the same order each time.
func (q *masksQuery) query(depth, way int) string {
	q.free = true
	plain := q.IntN(4) == 0 // a query over what is not protected
	columns := 1 + q.IntN(3)
	order := " ORDER BY 1" + q.pick("", " LIMIT 200") // fewer would be some of those that tie
	switch q.IntN(9) {
	case 0: // computed for sets of rows
		return q.grouped(depth, plain) + order
	case 1:
		return "(" + q.selectOf(depth-1, columns, nil, plain, true) + ")" + q.pick(" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ") +
			"(" + q.selectOf(depth-1, columns, nil, plain, true) + ")" + order
	case 2:
		return "WITH w AS " + q.pick("", "MATERIALIZED ", "NOT MATERIALIZED ") + "(" + q.selectOf(depth-1, columns, nil, plain, false) + ") SELECT * FROM w" + order
	case 3:
		name := fmt.Sprintf("c%d", columns)
		return "SELECT * FROM (" + q.selectOf(depth-1, columns, nil, plain, false) + ") x JOIN LATERAL (SELECT x." + name + "::text || 'x' AS y) z ON true" + order
	case 4:
		if way < 3 || way == 7 {
			return q.writing(depth, plain)
		}
	}
	return q.selectOf(depth, columns, nil, plain, false) + order
}

// writing changes rows of a table to what they are, and returns of them.
func (q *masksQuery) writing(depth int, plain bool) string {
	q.writes = true
	table := masksTables[q.IntN(3)*2] // users, customers, events
	if plain {
		table = masksTables[13+q.IntN(3)]
	}
	q.free = q.free && table.free
	scope := []masksTable{{"w0", table.columns, table.free}}
	where := " WHERE w0.id IN (1, 2)"
	if q.IntN(2) == 0 {
		where += " AND " + q.condition(depth-1, scope)
	}
	switch q.IntN(3) {
	case 0:
		c := q.pick(table.columns[1:3]...)
		return "UPDATE " + table.name + " AS w0 SET " + c + " = " + q.pick("w0."+c, "w0."+q.pick(table.columns...)) + where + " RETURNING w0.id, " + q.expr(depth-1, scope, plain)
	case 1:
		if table.name == "products" || table.name == "notes" || table.name == "orders" || table.name == "events" {
			return "DELETE FROM " + table.name + " AS w0" + where + " RETURNING w0.id, " + q.expr(depth-1, scope, plain)
		}
	}
	return "INSERT INTO notes (body, n) " + q.selectOf(depth-1, 1, nil, plain, true) + ", 1 RETURNING n, " + q.expr(1, []masksTable{{"notes", []string{"id", "body", "n"}, true}}, plain)
}

// grouped computes for sets of rows.
func (q *masksQuery) grouped(depth int, plain bool) string {
	from, table := q.table(depth-1, plain)
	scope := []masksTable{table}
	by := q.column(scope)
	agg := func() string {
		e := q.expr(depth-2, scope, plain)
		s := q.pick("count(", "count(DISTINCT ", "max((", "min((", "string_agg((", "array_agg(", "json_agg(", "bool_or((", "sum((") + e
		open := strings.Count(s, "(") - strings.Count(s, ")")
		switch {
		case strings.HasPrefix(s, "string_agg"):
			s += ")::text, ',')"
		case strings.HasPrefix(s, "bool_or"):
			s += ")::text = 'same-value')"
		case strings.HasPrefix(s, "sum"):
			s += ")::text::numeric)"
		case strings.HasPrefix(s, "max"), strings.HasPrefix(s, "min"):
			s += ")::text)"
		default:
			s += strings.Repeat(")", open)
		}
		return s + q.pick("", "", " FILTER (WHERE "+q.condition(0, scope)+")")
	}
	having := q.pick("", "", " HAVING count(*) > 0", " HAVING "+agg()+" IS NOT NULL")
	switch q.IntN(5) {
	case 0:
		return "SELECT DISTINCT " + by + "::text AS c1, " + q.expr(depth-2, scope, plain) + " AS c2 FROM " + from
	case 1:
		return "SELECT DISTINCT ON (1) " + by + "::text AS c1, count(*) OVER (PARTITION BY " + q.column(scope) + ") AS c2 FROM " + from
	case 2:
		return "SELECT " + by + "::text AS c1, " + agg() + ", grouping(" + by + ") FROM " + from + " GROUP BY " + q.pick("ROLLUP", "CUBE", "GROUPING SETS") + " (" + by + ")" + having
	case 3:
		return "SELECT " + agg() + " AS c1, " + agg() + " AS c2 FROM " + from
	}
	return "SELECT " + by + "::text AS c1, " + agg() + " FROM " + from + " GROUP BY " + by + having
}

// selectOf writes a SELECT of so many columns, called c1 and so on; of text, if
// they must go together with others.
func (q *masksQuery) selectOf(depth, columns int, outer []masksTable, plain, texts bool) string {
	var scope []masksTable
	from, table := q.table(depth, plain)
	scope = append(scope, table)
	for range q.IntN(2) {
		text, table := q.table(depth, plain)
		switch q.IntN(6) {
		case 0:
			from += q.pick(" JOIN ", " LEFT JOIN ", " FULL JOIN ") + text + " ON " + q.column(scope) + "::text = " + q.column([]masksTable{table}) + "::text"
		case 1:
			from += q.pick(" JOIN ", " LEFT JOIN ") + text + " USING (" + table.columns[0] + ")"
		case 2:
			from += " NATURAL " + q.pick("JOIN ", "LEFT JOIN ") + text
		default:
			from += " CROSS JOIN " + text
		}
		scope = append(scope, table)
	}
	all := append(scope, outer...)
	targets := make([]string, columns)
	targets[0] = scope[0].name + "." + scope[0].columns[0]
	if columns == 1 && q.IntN(2) == 0 {
		targets[0] = q.expr(depth, all, plain)
	}
	for i := 1; i < columns; i++ {
		targets[i] = q.expr(depth, all, plain)
	}
	for i := range targets {
		if texts {
			targets[i] = "(" + targets[i] + ")::text"
		}
		targets[i] += fmt.Sprintf(" AS c%d", i+1)
	}
	s := "SELECT " + strings.Join(targets, ", ") + " FROM " + from
	if q.IntN(2) == 0 {
		s += " WHERE " + q.condition(depth-1, all)
	}
	return s
}

func (q *masksQuery) table(depth int, plain bool) (string, masksTable) {
	q.n++
	alias := fmt.Sprintf("t%d", q.n)
	if depth > 1 && q.IntN(4) == 0 {
		n := 1 + q.IntN(3)
		names := []string{"c1", "c2", "c3"}[:n]
		// Fewer would be some of them, by an order that nobody asked for.
		return "(" + q.selectOf(depth-1, n, nil, plain, false) + " LIMIT 60) AS " + alias, masksTable{alias, names, false}
	}
	if q.IntN(12) == 0 {
		names := []string{"id", "v"}
		return "(VALUES (1, " + q.pick("'a'", "NULL", "'same-value'") + "), (2, 'b')) AS " + alias + " (id, v)", masksTable{alias, names, true}
	}
	table := masksTables[q.IntN(len(masksTables))]
	for plain && !table.free {
		table = masksTables[q.IntN(len(masksTables))]
	}
	q.free = q.free && table.free
	if q.n == 1 && q.IntN(2) == 0 { // by itself: the server reports where columns come from
		return table.name + " AS " + alias, masksTable{alias, table.columns, table.free}
	}
	return "(SELECT * FROM " + table.name + " LIMIT " + q.pick("2", "3", "6") + ") AS " + alias, masksTable{alias, table.columns, table.free}
}

func (q *masksQuery) column(scope []masksTable) string {
	s := scope[q.IntN(len(scope))]
	return s.name + "." + s.columns[q.IntN(len(s.columns))]
}

// expr writes an expression over what is in scope.
func (q *masksQuery) expr(depth int, scope []masksTable, plain bool) string {
	if depth <= 0 || q.IntN(3) == 0 {
		return q.column(scope) + q.pick("", "", "::text")
	}
	e := func() string { return q.expr(depth-1, scope, plain) }
	text := func() string { return "(" + e() + ")::text" }
	row := scope[q.IntN(len(scope))].name
	switch q.IntN(40) {
	case 0:
		return q.pick("upper", "md5", "reverse", "initcap", "quote_literal", "length", "to_json", "ascii", "btrim", "hashtext") + "(" + text() + ")"
	case 1:
		return text() + " || " + text()
	case 2:
		return "CASE WHEN " + q.condition(depth-1, scope) + " THEN " + text() + " ELSE " + text() + " END"
	case 3:
		return "coalesce(" + text() + ", " + text() + ")"
	case 4:
		return "(" + q.selectOf(depth-1, 1, scope, plain, false) + " LIMIT 1)"
	case 5:
		return "(ARRAY[" + text() + ", " + text() + "])[" + q.pick("1", "2") + "]"
	case 6:
		return q.pick("row_to_json(", "to_jsonb(", "hstore(", "(") + row + q.pick(")", ")::text")
	case 7:
		return row + "::text"
	case 8:
		return "nullif(" + text() + ", 'x')"
	case 9:
		return "json_build_object('k', " + e() + ")" + q.pick("", " ->> 'k'")
	case 10:
		return "to_jsonb(" + row + ") " + q.pick("->> ", "-> ") + q.pick("'id'", "'password'", "'name'", "'profile'")
	case 11:
		return q.pick("left", "right") + "(" + text() + ", 12)"
	case 12:
		return "string_agg(" + text() + ", ',') OVER ()"
	case 13:
		return q.pick("first_value", "last_value", "max", "min", "array_agg", "json_agg") + "(" + e() + ") OVER ()"
	case 14:
		return "concat_ws('-', " + text() + ", " + text() + ")"
	case 15:
		return "array(" + q.selectOf(depth-1, 1, scope, plain, false) + " LIMIT 2)"
	case 16:
		return q.pick("greatest(", "least(") + text() + ", " + text() + ")"
	case 17:
		return "format('%s %I', " + text() + ", " + text() + ")"
	case 18:
		return "ROW(" + e() + ", 1)" + q.pick("", "::text")
	case 19:
		return "(" + q.column(scope) + ") " + q.pick("-> 'address'", "->> 'password'", "->> 'tier'", "#>> '{prefs,codes,0}'", "-> 'prefs'", "#> '{address,city}'", "- 'tier'")
	case 20:
		return "substring(" + text() + " FROM " + q.pick("2 FOR 9", "'[A-Z]+'") + ")"
	case 21:
		return "encode(" + q.pick("sha256(", "convert_to(") + text() + q.pick("::bytea), 'hex')", ", 'UTF8'), 'base64')")
	case 22:
		return "xmlelement(name x, " + e() + ")" + q.pick("", "::text")
	case 23:
		return "array_to_string(ARRAY[" + text() + "], ',')"
	case 24:
		return text() + " " + q.pick("=", "<>", "<", "LIKE", "IS DISTINCT FROM", "~", "||") + " " + text()
	case 25:
		return q.pick("unnest", "jsonb_each", "jsonb_object_keys", "jsonb_array_elements", "array_length", "jsonb_typeof", "each", "upper") + "(" + q.column(scope) + q.pick("", "", ", 1") + ")"
	case 26:
		return "(" + q.column(scope) + q.pick("", "::text") + ")" + q.pick("::int", "::numeric", "::date", "::bool", "::jsonb", "::varchar(9)", "::char(3)", "::bytea", "::uuid")
	case 27:
		return "(" + row + ")." + q.pick("id", "name", "password", "profile", "c1")
	case 28:
		return q.pick("lag", "lead", "nth_value") + "(" + e() + ", 1) OVER (ORDER BY " + q.column(scope) + ")"
	case 29:
		if q.IntN(2) == 0 { // in a partition rows that tie have no order
			return q.pick("rank()", "dense_rank()", "count(*)") + " OVER (PARTITION BY " + q.column(scope) + q.pick("", " ORDER BY "+q.column(scope)) + ")"
		}
		return q.pick("row_number()", "rank()", "ntile(2)", "count(*)") + " OVER (" + q.pick("", "ORDER BY "+q.column(scope)) + ")"
	case 30:
		return "jsonb_path_query(to_jsonb(" + e() + "), '" + q.pick("$.*", "$.password", "$.address.city", "$[0]", "$.** ? (@ != null)") + "')"
	case 31:
		return q.pick("num_nulls", "num_nonnulls", "pg_column_size", "pg_typeof", "json_typeof", "octet_length", "bit_length", "cardinality") + "(" + e() + ")"
	case 32:
		return q.pick("regexp_replace", "replace", "translate", "lpad", "split_part", "overlay", "strpos", "varchar", "regexp_count", "encode") + "(" + text() + ", " + q.pick("'a', 'b')", "'A', 1)", "4, 'x')", "'C')", "9, false)", "'(', '')", "'hex')")
	case 33: // parts that run for some values only
		return text() + " " + q.pick("IN ('x', ", "NOT IN ('x', ", "BETWEEN 'D' AND (", "NOT BETWEEN SYMMETRIC 'D' AND (") + e() + "::int::text)"
	case 34:
		return "(" + text() + ", 1) " + q.pick("=", "<", "<>", "IS DISTINCT FROM") + " ('CANARY', " + e() + "::int)"
	case 35:
		return text() + " " + q.pick("IN (", "< ANY (", "> ALL (") + q.selectOf(depth-1, 1, scope, plain, true) + ")"
	case 36: // arrays that must fit
		parts := q.pick("string_to_array(", "regexp_match(", "regexp_split_to_array(") + text() + ", 'A')"
		return q.pick("ARRAY["+parts+", ARRAY['x', 'y']]", parts+" || ARRAY[['x', 'y']]", parts+" || 'x'::text", "array_agg("+parts+") OVER ()", "array_append("+parts+", 'x')", "cardinality("+parts+")")
	case 37: // patterns that are wrong, for some
		return q.pick(text(), "substring("+text()+" FROM 'CAN')") + " " + q.pick(`LIKE 'CANARY\'`, `ILIKE 'k%\'`, "~ '('", "SIMILAR TO '('", "LIKE ANY (ARRAY['CAN%', '\\'])", "~ ANY (ARRAY['^C', '('])")
	case 38:
		return "jsonb_path_query_first(to_jsonb(" + q.pick(text(), "substring("+text()+" FROM 'CAN')") + "), '" +
			q.pick("$ ? (@ starts with \"CAN\")", "($ ? (@ like_regex \"^K\")).double()", "strict $.a", "$.size()", "$.keyvalue()", "($ ? (@ > \"D\")) + 1") + "')"
	}
	return "jsonb_build_array(" + e() + ", " + e() + ")" + q.pick("", " -> 0", "::text")
}

func (q *masksQuery) condition(depth int, scope []masksTable) string {
	switch q.IntN(12) {
	case 0:
		return q.column(scope) + " IS NOT NULL"
	case 1:
		return q.column(scope) + "::text = " + q.pick("'x'", "'same-value'")
	case 2:
		return scope[0].name + "." + scope[0].columns[0] + " > " + q.pick("0", "1", "3")
	case 3:
		return "NOT (" + q.condition(depth-1, scope) + ")"
	case 4:
		return "EXISTS (" + q.selectOf(max(depth-1, 0), 1, scope, false, false) + ")"
	case 5:
		return q.column(scope) + q.pick(" = ", " < ", " <> ", " IS DISTINCT FROM ") + q.column(scope)
	case 6:
		return q.column(scope) + "::text " + q.pick("LIKE 'C%'", "IN ('x', 'same-value')", "> 'D'", "~ '[0-9]'", "BETWEEN 'A' AND 'J'", "IS NULL")
	case 7:
		return "length(" + q.column(scope) + "::text) " + q.pick("> 20", "= 10", "% 2 = 0")
	case 8:
		return "(" + q.condition(depth-1, scope) + ")" + q.pick(" AND ", " OR ") + "(" + q.condition(depth-1, scope) + ")"
	case 9:
		return "(" + q.expr(depth-1, scope, false) + ")" + q.pick(" IS NOT NULL", "::text = 'same-value'", " IS NULL")
	}
	return scope[0].name + " IS NOT NULL OR true"
}
