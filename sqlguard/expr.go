package sqlguard

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// eval works out expressions at one place.
type eval struct {
	*analyst
	sc  *scope
	env *cte
}

func (a *analyst) in(sc *scope, env *cte) eval { return eval{a, sc, env} }

// computed is the value of an expression over others.
func computed(parts ...value) value {
	var v value
	for _, p := range parts {
		v.deps, v.shaky = union(v.deps, p.deps), v.shaky || p.shaky
		v.many, v.size = v.many || p.many, max(v.size, p.size)
	}
	return v
}

// keeping is computed, of what puts whole values beside each other.
func keeping(parts ...value) value {
	v := computed(parts...)
	v.kept = true
	for _, p := range parts {
		v.kept = v.kept && p.whole()
	}
	return v
}

// whole reports whether what is protected in a value stands there as it is.
func (v value) whole() bool { return v.plain || v.kept || len(v.deps) == 0 }

// kept is keeping over expressions.
func (ev eval) kept(nodes []*node) value {
	values := make([]value, len(nodes))
	for i, n := range nodes {
		values[i] = ev.expr(n)
	}
	return keeping(values...)
}

func (ev eval) all(nodes []*node) value {
	var v value
	for _, n := range nodes {
		v = computed(v, ev.expr(n))
	}
	return v
}

// expr gives what an expression depends on. Its list of nodes is closed.
func (ev eval) expr(n *node) value {
	if n == nil || !ev.spend(0) {
		return value{}
	}
	m := unwrap(n)
	switch m := m.(type) {
	case nil, *paramRef, *setDefault, *valueFunc, *currentOf:
		return value{}
	case *aConst:
		return value{size: ofConstant(len(m.GetSval().GetSval()))}
	case *columnRef:
		return ev.columnRef(m)
	case *indirection:
		return ev.indirection(m)
	case *aIndices:
		return computed(ev.expr(m.Lidx), ev.expr(m.Uidx))
	case *aExpr:
		return ev.operator(m)
	case *boolExpr:
		return ev.logic(m)
	case *nullTest:
		return ev.nullTest(m)
	case *booleanTest:
		return computed(ev.expr(m.Arg))
	case *typeCast:
		return ev.cast(m)
	case *collate:
		return computed(ev.expr(m.Arg))
	case *list:
		return computed(ev.all(m.Items))
	case *aArray:
		return ev.array(m)
	case *rowExpr:
		v := ev.kept(m.Args)
		v.many = false
		return v
	case *coalesce:
		return ev.coalesce(m)
	case *minMax:
		return ev.kept(m.Args)
	case *caseExpr:
		return ev.caseExpr(m)
	case *funcCall:
		return ev.call(m)
	case *subLink:
		return ev.sublink(m)
	case *namedArg:
		return computed(ev.expr(m.Arg))
	case *grouping:
		return value{} // which of its arguments are grouped
	case *multiAssign:
		return computed(ev.expr(m.Source))
	case *resTarget: // an argument of XMLFOREST
		return ev.expr(m.Val)
	}
	if v, ok := ev.document(m); ok {
		return v
	}
	ev.misunderstood(nodeName(m))
	return value{}
}

// nullTest is free where a condition may ask the same of a column, as it stands.
func (ev eval) nullTest(m *nullTest) value {
	v := ev.expr(m.Arg)
	if v.plain && !ev.strict && !slices.ContainsFunc(ev.restricted(v), func(d *dep) bool { return d.filter != Equality }) {
		return value{}
	}
	return computed(v)
}

// document works out the XML and JSON constructors.
func (ev eval) document(m proto.Message) (value, bool) {
	switch m := m.(type) {
	case *xmlExpr:
		v := computed(ev.all(m.NamedArgs), ev.all(m.Args))
		v.size += 3 // &quot;
		ev.grew(v)
		if op := m.Op.String(); op != "IS_XMLELEMENT" && op != "IS_XMLFOREST" && op != "IS_XMLCONCAT" {
			ev.useOf(v, "what makes XML of a text, and fails for some")
		}
		return v, true
	case *xmlSerial:
		v := computed(ev.expr(m.Expr))
		ev.useOf(v, "XMLSERIALIZE")
		return v, true
	case *jsonObject:
		v := ev.all(m.Exprs)
		ev.shaped(v, m.Unique, m.Output)
		return v, true
	case *jsonArray:
		v := ev.all(m.Exprs)
		ev.shaped(v, false, m.Output)
		return v, true
	case *jsonKey:
		return ev.jsonKey(m), true
	case *jsonValue:
		return ev.jsonValue(m), true
	case *jsonIs:
		return computed(ev.expr(m.Expr)), true
	case *jsonObjAgg:
		v := computed(ev.jsonKey(m.Arg), ev.jsonAgg(m.Constructor))
		ev.shaped(v, m.Unique, m.Constructor.GetOutput())
		return v, true
	case *jsonArrAgg:
		v := computed(ev.jsonValue(m.Arg), ev.jsonAgg(m.Constructor))
		ev.shaped(v, false, m.Constructor.GetOutput())
		return v, true
	case *jsonQuery:
		q, ok := unwrap(m.Query).(*selectStmt)
		if !ok {
			return value{}, false
		}
		return outputsOf(ev.query(q, ev.sc, ev.env)), true
	}
	return value{}, false
}

