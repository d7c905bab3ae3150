package sqlguard

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// closeDoors refuses, where anything is protected, what leads around lineage:
// functions, relations, operators and statements of which the text does not
// tell what they read. reached names what the statement itself reaches.
func (sh *shield) closeDoors(r *reader, m proto.Message, reached string) *policy.Refusal {
	if len(r.veiled) > 0 {
		k, _ := kindOf(m)
		return denied(fmt.Sprintf("%s cannot be judged on a target with protected columns", strings.ToUpper(k.verb)),
			r.veiled[0]+".", "Run constant statements, or write them out.")
	}
	if why := sh.misfolded(r); why != "" {
		return denied("SQL that is put together cannot be judged here", why+".", "Run constant statements, or write them out.")
	}
	for _, c := range r.calls {
		if c.read && reached == "" && runsAtOnce(m) && (sh.own(c.schema, c.name) || sh.pivots(c.name)) {
			continue // what it runs reaches nothing, and is not kept to be run when it may
		}
		if refusal := sh.closeFunctionAt(c, false, 0); refusal != nil {
			return refusal
		}
	}
	if _, ok := m.(*functionStmt); ok && slices.ContainsFunc(r.calls, readsItsCaller) {
		return denied("a function that reads the statement it is called in is closed on a target with protected columns",
			"Others' statements hold protected values.", "")
	}
	for _, within := range r.within {
		if refusal := sh.closeWithin(r, within); refusal != nil {
			return refusal
		}
	}
	if reached != "" {
		if refusal := sh.closeNear(r, m, reached); refusal != nil {
			return refusal
		}
	}
	r.sampled = sh.freeStatistics(r, m)
	return sh.closeRest(r, m, 0)
}

// runsAtOnce reports whether a statement keeps no part of its text in the
// database.
func runsAtOnce(m proto.Message) bool {
	switch m := m.(type) {
	case *selectStmt, *insertStmt, *updateStmt, *deleteStmt, *mergeStmt:
		return true
	case *explainStmt:
		return runsAtOnce(unwrap(m.Query))
	}
	return false
}

// pivots reports whether all functions of a name are tablefunc's, in C, which run
// the SQL they are given and do nothing else.
func (sh *shield) pivots(name string) bool {
	all := sh.cat.code.routines[name]
	return len(all) > 0 && !slices.ContainsFunc(all, func(f *routine) bool { return f.extension != "tablefunc" })
}

// closeWithin refuses a statement of a body that gives the body, and not the
// client, protected values.
func (sh *shield) closeWithin(r *reader, m proto.Message) *policy.Refusal {
	inner, _ := runsWithin(m)
	if _, ok := m.(*prepareStmt); ok {
		return denied("PREPARE is closed in a body on a target with protected columns", "Its name would mean another statement than the session's own.", "")
	}
	if m == nil || runs(m) != "" || inner != "" {
		return denied("EXECUTE and FETCH of what was prepared or opened elsewhere are closed in a body on a target with protected columns",
			"They may give it protected values.", "")
	}
	return sh.closeRest(r, m, 0)
}

// closeNear refuses what others made in a statement that reaches protected
// columns, where lineage does not follow it. Operators and fields must be
// PostgreSQL's own, or names that nobody can take: what is not there now may be
// when the statement runs.
func (sh *shield) closeNear(r *reader, m proto.Message, reached string) *policy.Refusal {
	switch m := m.(type) {
	case *doStmt, *functionStmt, *triggerStmt, *callStmt:
		k, _ := kindOf(m)
		return denied(fmt.Sprintf("%s over %q is closed, for it holds protected columns", strings.ToUpper(k.verb), reached),
			"What code does with their values is not followed.", "Send the statements one by one.")
	}
	for _, name := range r.fields {
		if f := sh.cat.user[name]; f.ofRow && !f.trusted {
			return unreadFunction(name, "")
		}
	}
	for _, op := range r.operators {
		schema, name := qualified(splitOperator(op))
		code := sh.cat.code
		if name == "" || strings.HasSuffix(name, "BETWEEN") || strings.HasSuffix(name, "BETWEEN SYMMETRIC") {
			continue
		}
		if !code.ownOperators[name] && !code.knownOperators[name] || code.shadowing[name] || schema != "" && schema != "pg_catalog" && sh.cat.operators[name] {
			return denied(fmt.Sprintf("operator %s is closed over protected columns", op),
				"It is not one of PostgreSQL's own, and the function behind it is not read.", "")
		}
	}
	return nil
}

