package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// costLimit bounds one evaluation, in CEL's cost units: a fraction of a second,
// and above a search through a statement of ten megabytes.
const costLimit = 2_000_000

// condition is one compiled `if`.
type condition struct {
	source string // in one line, for the DETAIL of a refusal
	prog   cel.Program
	facts  map[string]bool // "sql.destructive", "target": what it reads
}

// compile turns the text of an `if` into a condition. Its error fits one line.
func compile(env *cel.Env, source string) (*condition, error) {
	parsed, issues := env.Parse(source)
	if issues.Err() != nil {
		return nil, issuesError(issues)
	}
	facts, err := factsIn(parsed.NativeRep().Expr())
	if err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, issuesError(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("the condition must be true or false, is %s", checked.OutputType())
	}
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	// Counting costs time, and a condition whose worst case is known to stay
	// below the limit needs no counting.
	worst, err := env.EstimateCost(checked, unknownSizes{})
	if err != nil || worst.Max > costLimit {
		opts = append(opts, cel.CostLimit(costLimit))
	}
	prog, err := env.Program(checked, opts...)
	if err != nil {
		return nil, fmt.Errorf("compile the condition: %w", err)
	}
	return &condition{source: oneLine(source), prog: prog, facts: facts}, nil
}

// holds evaluates the condition. The error's text may hold what the question
// holds, so it reaches no client.
func (c *condition) holds(v *view) (bool, error) {
	out, _, err := c.prog.Eval(v)
	if err != nil {
		return false, err
	}
	is, ok := out.(types.Bool)
	if !ok {
		return false, errors.New("the condition is neither true nor false")
	}
	return bool(is), nil
}

// about reports whether the condition reads a fact of the object.
func (c *condition) about(object string) bool {
	for f := range c.facts {
		if strings.HasPrefix(f, object+".") {
			return true
		}
	}
	return false
}

// factsIn lists the facts an expression reads. It is strict about how they are
// named, so that which family of questions a condition is about is never a guess:
// an object stands only before a dot, and no local variable takes its name.
func factsIn(root ast.Expr) (map[string]bool, error) {
	facts := make(map[string]bool)
	var errs []error
	beforeDot := make(map[int64]bool) // ids of objects already seen with their fact
	visit := func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			of := e.AsSelect().Operand()
			if of.Kind() != ast.IdentKind || !isObject(bare(of)) {
				return
			}
			beforeDot[of.ID()] = true
			if err := checkFact(bare(of), e.AsSelect().FieldName()); err != nil {
				errs = append(errs, err)
			}
			facts[bare(of)+"."+e.AsSelect().FieldName()] = true
		case ast.IdentKind:
			if name := bare(e); !isObject(name) {
				facts[name] = true
			} else if !beforeDot[e.ID()] {
				errs = append(errs, fmt.Errorf("%s alone is not a fact: name one of them, as in %s", name, example(name)))
			}
		case ast.ComprehensionKind:
			c := e.AsComprehension()
			for _, name := range []string{c.IterVar(), c.IterVar2(), c.AccuVar()} {
				if isObject(name) || name == "target" || name == "now" {
					errs = append(errs, fmt.Errorf("%s is the name of a fact: call the variable something else", name))
				}
			}
		}
	}
	ast.PreOrderVisit(root, ast.NewExprVisitor(visit))
	return facts, errors.Join(errs...)
}

// bare is the name of a variable, which CEL lets one write as .name too.
func bare(ident ast.Expr) string { return strings.TrimPrefix(ident.AsIdent(), ".") }

func isObject(name string) bool {
	return objects[name] != nil || laterFacts[name] != nil
}

// checkFact explains a fact that there is not, or not yet.
func checkFact(object, fact string) error {
	if slices.Contains(laterFacts[object], fact) || slices.Contains(laterFacts[object], "*") {
		return fmt.Errorf("%s.%s is known, but not built yet in this version", object, fact)
	}
	names := factNames(object)
	if slices.Contains(names, fact) {
		return nil
	}
	return fmt.Errorf("%s has no fact %q%s", object, fact, DidYouMean(fact, names))
}

// example is a fact of the object.
func example(object string) string {
	if objects[object] == nil {
		return object + ".NAME"
	}
	return object + "." + factNames(object)[0]
}

// issuesError puts the messages of the CEL compiler in one line.
func issuesError(issues *cel.Issues) error {
	var parts []string
	for _, e := range issues.Errors() {
		parts = append(parts, fmt.Sprintf("%s (at character %d)", oneLine(e.Message), e.Location.Column()+1))
	}
	return errors.New(strings.Join(parts, "; "))
}

// oneLine replaces runs of white space by one space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// unknownSizes makes the cost estimate assume that every list and text may be
// as long as can be.
type unknownSizes struct{}

// EstimateCallCost leaves calls to the standard costs.
func (unknownSizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// EstimateSize knows no size.
func (unknownSizes) EstimateSize(cost.AstNode) *cost.SizeEstimate { return nil }
