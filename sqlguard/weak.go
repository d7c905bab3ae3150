package sqlguard

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
)

// Conditions that mention the target and still leave out no row, or none that
// anybody would miss. docs/guard.md lists them.

// bare is an expression without its casts and collations.
func bare(n *node) *node {
	for {
		switch m := unwrap(n).(type) {
		case *typeCast:
			n = m.Arg
		case *collate:
			n = m.Arg
		case *subLink:
			q, ok := unwrap(m.Subselect).(*selectStmt)
			if !ok || m.SubLinkType != subExpr || loneValue(q) == nil {
				return n
			}
			n = loneValue(q)
		default:
			return n
		}
	}
}

// weak judges a comparison that is no restriction: of a column with itself, with
// a bound beyond all values, of the whole row.
func (c condition) weak(e *aExpr, negated bool) (truth, bool) {
	if e.Lexpr == nil {
		return either, false
	}
	op := operator(e)
	if t, ok := c.ofTruth(e, op, negated); ok {
		return t, true
	}
	if c.ofSpans(e, op, negated) || c.ofAllTruth(e, op, negated) || !negated && c.ofGathered(e, op) {
		return either, true
	}
	if t, ok := ofPatterns(e, op); ok && !negated {
		return t, true
	}
	for _, side := range []struct {
		of, with *node
		op       string
	}{{e.Lexpr, e.Rexpr, op}, {e.Rexpr, e.Lexpr, mirrored[op]}} {
		if t, ok := c.counted(side.of, side.op, side.with, negated); ok && e.Kind == opPlain {
			return t, true
		}
		if s, ok := unwrap(bare(side.of)).(*subLink); ok && e.Kind == opPlain && op == "=" && !negated && s.SubLinkType == subExpr {
			if q, ok := unwrap(s.Subselect).(*selectStmt); ok && c.isIn(side.with, q) {
				return either, true
			}
		}
		if e.Kind == opPlain && !negated && side.op == "<@" && c.inRange(side.of, side.with) {
			return either, true
		}
	}
	l, r := c.columnsOf(e.Lexpr), c.columnsOf(e.Rexpr)
	if len(l) == 0 {
		l, r = r, l
		e, op = &aExpr{Kind: e.Kind, Lexpr: e.Rexpr, Rexpr: e.Lexpr}, mirrored[op]
	}
	switch {
	case len(l) == 0:
		return either, true
	case overlaps(l, r):
		return c.ofItself(e, op, negated)
	case c.ofOuter(e, op) && !negated:
		return either, true
	case len(r) > 0:
		return either, false
	}
	delete(l, "*")
	for _, name := range rowless {
		delete(l, name)
	}
	if len(l) == 0 {
		return either, true
	}
	return c.ofBound(e, op, negated)
}

// ofAllTruth: what is true or false is no less than false, among both of them,
// and no null; what is no null is no null.
func (c condition) ofAllTruth(e *aExpr, op string, negated bool) bool {
	if e.Kind == opDistinct && !negated || e.Kind == opNotDistinct && negated {
		if isNullConst(e.Lexpr) || isNullConst(e.Rexpr) {
			return true
		}
	}
	if !c.isTruth(e.Lexpr) || negated {
		return false
	}
	switch e.Kind {
	case opPlain:
		yes, ok := truthOf(e.Rexpr)
		return ok && (op == ">=" && !yes || op == "<=" && yes)
	case opIn, opAny:
		var has [2]bool
		each := func(n *node) {
			if yes, ok := truthOf(n); ok && yes {
				has[1] = true
			} else if ok {
				has[0] = true
			}
		}
		switch m := unwrap(bare(e.Rexpr)).(type) {
		case *list:
			for _, n := range m.Items {
				each(n)
			}
		case *aArray:
			for _, n := range m.Elements {
				each(n)
			}
		case *aConst:
			for _, s := range strings.Split(strings.Trim(constText(m), "{}"), ",") {
				each(makeText(s))
			}
		}
		return op == "=" && has[0] && has[1]
	}
	return false
}

