package sqlguard

import (
	"math/bits"
	"regexp"
	"slices"
	"strings"
)

// A value of more than a gigabyte is an error, and whether it comes to be one is
// known only of what is put together: a protected value must not be what decides
// it. So how far an expression may outgrow what a table stores is counted, in
// powers of two, and what is protected does not grow by more than maxGrown.
const (
	maxGrown  = 18 // 250,000 times
	unlimited = 30 // nobody knows how far
)

// ofConstant is the size of a text of so many bytes beside a stored value of 64.
func ofConstant(n int) int { return max(0, bits.Len(uint(n))-6) }

// several is how far a value grows that n others go into.
func several(n int) int {
	if n < 2 {
		return 0
	}
	return bits.Len(uint(n - 1))
}

var formatWidths = regexp.MustCompile(`\d{6,}`)

// grown is the size of what a function gives for arguments, the largest of which
// has the size most.
func grown(name string, nodes []*node, most int) int {
	switch name {
	case "repeat":
		if len(nodes) > 1 {
			return most + times(nodes[1])
		}
	case "lpad", "rpad":
		if len(nodes) > 1 {
			return max(most, times(nodes[1]))
		}
	case "replace", "regexp_replace":
		if len(nodes) < 3 {
			break
		}
		if with, ok := constantText(nodes[2]); ok {
			return most + several(len(with))
		}
		return most + 6
	case "overlay", "concat", "concat_ws", "format":
		if form, ok := constantText(argument(nodes, 0)); name == "format" && (!ok || formatWidths.MatchString(form)) {
			return unlimited
		}
		return most + several(len(nodes))
	case "array_fill":
		return unlimited
	case "string_agg", "array_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "xmlagg":
		return most + 4 // of so many rows as there are
	case "quote_literal", "quote_nullable", "quote_ident", "encode", "to_json", "to_jsonb", "row_to_json", "array_to_json", "jsonb_pretty":
		return most + 1 // what must be escaped
	case "json_build_object", "jsonb_build_object", "json_build_array", "jsonb_build_array":
		return most + several(len(nodes)) + 1
	}
	return most
}

// times is how far a value grows that is repeated so many times, or made so long.
func times(n *node) int {
	if f, ok := number(n); ok && f < 1<<30 {
		return bits.Len(uint(max(0, f)))
	}
	switch m := unwrap(n).(type) {
	case *funcCall: // as long as something is
		if slices.Contains([]string{"length", "char_length", "character_length", "octet_length"}, lastOf(names(m.Funcname))) {
			return 6
		}
	case *aExpr:
		if op := operator(m); m.Kind == opPlain && m.Lexpr != nil && strings.Contains("+-", op) {
			return max(times(m.Lexpr), times(m.Rexpr)) + 1
		}
	}
	return unlimited
}

// grew refuses what is protected and may come to be too long by it.
func (ev eval) grew(v value) {
	if v.size > maxGrown {
		ev.useOf(v, "what may grow too long for a value")
	}
}

// tooWide refuses rows that hold what is protected beside what may come to be too
// long: a row has a longest length too.
func (a *analyst) tooWide(columns []column) {
	all := outputsOf(columns)
	if all.size > maxGrown {
		a.useOf(all, "a row with what may grow too long for one")
	}
}