// closeRest refuses relations, fields, operators and forms of statements.
func (sh *shield) closeRest(r *reader, m proto.Message, depth int) *policy.Refusal {
	for _, u := range r.uses {
		if d, ok := findDoor(relationDoors, u.name); ok && (!r.sampled || !slices.Contains(statisticsViews, u.name)) {
			return denied(fmt.Sprintf("%s is closed on a target with protected columns", u.name), u.name+" "+d.why+".", "")
		}
		for _, rel := range sh.cat.find(u.schema, u.name) {
			if why := sh.closed[rel.oid]; why != "" {
				return denied(fmt.Sprintf("%q is closed on a target with protected columns", u.name), why+".",
					"Select from the tables behind it instead.")
			}
		}
	}
	for _, name := range r.fields {
		if f := sh.cat.user[name]; f.ofRow && !f.trusted && sh.known(name) == nil && sh.harms[name] != "" {
			return unreadFunction(name, sh.harms[name])
		}
	}
	for _, op := range r.operators {
		if _, name := qualified(splitOperator(op)); sh.cat.operators[name] {
			if why := sh.operatorHarm(name, depth); why != "" {
				return denied(fmt.Sprintf("operator %s is closed on a target with protected columns", op), why+".", "")
			}
		}
	}
	if refusal := sh.closeDefinition(m, depth); refusal != nil {
		return refusal
	}
	return sh.closeStatement(r, m)
}

// splitOperator splits "schema.op"; an operator itself holds no dot.
func splitOperator(op string) []string { return strings.Split(op, ".") }

// closeStrictly is closeDoors for functions in SQL that lineage looks into: all
// they call must be PostgreSQL's own or such functions too.
func (sh *shield) closeStrictly(r *reader, m proto.Message) *policy.Refusal {
	if len(r.veiled) > 0 {
		return denied(r.veiled[0], "", "")
	}
	for _, c := range r.calls {
		if refusal := sh.closeFunctionAt(c, true, 0); refusal != nil {
			return refusal
		}
	}
	if refusal := sh.closeNear(r, m, ""); refusal != nil {
		return refusal
	}
	return sh.closeRest(r, m, 0)
}

// closeFunctionAt refuses a function that is not harmless; strictly, any whose
// body lineage does not follow. Whoever calls one that reads protected columns
// sees to those.
func (sh *shield) closeFunctionAt(c call, strictly bool, depth int) *policy.Refusal {
	if d, ok := findDoor(functionDoors, c.name); ok {
		return denied(fmt.Sprintf("function %s is closed on a target with protected columns", c.name), c.name+" "+d.why+".", "")
	}
	_, isSystemName := sh.cat.system[c.name]
	user, isUser := sh.cat.user[c.name]
	switch {
	case c.schema == internalSchema:
		if !isSystemName && !slices.Contains(constructors, c.name) {
			return unreadFunction(c.name, "it is a part of PostgreSQL that is not known by this name")
		}
		return nil
	case isSystem(c.schema) && isSystemName, isUser && user.trusted, !isUser && isSystemName && c.schema == "":
		return nil
	case c.schema != "pg_temp" && sh.known(c.name) != nil: // in SQL, and it only reads
		return nil
	case strictly:
		return unreadFunction(c.name, "")
	}
	// What the catalog does not hold is not there, or was made in this very
	// transaction, and judged when it was made.
	if why := sh.harm(c, depth); why != "" {
		return unreadFunction(c.name, why)
	}
	return nil
}

// constructors are the functions behind the constructors of range types.
var constructors = []string{
	"range_constructor0", "range_constructor1", "range_constructor2", "range_constructor3",
	"multirange_constructor0", "multirange_constructor1", "multirange_constructor2",
}