// shaped refuses a document that fails for some values: where two keys are the
// same, or where it does not fit the type that it is to have.
func (ev eval) shaped(v value, unique bool, as *jsonOutput) {
	if unique || as != nil {
		ev.useOf(v, "JSON with UNIQUE KEYS or RETURNING, which fails for some values")
	}
}

func (ev eval) jsonKey(m *jsonKey) value {
	if m == nil {
		return value{}
	}
	key := ev.expr(m.Key)
	if key.shaky {
		ev.useOf(key, "a key of a document, which must not be NULL")
	}
	return computed(key, ev.jsonValue(m.Value))
}

func (ev eval) jsonValue(m *jsonValue) value {
	if m == nil {
		return value{}
	}
	v := computed(ev.expr(m.RawExpr), ev.expr(m.FormattedExpr))
	if m.Format.GetFormatType().String() == "JS_FORMAT_JSON" {
		ev.useOf(v, "FORMAT JSON, which fails for what is none")
	}
	return v
}

func (ev eval) jsonAgg(m *jsonAgg) value {
	if m == nil {
		return value{}
	}
	ev.filter(m.AggFilter)
	for _, s := range m.AggOrder {
		ev.useExpr(s.GetSortBy().GetNode(), "ORDER BY")
	}
	ev.window(m.Over)
	return value{}
}

func wholesOf(columns []column) []value {
	var values []value
	for _, c := range columns {
		values = append(values, c.value)
	}
	return values
}

func outputsOf(columns []column) value {
	var v value
	for _, c := range columns {
		v = computed(v, c.value)
	}
	return v
}

func (ev eval) columnRef(m *columnRef) value {
	for s := ev.sc; s != nil; s = s.parent {
		if !ev.spend(len(s.columns) + len(s.items)) {
			return value{}
		}
	}
	parts := names(m.Fields)
	if len(parts) == 1 && parts[0] == "*" { // an argument of a row
		return outputsOf(ev.sc.columns)
	}
	v, ok := ev.sc.lookup(parts)
	if !ok || len(v.deps) > 0 && ev.mayCall(parts) {
		ev.unresolved(parts, int(m.Location), ok)
	}
	return v
}

// mayCall reports whether row.name may be a call of a function, there now or
// made before the statement runs: the row's columns are not known, and no
// relation has one of that name.
func (ev eval) mayCall(parts []string) bool {
	if len(parts) < 2 {
		return false
	}
	name := parts[len(parts)-1]
	schema, table := qualified(parts[:len(parts)-1])
	it := ev.sc.lookupItem(schema, table)
	return it != nil && it.open && name != "*" && len(it.named(name)) == 0 && !ev.sh.isField(name)
}

// unresolved refuses a name, which stands at a place in the text. callable: it
// may be a function's.
func (ev eval) unresolved(parts []string, at int, callable bool) {
	if !callable {
		if r := ev.absent(parts, at); r != nil {
			ev.refuse(r)
			return
		}
	}
	ev.refuse(ev.notKnown(parts))
}

// indirection is (row).column, (row).* or array[i].
func (ev eval) indirection(m *indirection) value {
	if ref, ok := unwrap(m.Arg).(*columnRef); ok && len(m.Indirection) == 1 {
		parts := names(ref.Fields)
		if n := len(parts); n > 1 && parts[n-1] == "*" {
			parts = parts[:n-1]
		}
		if field := text(m.Indirection[0]); field != "" && len(parts) == 1 {
			if _, isColumn := ev.column(parts[0]); !isColumn {
				if v, ok := ev.sc.lookup(append(parts, field)); ok {
					return v // (u).password is u.password
				}
			}
		}
	}
	v := ev.expr(m.Arg)
	if taken, ok := ev.subscripts(v, m.Indirection); ok {
		return taken
	}
	slice := false
	for _, n := range m.Indirection {
		if name := text(n); name != "" && len(v.deps) > 0 && !ev.sh.isField(name) {
			ev.unresolved([]string{"(...)", name}, -1, true)
		}
		if i, ok := unwrap(n).(*aIndices); ok {
			at := computed(ev.expr(i.Lidx), ev.expr(i.Uidx))
			ev.useOf(at, "a subscript, which picks what was put there for it")
			v = computed(v, at)
			v.shaky = len(ev.restricted(v)) > 0 // NULL where there is no such element
			slice = slice || i.IsSlice
		}
	}
	v = computed(v)
	v.many = v.many && slice
	return v
}

