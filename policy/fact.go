package policy

import (
	"errors"
	"reflect"

	"cel.dev/cel-go/cel"
)

// Fact is a fact that takes work to know, or that may not be known at all. It
// is asked only by the conditions that read it. Its error, best an [Missing],
// makes a rule that depends on it deny. A nil Fact is the zero value.
type Fact[T any] func() (T, error)

// Known is a fact that is at hand.
func Known[T any](value T) Fact[T] { return func() (T, error) { return value, nil } }

// UnknownFact is a fact that can't be known, and why.
func UnknownFact[T any](reason string) Fact[T] {
	return func() (T, error) {
		var zero T
		return zero, &Missing{Reason: reason}
	}
}

// LaterFact is a fact that is not known yet, and why. A rule that depends on it
// decides nothing: who asks with it asks again when it is known, before anything
// that the rule is about happens.
func LaterFact[T any](reason string) Fact[T] {
	return func() (T, error) {
		var zero T
		return zero, &Missing{Reason: reason, later: true}
	}
}

// Get asks the fact.
func (f Fact[T]) Get() (T, error) {
	if f == nil {
		var zero T
		return zero, nil
	}
	return f()
}

func (f Fact[T]) get() (any, error) { return f.Get() }

// isLater reports whether an evaluation failed for a fact that is known later.
func isLater(err error) bool {
	var missing *Missing
	return errors.As(err, &missing) && missing.later
}

// asker is a Fact of any type.
type asker interface{ get() (any, error) }

// Missing is the error of a fact that can't be known. Its reason reaches the
// caller: it holds nothing of the question.
type Missing struct {
	Reason string

	later bool // it will be known
}

// Error is the reason.
func (m *Missing) Error() string { return m.Reason }

// reasonOf is what may be said of a failed evaluation; "" is nothing.
func reasonOf(err error) string {
	var missing *Missing
	if errors.As(err, &missing) {
		return missing.Reason
	}
	return ""
}

// factTypes is every Go type a fact may have.
var factTypes = map[reflect.Type]*cel.Type{
	reflect.TypeFor[bool]():                cel.BoolType,
	reflect.TypeFor[int64]():               cel.IntType,
	reflect.TypeFor[string]():              cel.StringType,
	reflect.TypeFor[[]string]():            cel.ListType(cel.StringType),
	reflect.TypeFor[map[string]string]():   cel.MapType(cel.StringType, cel.StringType),
	reflect.TypeFor[map[string][]string](): cel.MapType(cel.StringType, cel.ListType(cel.StringType)),
	reflect.TypeFor[map[string]any]():      cel.MapType(cel.StringType, cel.DynType),
	reflect.TypeFor[any]():                 cel.DynType,

	reflect.TypeFor[Fact[bool]]():           cel.BoolType,
	reflect.TypeFor[Fact[int64]]():          cel.IntType,
	reflect.TypeFor[Fact[float64]]():        cel.DoubleType,
	reflect.TypeFor[Fact[string]]():         cel.StringType,
	reflect.TypeFor[Fact[[]string]]():       cel.ListType(cel.StringType),
	reflect.TypeFor[Fact[map[string]any]](): cel.MapType(cel.StringType, cel.DynType),
}