func unreadFunction(name, why string) *policy.Refusal {
	if why == "" {
		why = "It is not one of PostgreSQL's own, and what it does with protected values is not followed"
	}
	return denied(fmt.Sprintf("function %s is closed on a target with protected columns", name), why+".",
		"Use PostgreSQL's own functions, or write the query out.")
}

// closedKinds lists the statements that bring in code or ways nobody reads.
var closedKinds = []string{
	"CreateTransformStmt", "CreatePLangStmt", "CreateExtensionStmt", "AlterExtensionStmt", "AlterExtensionContentsStmt",
	"CreateFdwStmt", "AlterFdwStmt", "CreateForeignServerStmt", "AlterForeignServerStmt", "CreateForeignTableStmt",
	"CreateUserMappingStmt", "AlterUserMappingStmt", "ImportForeignSchemaStmt",
	"CreateSubscriptionStmt", "AlterSubscriptionStmt", "AlterTableMoveAllStmt", "SetOperationStmt", "PLAssignStmt",
}

func (sh *shield) closeStatement(r *reader, m proto.Message) *policy.Refusal {
	k, ok := kindOf(m)
	if !ok {
		return denied("this form of statement is not understood", "", "")
	}
	unread := denied(fmt.Sprintf("%s is closed on a target with protected columns", strings.ToUpper(k.verb)),
		"What it would run or open is not read.", "Write the statements out.")
	for _, name := range r.kinds {
		if name == "CreateExtensionStmt" && sh.mayInstall(m) {
			continue
		}
		if slices.Contains(closedKinds, name) || kinds[name].verb == "" {
			return unread
		}
	}
	for _, library := range r.loads {
		if library != "plpgsql" && !slices.Contains(sh.scans.libraries, library) {
			return unread
		}
	}
	if refusal := sh.closeSurgery(r, m); refusal != nil {
		return refusal
	}
	switch m := m.(type) {
	case *alterSystem:
		return unread
	case *listenStmt:
		if sh.notifies {
			return denied("LISTEN is closed on this target", "A trigger on a table with protected columns may send them by NOTIFY.", "")
		}
	case *copyStmt:
		if m.IsFrom && (m.IsProgram || m.Filename != "" && !sh.mayRead(m.Filename)) {
			return denied("COPY from a server's file or program is closed on a target with protected columns",
				"The server's files hold protected values.", "Use COPY ... FROM STDIN.")
		}
		if m.IsProgram {
			return unread
		}
	case *renameStmt:
		if sh.computesProtected(m.Relation.GetRelname()) {
			return denied(fmt.Sprintf("index %q belongs to a table with protected columns and cannot be renamed", m.Relation.GetRelname()),
				"The samples of what it computes are known by its name.", "")
		}
		if m.RenameType.String() == "OBJECT_SCHEMA" && sh.inSchema(m.Subname) {
			return denied(fmt.Sprintf("schema %q holds protected columns and cannot be renamed", m.Subname),
				"Under another name they would not be protected.", "")
		}
	case *grantStmt:
		if m.Targtype.String() == "ACL_TARGET_ALL_IN_SCHEMA" && slices.ContainsFunc(names(m.Objects), sh.inSchema) {
			return denied("GRANT and REVOKE on all of a schema with protected columns are closed", "", "Name the tables.")
		}
	}
	if _, stores := runsWithin(m); r.asExecute && !stores {
		return denied("a table cannot be made from a prepared statement on a target with protected columns",
			"What it would copy is not read here.", "Write the query out.")
	}
	return nil
}

// mayInstall reports whether CREATE EXTENSION brings in none, for it is there
// already, or one whose functions are known.
func (sh *shield) mayInstall(m proto.Message) bool {
	e, ok := m.(*extensionStmt)
	if !ok {
		return false
	}
	if e.IfNotExists && sh.cat.code.extensions[e.Extname] {
		return true
	}
	return strings.Contains(known, "'"+e.Extname+"'") && !slices.ContainsFunc(e.Options, func(n *node) bool {
		option, ok := unwrap(n).(*defElem)
		return !ok || option.Defname != "schema"
	})
}

