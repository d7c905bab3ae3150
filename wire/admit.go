package wire

import (
	"context"
	"fmt"
	"time"

	"sallyport/policy"
	"sallyport/recorder"
)

// admit is the only way a SQL text reaches the server: it is judged, and the
// verdict recorded. An error means that it could not be recorded, and that the
// session ends. A refusal already given (for a text that could not be read)
// is recorded like one of the judge's.
func (s *Session) admit(ctx context.Context, text string, refusal *policy.Refusal) (*awaited, error) {
	reading, _, err := s.judge(ctx, text, refusal)
	if err != nil {
		return nil, err
	}
	if reading.Refusal == nil {
		refusal, err := s.runNow(ctx, &reading)
		if err != nil {
			return nil, err
		}
		s.refuseReading(&reading, refusal)
	}
	a := &awaited{text: text, reading: &reading, refusal: reading.Refusal}
	return a, s.recordStatement(a, text, nil)
}

// judge asks the judge, and closes what only the session can see: SQL that runs
// a statement of the extended protocol by its name, past its mask.
//
// Where it was judged inside a transaction that has changed definitions, changes
// says after how many; it holds no longer than they do.
func (s *Session) judge(ctx context.Context, text string, refusal *policy.Refusal) (r Reading, changes int64, err error) {
	if refusal == nil {
		in, err := s.inside()
		if err != nil {
			return Reading{}, 0, err
		}
		if in != nil && !in.blind {
			changes = in.changes
		}
		r = s.server.needs.Judge.Judge(ctx, s.question(), text, in)
		if r.Refusal == nil && len(r.Uses) > 0 && s.pipe.named(r.Uses) {
			r.Refusal = &policy.Refusal{
				Kind: policy.Denied, Rule: "(mask)",
				Public: "a prepared statement over protected columns can't be run by EXECUTE or FETCH",
				Hint:   "Bind and execute it by the extended protocol, as it was prepared.",
			}
		}
	} else {
		r.Refusal = refusal
	}
	if r.Refusal != nil {
		s.refuseReading(&r, r.Refusal)
		return r, changes, nil
	}
	s.target.count.allowed.Inc()
	s.lasting = s.lasting || !r.Resettable
	return r, changes, nil
}

// refuseReading notes that a text does not run; nothing where refusal is nil.
func (s *Session) refuseReading(r *Reading, refusal *policy.Refusal) {
	if refusal == nil {
		return
	}
	r.Refusal = refusal
	r.Verdict.Action = policy.Deny
	if r.Verdict.Rule == "" {
		r.Verdict.Rule, r.Verdict.Message = refusal.Rule, refusal.Public
	}
	s.server.metrics.refusals.WithLabelValues(refusal.Kind.String()).Inc()
	s.target.count.denied.Inc()
}

// recordStatement writes what is about to happen. What can't be recorded does
// not run.
func (s *Session) recordStatement(a *awaited, text string, params []recorder.Param, notes ...recorder.Note) error {
	s.count++
	a.id, a.start = s.count, time.Now()
	v := &a.reading.Verdict
	err := s.recording.Write(recorder.Event{Notes: notes, Statement: &recorder.Statement{
		ID: a.id, Text: text, Params: params, Verbs: a.reading.Verbs,
		Action: v.Action.String(), Rule: v.Rule, Message: v.Message, Detail: v.Detail, Flags: v.Flags,
	}})
	if err != nil {
		return fmt.Errorf("record statement: %w", err)
	}
	return nil
}

// recordOutcome writes what came of it.
func (s *Session) recordOutcome(a *awaited) error {
	s.target.count.rows.Add(float64(a.rows))
	s.target.count.masked.Add(float64(a.masked))
	err := s.recording.WriteLate(recorder.Event{Outcome: &recorder.Outcome{
		ID: a.id, Tag: a.tag, Code: a.code, Error: a.message,
		Rows: a.rows, Bytes: a.bytes, Masked: a.masked, Duration: time.Since(a.start),
	}})
	if err != nil {
		return fmt.Errorf("record outcome: %w", err)
	}
	return nil
}
