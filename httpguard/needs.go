package httpguard

import (
	"context"

	"sallyport/credential"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

// Identifier turns a gateway token into the principal it proves. Its errors are
// *policy.Refusal.
type Identifier interface {
	Identify(ctx context.Context, token secret.Text) (policy.Principal, error)
}

// Access says whether a grant lets the principal reach the target.
type Access interface {
	Allows(p policy.Principal, target string) bool
}

// Lender lends what a target's exchanges carry: one value, a login, or several
// fields. Its errors are *policy.Refusal and hold no secret. The lease is
// released when the exchange has ended.
type Lender interface {
	Key(ctx context.Context, ref credential.Ref) (*credential.Lease, error)
	Login(ctx context.Context, ref credential.Ref) (*credential.Lease, error)
	Fields(ctx context.Context, ref credential.Ref, must, may []string) (*credential.Lease, error)
}

// Judge decides one exchange. It reads no network and no clock.
type Judge interface {
	Judge(q *policy.Question) policy.Verdict
}

// Journal begins the recording of a session, which outlives ctx.
type Journal interface {
	Begin(ctx context.Context, o recorder.Opening) (Recording, error)
}

// Recording writes what is about to happen, and what came of it. An error of
// Write means that it must not happen, and that nothing more can be written.
// Write is safe for concurrent use.
type Recording interface {
	Write(e recorder.Event) error
	End(c recorder.Closing) error
}
