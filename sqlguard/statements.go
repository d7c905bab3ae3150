package sqlguard

import (
	"strings"

	"google.golang.org/protobuf/proto"
)

// effect is what executing a statement does.
type effect int

const (
	writes      effect = 1 << iota // changes rows or more
	ddl                            // changes definitions; writes as well
	destructive                    // loses data or protection
	unbounded                      // UPDATE or DELETE without an effective WHERE
	dynamic                        // runs SQL or code that is no statement of the text
	sideDoor                       // reaches data otherwise than by reading its table
)

const (
	defines = ddl | writes
	loses   = ddl | writes | destructive
)

// kind is what is known of one kind of statement before looking into it.
type kind struct {
	verb   string
	effect effect
	// look refines both for one statement; nil when there is nothing to see.
	look func(m proto.Message, k kind) kind
}

// kinds holds every statement by the name of its node. One that is not here
// loses everything.
var kinds = map[string]kind{
	"SelectStmt": {"select", 0, nil}, // SELECT INTO is seen at its IntoClause
	"InsertStmt": {"insert", writes, nil},
	"UpdateStmt": {"update", writes, nil},
	"DeleteStmt": {"delete", writes, nil},
	"MergeStmt":  {"merge", writes, nil},
	"CopyStmt":   {"copy", 0, lookCopy},
	"CallStmt":   {"call", dynamic, nil}, // its function is read as one
	"DoStmt":     {"do", dynamic, nil},

	"TransactionStmt":    {"transaction", 0, lookTransaction},
	"ExplainStmt":        {"explain", 0, nil},
	"PrepareStmt":        {"prepare", 0, nil},
	"ExecuteStmt":        {"execute", 0, nil},
	"DeallocateStmt":     {"deallocate", 0, nil},
	"DeclareCursorStmt":  {"declare", 0, nil},
	"ClosePortalStmt":    {"close", 0, nil},
	"FetchStmt":          {"fetch", 0, lookFetch},
	"ListenStmt":         {"listen", 0, nil},
	"UnlistenStmt":       {"unlisten", 0, nil},
	"NotifyStmt":         {"notify", 0, nil},
	"DiscardStmt":        {"discard", 0, nil},
	"CheckPointStmt":     {"checkpoint", control, nil},
	"ConstraintsSetStmt": {"set constraints", 0, nil},
	"VariableSetStmt":    {"set", 0, lookSet},
	"VariableShowStmt":   {"show", 0, nil},
	"VacuumStmt":         {"vacuum", writes, lookVacuum}, // of statistics at least
	"ReindexStmt":        {"reindex", control, nil},
	"ClusterStmt":        {"cluster", writes | destructive, nil},
	"LockStmt":           {"lock", 0, lookLock},

	"CreateStmt":                   {"create table", defines, nil},
	"CreateTableAsStmt":            {"create table as", defines, lookCreateAs},
	"ViewStmt":                     {"create view", defines, nil},
	"RefreshMatViewStmt":           {"refresh materialized view", writes, lookRefresh},
	"IndexStmt":                    {"create index", defines, nil},
	"CreateSeqStmt":                {"create sequence", defines, nil},
	"AlterSeqStmt":                 {"alter sequence", loses, nil},
	"CreateSchemaStmt":             {"create schema", defines, nil},
	"CreatedbStmt":                 {"create database", loses, nil},
	"CreateDomainStmt":             {"create domain", defines, nil},
	"CompositeTypeStmt":            {"create type", defines, nil},
	"CreateEnumStmt":               {"create type", defines, nil},
	"CreateRangeStmt":              {"create type", defines, nil},
	"AlterEnumStmt":                {"alter type", defines, lookEnum},
	"AlterTypeStmt":                {"alter type", loses, nil},
	"AlterCollationStmt":           {"alter collation", loses, nil},
	"DefineStmt":                   {"create", defines, lookDefine},
	"CreateFunctionStmt":           {"create function", defines, lookFunction},
	"CreateTrigStmt":               {"create trigger", loses, nil},
	"CreateStatsStmt":              {"create statistics", defines, nil},
	"AlterStatsStmt":               {"alter statistics", loses, nil},
	"CommentStmt":                  {"comment", defines, lookComment},
	"RenameStmt":                   {"alter", loses, lookRename},
	"CreateConversionStmt":         {"create conversion", loses, nil},
	"CreateCastStmt":               {"create cast", loses, nil},
	"CreateTransformStmt":          {"create transform", loses, nil},
	"CreateOpClassStmt":            {"create operator class", loses, nil},
	"CreateOpFamilyStmt":           {"create operator family", loses, nil},
	"AlterTSDictionaryStmt":        {"alter text search dictionary", loses, nil},
	"AlterObjectSchemaStmt":        {"alter", loses, nil},
	"AlterObjectDependsStmt":       {"alter", loses, nil},
	"CreateTableSpaceStmt":         {"create tablespace", loses, nil},
	"AlterTableMoveAllStmt":        {"alter table", loses, nil},
	"ReplicaIdentityStmt":          {"alter table", loses, nil},
	"AlterTableStmt":               {"alter table", defines, lookAlterTable},
	"AlterTSConfigurationStmt":     {"alter text search configuration", loses, nil},
	"AlterDatabaseRefreshCollStmt": {"alter database", loses, nil},

	"DropStmt":                   {"drop", loses, lookDrop},
	"TruncateStmt":               {"truncate", writes | destructive, nil},
	"AlterDomainStmt":            {"alter domain", loses, nil},
	"AlterFunctionStmt":          {"alter function", loses, nil},
	"AlterOperatorStmt":          {"alter operator", loses, nil},
	"AlterOpFamilyStmt":          {"alter operator family", loses, nil},
	"AlterOwnerStmt":             {"alter owner", loses, nil},
	"AlterPolicyStmt":            {"alter policy", loses, nil},
	"CreatePolicyStmt":           {"create policy", loses, nil},
	"GrantStmt":                  {"grant", loses, lookGrant},
	"GrantRoleStmt":              {"grant", loses, lookGrantRole},
	"AlterDefaultPrivilegesStmt": {"alter default privileges", loses, nil},
	"SecLabelStmt":               {"security label", loses, nil},
	"CreateRoleStmt":             {"create role", loses, nil},
	"AlterRoleStmt":              {"alter role", loses, nil},
	"AlterRoleSetStmt":           {"alter role", loses, nil},
	"DropRoleStmt":               {"drop role", loses, nil},
	"DropOwnedStmt":              {"drop owned", loses, nil},
	"ReassignOwnedStmt":          {"reassign owned", loses, nil},
	"AlterSystemStmt":            {"alter system", loses, nil},
	"AlterDatabaseStmt":          {"alter database", loses, nil},
	"AlterDatabaseSetStmt":       {"alter database", loses, nil},
	"DropdbStmt":                 {"drop database", loses, nil},
	"DropTableSpaceStmt":         {"drop tablespace", loses, nil},
	"AlterTableSpaceOptionsStmt": {"alter tablespace", loses, nil},
	"CreateExtensionStmt":        {"create extension", loses, nil},
	"AlterExtensionStmt":         {"alter extension", loses, nil},
	"AlterExtensionContentsStmt": {"alter extension", loses, nil},
	"CreatePLangStmt":            {"create language", loses, nil},
	"LoadStmt":                   {"load", loses, nil},
	"CreateEventTrigStmt":        {"create event trigger", loses, nil},
	"AlterEventTrigStmt":         {"alter event trigger", loses, nil},
	"CreateAmStmt":               {"create access method", loses, nil},
	"RuleStmt":                   {"create rule", loses, nil},
	"CreatePublicationStmt":      {"create publication", loses, nil},
	"AlterPublicationStmt":       {"alter publication", loses, nil},
	"CreateSubscriptionStmt":     {"create subscription", loses, nil},
	"AlterSubscriptionStmt":      {"alter subscription", loses, nil},
	"DropSubscriptionStmt":       {"drop subscription", loses, nil},
	"CreateFdwStmt":              {"create foreign data wrapper", loses, nil},
	"AlterFdwStmt":               {"alter foreign data wrapper", loses, nil},
	"CreateForeignServerStmt":    {"create server", loses, nil},
	"AlterForeignServerStmt":     {"alter server", loses, nil},
	"CreateForeignTableStmt":     {"create foreign table", loses, nil},
	"CreateUserMappingStmt":      {"create user mapping", loses, nil},
	"AlterUserMappingStmt":       {"alter user mapping", loses, nil},
	"DropUserMappingStmt":        {"drop user mapping", loses, nil},
	"ImportForeignSchemaStmt":    {"import foreign schema", loses, nil},

	// Parts of statements that only look like ones.
	"RawStmt":    {},
	"ReturnStmt": {},
}

