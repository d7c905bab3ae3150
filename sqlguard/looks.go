package sqlguard

import (
	"strings"

	"google.golang.org/protobuf/proto"
)

func lookBounds(m proto.Message, k kind) kind {
	bounded := true
	switch m := m.(type) {
	case *updateStmt:
		bounded = bounds(m.WhereClause, m.Relation)
	case *deleteStmt:
		bounded = bounds(m.WhereClause, m.Relation)
	case *mergeStmt:
		on := bounds(m.JoinCondition, m.Relation)
		for _, n := range m.MergeWhenClauses {
			when, ok := unwrap(n).(*mergeWhen)
			if !ok || when.CommandType == mergeUpdate || when.CommandType == mergeDelete {
				bounded = bounded && (on || ok && bounds(when.Condition, m.Relation))
			}
		}
	}
	if !bounded {
		k.effect |= unbounded | destructive
	}
	return k
}

// lookCopy: a server's file or program is as good as a shell there.
func lookCopy(m proto.Message, k kind) kind {
	s := m.(*copyStmt)
	if s.IsFrom {
		k.effect |= writes
	}
	if s.IsProgram || s.Filename != "" {
		k.effect |= writes | destructive
	}
	return k
}

func lookTransaction(m proto.Message, k kind) kind {
	switch verb := strings.TrimPrefix(m.(*txStmt).Kind.String(), "TRANS_STMT_"); verb {
	case "PREPARE":
		k.verb = "prepare transaction"
	case "COMMIT_PREPARED", "ROLLBACK_PREPARED":
		k.verb = strings.ToLower(strings.ReplaceAll(verb, "_", " "))
	case "START":
		k.verb = "begin"
	case "ROLLBACK_TO":
		k.verb = "rollback to savepoint"
	default:
		k.verb = strings.ToLower(verb)
	}
	return k
}

func lookFetch(m proto.Message, k kind) kind {
	if m.(*fetchStmt).Ismove {
		k.verb = "move"
	}
	return k
}

func lookVacuum(m proto.Message, k kind) kind {
	s := m.(*vacuumStmt)
	if !s.IsVacuumcmd {
		k.verb = "analyze"
	}
	if s.IsVacuumcmd && option(s.Options, "full") {
		k.effect |= writes | destructive
	}
	return k
}

// lookLock: EXCLUSIVE and ACCESS EXCLUSIVE stop everybody else.
func lookLock(m proto.Message, k kind) kind {
	if m.(*lockStmt).Mode >= 7 {
		k.effect |= destructive
	}
	return k
}

func lookCreateAs(m proto.Message, k kind) kind {
	switch s := m.(*ctasStmt); {
	case s.Objtype.String() == "OBJECT_MATVIEW":
		k.verb = "create materialized view"
	case s.IsSelectInto:
		k.verb = "select into"
	}
	return k
}

func lookSequence(m proto.Message, k kind) kind {
	for _, n := range m.(*alterSeqStmt).Options {
		if d, ok := unwrap(n).(*defElem); !ok || d.Defname == "restart" {
			k.effect |= destructive
		}
	}
	return k
}

func lookDefine(m proto.Message, k kind) kind {
	k.verb = "create " + object(m.(*defineStmt).Kind.String())
	return k
}

// lookFunction: what an unread body will do is unknown. A body in SQL is read
// by the walk.
func lookFunction(m proto.Message, k kind) kind {
	s := m.(*functionStmt)
	if s.IsProcedure {
		k.verb = "create procedure"
	}
	if s.SqlBody == nil && !strings.EqualFold(functionOption(s, "language"), "sql") {
		k.effect |= destructive
	}
	return k
}

// functionOption gives an option of CREATE FUNCTION as text: language, as.
func functionOption(s *functionStmt, name string) string {
	for _, n := range s.Options {
		d, ok := unwrap(n).(*defElem)
		if !ok || d.Defname != name {
			continue
		}
		switch arg := unwrap(d.Arg).(type) {
		case *str:
			return arg.Sval
		case *list:
			if len(arg.Items) == 1 {
				return text(arg.Items[0])
			}
		}
	}
	return ""
}

func lookRename(m proto.Message, k kind) kind {
	k.verb = "alter " + object(m.(*renameStmt).RenameType.String())
	return k
}

func lookDrop(m proto.Message, k kind) kind {
	k.verb = "drop " + object(m.(*dropStmt).RemoveType.String())
	return k
}

func lookGrant(m proto.Message, k kind) kind {
	if !m.(*grantStmt).IsGrant {
		k.verb = "revoke"
	}
	return k
}

func lookGrantRole(m proto.Message, k kind) kind {
	if !m.(*grantRoleStmt).IsGrant {
		k.verb = "revoke"
	}
	return k
}

// keeps lists the ALTER TABLE commands that lose neither data nor protection.
var keeps = map[string]bool{
	"AT_AddColumn": true, "AT_AddColumnToView": true, "AT_ColumnDefault": true, "AT_SetNotNull": true,
	"AT_DropNotNull": true, "AT_SetStatistics": true, "AT_SetOptions": true, "AT_ResetOptions": true,
	"AT_SetStorage": true, "AT_SetCompression": true, "AT_AddIndex": true, "AT_AddConstraint": true,
	"AT_AlterConstraint": true, "AT_ValidateConstraint": true, "AT_AddIndexConstraint": true,
	"AT_ClusterOn": true, "AT_DropCluster": true, "AT_SetLogged": true, "AT_SetTableSpace": true,
	"AT_SetRelOptions": true, "AT_ResetRelOptions": true, "AT_EnableTrig": true, "AT_EnableAlwaysTrig": true,
	"AT_EnableTrigAll": true, "AT_EnableTrigUser": true, "AT_EnableRule": true, "AT_EnableAlwaysRule": true,
	"AT_AddInherit": true, "AT_AddOf": true, "AT_ReplicaIdentity": true, "AT_EnableRowSecurity": true,
	"AT_ForceRowSecurity": true, "AT_AttachPartition": true, "AT_AddIdentity": true, "AT_SetIdentity": true,
}

func lookAlterTable(m proto.Message, k kind) kind {
	s := m.(*alterTableStmt)
	k.verb = "alter " + object(s.Objtype.String())
	for _, n := range s.Cmds {
		if cmd, ok := unwrap(n).(*alterTableCmd); !ok || !keeps[cmd.Subtype.String()] {
			k.effect |= destructive
		}
	}
	return k
}

// option reports whether a yes-or-no option is given and not switched off.
func option(options []*node, name string) bool {
	on := false
	for _, n := range options {
		d, ok := unwrap(n).(*defElem)
		if !ok || d.Defname != name {
			continue
		}
		switch strings.ToLower(text(d.Arg)) {
		case "off", "false", "0", "no":
		default:
			on = true // once is enough, whichever the server takes
		}
	}
	return on
}

func lookSet(m proto.Message, k kind) kind {
	switch s := m.(*setStmt); s.Kind {
	case varSet, varCurrent, varDefault:
	default:
		if s.Name == "" || s.Kind.String() != "VAR_SET_MULTI" {
			k.verb = "reset"
		}
	}
	return k
}
