package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// callerFacts is all a condition can learn of the caller. Naming each fact here
// is what keeps the token's id, and whatever else a Principal may come to hold,
// out of reach.
type callerFacts struct {
	Subject string         `cel:"subject"`
	Issuer  string         `cel:"issuer"`
	Groups  []string       `cel:"groups"`
	Claims  map[string]any `cel:"claims"`
	Address string         `cel:"address"`
}

// objects are the variables of a condition that have facts of their own.
var objects = map[string]reflect.Type{
	"caller": reflect.TypeFor[callerFacts](),
	"sql":    reflect.TypeFor[SQL](),
	"http":   reflect.TypeFor[HTTP](),
	"llm":    reflect.TypeFor[LLM](),
	"mcp":    reflect.TypeFor[MCP](),
}

// laterFacts are the facts of DESIGN.md section 11 that a later version fills;
// "*" stands for the variable itself.
var laterFacts = map[string][]string{
	"caller": {"node", "run", "thread"},
	"sql":    {"estimated_rows", "estimated_cost"},
}

// errUnparsed is what every fact but parsed and text is when the SQL parser
// rejected the text. As an error and not as false it makes a rule that depends
// on it deny, while `!sql.parsed || sql.destructive` still has an answer.
var errUnparsed = errors.New("the statement could not be parsed")

// alwaysKnown are the facts of SQL that hold whatever a text runs.
var alwaysKnown = []string{"parsed", "text", "statements", "unknown"}

// factProvider tells the type checker which facts each object has, and the
// interpreter how to read them. Everything else is the wrapped provider's.
type factProvider struct {
	types.Provider
	objects map[string]map[string]*types.FieldType // by CEL type name, then fact
}

// typeName is the CEL type of an object; no condition can write it.
func typeName(object string) string { return "facts of " + object }

// newEnv is the language of conditions: the facts, and the string, set and
// network functions of the CEL extensions.
func newEnv() (*cel.Env, error) {
	known := make(map[string]map[string]*types.FieldType, len(objects))
	opts := []cel.EnvOption{
		cel.Variable("target", cel.StringType),
		cel.Variable("now", cel.TimestampType),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		ext.Strings(), ext.Sets(), ext.Network(),
	}
	for object, t := range objects {
		fields, err := fieldsOf(t)
		if err != nil {
			return nil, err
		}
		known[typeName(object)] = fields
		opts = append(opts, cel.Variable(object, cel.ObjectType(typeName(object))))
	}
	opts = append(opts, func(e *cel.Env) (*cel.Env, error) {
		return cel.CustomTypeProvider(&factProvider{Provider: e.CELTypeProvider(), objects: known})(e)
	})
	return cel.NewEnv(opts...)
}

// fieldsOf reads the facts off a struct's cel tags.
func fieldsOf(t reflect.Type) (map[string]*types.FieldType, error) {
	fields := make(map[string]*types.FieldType, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("cel")
		if !ok {
			continue
		}
		typ, ok := factTypes[f.Type]
		if !ok {
			return nil, fmt.Errorf("fact %s of %s: no CEL type for %s", name, t, f.Type)
		}
		always := slices.Contains(alwaysKnown, name)
		fields[name] = &types.FieldType{
			Type:  typ,
			IsSet: func(any) bool { return true },
			GetFrom: func(object any) (any, error) {
				if s, ok := object.(*SQL); ok && !s.Parsed && name != "parsed" && name != "text" {
					return nil, errUnparsed
				}
				value := reflect.ValueOf(object).Elem().Field(i).Interface()
				if s, ok := object.(*SQL); ok && len(s.Unknown) > 0 && !always && value != true {
					return nil, &Missing{Reason: "it is not known what would run: " + strings.Join(s.Unknown[:min(len(s.Unknown), maxShown)], "; ")}
				}
				if fact, ok := value.(asker); ok {
					return fact.get()
				}
				return value, nil
			},
		}
	}
	return fields, nil
}

// factNames lists the facts of an object, for suggestions.
func factNames(object string) []string {
	var names []string
	t := objects[object]
	for i := range t.NumField() {
		if name, ok := t.Field(i).Tag.Lookup("cel"); ok {
			names = append(names, name)
		}
	}
	return names
}

// FindStructType knows the objects by their type names.
func (p *factProvider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames lists an object's facts.
func (p *factProvider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.objects[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	return names, true
}

// FindStructFieldType gives one fact of an object.
func (p *factProvider) FindStructFieldType(name, fact string) (*types.FieldType, bool) {
	if fields, ok := p.objects[name]; ok {
		f, ok := fields[fact]
		return f, ok
	}
	return p.Provider.FindStructFieldType(name, fact)
}

// The absent stand for the families a question is not about, in conditions that
// speak of several. They are never changed.
var (
	absentSQL  = &SQL{Parsed: true}
	absentHTTP = &HTTP{}
	absentLLM  = &LLM{}
	absentMCP  = &MCP{}
)

// view is a question as the interpreter reads it. It lives for one Judge.
type view struct {
	question *Question
	caller   *callerFacts // built when first asked for
}

// ResolveName gives the value of a variable.
func (v *view) ResolveName(name string) (any, bool) {
	q := v.question
	switch name {
	case "sql":
		if q.SQL == nil {
			return absentSQL, true
		}
		return q.SQL, true
	case "http":
		if q.HTTP == nil {
			return absentHTTP, true
		}
		return q.HTTP, true
	case "llm":
		if q.LLM == nil {
			return absentLLM, true
		}
		return q.LLM, true
	case "mcp":
		if q.MCP == nil {
			return absentMCP, true
		}
		return q.MCP, true
	case "caller":
		if v.caller == nil {
			c := &q.Caller
			v.caller = &callerFacts{c.Subject, c.Issuer, c.Groups, c.Claims, c.Address}
		}
		return v.caller, true
	case "target":
		return q.Target, true
	case "now":
		return q.Time, true
	}
	return nil, false
}

// Parent is nil: there are no names behind the facts.
func (v *view) Parent() cel.Activation { return nil }
