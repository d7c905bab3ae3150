package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// closeDoors refuses, where anything is protected, what leads around lineage:
// functions, relations, operators and statements of which the text does not
// tell what they read.
func (sh *shield) closeDoors(r *reader, m proto.Message) *policy.Refusal {
	for _, u := range r.uses {
		if d, ok := findDoor(relationDoors, u.name); ok {
			return denied(fmt.Sprintf("%s is closed on a target with protected columns", u.name), u.name+" "+d.why+".", "")
		}
		for _, rel := range sh.cat.find(u.schema, u.name) {
			if why := sh.closed[rel.oid]; why != "" {
				return denied(fmt.Sprintf("%q is closed on a target with protected columns", u.name), why+".",
					"Select from the tables behind it instead.")
			}
		}
	}
	for _, c := range r.calls {
		if refusal := sh.closeFunction(c); refusal != nil {
			return refusal
		}
	}
	for _, name := range r.fields {
		if f := sh.cat.user[name]; f.ofRow && !f.trusted {
			return unreadFunction(name)
		}
	}
	for _, op := range r.operators {
		schema, name := qualified(splitOperator(op))
		if schema != "" && schema != "pg_catalog" || schema == "" && sh.cat.operators[name] {
			return denied(fmt.Sprintf("operator %s is closed on a target with protected columns", op),
				"It is not one of PostgreSQL's own, and the function behind it is not read.", "")
		}
	}
	return sh.closeStatement(r, m)
}

// splitOperator splits "schema.op"; an operator itself holds no dot.
func splitOperator(op string) []string { return strings.Split(op, ".") }

func (sh *shield) closeFunction(c call) *policy.Refusal {
	if d, ok := findDoor(functionDoors, c.name); ok {
		return denied(fmt.Sprintf("function %s is closed on a target with protected columns", c.name), c.name+" "+d.why+".", "")
	}
	if isSystem(c.schema) {
		if _, ok := sh.cat.system[c.name]; ok || c.schema == "pg_catalog" {
			return nil
		}
		return unreadFunction(c.name)
	}
	if c.schema != "pg_temp" && sh.known(c.name) != nil { // in SQL, and it only reads
		return nil
	}
	user, isUser := sh.cat.user[c.name]
	_, isSystem := sh.cat.system[c.name]
	if isUser && !user.trusted || !isUser && !(isSystem && c.schema == "") || c.schema == "pg_temp" {
		return unreadFunction(c.name)
	}
	return nil
}

func unreadFunction(name string) *policy.Refusal {
	return denied(fmt.Sprintf("function %s is closed on a target with protected columns", name),
		"It is not one of PostgreSQL's own, and its body is not read.",
		"Use PostgreSQL's own functions, or write the query out.")
}

// closedKinds lists the statements that bring in code or ways nobody reads.
var closedKinds = []string{
	"DoStmt", "CallStmt", "CreateFunctionStmt", "AlterFunctionStmt", "CreateTrigStmt", "CreateEventTrigStmt",
	"AlterEventTrigStmt", "CreateCastStmt", "CreateOpClassStmt", "AlterOpFamilyStmt", "CreateTransformStmt", "CreateConversionStmt",
	"AlterOperatorStmt", "CreatePLangStmt", "CreateExtensionStmt", "AlterExtensionStmt", "AlterExtensionContentsStmt", "LoadStmt", "CreateAmStmt",
	"CreateFdwStmt", "AlterFdwStmt", "CreateForeignServerStmt", "AlterForeignServerStmt", "CreateForeignTableStmt",
	"CreateUserMappingStmt", "AlterUserMappingStmt", "ImportForeignSchemaStmt",
	"CreatePublicationStmt", "AlterPublicationStmt", "CreateSubscriptionStmt", "AlterSubscriptionStmt",
	"AlterTableMoveAllStmt", "AlterOwnerStmt", "AlterObjectDependsStmt", "SetOperationStmt", "PLAssignStmt",
}

func (sh *shield) closeStatement(r *reader, m proto.Message) *policy.Refusal {
	k, ok := kindOf(m)
	if !ok {
		return denied("this form of statement is not understood", "", "")
	}
	unread := denied(fmt.Sprintf("%s is closed on a target with protected columns", strings.ToUpper(k.verb)),
		"What it would run or open is not read.", "Write the statements out.")
	for _, name := range r.kinds {
		if slices.Contains(closedKinds, name) || kinds[name].verb == "" {
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
	case *defineStmt:
		switch m.Kind.String() {
		case "OBJECT_AGGREGATE", "OBJECT_OPERATOR", "OBJECT_TYPE":
			return unread
		}
	case *copyStmt:
		if m.IsFrom && (m.IsProgram || m.Filename != "") {
			return denied("COPY from a server's file or program is closed on a target with protected columns",
				"The server's files hold protected values.", "Use COPY ... FROM STDIN.")
		}
		if m.IsProgram {
			return unread
		}
	case *renameStmt:
		if m.RenameType.String() == "OBJECT_SCHEMA" && sh.inSchema(m.Subname) {
			return denied(fmt.Sprintf("schema %q holds protected columns and cannot be renamed", m.Subname),
				"Under another name they would not be protected.", "")
		}
	case *alterDomain: // what checks the values there are says how they compare
		if m.Subtype == "C" || m.Subtype == "O" || m.Subtype == "V" {
			return denied("ALTER DOMAIN that checks values is closed on a target with protected columns",
				"Whether it succeeds would tell about the values of protected columns.", "")
		}
	case *grantStmt:
		if m.Targtype.String() == "ACL_TARGET_ALL_IN_SCHEMA" {
			return denied("GRANT and REVOKE on all of a schema are closed on a target with protected columns", "",
				"Name the tables.")
		}
	}
	if r.asExecute {
		return denied("a table cannot be made from a prepared statement on a target with protected columns",
			"What it would copy is not read here.", "Write the query out.")
	}
	return nil
}

// closedSettings lists the settings by which a session could change the
// server's own catalogs, load code, or have other statements' texts sent to it.
var closedSettings = []string{
	"allow_system_table_mods", "session_preload_libraries", "local_preload_libraries", "shared_preload_libraries",
	"dynamic_library_path", "ignore_system_indexes", "zero_damaged_pages", "ignore_checksum_failure",
	"debug_print_parse", "debug_print_rewritten", "debug_print_plan", "auto_explain.*", "log_*_stats",
}

// closeSurgery refuses what works beneath the catalog that lineage reads.
func (sh *shield) closeSurgery(r *reader, m proto.Message) *policy.Refusal {
	closed := ""
	for _, s := range r.settings {
		if name := strings.ToLower(s.Name); policy.MatchAny(closedSettings, name) && (s.Kind == varSet || s.Kind == varCurrent) {
			closed = name
		}
	}
	for _, f := range r.setCalls {
		if len(f.Args) > 0 && policy.MatchAny(closedSettings, strings.ToLower(text(f.Args[0]))) {
			closed = strings.ToLower(text(f.Args[0]))
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
	if len(sh.cat.casts) > 0 && contains(m, func(m proto.Message) bool {
		t, ok := m.(*typeName)
		_, name := qualified(names(t.GetNames()))
		return ok && sh.cat.casts[name]
	}) {
		return denied("a cast to that type is closed on a target with protected columns",
			"The function that casts is not read.", "")
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

func denied(public, detail, hint string) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Denied, Public: public, Detail: detail, Hint: hint}
}