// subscripts is document['a']['b'].
func (ev eval) subscripts(v value, list []*node) (value, bool) {
	var nodes []*node
	for _, n := range list {
		i, ok := unwrap(n).(*aIndices)
		if !ok || i.IsSlice || v.doc == nil {
			return value{}, false
		}
		nodes = append(nodes, i.Uidx)
	}
	steps, ok := stepsOf(nodes)
	if !ok || len(steps) == 0 {
		return value{}, false
	}
	return v.take(steps, false)
}

// operator works out an operator, and what is written like one.
func (ev eval) operator(m *aExpr) value {
	l, r := ev.expr(m.Lexpr), ev.expr(m.Rexpr)
	if ev.freeComparison(m, l) {
		return value{}
	}
	if len(ev.restricted(computed(l, r))) > 0 {
		if inParts(m) && !quick([]*node{m.Lexpr, m.Rexpr}) {
			ev.comparison(m, "a comparison of which a part may fail")
		}
		if !soundMatch(m, l.shaky || r.shaky) {
			ev.useOf(computed(l, r), "a match with a pattern that may fail for some values")
		}
	}
	switch m.Kind {
	case opPlain:
		if v, ok := ev.ofDocument(strings.TrimPrefix(strings.Join(names(m.Name), "."), "pg_catalog."), l, m.Rexpr); ok {
			return v
		}
		return ev.operate(m, l, r)
	case opNullIf: // NULL where they are equal
		ev.equal(l, r, "NULLIF")
		v := computed(l, r)
		v.shaky = len(ev.restricted(v)) > 0
		return v
	case opLike, opILike, opSimilar:
		ev.useOf(r, "a pattern")
	case opAny, opAll:
		if op := strings.Join(names(m.Name), "."); matchingOperators[strings.TrimPrefix(op, "pg_catalog.")] {
			ev.useOf(r, "a pattern")
		}
	}
	v := computed(l, r)
	v.many = false
	return v
}

// array is ARRAY[...]. Arrays in it must be of one length.
func (ev eval) array(m *aArray) value {
	v := ev.kept(m.Elements)
	if v.many {
		ev.useOf(v, "an array of arrays, which fails where they are of different lengths")
	}
	v.many = true
	return v
}

// logic works out AND, OR and NOT: what stands behind one that decides is not
// run.
func (ev eval) logic(m *boolExpr) value {
	var v value
	values := make([]value, len(m.Args))
	for i, n := range m.Args {
		values[i] = ev.expr(n)
		v = computed(v, values[i])
	}
	if len(m.Args) > 1 && len(ev.restricted(v)) > 0 && !quick(m.Args) {
		for i, n := range m.Args {
			if len(ev.restricted(values[i])) > 0 {
				ev.filter(n)
			}
		}
	}
	return v
}

// coalesce runs an argument only where those before are NULL.
func (ev eval) coalesce(m *coalesce) value {
	v := keeping()
	for i, n := range m.Args {
		arg := ev.expr(n)
		if i < len(m.Args)-1 && arg.shaky {
			ev.useOf(arg, "COALESCE")
		}
		doc := oneDocument(v, arg)
		v = keeping(v, arg)
		v.doc = doc
	}
	return v
}

// column looks a name up among columns alone.
func (ev eval) column(name string) (value, bool) {
	for s := ev.sc; s != nil; s = s.parent {
		for _, c := range s.columns {
			if c.name == name {
				return c.value, true
			}
		}
	}
	return value{}, false
}

// caseExpr: a condition of CASE is a filter, and what it gives depends on it.
func (ev eval) caseExpr(m *caseExpr) value {
	v := ev.expr(m.Defresult)
	doc := v.doc
	v = keeping(v)
	v.doc = doc
	var arg value
	if m.Arg != nil {
		arg = ev.expr(m.Arg)
		v = keeping(v, computed(arg))
	}
	for _, n := range m.Args {
		w, ok := unwrap(n).(*caseWhen)
		if !ok {
			ev.misunderstood("CASE of that form")
			return v
		}
		when := ev.expr(w.Expr)
		switch {
		case m.Arg != nil:
			ev.equal(arg, when, "CASE")
		case len(ev.restricted(when)) > 0:
			ev.filter(w.Expr)
		}
		result := ev.expr(w.Result)
		doc := oneDocument(v, result)
		v = keeping(v, computed(when), result)
		if len(when.deps) == 0 {
			v.doc = doc
		}
	}
	return v
}

