package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// What defines code, where anything is protected. Code that reaches nothing
// protected may be defined; each later call of it is judged anew. Three things
// may not, whatever they hold: what takes a name of PostgreSQL's own, since a
// statement over protected columns could come to mean it; what PostgreSQL calls
// without being asked for values of types that protected columns have; and what
// changes code that reaches protected columns.

// closeDefinition refuses such definitions.
func (sh *shield) closeDefinition(m proto.Message, depth int) *policy.Refusal {
	d := definer{sh, depth}
	switch m := m.(type) {
	case *functionStmt:
		return d.function(m)
	case *alterFunctionStmt:
		if refusal := d.mayChange(names(m.Func.GetObjname())); refusal != nil {
			return refusal
		}
		return d.helpers(m.Actions)
	case *triggerStmt:
		return d.mayCall(names(m.Funcname))
	case *eventTriggerStmt:
		return d.mayCall(names(m.Funcname))
	case *defineStmt:
		return d.define(m)
	case *castStmt:
		return d.cast(m)
	case *opClassStmt:
		return d.opClass(m)
	case *opFamilyStmt:
		return d.opFamily(m)
	case *alterOperatorStmt:
		return d.functions(m.Options)
	case *conversionStmt:
		return d.mayCall(names(m.FuncName))
	case *accessMethodStmt:
		return d.mayCall(names(m.HandlerName))
	case *rangeStmt:
		if refusal := d.newType(names(m.TypeName)); refusal != nil {
			return refusal
		}
		return d.functions(m.Params)
	case *enumTypeStmt:
		return d.newType(names(m.TypeName))
	case *compositeStmt:
		return d.newType([]string{m.Typevar.GetSchemaname(), m.Typevar.GetRelname()})
	case *domainStmt:
		return d.newType(names(m.Domainname))
	case *alterDomainStmt:
		return d.alterDomain(m)
	case *schemaStmt:
		for _, n := range m.SchemaElts {
			if refusal := sh.closeDefinition(unwrap(n), depth); refusal != nil {
				return refusal
			}
		}
	case *publicationStmt:
		return d.publishes(m.ForAllTables, m.Pubobjects)
	case *alterPublicationStmt:
		return d.publishes(m.ForAllTables, m.Pubobjects)
	case *renameStmt:
		return d.renamed(m.RenameType.String(), m.Object, m.Newname)
	case *alterSchemaStmt:
		if isSystem(m.Newschema) {
			return ownName(m.Newschema)
		}
		return d.renamed(m.ObjectType.String(), m.Object, "")
	case *alterOwnerStmt:
		return d.renamed(m.ObjectType.String(), m.Object, "")
	}
	return nil
}

type definer struct {
	sh    *shield
	depth int
}

func ownName(name string) *policy.Refusal {
	return denied(fmt.Sprintf("%s is a name of PostgreSQL's own, which nothing else may have on a target with protected columns", name),
		"A statement over protected columns could come to mean it.", "Take another name.")
}

// mayCall refuses a function of a definition that may not be called.
func (d definer) mayCall(parts []string) *policy.Refusal {
	c := callOf(parts)
	if c.name == "" {
		return nil
	}
	if len(d.sh.called(c.name)) > 0 {
		return denied(fmt.Sprintf("function %s reads protected columns and cannot become a part of something else", c.name), "", "")
	}
	return d.sh.closeFunctionAt(c, false, d.depth)
}

const tiedWhy = "a trigger, a view or a constraint of a table with protected columns calls it, and may give it their values"

// mayChange refuses to change a function that is not harmless: under another
// name or another search_path it would be judged as something else.
func (d definer) mayChange(parts []string) *policy.Refusal {
	_, name := qualified(parts)
	why := d.sh.harms[name]
	switch {
	case why != "":
	case len(d.sh.called(name)) > 0:
		why = "it reads protected columns"
	case d.sh.tied[name]:
		why = tiedWhy
	}
	if why == "" {
		return nil
	}
	return d.mayNot(name, why)
}

// newName refuses names of PostgreSQL's own for functions and aggregates.
func (d definer) newName(parts []string) *policy.Refusal {
	schema, name := qualified(parts)
	if _, taken := d.sh.cat.system[name]; taken || isSystem(schema) || d.sh.cat.user[name].trusted {
		return ownName(name)
	}
	if d.sh.tied[name] {
		return d.mayNot(name, tiedWhy)
	}
	// What a function in SQL is given may be a protected value where masks
	// allow its use.
	if len(d.sh.called(name)) > 0 || d.sh.known(name) != nil && slices.ContainsFunc(d.sh.patterns, func(p Pattern) bool { return p.Filter == AllowUse }) {
		return d.mayNot(name, "it may be given protected values")
	}
	return nil
}

func (d definer) mayNot(name, why string) *policy.Refusal {
	return denied(fmt.Sprintf("function %s cannot be changed on a target with protected columns", name), why+".", "")
}

