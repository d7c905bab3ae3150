package policy

import (
	"errors"
	"fmt"
)

// Kind sorts refusals; each protocol has one table from Kind to its own codes
// (wire/errors.go, httpguard/problem.go). It is also the metric label.
type Kind int

// Every kind there is. Internal is zero: a bug, and the client learns nothing more.
const (
	Internal        Kind = iota // a fault of the gateway's own
	Denied                      // a rule, a mask or a missing grant
	Unauthenticated             // no token, or not a valid one
	Malformed                   // bytes that are not the protocol
	Unparsed                    // text that the SQL or JSON parser rejects
	Unsupported                 // understood, and not offered
	Unknown                     // no such target
	Unavailable                 // the upstream or the secret store cannot be reached
	Timeout                     // a deadline passed
	TooLarge                    // beyond a size limit
	TooComplex                  // beyond what can be judged in bounded time and memory
	Busy                        // beyond a count limit
	Idle                        // a session nobody used
	IdleTransaction             // a transaction nobody went on with
	ShuttingDown                // the gateway is going away
	NoColumn                    // a name in the statement that is no column's
	NoRelation                  // a name in the statement that is no relation's
)

var kindNames = [...]string{
	"internal", "denied", "unauthenticated", "malformed", "unparsed", "unsupported", "unknown",
	"unavailable", "timeout", "too-large", "too-complex", "busy", "idle", "idle-transaction", "shutting-down", "no-column", "no-relation",
}

// Kinds lists every kind, for the tests that look for holes in a table.
func Kinds() []Kind {
	all := make([]Kind, len(kindNames))
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// String is the metric label.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return kindNames[Internal]
	}
	return kindNames[k]
}

// Refusal is the only error whose text reaches a client.
type Refusal struct {
	Kind     Kind
	Public   string // what the client reads: no literals, hosts or secrets
	Detail   string // the rule and what led to it; may be empty
	Hint     string // what to do instead; may be empty
	Rule     string // the rule that refused; may be empty
	Position int    // character in the statement, from 1; 0 is none
	Err      error  // what we log; may be nil
}

// Error is for the log.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %v", r.Public, r.Err)
	}
	return r.Public
}

// Unwrap gives the logged cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse turns a denying verdict into what the client gets.
func Refuse(v Verdict) *Refusal {
	r := &Refusal{Kind: Denied, Rule: v.Rule, Detail: v.Detail, Hint: v.Hint, Public: v.Message, Position: v.Position}
	if v.Rule != "" {
		r.Public = fmt.Sprintf("refused by rule %q", v.Rule)
		if v.Message != "" {
			r.Public += ": " + v.Message
		}
	}
	if r.Public == "" {
		r.Public = "refused"
	}
	return r
}

// AsRefusal finds the refusal in err, or makes an Internal one that tells the
// client nothing and keeps err for the log.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Kind: Internal, Public: "internal error", Err: err}
}