// ofGathered: a value is among all values of its column, or of its type.
func (c condition) ofGathered(e *aExpr, op string) bool {
	for _, side := range []struct {
		of, in *node
		op     string
	}{{e.Lexpr, e.Rexpr, op}, {e.Rexpr, e.Lexpr, mirrored[op]}} {
		mine := c.columnsOf(side.of)
		if len(mine) == 0 || side.in == nil {
			continue
		}
		if e.Kind == opAny && op == "=" {
			for name := range mine {
				if c.holdsAll(side.in, name) || c.besideHolds(side.in, name) {
					return true
				}
			}
		}
		found := func(name string) bool {
			return contains(side.in, func(m proto.Message) bool {
				f, ok := m.(*funcCall)
				return ok && lastOf(names(f.Funcname)) == name
			})
		}
		if e.Kind == opAny && op == "=" && found("enum_range") || side.op == ">=" && found("enum_first") || side.op == "<=" && found("enum_last") {
			return true
		}
		if e.Kind == opPlain {
			at, ok := yearOf(side.in)
			if ok && (strings.HasPrefix(side.op, ">") && at <= 1970 || side.op != "<>" && strings.HasPrefix(side.op, "<") && at >= farYear) {
				return true
			}
		}
	}
	return false
}

// besideHolds: an array of a subselect beside the target that gathers the column.
func (c condition) besideHolds(n *node, column string) bool {
	ref, ok := unwrap(bare(n)).(*columnRef)
	if !ok {
		return false
	}
	parts := names(ref.Fields)
	item := c.beside[firstOf(parts)]
	if len(parts) != 2 || item == nil {
		return false
	}
	columns, whole := c.wholeItem(item, c.frame, 0)
	return whole && (columns[parts[1]] == column || columns[parts[1]] == "*")
}

// mirrored are the operators as they read from the right.
var mirrored = map[string]string{"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=", "@>": "<@", "<@": "@>"}

// inverted are the operators as they read negated.
var inverted = map[string]string{"=": "<>", "<>": "=", "<": ">=", ">": "<=", "<=": ">", ">=": "<", "~~": "!~~", "!~~": "~~", "~": "!~", "!~": "~"}

func overlaps(a, b map[string]bool) bool {
	for name := range a {
		if b[name] || name == "*" && len(b) > 0 {
			return true
		}
	}
	return len(a) > 0 && b["*"]
}

// ofTruth judges (id > 0) = true and the like as what is compared.
func (c condition) ofTruth(e *aExpr, op string, negated bool) (truth, bool) {
	if e.Kind != opPlain && e.Kind != opDistinct && e.Kind != opNotDistinct || op != "=" && op != "<>" {
		return either, false
	}
	not := (op == "<>") != (e.Kind == opDistinct)
	for _, pair := range [][2]*node{{e.Lexpr, e.Rexpr}, {e.Rexpr, e.Lexpr}} {
		yes, ok := truthOf(pair[1])
		if !ok {
			continue
		}
		switch m := unwrap(bare(pair[0])).(type) {
		case *boolExpr, *nullTest, *booleanTest:
		case *subLink:
			if m.SubLinkType != subExists && m.SubLinkType != subAny {
				continue
			}
		case *aExpr:
			if !slices.Contains([]string{"=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~", "!~"}, operator(m)) {
				continue
			}
		default:
			continue
		}
		return c.judge(bare(pair[0]), negated != (yes == not)), true
	}
	return either, false
}

// truthOf gives the truth that a constant stands for: true, 't', 1.
func truthOf(n *node) (yes, ok bool) {
	k, isConst := unwrap(bare(n)).(*aConst)
	if !isConst || k.Isnull {
		return false, false
	}
	return boolean(constText(k))
}

// ofItself judges a comparison that has a column on both sides.
func (c condition) ofItself(e *aExpr, op string, negated bool) (truth, bool) {
	if negated {
		op = inverted[op]
	}
	if e.Kind == opDistinct {
		op = "<>"
	}
	// lower(email) <> email looks for what is not as it should be.
	_, lf := unwrap(bare(e.Lexpr)).(*funcCall)
	_, rf := unwrap(bare(e.Rexpr)).(*funcCall)
	_, lc := unwrap(bare(e.Lexpr)).(*columnRef)
	_, rc := unwrap(bare(e.Rexpr)).(*columnRef)
	if op == "<>" && (lf && rc || rf && lc) {
		return some, true
	}
	mine, other := c.columnsOf(e.Lexpr), c.columnsOf(e.Rexpr)
	if !maps.Equal(mine, other) && len(mine)+len(other) > 2 && !mine["*"] && !other["*"] {
		return some, true
	}
	return either, true
}