// call works out a function or an aggregate.
func (ev eval) call(m *funcCall) value {
	schema, name := qualified(names(m.Funcname))
	var args []value
	count := name == "count" && (schema == "" || schema == "pg_catalog")
	for _, n := range m.Args {
		arg := ev.expr(n)
		if m.AggDistinct {
			ev.same(arg, "DISTINCT in an aggregate")
		}
		// How many are not null, or differ, is no value.
		if count && (arg.plain || arg.doc != nil || m.AggDistinct) {
			continue
		}
		args = append(args, arg)
	}
	behind := ev.sh.called(name)
	if len(behind) > 0 || ev.sh.known(name) != nil {
		ev.ran = ev.ran || len(behind) > 0
		for _, arg := range args {
			ev.useOf(arg, "function "+name)
		}
		args = append(args, value{deps: behind})
		return computed(args...)
	}
	v := computed(args...)
	f := ev.sh.cat.system[name]
	if user, ok := ev.sh.cat.user[name]; ok {
		f = function{set: f.set || user.set, volatile: f.volatile || user.volatile}
	}
	switch {
	case len(v.deps) == 0:
	case !ev.sh.own(schema, name):
		ev.refuse(denied("function "+name+" cannot be given a protected value",
			"What it does with the value is not followed.", "Use PostgreSQL's own functions."))
	case f.volatile:
		ev.refuse(denied("function "+name+" cannot be given a protected value",
			"What it does with the value is seen elsewhere than in its result.", ""))
	}
	if v, ok := ev.documentCall(name, m, args); ok && (schema == "" || schema == "pg_catalog") && !isUserFunction(ev.sh, name) {
		ev.filter(m.AggFilter)
		ev.window(m.Over)
		for _, n := range m.AggOrder {
			ev.useExpr(n.GetSortBy().GetNode(), "ORDER BY in an aggregate")
		}
		return v
	}
	if f.set {
		ev.useOf(v, "a function that returns a set")
	}
	as := name
	if name == "substring" && len(m.Args) > 1 && isPlace(m.Args[1]) { // by place, not by a pattern that may not match
		as = "substr"
	}
	v = ev.applied(as, m, args)
	for _, n := range m.AggOrder {
		key := ev.useExpr(n.GetSortBy().GetNode(), "ORDER BY in an aggregate")
		v = computed(v, key)
	}
	ev.filter(m.AggFilter)
	ev.window(m.Over)
	v = computed(v)
	v.kept = wholes[name] && !isUserFunction(ev.sh, name) && len(m.AggOrder) == 0 && keeping(args...).kept
	return v
}

// isPlace reports whether an argument is a number as it stands.
func isPlace(n *node) bool {
	_, is := number(n)
	return is
}

func isUserFunction(sh *shield, name string) bool {
	_, is := sh.cat.user[name]
	return is
}

func (ev eval) window(w *windowDef) {
	if w == nil {
		return
	}
	for _, n := range w.PartitionClause {
		ev.same(ev.expr(n), "PARTITION BY")
	}
	for _, n := range w.OrderClause {
		ev.useExpr(n.GetSortBy().GetNode(), "ORDER BY in a window")
	}
	ev.useExpr(w.StartOffset, "a window's frame")
	ev.useExpr(w.EndOffset, "a window's frame")
}

// sublink works out a subselect in an expression.
func (ev eval) sublink(m *subLink) value {
	columns := ev.subselect(m)
	switch m.SubLinkType {
	case subExists:
		return value{}
	case subExpr:
		if len(columns) == 1 {
			v := columns[0].value
			v.sure = false
			return v
		}
	case subAny, subAll:
		v := computed(ev.expr(m.Testexpr), outputsOf(columns))
		if len(ev.restricted(v)) > 0 { // the first row that decides ends it
			ev.filter(&node{Node: &pgSubLink{SubLink: m}})
		}
		v.many = false
		return v
	case subArray:
		v := keeping(wholesOf(columns)...)
		if v.many {
			ev.useOf(v, "an array of arrays, which fails where they are of different lengths")
		}
		v.many = true
		return v
	case subMulti:
	default:
		ev.misunderstood("a subselect of that form")
	}
	return outputsOf(columns)
}

func (ev eval) subselect(m *subLink) []column {
	q, ok := unwrap(m.Subselect).(*selectStmt)
	if !ok {
		ev.misunderstood("a subselect of that form")
		return nil
	}
	return ev.query(q, ev.sc, ev.env)
}

// nodeName is what a refusal calls a node.
func nodeName(m proto.Message) string {
	if m == nil {
		return "an empty expression"
	}
	return string(m.ProtoReflect().Descriptor().Name())
}
