package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// analyst works out which output of one statement depends on which protected
// column. It knows a closed set of nodes; the first it does not know, or the
// first forbidden use of a protected column, is the refusal, and whatever is
// computed after that does not count.
type analyst struct {
	sh      *shield
	reached string // the protected relation to name in a refusal
	trusted bool   // a view's definition: its filters are the owner's own
	depth   int    // of views within views
	spent   int    // nodes and names looked at
	ran     bool   // a function was called that reaches protected columns
	strict  bool   // not even equality is free
	// moved: what stands before the statement in its text changes definitions,
	// so that relations may have other columns, or others under the same names.
	moved bool
	// joined: a protected column is compared with what is no constant.
	joined bool

	refusal *policy.Refusal
}

// budget bounds the work over one statement: what nests can double it with
// every level.
const budget = 2_000_000

// spend takes n from the budget; false when nothing more is to be done.
func (a *analyst) spend(n int) bool {
	if a.spent += n + 1; a.spent > budget {
		a.refuse(&policy.Refusal{Kind: policy.TooLarge, Public: tooComplex})
	}
	return a.refusal == nil
}

// value is what one expression gives.
type value struct {
	deps  []*dep // protected columns it depends on
	plain bool   // it is a column as it stands
	shaky bool   // whether it is NULL, or its shape, depends on the value
	many  bool   // it is an array
	size  int    // how far it may outgrow a stored value, see grown
	typ   uint32 // of a plain column, where it is known
	mod   int32  // its modifier
	// kept: see Output. A plain value is, without saying so.
	kept bool
	doc  *document // it is a document of which only members are protected, or a part of one
	// sure: the server reports where it comes from.
	sure      bool
	generated bool // a column of a table, and generated
}

// column is one column of a relation, a subselect or a result.
type column struct {
	name string
	value
	// loose: where it stands, or whether it is there at all, is not known.
	loose bool
}

func (c column) output() Output {
	if d := c.doc; d != nil && !c.plain && len(c.deps) == 1 {
		return Output{
			Name: c.name, Many: c.loose, Protected: listed(c.deps), Type: c.typ, Modifier: c.mod, Blank: c.shaky,
			Document: true, Paths: d.paths, Taken: d.text, Also: c.deps[0].also,
		}
	}
	var also []string
	if len(c.deps) == 1 {
		also = c.deps[0].also
	}
	return Output{
		Also: also,
		Name: c.name, Plain: c.plain && len(c.deps) > 0, Blank: c.shaky && len(c.deps) > 0, Many: c.loose,
		Protected: listed(c.deps), Type: c.typ, Modifier: c.mod, Kept: (c.plain || c.kept) && len(c.deps) > 0,
	}
}

func isLoose(columns []column) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return c.loose })
}

// loosen gives columns of which neither names nor places are known.
func loosen(v value) []column {
	return []column{{name: "*", value: computed(v), loose: true}}
}

func outputsFrom(columns []column) []Output {
	var outputs []Output
	for _, c := range columns {
		outputs = append(outputs, c.output())
	}
	return outputs
}

// outputs works out one statement that reaches a protected relation; ran, whether
// it calls a function that does.
func (sh *shield) outputs(n *node, reached string, copyRows, moved bool) (outputs []Output, rows *CopyOut, ran bool, refused *policy.Refusal) {
	a := &analyst{sh: sh, reached: reached, moved: moved}
	if m, ok := unwrap(n).(*copyStmt); ok && copyRows && !m.IsFrom && !m.IsProgram && m.Filename == "" {
		if rows := a.copyOut(m); a.refusal == nil {
			return nil, rows, a.ran, nil
		} else if m.Relation != nil {
			a.refusal.Position = 0
		}
		return nil, nil, a.ran, a.refusal
	}
	columns := a.statement(n)
	a.tooWide(columns)
	if a.refusal != nil {
		if !isQuery(unwrap(n)) && a.refusal.Kind == policy.NoRelation {
			a.refusal.Position = 0 // the server gives none
		}
		return nil, nil, a.ran, a.refusal
	}
	return outputsFrom(columns), nil, a.ran, nil
}

// statement is the list of all forms that may reach a protected relation.
// There is no default that passes.
func (a *analyst) statement(n *node) []column {
	switch m := unwrap(n).(type) {
	case *selectStmt:
		return a.query(m, nil, nil)
	case *insertStmt, *updateStmt, *deleteStmt, *mergeStmt:
		return a.change(m, nil, nil)
	case *explainStmt:
		switch unwrap(m.Query).(type) {
		case *selectStmt, *insertStmt, *updateStmt, *deleteStmt, *mergeStmt:
			a.statement(m.Query)
			switch {
			case a.ran:
				a.planTells("A plan shows what functions gave, and this statement calls one that reads the table", "Run the statement without EXPLAIN.")
			case a.joined:
				a.planTells("It compares protected values with what is no constant, and how far a join came tells their order",
					"Run the statement without EXPLAIN, or explain it with a constant in place of the other side.")
			}
			return []column{{name: "QUERY PLAN"}}
		}
		a.misunderstood("EXPLAIN of that statement")
	case *ctasStmt:
		a.createAs(m)
	case *viewStmt:
		a.createView(m)
	case *lockStmt:
	case *declareStmt:
		return a.kept(m.Query)
	case *prepareStmt:
		return a.kept(m.Query)
	case *copyStmt:
		if !m.IsFrom || m.IsProgram || m.Filename != "" || m.WhereClause != nil {
			a.misunderstood("COPY")
		} else {
			a.relation(m.Relation)
		}
	case *truncateStmt, *dropStmt, *commentStmt, *reindexStmt:
	case *vacuumStmt:
	case nil:
		a.misunderstood("an empty statement")
	default:
		if a.definition(m) {
			return nil
		}
		k, _ := kindOf(m)
		a.misunderstood(strings.ToUpper(k.verb))
	}
	return nil
}

// kept works out a statement that will run by its name: its outputs are those
// of whatever runs it.
func (a *analyst) kept(n *node) []column {
	switch m := unwrap(n).(type) {
	case *selectStmt:
		return a.query(m, nil, nil)
	case *insertStmt, *updateStmt, *deleteStmt:
		return a.change(m, nil, nil)
	}
	a.misunderstood("PREPARE of that form")
	return nil
}

func dependsOnAny(columns []column) bool {
	for _, c := range columns {
		if len(c.deps) > 0 {
			return true
		}
	}
	return false
}

// misunderstood refuses a form of statement, or of a part of one.
func (a *analyst) misunderstood(what string) {
	a.refuse(&policy.Refusal{
		Kind:   policy.Denied,
		Public: fmt.Sprintf("table %q holds protected columns and this form of statement over it is not understood yet", a.reached),
		Detail: "What is not understood: " + what + ".",
		Hint:   "Select the columns by name from the table; unprotected columns are free.",
	})
}

// planTells refuses an EXPLAIN whose plan would say something of protected values.
func (a *analyst) planTells(why, instead string) {
	a.refuse(&policy.Refusal{
		Kind:   policy.Denied,
		Public: fmt.Sprintf("table %q holds protected columns and this statement's plan could tell their values", a.reached),
		Detail: why + ".",
		Hint:   instead,
	})
}

func (a *analyst) refuse(r *policy.Refusal) {
	if a.refusal == nil {
		a.refusal = r
	}
}