// ofOuter reports whether a condition in a subquery over the target again only
// finds the row it came from: n2.id = notes.id.
func (c condition) ofOuter(e *aExpr, op string) bool {
	if e.Kind != opPlain || op != "=" && op != "<=" && op != ">=" {
		return false
	}
	a, ok1 := unwrap(bare(e.Lexpr)).(*columnRef)
	b, ok2 := unwrap(bare(e.Rexpr)).(*columnRef)
	if !ok1 || !ok2 {
		return false
	}
	x, y := names(a.Fields), names(b.Fields)
	if x[len(x)-1] != y[len(y)-1] {
		return false
	}
	return len(y) > 1 && c.outer[y[len(y)-2]] || len(x) > 1 && c.outer[x[len(x)-2]]
}

const (
	hugeNumber = 1e9 // beyond what a table counts
	hugeKey    = 1e6
)

// ofBound judges a comparison with something that is no column of ours.
func (c condition) ofBound(e *aExpr, op string, negated bool) (truth, bool) {
	switch e.Kind {
	case opPlain, opDistinct, opNotDistinct:
	case opBetween, opNotBetween:
		if (e.Kind == opBetween) == negated {
			return some, true
		}
		l, ok := unwrap(e.Rexpr).(*list)
		if !ok || len(l.Items) != 2 {
			return some, true
		}
		if c.beyond(e.Lexpr, ">=", l.Items[0]) && c.beyond(e.Lexpr, "<=", l.Items[1]) {
			return either, true
		}
		return some, true
	case opIn, opAny, opAll:
		return c.ofList(e, op, negated)
	case opLike, opILike, opSimilar:
		pattern, ok := constantText(e.Rexpr)
		if c.isPlace(e.Lexpr) || strings.HasPrefix(op, "!") != negated && ok && pattern == "" || strings.HasPrefix(op, "!") == negated && ok && isDigest(e.Lexpr) {
			return either, true // NOT LIKE '' and the like
		}
		if strings.HasPrefix(op, "!") == negated && (ok && pattern != "" && strings.Trim(pattern, "%_") == "" || !ok && made(e.Rexpr)) {
			return either, true
		}
		return some, true
	default:
		return either, false
	}
	if negated {
		op = inverted[op]
	}
	if (op == "~" || op == "~*") && (made(e.Rexpr) || isDigest(e.Lexpr)) || strings.HasPrefix(op, "?") && isBuilt(e.Lexpr) {
		return either, true
	}
	if s, ok := constantText(e.Rexpr); ok && (op == "!~" || op == "!~*") && takesNone(s) {
		return either, true
	}
	// A digest, a document or the text of something else is never empty.
	if s, ok := constantText(e.Rexpr); ok && op == "<>" && s == "" && !c.isPlainText(e.Lexpr) {
		return either, true
	}
	if e.Kind == opDistinct {
		op = inverted["="]
	}
	if c.beyond(e.Lexpr, op, e.Rexpr) {
		return either, true
	}
	return some, true
}

// made reports whether a value is computed from constants alone, or is one that
// a cast may have cut.
func made(n *node) bool {
	switch m := unwrap(bare(n)).(type) {
	case *funcCall:
	case *aConst:
		_, ok := constantText(n)
		return m.GetSval() != nil && !ok
	default:
		return false
	}
	return !contains(n, func(m proto.Message) bool {
		switch m.(type) {
		case *paramRef, *columnRef:
			return true
		}
		return false
	})
}

// ofList judges IN, ANY and ALL over a list.
func (c condition) ofList(e *aExpr, op string, negated bool) (truth, bool) {
	var items []*node
	switch m := unwrap(bare(e.Rexpr)).(type) {
	case *list:
		items = m.Items
	case *aArray:
		items = m.Elements
	case *aConst:
		for _, s := range strings.Split(strings.Trim(constText(m), "{}"), ",") {
			if strings.TrimSpace(s) != "" {
				items = append(items, makeText(s))
			}
		}
	case *subLink:
		q, ok := unwrap(m.Subselect).(*selectStmt)
		if ok && m.SubLinkType == subArray && e.Kind == opAny && op == "=" && !negated && c.isIn(e.Lexpr, q) {
			return either, true
		}
		return some, true
	default:
		return some, true
	}
	excludes := op == "<>" && e.Kind != opAny
	switch {
	case excludes != negated: // NOT IN
		for _, n := range items {
			if !c.beyond(e.Lexpr, "<>", n) {
				return some, true
			}
		}
		return either, true
	case op == "<>" && len(items) > 1: // <> ANY of two is true of everything
		return either, true
	case op != "=":
		for _, n := range items {
			if c.beyond(e.Lexpr, op, n) {
				return either, true
			}
		}
		return some, true
	}
	var yes, no bool
	for _, n := range items {
		if k, ok := unwrap(bare(n)).(*aConst); ok && k.GetBoolval() != nil {
			yes, no = yes || k.GetBoolval().Boolval, no || !k.GetBoolval().Boolval
		}
	}
	if yes && no {
		return either, true
	}
	return some, true
}

