package console

import (
	"context"
	"time"

	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

// Identifier says whose gateway token it is. Whether the token still holds is
// asked anew for each page, so the answer must be of this moment.
type Identifier interface {
	Identify(ctx context.Context, token secret.Text) (policy.Principal, error)
}

// Sessions reads recordings, also those still being written.
type Sessions interface {
	// Sessions sums up the latest sessions, newest first.
	Sessions(limit int) ([]recorder.Summary, error)
	// Summary sums up one. For an unknown id the error is recorder.ErrNoSession.
	Summary(id string) (recorder.Summary, error)
	// Latest reads the last n events of one, the oldest of them first.
	Latest(id string, n int) ([]recorder.Event, error)
}

// TargetHealth is what was last seen of a target.
type TargetHealth struct {
	Name    string
	Kind    string    // "postgres" or "http"
	OK      bool      // the upstream answered
	Detail  string    // why not, or what it answered
	Checked time.Time // zero: not yet
}
