package wire

import (
	"context"

	"sallyport/credential"
	"sallyport/identity"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

// Identifier turns a gateway token into who asks. Its errors are Refusals.
type Identifier interface {
	Identify(ctx context.Context, token secret.Text) (policy.Principal, error)
}

// Tokens finds the issued token that a user name is the id of, for SCRAM. It
// fails only when it can't look: for an id that names none it gives a Scram
// that nothing proves. Its errors are Refusals.
type Tokens interface {
	Scram(ctx context.Context, id string) (*identity.Scram, error)
}

// Scram is what SCRAM needs to know of one token.
type Scram interface {
	Salt() []byte
	Iterations() int
	// Prove checks a proof for an AuthMessage: who it proves to be there, and
	// the server's signature. Its errors are Refusals.
	Prove(message string, proof []byte) (signature []byte, who policy.Principal, err error)
}

// Access says whether a principal has a grant for a target.
type Access interface {
	Allows(p policy.Principal, target string) bool
}

// Lender lends the login of an upstream for one session. Its errors are Refusals.
type Lender interface {
	Login(ctx context.Context, ref credential.Ref) (*credential.Lease, error)
}

// Judge reads one SQL text and says whether it may run.
//
// It may ask the target's catalog when a name is new to it; ctx bounds that.
type Judge interface {
	//
	// in is nil but in a transaction that has changed definitions, which nobody
	// else sees yet: ask it. What is judged by its answers is judged again once they
	// do not hold any more.
	Judge(ctx context.Context, q policy.Question, text string, in *Inside) Reading
}

// Reading is what a Judge made of one SQL text.
type Reading struct {
	Verdict policy.Verdict  // for the record
	Verbs   []string        // for the record
	Refusal *policy.Refusal // nil: it may run

	// Protected says that the text reaches a relation that holds a masked
	// column: its errors and notices are scrubbed of values. What it runs by a
	// name says that itself, as a Keep.
	Protected bool
	// Plans says how to mask the rows. Nil only where the target masks nothing.
	Plans Planner
	// Scan appends a text of the server's to dst with what detectors find in it
	// masked; nil where none look.
	Scan func(dst, text []byte) []byte
	// Resettable says that DISCARD ALL undoes all that the text may leave in the
	// server's session. False, the connection is not used for another session.
	Resettable bool
	// Uses names the prepared statements and cursors that the text runs by
	// EXECUTE, FETCH and the like.
	Uses []string
	// Runs says, by statement, of which Keep the rows are that it returns; empty
	// for none, nil where none does.
	Runs []string
	// Within says, by statement, of which Keep those are that it runs without
	// returning its rows; empty for none, nil where none does.
	Within []string
	// Stores says that one of them puts the rows into a table: what it runs must be
	// known to reach no masked column.
	Stores bool
	// Keeps are the prepared statements and cursors that the text makes by
	// PREPARE and DECLARE.
	Keeps []Keep
	// Changed is called when a text that changes definitions has been committed;
	// nil for one that does not.
	Changed func()
	// Holds reports whether the definitions that the text was judged by are those of
	// now; nil where it does not depend on them. A statement is judged again
	// where they are not.
	Holds func(ctx context.Context) bool
}

// Keep is a prepared statement or a cursor that the nth statement of a text makes.
type Keep struct {
	Nth   int
	Name  string  // by KeptStatement or KeptCursor
	Plans Planner // of its rows, as those of statement 0
	// Protected is that of its statement, whatever runs it.
	Protected bool
	// Shows says that its plan would show protected values: EXPLAIN is refused.
	Shows bool
	// Again judges the statement once more, by the definitions of now. Nil for a
	// cursor, whose relations nobody can change.
	Again func(ctx context.Context) (protected bool, refusal *policy.Refusal)
}

// KeptStatement and KeptCursor are what Reading.Runs and Keep.Name call a
// prepared statement and a cursor.
func KeptStatement(name string) string { return "statement " + name }

// KeptCursor is KeptStatement for a cursor.
func KeptCursor(name string) string { return "cursor " + name }

// Planner says how to mask the result of the n-th statement of a text, from
// the description the server gave. What it does not understand it masks.
type Planner interface {
	// Plan also sets each field's Like.
	Plan(ctx context.Context, n int, fields []mask.Field) mask.Plan
	// Copy is Plan for a COPY ... TO STDOUT, which the server does not describe;
	// nil where nothing is masked. An error means that no row may pass.
	Copy(n, columns int) (*mask.Copy, error)
}

// Journal opens the recording of a session.
type Journal interface {
	Begin(ctx context.Context, o recorder.Opening) (Recording, error)
}

// Recording takes what is about to happen, in order. An error means it must
// not happen.
type Recording interface {
	Write(e recorder.Event) error
	// WriteLate takes what came of what has run. An error means that nothing more
	// may run.
	WriteLate(e recorder.Event) error
	End(c recorder.Closing) error
}