// beyond reports whether nothing, or next to nothing, lies on the other side of
// a bound: id > -1, n >= 0, day < 'infinity', id <> -1.
func (c condition) beyond(of *node, op string, bound *node) bool {
	bound = bare(bound)
	if s, ok := unwrap(bound).(*subLink); ok {
		return c.beyondExtreme(of, op, s)
	}
	n, isNumber := number(bound)
	s, isText := constantText(bound)
	if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); isText && !isNumber && err == nil {
		n, isNumber = f, true
	}
	key := c.isKey(of)
	switch {
	case isNumber && (op == ">" || op == ">="):
		return n < 0 || op == ">=" && n == 0 || key && (n <= 0 || op == ">=" && n <= 1)
	case isNumber && (op == "<" || op == "<="):
		return n >= hugeNumber || key && n >= hugeKey
	case isNumber && op == "<>":
		return key && n <= 0
	case isText && (op == ">" || op == ">="):
		return s == "-infinity" || op == ">=" && s == "" || key && strings.Trim(s, "0-(),") == "" || year(s, func(y int) bool { return y <= 1970 })
	case isText && (op == "<" || op == "<="):
		return s == "infinity" || year(s, func(y int) bool { return y >= 2200 }) || strings.Trim(s, "~\uffff") == "" && s != "" ||
			key && strings.Trim(strings.ToLower(s), "f-") == "" && s != ""
	}
	return false
}

// beyondExtreme: id >= (SELECT min(id) FROM the target).
func (c condition) beyondExtreme(of *node, op string, s *subLink) bool {
	q, ok := unwrap(s.Subselect).(*selectStmt)
	if !ok || s.SubLinkType != subExpr {
		return false
	}
	if _, whole := c.everyRow(q, c.frame, 0); !whole {
		return false
	}
	if op == "=" { // of the row itself
		return c.isIn(of, q) && q.WhereClause != nil
	}
	extreme, shifted := "", false
	contains(listOf(q.TargetList), func(m proto.Message) bool {
		switch m := m.(type) {
		case *funcCall:
			if name := lastOf(names(m.Funcname)); name == "min" || name == "max" {
				extreme = name
			}
		case *aExpr:
			shifted = true
		}
		return false
	})
	switch op {
	case ">=", ">":
		return extreme == "min" && (op == ">=" || shifted)
	case "<=", "<":
		return extreme == "max" && (op == "<=" || shifted)
	}
	return false
}

// year reports whether a text begins with a year of which is says so.
func year(s string, is func(int) bool) bool {
	if len(s) < 5 || s[4] != '-' {
		return false
	}
	y, err := strconv.Atoi(s[:4])
	return err == nil && is(y)
}

// isKey reports whether an expression is a key of the target: a column of a
// unique index, one that refers to another table's, the place of a row; without
// a catalog one that is named as keys are. What is made of a key is a key.
func (c condition) isKey(n *node) bool {
	switch m := unwrap(bare(n)).(type) {
	case *columnRef:
		name := lastOf(names(m.Fields))
		if slices.Contains(systemColumns, name) {
			return true
		}
		if len(c.relations) == 0 || c.reader.cat == nil || c.reader.cat.code == nil {
			return name == "id" || strings.HasSuffix(name, "_id")
		}
		for _, rel := range c.relations {
			key := columnKey{rel.oid, name}
			if _, ok := c.reader.cat.code.refers[key]; ok || c.reader.cat.code.unique[key] || name == "id" {
				return true
			}
		}
	case *funcCall:
		return len(m.Args) == 1 && c.isKey(m.Args[0])
	case *coalesce:
		return len(m.Args) > 0 && c.isKey(m.Args[0])
	case *aExpr:
		return m.Kind == opPlain && (c.isKey(m.Lexpr) || c.isKey(m.Rexpr))
	}
	return false
}

// isPlace reports whether an expression is of the row's place and nothing else.
func (c condition) isPlace(n *node) bool {
	mine := c.columnsOf(n)
	return len(mine) == 1 && mine["ctid"]
}

