package sqlguard

import (
	"regexp"
	"strconv"
	"strings"
)

// probes are texts of which a pattern that takes all of them takes anything that
// somebody would write.
var probes = []string{"a", "Zz", "7", "héllo, wörld", "two\nlines", "a-b_c.d@example.com", strings.Repeat("x", 200)}

// takesAll reports whether a regular expression matches whatever it is given.
func takesAll(pattern string) bool {
	re, err := regexp.Compile("(?s)" + pattern)
	if err != nil || len(pattern) > 1000 {
		return false
	}
	for _, p := range probes {
		if !re.MatchString(p) {
			return false
		}
	}
	return true
}

// takesNone reports whether a regular expression matches nothing: it asks for a
// character before the beginning, or after the end.
func takesNone(pattern string) bool {
	if strings.ContainsAny(pattern, `\[(|{`) || len(pattern) < 2 {
		return false
	}
	literal := func(c byte) bool { return c != '*' && c != '?' && c != '^' && c != '$' }
	if i := strings.LastIndexByte(pattern, '^'); i > 0 && literal(pattern[i-1]) {
		return true
	}
	i := strings.IndexByte(pattern, '$')
	return i >= 0 && i < len(pattern)-1 && literal(pattern[i+1])
}

// likesAll reports whether a LIKE pattern takes whatever it is given.
func likesAll(pattern string) bool {
	return pattern != "" && strings.Trim(pattern, "%") == ""
}

// ofPatterns judges a match with one of several patterns, or with all of them.
func ofPatterns(e *aExpr, op string) (truth, bool) {
	is := map[string]func(string) bool{"~~": likesAll, "~~*": likesAll, "~": takesAll, "~*": takesAll}[op]
	if is == nil || e.Kind != opAny && e.Kind != opAll {
		return either, false
	}
	var patterns []string
	switch m := unwrap(bare(e.Rexpr)).(type) {
	case *aArray:
		for _, n := range m.Elements {
			s, ok := constantText(n)
			if !ok {
				return either, false
			}
			patterns = append(patterns, s)
		}
	case *aConst:
		for _, s := range strings.Split(strings.Trim(constText(m), "{}"), ",") {
			patterns = append(patterns, strings.Trim(s, `" `))
		}
	default:
		return either, false
	}
	all := len(patterns) > 0
	for _, p := range patterns {
		if e.Kind == opAny && is(p) {
			return either, true
		}
		all = all && is(p)
	}
	return either, all && e.Kind == opAll
}

// opened are the ranges that hold whatever anybody has: '(,)', '[0,)'.
func opened(text string, key bool) bool {
	text = strings.Trim(text, "{} ")
	if len(text) < 3 || strings.IndexByte("[(", text[0]) < 0 || strings.IndexByte("])", text[len(text)-1]) < 0 {
		return false
	}
	from, to, ok := strings.Cut(text[1:len(text)-1], ",")
	return ok && rangeEnd(from, key, false) && rangeEnd(to, key, true)
}

// rangeEnd reports whether an end of a range lies beyond all values.
func rangeEnd(s string, key, upper bool) bool {
	s = strings.Trim(s, `" `)
	if s == "" || s == "infinity" || s == "-infinity" {
		return true
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		least, most := 0.0, hugeNumber
		if key {
			least, most = 1, hugeKey
		}
		return upper && v >= most || !upper && v <= least
	}
	if upper {
		return year(s, func(y int) bool { return y >= farYear })
	}
	return year(s, func(y int) bool { return y <= 1970 })
}

// inRange judges x <@ '[0,)'::int4range and int4range(0, NULL) @> x.
func (c condition) inRange(of, in *node) bool {
	key := c.isKey(of)
	in = bare(in)
	if s, ok := constantText(in); ok {
		return opened(s, key)
	}
	f, ok := unwrap(in).(*funcCall)
	if !ok || !strings.HasSuffix(lastOf(names(f.Funcname)), "range") || len(f.Args) < 2 {
		return false
	}
	for i, n := range f.Args[:2] {
		if isNullConst(n) {
			continue
		}
		s := ""
		if v, isNumber := number(bare(n)); isNumber {
			s = strconv.FormatFloat(v, 'f', -1, 64)
		} else if text, isText := constantText(bare(n)); isText && text != "" {
			s = text
		}
		if s == "" || !rangeEnd(s, key, i == 1) {
			return false
		}
	}
	return true
}

