package httpguard

import (
	"fmt"

	"sallyport/policy"
	"sallyport/recorder"
)

// admit is the only way an exchange reaches the upstream. What cannot be
// recorded is not forwarded.
func (x *exchange) admit(facts *policy.HTTP) error {
	v := x.judgeAll(x.understand(facts))
	if x.asked.talk == nil { // else each of its messages has a cost of its own
		v = x.checkUnknownCost(v, x.asked.meter)
	}
	if v.Action == policy.Allow {
		if err := x.checkAliases(facts); err != nil {
			return err
		}
		if err := x.maskRequest(); err != nil {
			return err
		}
	}
	if err := x.record(v); err != nil {
		return err
	}
	if v.Action != policy.Allow {
		return policy.Refuse(v)
	}
	return nil
}

// record writes the exchange with its verdict.
func (x *exchange) record(v policy.Verdict) error {
	body := string(x.recordedBody()) // masks the query, too
	at := x.route.url(x.target, "")
	err := x.session.write(recorder.Event{Exchange: &recorder.Exchange{
		ID:          x.number,
		Method:      x.in.Method,
		Host:        at.Host,
		Path:        at.EscapedPath(),
		Query:       x.recordedQuery(),
		ContentType: x.in.Header.Get("Content-Type"),
		Body:        body,
		Action:      v.Action.String(),
		Rule:        v.Rule,
		Message:     v.Message,
		Detail:      v.Detail,
		Flags:       v.Flags,
		Estimate:    x.asked.meter.estimate(),
	}})
	if err != nil {
		return unrecorded(err)
	}
	x.judged = true
	return nil
}

func unrecorded(err error) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Internal, Public: "the exchange could not be recorded, so it was stopped",
		Err: fmt.Errorf("record: %w", err),
	}
}