// isPlainText reports whether an expression is a column as it stands: nobody
// knows that it is never empty.
func (c condition) isPlainText(n *node) bool {
	switch m := unwrap(n).(type) {
	case *columnRef:
		return !c.isKey(n)
	case *coalesce:
		return true
	case *funcCall:
		return !digests[lastOf(names(m.Funcname))]
	case *typeCast:
		ref, ok := unwrap(m.Arg).(*columnRef)
		return ok && c.isText(ref)
	}
	return false
}

// digests are the functions whose text is never empty, and of one look.
var digests = map[string]bool{"md5": true, "quote_literal": true, "quote_ident": true, "quote_nullable": true, "to_json": true, "to_jsonb": true, "row_to_json": true}

// isBuilt reports whether a document is put together here, from what is named.
func isBuilt(n *node) bool {
	f, ok := unwrap(bare(n)).(*funcCall)
	return ok && strings.Contains(lastOf(names(f.Funcname)), "_build_")
}

func isDigest(n *node) bool {
	f, ok := unwrap(bare(n)).(*funcCall)
	return ok && lastOf(names(f.Funcname)) == "md5"
}

// annihilates reports whether an operation comes to the same whatever its
// operand is: x * 0, x - x, x % 1.
func annihilates(e *aExpr) bool {
	if e.Kind == opNullIf {
		return same(e.Lexpr, e.Rexpr)
	}
	if e.Kind != opPlain || e.Lexpr == nil {
		return false
	}
	l, okL := number(bare(e.Lexpr))
	r, okR := number(bare(e.Rexpr))
	switch operator(e) {
	case "*", "&":
		return okL && l == 0 || okR && r == 0
	case "%":
		return okR && (r == 1 || r == -1)
	case "^":
		return okR && r == 0 || okL && l == 1
	case "-", "/", "#":
		return same(bare(e.Lexpr), bare(e.Rexpr))
	case ">>", "<<":
		return okR && r >= 32
	}
	return false
}

// vanishes is annihilates for calls: left(x, 0), mod(x, 1).
func vanishes(f *funcCall) bool {
	name := lastOf(names(f.Funcname))
	if name == "isfinite" || name == "pg_typeof" || name == "num_nulls" || name == "num_nonnulls" || name == "pg_column_size" || name == "pg_relation_size" {
		return true
	}
	if len(f.Args) < 2 {
		return false
	}
	last, isText := constantText(f.Args[len(f.Args)-1])
	first, _ := constantText(f.Args[0])
	switch {
	case name == "strpos" && isText && last == "", name == "position" && (isText && last == "" || first == "" && isEmptyText(f.Args[0])),
		name == "regexp_count" && takesAll(last) && isText, strings.HasSuffix(name, "cmp") && same(f.Args[0], f.Args[1]):
		return true
	}
	n, ok := number(bare(f.Args[len(f.Args)-1]))
	switch name {
	case "left", "right", "repeat", "substr", "substring", "power", "pow":
		return ok && n == 0
	case "mod":
		return ok && (n == 1 || n == -1)
	}
	return false
}

// compares reports whether a call compares a column with itself, or the whole
// row with anything: int4eq(id, id).
func (c condition) compares(f *funcCall) bool {
	for i, a := range f.Args {
		for _, b := range f.Args[:i] {
			if overlaps(c.columnsOf(a), c.columnsOf(b)) {
				return true
			}
		}
	}
	switch lastOf(names(f.Funcname)) {
	case "starts_with", "regexp_like", "like", "textlike":
		if len(f.Args) > 1 {
			pattern, ok := constantText(f.Args[1])
			return ok && strings.Trim(pattern, "%^$.*?") == ""
		}
	}
	return false
}

// nullAnyway reports whether an expression is null whatever the row is.
func nullAnyway(n *node, c condition) bool {
	switch m := unwrap(bare(n)).(type) {
	case *aExpr:
		if m.Kind == opNullIf {
			return overlaps(c.columnsOf(m.Lexpr), c.columnsOf(m.Rexpr)) || same(m.Lexpr, m.Rexpr)
		}
		if m.Kind == opPlain {
			return isNullConst(m.Lexpr) || isNullConst(m.Rexpr)
		}
	case *aConst:
		return m.Isnull
	}
	return false
}

func isEmptyText(n *node) bool { s, ok := constantText(n); return ok && s == "" }

func isNullConst(n *node) bool {
	k, ok := unwrap(bare(n)).(*aConst)
	return ok && k.Isnull
}