// mayRead reports whether a file of the server lies in a folder of which the
// owner says that nothing in it is protected.
func (sh *shield) mayRead(file string) bool {
	return path.IsAbs(file) && path.Clean(file) == file &&
		slices.ContainsFunc(sh.files, func(folder string) bool { return strings.HasPrefix(file, strings.TrimSuffix(folder, "/")+"/") })
}

// closedSettings lists the settings by which a session could change the
// server's own catalogs, load code, or have other statements' texts sent to it.
var closedSettings = []string{
	"allow_system_table_mods", "session_preload_libraries", "local_preload_libraries", "shared_preload_libraries",
	"dynamic_library_path", "ignore_system_indexes", "zero_damaged_pages", "ignore_checksum_failure",
	"debug_print_parse", "debug_print_rewritten", "debug_print_plan", "auto_explain.*", "log_*_stats",
}

// atConnect are those of them that anybody may set, and that are read when a
// session begins.
var atConnect = map[string]bool{"local_preload_libraries": true}

// ofSession reports whether all that is set holds no longer than the session.
func (r *reader) ofSession() bool {
	return !slices.ContainsFunc(r.kinds, func(kind string) bool {
		return kind == "AlterRoleSetStmt" || kind == "AlterDatabaseSetStmt" || kind == "AlterSystemStmt"
	})
}

// closeSurgery refuses what works beneath the catalog that lineage reads.
func (sh *shield) closeSurgery(r *reader, m proto.Message) *policy.Refusal {
	closed := ""
	for _, s := range r.settings {
		if name := strings.ToLower(s.Name); atConnect[name] && r.ofSession() {
			continue // it is long over
		} else if policy.MatchAny(closedSettings, name) && (s.Kind == varSet || s.Kind == varCurrent) {
			closed = name
		}
	}
	for _, f := range r.setCalls {
		if len(f.Args) == 0 {
			continue
		}
		if name, _ := constantText(f.Args[0]); policy.MatchAny(closedSettings, strings.ToLower(name)) {
			closed = strings.ToLower(name)
		}
	}
	if closed != "" {
		return denied(fmt.Sprintf("%s is closed on a target with protected columns", closed),
			"It leads around what protects them.", "")
	}
	if sh.isSystemWrite(m) {
		return denied("PostgreSQL's own catalogs cannot be changed by hand on a target with protected columns",
			"What is protected is known by them.", "Use ALTER, COMMENT and the like.")
	}
	near := sh.reached(r.uses, r.calls...) != ""
	if len(sh.cat.casts) > 0 && contains(m, func(m proto.Message) bool {
		t, ok := m.(*typeName)
		if !ok {
			return false
		}
		_, name := qualified(names(t.GetNames()))
		for _, function := range sh.cat.casts[name] {
			if near && sh.known(function) == nil || sh.harms[function] != "" {
				return true
			}
		}
		return false
	}) {
		return denied("a cast to that type is closed on a target with protected columns",
			"The function that casts is not harmless.", "")
	}
	return nil
}

// inSchema reports whether a schema holds a relation that protected values can
// come from.
func (sh *shield) inSchema(schema string) bool {
	for id := range sh.reaches {
		if rel := sh.cat.relations[id]; rel != nil && rel.schema == schema {
			return true
		}
	}
	return false
}

// runs gives the name of the prepared statement or cursor that m returns rows of.
func runs(m proto.Message) string {
	switch m := m.(type) {
	case *executeStmt:
		return m.Name
	case *fetchStmt:
		if !m.Ismove {
			return m.Portalname
		}
	}
	return ""
}

// runsWithin gives the name of the prepared statement that m runs without
// returning its rows, and whether it stores them.
func runsWithin(m proto.Message) (name string, stores bool) {
	switch m := m.(type) {
	case *explainStmt:
		if e, ok := unwrap(m.Query).(*executeStmt); ok {
			return e.Name, false
		}
		if made, ok := unwrap(m.Query).(*ctasStmt); ok { // which ANALYZE stores
			return runsWithin(made)
		}
	case *ctasStmt:
		if e, ok := unwrap(m.Query).(*executeStmt); ok {
			return e.Name, true
		}
	}
	return "", false
}

func denied(public, detail, hint string) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Denied, Public: public, Detail: detail, Hint: hint}
}
