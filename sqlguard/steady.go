package sqlguard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a statement fails by must not be a protected value. A function fails, or
// does not, by the value alone (total.go); by what else it is given, where it
// looks at that for some values only; or by another expression, which runs for
// some values only. The last two are here.

// quick reports whether expressions hold nothing that takes time or fails:
// columns, constants and comparisons of them.
func quick(nodes []*node) bool {
	for _, n := range nodes {
		switch m := unwrap(n).(type) {
		case nil, *columnRef, *aConst, *paramRef:
		case *aExpr:
			op := strings.TrimPrefix(strings.Join(names(m.Name), "."), "pg_catalog.")
			if m.Kind == opPlain && !totalOperators[op] && !matchingOperators[op] || !soundMatch(m, true) || !quick([]*node{m.Lexpr, m.Rexpr}) {
				return false
			}
		case *typeCast:
			if _, name := qualified(names(m.TypeName.GetNames())); !textual[name] || len(m.TypeName.GetArrayBounds()) > 0 || !quick([]*node{m.Arg}) {
				return false
			}
		case *list:
			if !quick(m.Items) {
				return false
			}
		case *rowExpr:
			if !quick(m.Args) {
				return false
			}
		case *boolExpr:
			if !quick(m.Args) {
				return false
			}
		case *nullTest:
			if !quick([]*node{m.Arg}) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// inParts reports whether an operator runs one part after another, and not those
// after the one that decides: IN, BETWEEN and comparisons of rows.
func inParts(m *aExpr) bool {
	switch m.Kind {
	case opIn, opBetween, opNotBetween, opBetweenSym, opNotBetweenSym:
		return true
	}
	_, left := unwrap(m.Lexpr).(*rowExpr)
	_, right := unwrap(m.Rexpr).(*rowExpr)
	return left || right
}

// soundMatch reports whether a match with a pattern, if m is one, cannot fail for
// some texts and not for others: a LIKE pattern that ends in its escape fails where
// all before it matched. lazy: it may not run at all, and so must not fail at all.
func soundMatch(m *aExpr, lazy bool) bool {
	op := strings.TrimPrefix(strings.Join(names(m.Name), "."), "pg_catalog.")
	if m.Kind == opSimilar {
		return !lazy
	}
	if !matchingOperators[op] {
		return true
	}
	sound := soundLike
	if !strings.Contains(op, "~~") {
		if sound = plainRegex; !lazy && m.Kind != opAny && m.Kind != opAll {
			return true
		}
	}
	if m.Kind != opAny && m.Kind != opAll {
		return sound(m.Rexpr)
	}
	a, ok := unwrap(bare(m.Rexpr)).(*aArray) // of those, the first that decides ends it
	return ok && !slices.ContainsFunc(a.Elements, func(n *node) bool { return !sound(n) })
}

// soundLike reports whether a pattern of LIKE is a constant that does not end in
// its escape character.
func soundLike(n *node) bool {
	escape := `\`
	if f, ok := unwrap(n).(*funcCall); ok && lastOf(names(f.Funcname)) == "like_escape" && len(f.Args) == 2 {
		if escape, ok = constantText(f.Args[1]); !ok {
			return false
		}
		n = f.Args[0]
	}
	pattern, ok := constantText(n)
	if !ok || len(escape) > 1 {
		return false
	}
	for i := 0; escape != "" && i < len(pattern); i++ {
		if pattern[i] == escape[0] {
			if i++; i == len(pattern) {
				return false
			}
		}
	}
	return true
}

// steady reports whether a call fails neither for some first argument nor for
// there being one: what else it is given is in order. Most functions take
// anything else they are given.
func steady(name string, nodes []*node) bool {
	if len(nodes) == 0 {
		return true
	}
	others := nodes[1:]
	flags := func(from int, allowed string) bool {
		return len(others) <= from || len(others) == from+1 && isOneOf(others[from], allowed)
	}
	switch name {
	case "regexp_replace":
		return len(others) >= 2 && plainRegex(others[0]) && flags(2, "gi")
	case "regexp_match", "regexp_like", "regexp_split_to_array":
		return len(others) >= 1 && plainRegex(others[0]) && flags(1, "i")
	case "regexp_count", "regexp_substr", "substring":
		return len(others) == 1 && plainRegex(others[0])
	case "substr":
		return len(others) < 2 || isAtLeast(others[1], 0)
	case "nth_value":
		return len(others) == 1 && isAtLeast(others[0], 1)
	case "split_part":
		return len(others) == 2 && (isAtLeast(others[1], 1) || isNegative(others[1]))
	case "encode":
		form, ok := constantText(argument(others, 0))
		return ok && slices.Contains([]string{"hex", "base64", "escape"}, form)
	case "to_char":
		form, ok := constantText(argument(others, 0))
		return ok && (strings.Trim(form, "09") == "" || strings.Trim(form, "FM09") == "" && strings.HasPrefix(form, "FM") || strings.Trim(form, "YMDHI24:-/. ") == "")
	case "date_trunc":
		return isUnit(nodes[0], "day", "week", "month", "quarter", "year")
	case "date_part", "extract":
		return isUnit(nodes[0], "day", "dow", "doy", "week", "month", "quarter", "year")
	case "age":
		return len(others) == 0
	case "digest", "hmac", "crypt":
		return false
	}
	return true
}

// isOneOf reports whether an argument is a constant of the letters allowed.
func isOneOf(n *node, letters string) bool {
	s, ok := constantText(n)
	return ok && strings.Trim(s, letters) == ""
}

// isUnit reports whether an argument is one of the units of time that days have.
func isUnit(n *node, units ...string) bool {
	s, ok := constantText(n)
	return ok && slices.Contains(units, s)
}

func isAtLeast(n *node, least float64) bool {
	f, ok := number(n)
	return ok && f >= least
}

func isNegative(n *node) bool {
	f, ok := number(n)
	return ok && f < 0
}

// argument is the one at a place; nil where there is none.
func argument(nodes []*node, i int) *node {
	if i >= len(nodes) {
		return nil
	}
	return nodes[i]
}

// plainRegex reports whether a pattern is a constant in that part of PostgreSQL's
// regular expressions in which none is wrong.
// PostgreSQL 17, section 9.7.3 (functions-matching.html#FUNCTIONS-POSIX-REGEXP).
func plainRegex(n *node) bool {
	s, ok := constantText(n)
	if !ok || s == "" || len(s) > 1000 {
		return false
	}
	rest, ok := regexBranches(s, 0)
	return ok && rest == ""
}

const maxRegexDepth = 8

// regexBranches reads branches up to the end or to a closing parenthesis.
func regexBranches(s string, depth int) (rest string, ok bool) {
	for {
		n := 0
		for s != "" && s[0] != '|' && s[0] != ')' {
			if s, ok = regexPiece(s, depth); !ok {
				return s, false
			}
			n++
		}
		if n == 0 || !strings.HasPrefix(s, "|") {
			return s, n > 0
		}
		s = s[1:]
	}
}

var (
	regexAtom  = regexp.MustCompile(`^(?:[^\\^$.|?*+()\[\]{}\x00-\x1f]|\.|\\[dwsDWS]|\\[^\w\s\x80-\x{10ffff}]|\[\^?(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[^\\\[\]^\x00-\x1f-]|\\[dws]|\\[^\w\s\x80-\x{10ffff}])+-?\])`)
	regexTimes = regexp.MustCompile(`^(?:[*+?]|\{(\d{1,2})(?:(,)(\d{0,2}))?\})\??`)
	regexRange = regexp.MustCompile(`[a-zA-Z0-9]-[a-zA-Z0-9]`)
)

// regexPiece reads an anchor, or an atom and how many times it may come.
func regexPiece(s string, depth int) (rest string, ok bool) {
	if s[0] == '^' || s[0] == '$' {
		return s[1:], len(s) < 2 || !strings.ContainsAny(s[1:2], "*+?{")
	}
	if s[0] == '(' {
		if depth == maxRegexDepth {
			return s, false
		}
		s, ok = regexBranches(strings.TrimPrefix(s[1:], "?:"), depth+1)
		if !ok || !strings.HasPrefix(s, ")") {
			return s, false
		}
		s = s[1:]
	} else {
		atom := regexAtom.FindString(s)
		if atom == "" {
			return s, false
		}
		for _, r := range regexRange.FindAllString(atom, -1) {
			if r[0] > r[2] {
				return s, false
			}
		}
		s = s[len(atom):]
	}
	if m := regexTimes.FindStringSubmatch(s); m != nil {
		least, _ := strconv.Atoi(m[1])
		if most, err := strconv.Atoi(m[3]); err == nil && most < least {
			return s, false
		}
		s = s[len(m[0]):]
	}
	return s, s == "" || !strings.ContainsAny(s[:1], "*+?{")
}

var jsonPathStrings = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// gentlePath reports whether an argument is a constant path of the SQL/JSON path
// language that fails for no document: it takes parts and compares them, in lax
// mode, and neither computes nor converts.
// PostgreSQL 17, section 9.16.2 (functions-json.html#FUNCTIONS-SQLJSON-PATH).
func gentlePath(n *node) bool {
	s, ok := exactText(n, "jsonpath")
	if !ok || len(s) > 1000 {
		return false
	}
	s = jsonPathStrings.ReplaceAllString(s, `"`)
	for _, m := range jsonPathMethods.FindAllStringSubmatch(s, -1) {
		if m[1] != "size" && m[1] != "type" {
			return false
		}
	}
	return jsonPathGentle.MatchString(s) && !jsonPathHarsh.MatchString(s)
}

var (
	jsonPathMethods = regexp.MustCompile(`\.\s*(\w+)\s*\(`)
	jsonPathGentle  = regexp.MustCompile(`^(?:[\w\s@"?()=<>!&|$.]|\.\s*\*{1,2}|\[\s*(?:\*|\d+|last|\d+\s+to\s+(?:\d+|last))\s*\])+$`)
	jsonPathHarsh   = regexp.MustCompile(`(?i)\bstrict\b|\$["\w]`) // strict mode, and variables that may not be there
)
