package sqlguard

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// A name that is not there is refused with the code and the words in which the
// server would say so: programs go by those. The server can't be left to say it
// itself, for another session may make the name until it is asked.
// PostgreSQL 17, parse_relation.c: errorMissingColumn, errorMissingRTE, parserOpenTable.

// noRelation is the refusal of a relation that the catalog does not hold. at is
// where its name stands in the text, -1 where that is not known.
func noRelation(schema, name string, at int) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.NoRelation, Public: fmt.Sprintf("relation \"%s\" does not exist", dotted(schema, name)),
		Position: at + 1,
	}
}

// absent is the refusal of a column reference of which it is certain that the
// server would not resolve it; nil where it is not.
func (ev eval) absent(parts []string, at int) *policy.Refusal {
	for s := ev.sc; s != nil; s = s.parent {
		if s.vague {
			return nil
		}
		for _, it := range s.items {
			if it.open || it.vague {
				return nil
			}
		}
	}
	name := parts[len(parts)-1]
	if len(parts) == 1 {
		return noColumn(fmt.Sprintf("column \"%s\" does not exist", name), at)
	}
	schema, table := qualified(parts[:len(parts)-1])
	if ev.sc.lookupItem(schema, table) == nil {
		return &policy.Refusal{
			Kind: policy.NoRelation, Public: fmt.Sprintf("missing FROM-clause entry for table \"%s\"", table),
			Position: at + 1,
		}
	}
	if cat := ev.sh.cat; cat.user[name].ofRow || cat.system[name].ofRow {
		return nil // it may be called as row.name
	}
	return noColumn(fmt.Sprintf("column %s.%s does not exist", table, name), at)
}

func noColumn(public string, at int) *policy.Refusal {
	return &policy.Refusal{Kind: policy.NoColumn, Public: public, Position: at + 1}
}

// errNotKnown is why a statement is refused whose names a newer catalog may know.
var errNotKnown = errors.New("a name that the catalog does not hold")

// isAbsent reports whether a refusal says that a name is not there.
func isAbsent(r *policy.Refusal) bool {
	return r != nil && (r.Kind == policy.NoColumn || r.Kind == policy.NoRelation)
}

// mayBeNew reports whether a refusal is for a name that a newer catalog may know.
func mayBeNew(r *policy.Refusal) bool {
	return isAbsent(r) || r != nil && errors.Is(r.Err, errNotKnown)
}

// placed gives such a refusal the position that a client counts by, in
// characters: until then it is one in bytes.
func placed(r *policy.Refusal, text string) *policy.Refusal {
	if r.Position < 1 || r.Position > len(text) {
		r.Position = 0
		return r
	}
	r.Position = utf8.RuneCountInString(text[:r.Position-1]) + 1
	return r
}

// isQuery reports whether the server says where in a statement a name is that it
// does not find: it does of those it plans.
func isQuery(m proto.Message) bool {
	switch m.(type) {
	case *selectStmt, *insertStmt, *updateStmt, *deleteStmt, *mergeStmt, *explainStmt, *ctasStmt, *viewStmt, *declareStmt, *prepareStmt:
		return true
	}
	return false
}

// notKnown is the refusal of a name of which it is not known what it means.
func (ev eval) notKnown(parts []string) *policy.Refusal {
	r := denied("column "+strings.Join(parts, ".")+" is not known to the gateway",
		"The statement reaches table \""+ev.reached+"\", which holds protected columns; a name that is not known could mean one of them.",
		"Check the name; if the column was added a moment ago, try again.")
	r.Err = errNotKnown
	return r
}

// noJoin refuses USING over a column that one side does not have.
func (a *analyst) noJoin(name string, onLeft, vague bool) {
	side := "left"
	if onLeft {
		side = "right"
	}
	r := noColumn(fmt.Sprintf("column \"%s\" specified in USING clause does not exist in %s table", name, side), -1)
	if vague {
		r = denied("column "+name+" of USING is not known to the gateway", "It could be a protected column.", "Check the name.")
		r.Err = errNotKnown
	}
	a.refuse(r)
}