// farYear and later is when nothing that is in a table happens.
const farYear = 2090

// yearOf is about when a time is that is written out or counted from now.
func yearOf(n *node) (float64, bool) {
	n = bare(n)
	switch m := unwrap(n).(type) {
	case *valueFunc:
		return thisYear, true
	case *aConst:
		s := strings.ToLower(constText(m))
		switch s {
		case "epoch":
			return 1970, true
		case "now", "today", "tomorrow", "yesterday":
			return thisYear, true
		}
	case *funcCall:
		return yearOfCall(m)
	case *aExpr:
		op := operator(m)
		if m.Kind != opPlain || m.Lexpr == nil || op != "+" && op != "-" {
			return 0, false
		}
		at, ok := yearOf(m.Lexpr)
		years, isInterval := intervalYears(m.Rexpr)
		if op == "-" {
			years = -years
		}
		return at + years, ok && isInterval
	}
	return 0, false
}

// thisYear stands for now. Only distances from it are judged, against farYear: the
// clock plays no part, and no verdict changes with time.
const thisYear = 2026

func yearOfCall(f *funcCall) (float64, bool) {
	switch lastOf(names(f.Funcname)) {
	case "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp":
		return thisYear, true
	case "to_timestamp":
		if len(f.Args) == 1 {
			v, ok := number(bare(f.Args[0]))
			return 1970 + v/31556952, ok
		}
	case "make_date", "make_timestamp", "make_timestamptz":
		if len(f.Args) > 0 {
			return number(bare(f.Args[0]))
		}
	case "date_trunc":
		if len(f.Args) > 1 {
			return yearOf(f.Args[1])
		}
	}
	return 0, false
}

// intervalYears is how many years an interval is, or a number of days.
func intervalYears(n *node) (float64, bool) {
	if v, ok := number(bare(n)); ok {
		return v / 365.25, true
	}
	s, ok := constantText(bare(n))
	fields := strings.Fields(strings.ToLower(s))
	if !ok || len(fields) < 2 {
		return 0, false
	}
	v, err := strconv.ParseFloat(fields[0], 64)
	for unit, years := range map[string]float64{"year": 1, "decade": 10, "centur": 100, "millenni": 1000, "month": 1.0 / 12, "week": 1.0 / 52, "day": 1 / 365.25} {
		if strings.HasPrefix(fields[1], unit) {
			return v * years, err == nil
		}
	}
	return 0, err == nil // hours and less
}

// operatorOf gives the operator that a function is: int4ge is >=.
func operatorOf(name string) string {
	for _, kind := range []string{
		"int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84", "float4", "float8", "float48", "float84", "numeric_", "text", "text_",
		"bpchar", "name", "bool", "date_", "time_", "timestamp_", "timestamptz_", "timetz_", "interval_", "uuid_", "oid", "char", "bytea", "record_", "array_",
		"jsonb_", "enum_", "tid", "xid", "network_", "citext_", "btrecord", "btarray",
	} {
		if op, ok := strings.CutPrefix(name, kind); ok {
			if is := functionOperators[op]; is != "" {
				return is
			}
		}
	}
	return map[string]string{"like": "~~", "textlike": "~~", "textregexeq": "~", "texticlike": "~~*", "texticregexeq": "~*", "textnlike": "!~~", "textregexne": "!~"}[name]
}

var functionOperators = map[string]string{"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

// asOperator gives a call of an operator's function as that operator.
func asOperator(f *funcCall) (*node, bool) {
	op := operatorOf(lastOf(names(f.Funcname)))
	if op == "" || len(f.Args) != 2 {
		return nil, false
	}
	kind := opPlain
	if strings.Contains(op, "~~") {
		kind = opLike
	}
	name := []*node{{Node: &pgString{String_: &str{Sval: op}}}}
	return &node{Node: &pgExpr{AExpr: &aExpr{Kind: kind, Name: name, Lexpr: f.Args[0], Rexpr: f.Args[1]}}}, true
}
