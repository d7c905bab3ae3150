package sqlguard

import (
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// span is where the values of an expression lie, as far as anybody would miss
// them: a length is no less than 0, x % 2 is 0 or 1, a key is from 1 to a million.
type span struct {
	lo, hi float64
	whole  bool // no values but integers
}

func one(v float64) span { return span{v, v, v == math.Trunc(v)} }

// numbers are those of a column that is compared with numbers.
var (
	anyNumber = span{0, hugeNumber - 0.5, false}
	anyCount  = span{0, hugeNumber - 0.5, true}
	anyKey    = span{1, hugeKey - 0.5, true}
)

// parts of a time, by the name that extract takes.
var timeParts = map[string]span{
	"year": {1970, 2199, true}, "month": {1, 12, true}, "day": {1, 31, true}, "hour": {0, 23, true}, "minute": {0, 59, true}, "second": {0, 60, false},
	"dow": {0, 6, true}, "isodow": {1, 7, true}, "doy": {1, 366, true}, "week": {1, 53, true}, "quarter": {1, 4, true}, "epoch": {0, 1e11, false},
	"century": {20, 22, true}, "decade": {197, 219, true}, "isoyear": {1970, 2199, true},
}

// spanOf is where the values of an expression lie; false when nobody knows.
func (c condition) spanOf(n *node) (span, bool) {
	if v, ok := number(n); ok {
		return one(v), true
	}
	switch m := unwrap(n).(type) {
	case *columnRef:
		switch {
		case !c.isOurs(m, c.scope):
		case c.isKey(n):
			return anyKey, true
		case !c.isText(m):
			return anyNumber, true
		}
	case *typeCast:
		_, name := qualified(names(m.TypeName.GetNames()))
		if strings.HasPrefix(name, "int") && c.isTruth(m.Arg) {
			return span{0, 1, true}, true
		}
		if s, ok := c.spanOf(m.Arg); ok && name != "text" && name != "varchar" {
			return s, true
		}
	case *subLink:
		if b := bare(n); b != n {
			return c.spanOf(b)
		}
	case *aExpr:
		return c.spanOfOperation(m)
	case *funcCall:
		return c.spanOfCall(m)
	case *coalesce:
		return c.spanOfAll(m.Args)
	case *minMax:
		return c.spanOfExtreme(m)
	case *caseExpr:
		var results []*node
		for _, w := range m.Args {
			results = append(results, w.GetCaseWhen().GetResult())
		}
		if m.Defresult != nil {
			results = append(results, m.Defresult)
		}
		return c.spanOfAll(results)
	}
	return span{}, false
}

// spanOfAll is the span over several.
func (c condition) spanOfAll(nodes []*node) (span, bool) {
	all := span{math.Inf(1), math.Inf(-1), true}
	for _, n := range nodes {
		s, ok := c.spanOf(n)
		if !ok {
			return span{}, false
		}
		all = span{min(all.lo, s.lo), max(all.hi, s.hi), all.whole && s.whole}
	}
	return all, len(nodes) > 0
}

// spanOfExtreme is the span of GREATEST or LEAST.
func (c condition) spanOfExtreme(m *minMax) (span, bool) {
	all, ok := c.spanOfAll(m.Args)
	for _, n := range m.Args {
		if s, known := c.spanOf(n); known && m.Op.String() == "IS_LEAST" {
			all.hi = min(all.hi, s.hi)
		} else if known {
			all.lo = max(all.lo, s.lo)
		}
	}
	return all, ok
}

func (c condition) spanOfOperation(e *aExpr) (span, bool) {
	if e.Kind == opNullIf {
		return c.spanOf(e.Lexpr)
	}
	if e.Kind != opPlain {
		return span{}, false
	}
	r, ok := c.spanOf(e.Rexpr)
	if !ok {
		return span{}, false
	}
	op := operator(e)
	if e.Lexpr == nil {
		switch op {
		case "-":
			return span{-r.hi, -r.lo, r.whole}, true
		case "@":
			return absolute(r), true
		case "+":
			return r, true
		}
		return span{}, false
	}
	l, ok := c.spanOf(e.Lexpr)
	if !ok {
		return span{}, false
	}
	whole := l.whole && r.whole
	switch op {
	case "+":
		return span{l.lo + r.lo, l.hi + r.hi, whole}, true
	case "-":
		return span{l.lo - r.hi, l.hi - r.lo, whole}, true
	case "*":
		ends := []float64{l.lo * r.lo, l.lo * r.hi, l.hi * r.lo, l.hi * r.hi}
		return span{slices.Min(ends), slices.Max(ends), whole}, true
	case "%":
		return remainder(l, r)
	case "&":
		if r.lo == r.hi && r.lo >= 0 && l.lo >= 0 {
			return span{0, r.hi, true}, true
		}
	case "/":
		if r.lo == r.hi && r.lo > 0 {
			return span{l.lo / r.lo, l.hi / r.lo, false}, true
		}
	case "^":
		if l.lo == l.hi && r.lo == r.hi {
			return one(math.Pow(l.lo, r.lo)), true
		}
	case "<<":
		if l.lo == l.hi && r.lo == r.hi {
			return one(l.lo * math.Pow(2, r.lo)), true
		}
	}
	return span{}, false
}

func remainder(l, r span) (span, bool) {
	if r.lo != r.hi || r.lo <= 0 {
		return span{}, false
	}
	low := 0.0
	if l.lo < 0 {
		low = 1 - r.lo
	}
	return span{low, r.lo - 1, true}, true
}

func absolute(s span) span {
	if s.lo >= 0 {
		return s
	}
	return span{0, max(-s.lo, s.hi), s.whole}
}

func (c condition) spanOfCall(f *funcCall) (span, bool) {
	name := lastOf(names(f.Funcname))
	switch name {
	case "length", "char_length", "character_length", "octet_length", "bit_length", "cardinality", "jsonb_array_length", "json_array_length":
		if len(f.Args) == 0 {
			return span{}, false
		}
		if inner, ok := unwrap(bare(f.Args[0])).(*funcCall); ok && lastOf(names(inner.Funcname)) == "md5" {
			return one(32), true
		}
		if samples := c.written(f.Args[0]); samples != nil {
			return span{float64(len(samples[0])), 20, true}, true
		}
		return anyCount, true
	case "random":
		return span{0, 1, false}, true
	case "sign":
		return span{-1, 1, true}, true
	case "date_part", "extract":
		if len(f.Args) == 2 {
			part, ok := constantText(f.Args[0])
			s, known := timeParts[strings.ToLower(part)]
			return s, ok && known
		}
	}
	if len(f.Args) == 0 {
		return span{}, false
	}
	s, ok := c.spanOf(f.Args[0])
	if !ok {
		return span{}, false
	}
	switch name {
	case "abs":
		return absolute(s), true
	case "floor", "ceil", "ceiling", "round", "trunc":
		return span{math.Floor(s.lo), math.Ceil(s.hi), true}, true
	case "int4", "int8", "int2", "float8", "numeric":
		return s, true
	case "mod":
		if r, ok := c.spanOf(f.Args[len(f.Args)-1]); ok && len(f.Args) == 2 {
			return remainder(s, r)
		}
	}
	return span{}, false
}

// isText reports whether a column of ours is known to hold no numbers.
func (c condition) isText(ref *columnRef) bool {
	const textOID, varcharOID, bpcharOID, jsonbOID, timestampOID, timestamptzOID, dateOID, boolOID = 25, 1043, 1042, 3802, 1114, 1184, 1082, 16
	name := lastOf(names(ref.Fields))
	for _, rel := range c.relations {
		for _, a := range rel.columns {
			if a.name == name {
				return slices.Contains([]uint32{textOID, varcharOID, bpcharOID, jsonbOID, timestampOID, timestamptzOID, dateOID, boolOID}, a.typ)
			}
		}
	}
	return false
}

// isTruth reports whether an expression is true or false: a condition, or a
// column of type boolean.
func (c condition) isTruth(n *node) bool {
	switch m := unwrap(bare(n)).(type) {
	case *boolExpr, *nullTest, *booleanTest:
		return true
	case *subLink:
		return m.SubLinkType == subExists || m.SubLinkType == subAny
	case *aExpr:
		switch m.Kind {
		case opIn, opBetween, opNotBetween, opDistinct, opNotDistinct, opAny, opAll, opLike, opILike, opSimilar:
			return true
		}
		return slices.Contains([]string{"=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~", "!~", "@>", "<@", "&&", "?"}, operator(m))
	case *columnRef:
		const boolOID = 16
		name := lastOf(names(m.Fields))
		for _, rel := range c.relations {
			for _, a := range rel.columns {
				if a.name == name && a.typ == boolOID {
					return true
				}
			}
		}
	}
	return false
}

// always reports whether a comparison holds wherever the values lie.
func (l span) always(op string, r span) bool {
	switch op {
	case ">":
		return l.lo > r.hi
	case ">=":
		return l.lo >= r.hi
	case "<":
		return l.hi < r.lo
	case "<=":
		return l.hi <= r.lo
	case "<>":
		return l.hi < r.lo || l.lo > r.hi
	case "=":
		return l.lo == l.hi && l == r
	}
	return false
}

// ofSpans judges a comparison by where the values of its sides lie.
func (c condition) ofSpans(e *aExpr, op string, negated bool) bool {
	l, ok := c.spanOf(e.Lexpr)
	if !ok {
		return false
	}
	if e.Kind == opPlain {
		r, ok := c.spanOf(e.Rexpr)
		if negated {
			op = inverted[op]
		}
		return ok && l.always(op, r)
	}
	pieces, ok := c.pieces(e, negated)
	return ok && covered(pieces, l)
}

// piece is a part of the numbers, ends included or not.
type piece struct {
	lo, hi         float64
	openLo, openHi bool
}

// pieces are the numbers for which a comparison with constants holds.
func (c condition) pieces(e *aExpr, negated bool) ([]piece, bool) {
	op := operator(e)
	if negated {
		op = inverted[op]
	}
	value := func(n *node) (float64, bool) {
		s, ok := c.spanOf(n)
		return s.lo, ok && s.lo == s.hi
	}
	switch e.Kind {
	case opPlain:
		v, ok := value(e.Rexpr)
		return piecesOf(op, v), ok && op != ""
	case opBetween, opNotBetween:
		l, ok := unwrap(e.Rexpr).(*list)
		if !ok || len(l.Items) != 2 {
			return nil, false
		}
		from, ok1 := value(l.Items[0])
		to, ok2 := value(l.Items[1])
		if (e.Kind == opBetween) != negated {
			return []piece{{from, to, false, false}}, ok1 && ok2
		}
		return append(piecesOf("<", from), piecesOf(">", to)...), ok1 && ok2
	case opIn, opAny:
		var items []*node
		switch m := unwrap(bare(e.Rexpr)).(type) {
		case *list:
			items = m.Items
		case *aArray:
			items = m.Elements
		default:
			return nil, false
		}
		if op != "=" || len(items) > maxDisjuncts {
			return nil, false
		}
		var all []piece
		for _, n := range items {
			v, ok := value(n)
			if !ok {
				return nil, false
			}
			all = append(all, piecesOf("=", v)...)
		}
		return all, true
	}
	return nil, false
}

func piecesOf(op string, v float64) []piece {
	below, above := math.Inf(-1), math.Inf(1)
	switch op {
	case "=":
		return []piece{{v, v, false, false}}
	case "<>":
		return []piece{{below, v, true, true}, {v, above, true, true}}
	case "<":
		return []piece{{below, v, true, true}}
	case "<=":
		return []piece{{below, v, true, false}}
	case ">":
		return []piece{{v, above, true, true}}
	case ">=":
		return []piece{{v, above, false, true}}
	}
	return nil
}

// covered reports whether pieces leave out nothing of a span.
func covered(pieces []piece, s span) bool {
	if s.whole {
		for i, p := range pieces { // from integer to integer
			if p.openLo = p.openLo && !math.IsInf(p.lo, 0); p.openLo {
				pieces[i].lo, pieces[i].openLo = math.Floor(p.lo)+1, false
			}
			if p.openHi = p.openHi && !math.IsInf(p.hi, 0); p.openHi {
				pieces[i].hi, pieces[i].openHi = math.Ceil(p.hi)-1, false
			}
		}
	}
	slices.SortFunc(pieces, func(a, b piece) int {
		switch {
		case a.lo < b.lo, a.lo == b.lo && !a.openLo && b.openLo:
			return -1
		case a.lo > b.lo, a.lo == b.lo && a.openLo && !b.openLo:
			return 1
		}
		return 0
	})
	at, open := s.lo, true // all below at is covered, and at itself unless open
	for _, p := range pieces {
		step := 0.0
		if s.whole && !open {
			step = 1
		}
		if p.lo > at+step || p.lo == at && p.openLo && open && !s.whole {
			return false
		}
		if p.hi > at || p.hi == at && !p.openHi {
			at, open = p.hi, p.openHi && !math.IsInf(p.hi, 1)
		}
		if at > s.hi || at == s.hi && !open {
			return true
		}
	}
	return false
}

// together reports whether disjuncts over one expression leave out nothing:
// x = 1 OR x > 1 of a key.
func (c condition) together(args []*node, negated bool) bool {
	type group struct {
		of     *node
		pieces []piece
	}
	var groups []group
	for _, n := range args {
		e, no := c.core(n, negated)
		if e == nil || e.Lexpr == nil {
			continue
		}
		if _, ok := number(e.Lexpr); ok {
			e = &aExpr{Kind: e.Kind, Name: e.Name, Lexpr: e.Rexpr, Rexpr: e.Lexpr}
			if mirrored[operator(e)] != operator(e) {
				continue
			}
		}
		pieces, ok := c.pieces(e, no)
		if !ok {
			continue
		}
		at := slices.IndexFunc(groups, func(g group) bool { return same(g.of, e.Lexpr) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{of: e.Lexpr})
		}
		groups[at].pieces = append(groups[at].pieces, pieces...)
	}
	return slices.ContainsFunc(groups, func(g group) bool {
		s, ok := c.spanOf(g.of)
		if !ok {
			s = span{math.Inf(-1), math.Inf(1), false}
		}
		return len(g.pieces) > 1 && covered(g.pieces, s)
	})
}

// core is the comparison that a disjunct comes to: without NOT, and without
// what stands beside it by AND and restricts nothing.
func (c condition) core(n *node, negated bool) (*aExpr, bool) {
	switch m := unwrap(n).(type) {
	case *aExpr:
		return m, negated
	case *boolExpr:
		if m.Boolop == boolNot {
			return c.core(m.Args[0], !negated)
		}
		if (m.Boolop == boolAnd) == negated {
			return nil, false
		}
		var left []*node
		for _, arg := range m.Args {
			if t := c.judge(arg, negated); t == some || t == never {
				left = append(left, arg)
			}
		}
		if len(left) == 1 {
			return c.core(left[0], negated)
		}
	}
	return nil, false
}

// counted judges a subselect that counts, compared with a number: more than
// none is EXISTS.
func (c condition) counted(n *node, op string, bound *node, negated bool) (truth, bool) {
	s, ok := unwrap(n).(*subLink)
	if !ok || s.SubLinkType != subExpr {
		return either, false
	}
	q, ok := unwrap(s.Subselect).(*selectStmt)
	if !ok || q.Op != setNone || len(q.TargetList) != 1 || len(q.GroupClause) > 0 || len(q.FromClause) == 0 {
		return either, false
	}
	f, ok := unwrap(q.TargetList[0].GetResTarget().GetVal()).(*funcCall)
	v, isConst := number(bare(bound))
	if !ok || !isConst || lastOf(names(f.Funcname)) != "count" {
		return either, false
	}
	if negated {
		op = inverted[op]
	}
	none, oneOrMore := one(0).always(op, one(v)), span{1, math.Inf(1), true}.always(op, one(v)) || op == "=" && v == 1
	switch {
	case none && oneOrMore:
		return either, true
	case oneOrMore:
		return c.exists(q, false), true
	case none:
		return c.exists(q, true), true
	}
	return some, true
}

// exists judges EXISTS over a query whose own outputs do not matter.
func (c condition) exists(q *selectStmt, negated bool) truth {
	if !negated {
		if _, whole := c.everyRow(q, c.frame, 0); whole {
			return either
		}
	}
	return c.correlates(q, negated)
}

// aggregates reports whether a query without GROUP BY gives one row whatever
// there is.
func aggregates(q *selectStmt) bool {
	if q.Op != setNone || len(q.GroupClause) > 0 || q.HavingClause != nil {
		return false
	}
	return slices.ContainsFunc(q.TargetList, func(n *node) bool {
		f, ok := unwrap(n.GetResTarget().GetVal()).(*funcCall)
		return ok && f.Over == nil && aggregateNames[lastOf(names(f.Funcname))]
	})
}

var aggregateNames = map[string]bool{
	"count": true, "sum": true, "avg": true, "min": true, "max": true, "bool_or": true, "bool_and": true, "every": true,
	"array_agg": true, "string_agg": true, "json_agg": true, "jsonb_agg": true, "any_value": true,
}

// gathers lists the aggregates that keep every value.
var gathers = map[string]bool{"array_agg": true, "string_agg": true, "json_agg": true, "jsonb_agg": true, "xmlagg": true, "range_agg": true}

// noRows reports whether LIMIT 0 stands on a query.
func noRows(q *selectStmt) bool {
	n, ok := number(q.LimitCount)
	return q.LimitCount != nil && ok && n == 0
}

// isValues gives the single values of VALUES (a), (b).
func isValues(q *selectStmt) ([]*node, bool) {
	var items []*node
	for _, n := range q.ValuesLists {
		l, ok := unwrap(n).(*list)
		if !ok || len(l.Items) != 1 {
			return nil, false
		}
		items = append(items, l.Items[0])
	}
	return items, len(items) > 0 && q.LimitCount == nil && q.LimitOffset == nil
}

// hasTable reports whether anything in FROM is a relation.
func hasTable(from []*node) bool {
	return contains(listOf(from), func(m proto.Message) bool { _, ok := m.(*rangeVar); return ok })
}
