package wire

import (
	"fmt"

	"sallyport/policy"
)

// functionCall is the fast path: it runs any function by its OID, with no SQL
// to judge. It is closed unless the target opens it. Function 0 does not exist:
// a call of it stands in for a refused one, and the server says so.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-FUNCTION-CALL.
func (s *Session) functionCall(size int) error {
	body, err := s.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	oid := uint32(p.int32())
	reading := Reading{Verdict: policy.Verdict{Action: policy.Allow}, Verbs: []string{"function call"}}
	a := &awaited{kind: 'F', reading: &reading}
	if !s.target.functionCalls {
		a.refusal = &policy.Refusal{
			Kind: policy.Denied, Rule: "(function-call)", Public: "function calls by OID are closed on this target",
			Hint: "Call the function in a SELECT.",
		}
		reading.Verdict = policy.Verdict{Rule: a.refusal.Rule, Message: a.refusal.Public}
		body = make([]byte, 4+2+2+2)
	}
	s.lasting = s.lasting || s.target.functionCalls
	if err := s.recordStatement(a, fmt.Sprintf("(function %d, called by OID)", oid), nil); err != nil {
		return err
	}
	if !s.pipe.push(a) {
		return s.skipped(a)
	}
	return writeMessage(s.up.out, 'F', body)
}

// functionResult carries a FunctionCallResponse.
func (s *Session) functionResult(a *awaited, size int) error {
	if a.kind != 'F' {
		return unasked('V')
	}
	a.bytes, a.tag = int64(size), "FUNCTION CALL"
	if err := s.recordOutcome(a); err != nil {
		return err
	}
	return s.up.in.pass(s.out, 'V', size)
}