func (d definer) newType(parts []string) *policy.Refusal {
	schema, name := qualified(parts)
	if d.sh.cat.code.types[name] || isSystem(schema) {
		return ownName(name)
	}
	return nil
}

func (d definer) function(m *functionStmt) *policy.Refusal {
	if refusal := d.newName(names(m.Funcname)); refusal != nil {
		return refusal
	}
	if _, name := qualified(names(m.Funcname)); len(m.Parameters) > 0 && d.sh.isField(name) {
		if t := m.Parameters[0].GetFunctionParameter().GetArgType(); !d.sh.systemType(t) || isPseudo(t) {
			return denied(fmt.Sprintf("function %s has the name of a column and may be called as row.%s", name, name),
				"It could be given rows with protected values.", "Take another name.")
		}
	}
	return d.helpers(m.Options)
}

// isPseudo reports whether a type stands for many.
func isPseudo(t *typeName) bool {
	_, name := qualified(names(t.GetNames()))
	return strings.HasPrefix(name, "any") || name == "record"
}

// helpers refuses the functions that CREATE FUNCTION names beside its body.
func (d definer) helpers(options []*node) *policy.Refusal {
	for _, n := range options {
		e, ok := unwrap(n).(*defElem)
		if !ok {
			continue
		}
		switch e.Defname {
		case "support":
			if refusal := d.mayCall(definedNames(e.Arg)); refusal != nil {
				return refusal
			}
		case "transform":
			return denied("TRANSFORM is closed on a target with protected columns", "What it calls is not read.", "")
		}
	}
	return nil
}

// definedNames gives the name that an option of a definition holds.
func definedNames(n *node) []string {
	switch m := unwrap(n).(type) {
	case *typeName:
		return names(m.Names)
	case *list:
		return names(m.Items)
	case *str:
		return []string{m.Sval}
	case *objectArgs:
		return names(m.Objname)
	}
	return nil
}

// calling are the options of definitions that name functions.
var calling = []string{
	"sfunc", "stype_func", "finalfunc", "combinefunc", "serialfunc", "deserialfunc", "msfunc", "minvfunc", "mfinalfunc",
	"function", "procedure", "restrict", "join", "input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze",
	"subscript", "canonical", "subtype_diff", "start", "gettoken", "end", "headline", "lextypes", "init", "lexize",
	"sfunc1", "sfunc2",
}

