package sqlguard

import (
	"strings"

	"google.golang.org/protobuf/proto"
)

// lookCopy: a server's file or program is as good as a shell there.
func lookCopy(m proto.Message, k kind) kind {
	s := m.(*copyStmt)
	if s.IsFrom {
		k.effect |= writes
	}
	if s.IsProgram || s.Filename != "" {
		k.effect |= control | sideDoor
	}
	return k
}

func lookTransaction(m proto.Message, k kind) kind {
	switch verb := strings.TrimPrefix(m.(*txStmt).Kind.String(), "TRANS_STMT_"); verb {
	case "PREPARE":
		k.verb = "prepare transaction"
	case "COMMIT_PREPARED", "ROLLBACK_PREPARED":
		k.verb = strings.ToLower(strings.ReplaceAll(verb, "_", " "))
		k.effect |= writes // it may be another session's
		if verb == "ROLLBACK_PREPARED" {
			k.effect |= control
		}
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
	for _, name := range []string{"full", "freeze", "disable_page_skipping"} {
		if s.IsVacuumcmd && option(s.Options, name) {
			k.effect |= control
		}
	}
	return k
}

// lookLock: SHARE ROW EXCLUSIVE and above stop everybody else who writes.
func lookLock(m proto.Message, k kind) kind {
	if m.(*lockStmt).Mode >= 6 {
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

// lookEnum: a new value is harmless, another name for one is not.
func lookEnum(m proto.Message, k kind) kind {
	if m.(*enumStmt).OldVal != "" {
		k.effect |= destructive
	}
	return k
}

// lookRefresh: without data it empties the view.
func lookRefresh(m proto.Message, k kind) kind {
	if m.(*refreshStmt).SkipData {
		k.effect |= destructive
	}
	return k
}

// lookComment: IS NULL drops what was there.
func lookComment(m proto.Message, k kind) kind {
	if m.(*commentStmt).Comment == "" {
		k.effect |= destructive
	}
	return k
}

func lookDefine(m proto.Message, k kind) kind {
	s := m.(*defineStmt)
	k.verb = "create " + object(s.Kind.String())
	switch s.Kind.String() {
	case "OBJECT_COLLATION", "OBJECT_TSCONFIGURATION", "OBJECT_TSDICTIONARY":
	case "OBJECT_TYPE":
		if len(s.Definition) > 0 { // a base type, with functions of its own
			k.effect |= destructive
		}
	default: // an operator or an aggregate changes what other statements mean
		k.effect |= destructive
	}
	return k
}

// lookFunction: the body is read by the walk.
func lookFunction(m proto.Message, k kind) kind {
	s := m.(*functionStmt)
	if s.IsProcedure {
		k.verb = "create procedure"
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

// library is that of a function in C: AS 'library', or AS 'library', 'symbol'.
func library(s *functionStmt) string {
	for _, n := range s.Options {
		if d, ok := unwrap(n).(*defElem); ok && d.Defname == "as" {
			if l, ok := unwrap(d.Arg).(*list); ok && len(l.Items) > 0 {
				return text(l.Items[0])
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

// keeps lists the ALTER TABLE commands that lose neither data nor protection,
// and change nothing of what is there but to constrain it.
var keeps = map[string]bool{
	"AT_AddColumn": true, "AT_AddIndex": true, "AT_AddConstraint": true, "AT_AddIndexConstraint": true,
	"AT_ValidateConstraint": true, "AT_SetNotNull": true, "AT_AddIdentity": true, "AT_AttachPartition": true,
	"AT_EnableTrig": true, "AT_EnableAlwaysTrig": true, "AT_EnableTrigAll": true, "AT_EnableTrigUser": true,
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