// kindOf gives the kind of a statement; false when m is not a statement.
func kindOf(m proto.Message) (kind, bool) {
	name := string(m.ProtoReflect().Descriptor().Name())
	if k, ok := kinds[name]; ok {
		if k.look != nil {
			k = k.look(m, k)
		}
		return k, k.verb != ""
	}
	if verb, ok := strings.CutSuffix(name, "Stmt"); ok {
		return kind{verb: strings.ToLower(verb), effect: loses}, true
	}
	return kind{}, false
}

// why says what makes a statement of a kind what it is.
func (k kind) why() string {
	verb, _, _ := strings.Cut(k.verb, " ")
	switch {
	case k.effect&sideDoor != 0:
		return "it reaches the server's files or programs"
	case verb == "drop":
		return "it drops what is there"
	case verb == "truncate":
		return "it empties the table"
	case verb == "grant" || verb == "revoke":
		return "it changes who may do what"
	case k.effect&destructive != 0 && (verb == "alter" || verb == "comment"):
		return "it changes or takes away what is there"
	case k.effect&destructive != 0 && k.effect&ddl != 0:
		return "it changes what other statements mean, or who may do what"
	case k.effect&destructive != 0:
		return "it stops others, or takes away what is there"
	case k.effect&ddl != 0:
		return "it changes the schema"
	case k.effect&dynamic != 0:
		return "it runs code that is no statement of the text"
	}
	return "it writes"
}

// object gives the words for a parser's OBJECT_ name: "foreign table".
func object(enum string) string {
	word := strings.ToLower(strings.TrimPrefix(enum, "OBJECT_"))
	switch word {
	case "matview":
		return "materialized view"
	case "foreign_server":
		return "server"
	case "fdw":
		return "foreign data wrapper"
	case "opclass":
		return "operator class"
	case "opfamily":
		return "operator family"
	case "statistic_ext":
		return "statistics"
	case "tabconstraint", "domconstraint":
		return "constraint"
	}
	if rest, ok := strings.CutPrefix(word, "ts"); ok && word != "tablespace" {
		return "text search " + rest
	}
	return strings.ReplaceAll(word, "_", " ")
}