// functions refuses the functions that the options of a definition name.
func (d definer) functions(options []*node) *policy.Refusal {
	for _, n := range options {
		e, ok := unwrap(n).(*defElem)
		if !ok || !slices.Contains(calling, strings.ToLower(e.Defname)) {
			continue
		}
		if refusal := d.mayCall(definedNames(e.Arg)); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (d definer) define(m *defineStmt) *policy.Refusal {
	parts := names(m.Defnames)
	var refusal *policy.Refusal
	switch m.Kind.String() {
	case "OBJECT_AGGREGATE":
		refusal = d.newName(parts)
	case "OBJECT_TYPE":
		refusal = d.newType(parts)
	case "OBJECT_OPERATOR":
		refusal = d.newOperator(parts, m.Definition)
	case "OBJECT_COLLATION":
		refusal = d.newCollation(m.Definition)
	}
	if refusal != nil {
		return refusal
	}
	return d.functions(m.Definition)
}

// newCollation: one by which different texts are equal makes of = a question about
// parts of a value.
func (d definer) newCollation(options []*node) *policy.Refusal {
	if slices.ContainsFunc(options, func(n *node) bool {
		e, ok := unwrap(n).(*defElem)
		if !ok || strings.EqualFold(e.Defname, "deterministic") {
			return !ok || !saysTrue(e.Arg)
		}
		return !slices.Contains([]string{"lc_collate", "lc_ctype", "locale", "provider", "version", "from"}, strings.ToLower(e.Defname))
	}) {
		return denied("CREATE COLLATION with DETERMINISTIC or rules of its own is closed on a target with protected columns",
			"By such a one different values are equal.", "")
	}
	return nil
}

// saysTrue reports whether an option is on: see defGetBoolean in define.c. What is
// no boolean at all the server refuses.
func saysTrue(arg *node) bool {
	switch unwrap(arg).(type) {
	case nil:
		return true
	case *str, *typeName:
		_, name := qualified(definedNames(arg))
		return !slices.Contains([]string{"false", "off", "no", "f", "n", "0", ""}, strings.ToLower(name))
	}
	return arg.GetInteger().GetIval() == 1
}

// newOperator: an operator with a name of PostgreSQL's own must be for other
// types alone.
func (d definer) newOperator(parts []string, options []*node) *policy.Refusal {
	schema, name := qualified(parts)
	if isSystem(schema) {
		return ownName(name)
	}
	if !d.sh.cat.code.ownOperators[name] && !d.sh.cat.code.knownOperators[name] {
		return nil
	}
	for _, n := range options {
		if e, ok := unwrap(n).(*defElem); ok && (strings.EqualFold(e.Defname, "leftarg") || strings.EqualFold(e.Defname, "rightarg")) {
			if t, ok := unwrap(e.Arg).(*typeName); !ok || d.sh.systemType(t) || d.sh.protectedType(t) {
				return ownName("operator " + name)
			}
		}
	}
	return nil
}

// cast: one that PostgreSQL uses by itself could be given protected values.
func (d definer) cast(m *castStmt) *policy.Refusal {
	byItself := m.Context.String() == "COERCION_IMPLICIT" || m.Context.String() == "COERCION_ASSIGNMENT"
	if m.Func != nil && byItself && (d.sh.systemType(m.Sourcetype) || d.sh.protectedType(m.Sourcetype)) {
		return denied("an implicit cast from a type of PostgreSQL's own, or of a protected column, is closed",
			"It would be given protected values without being named.", "Leave out AS IMPLICIT or AS ASSIGNMENT.")
	}
	return d.mayCall(names(m.Func.GetObjname()))
}

func (d definer) opClass(m *opClassStmt) *policy.Refusal {
	if m.IsDefault && (d.sh.systemType(m.Datatype) || d.sh.protectedType(m.Datatype)) {
		return denied("a default operator class for a type of PostgreSQL's own, or of a protected column, is closed",
			"It would be given protected values without being named.", "Leave out DEFAULT.")
	}
	if _, family := qualified(names(m.Opfamilyname)); d.sh.cat.code.ownFamilies[family] && d.sh.systemType(m.Datatype) {
		return ownName("operator family " + family)
	}
	return d.items(m.Items)
}

func (d definer) opFamily(m *opFamilyStmt) *policy.Refusal {
	if _, family := qualified(names(m.Opfamilyname)); d.sh.cat.code.ownFamilies[family] {
		return ownName("operator family " + family)
	}
	return d.items(m.Items)
}

const opClassFunction = 2 // OPCLASS_ITEM_FUNCTION

func (d definer) items(items []*node) *policy.Refusal {
	for _, n := range items {
		if i := n.GetCreateOpClassItem(); i != nil && i.Itemtype == opClassFunction && i.Name != nil {
			if refusal := d.mayCall(names(i.Name.Objname)); refusal != nil {
				return refusal
			}
		}
	}
	return nil
}

// alterDomain: a new condition is tried on the values that are there.
func (d definer) alterDomain(m *alterDomainStmt) *policy.Refusal {
	_, name := qualified(names(m.TypeName))
	if d.sh.typesInUse()[name] {
		return denied(fmt.Sprintf("domain %q is the type of a table with protected columns and cannot be changed", name),
			"What it asks of its values would tell about them.", "")
	}
	return nil
}

// publishes refuses to publish tables that are not named.
func (d definer) publishes(all bool, objects []*node) *policy.Refusal {
	closed := all && d.sh.holdsAny()
	for _, n := range objects {
		if o := n.GetPublicationObjSpec(); o != nil && o.Pubtable == nil {
			// A system schema the server itself refuses.
			closed = closed || o.Name != "" && !isSystem(o.Name) && d.sh.inSchema(o.Name) || o.Name == "" && d.sh.holdsAny()
		}
	}
	if closed {
		return denied("a publication of tables that are not named is closed on a target with protected columns",
			"Some of them hold protected columns.", "Name the tables.")
	}
	return nil
}

// renamed is a function, or something else, under another name, in another
// schema or of another owner.
func (d definer) renamed(kind string, object *node, to string) *policy.Refusal {
	switch kind {
	case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE":
		if refusal := d.mayChange(definedNames(object)); refusal != nil {
			return refusal
		}
		if to != "" {
			return d.newName([]string{to})
		}
	case "OBJECT_TYPE", "OBJECT_DOMAIN":
		if to != "" {
			return d.newType([]string{to})
		}
	}
	return nil
}

// holdsAny reports whether a relation of others holds protected columns.
func (sh *shield) holdsAny() bool {
	for id := range sh.reaches {
		if rel := sh.cat.relations[id]; rel != nil && !isSystem(rel.schema) {
			return true
		}
	}
	return false
}

// typesInUse are the types of others in relations that hold protected columns.
func (sh *shield) typesInUse() map[string]bool {
	used := map[string]bool{}
	for id := range sh.columns {
		for _, name := range sh.cat.code.typesOf[id] {
			used[name] = true
		}
	}
	return used
}

// protectedType reports whether a relation with protected columns has columns
// of a type.
func (sh *shield) protectedType(t *typeName) bool {
	_, name := qualified(names(t.GetNames()))
	return sh.typesInUse()[name] || sh.typesInUse()[strings.TrimPrefix(name, "_")]
}
