package wire

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/jackc/pgproto3/v2"

	"sallyport/policy"
)

// sqlstates gives each kind of refusal its SQLSTATE.
// PostgreSQL 17, errcodes-appendix.html.
var sqlstates = map[policy.Kind]string{
	policy.Internal:        "XX000", // internal_error
	policy.Denied:          "42501", // insufficient_privilege
	policy.Unauthenticated: "28P01", // invalid_password
	policy.Malformed:       "08P01", // protocol_violation
	policy.Unparsed:        "42601", // syntax_error
	policy.Unsupported:     "0A000", // feature_not_supported
	policy.Unknown:         "3D000", // invalid_catalog_name
	policy.Unavailable:     "08006", // connection_failure
	policy.Timeout:         "57014", // query_canceled
	policy.TooLarge:        "54000", // program_limit_exceeded
	policy.TooComplex:      "54001", // statement_too_complex
	policy.Busy:            "53300", // too_many_connections
	policy.Idle:            "57P05", // idle_session_timeout
	policy.IdleTransaction: "25P03", // idle_in_transaction_session_timeout
	policy.ShuttingDown:    "57P01", // admin_shutdown
	policy.NoColumn:        "42703", // undefined_column
	policy.NoRelation:      "42P01", // undefined_table
}

// malformed is a refusal for bytes that are not the protocol.
func malformed(format string, args ...any) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Malformed, Public: fmt.Sprintf(format, args...)}
}

// tooLarge is a refusal for what is longer than this gateway reads or holds.
func tooLarge(public, hint string) *policy.Refusal {
	return &policy.Refusal{Kind: policy.TooLarge, Public: public, Hint: hint}
}

// unsupported is a refusal for what the protocol has and we do not offer.
func unsupported(public, hint string) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Unsupported, Public: public, Hint: hint}
}

// errorResponse is what the client reads of a refusal. Severity is ERROR, or
// FATAL when the connection ends with it.
func errorResponse(r *policy.Refusal, severity string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity:            severity,
		SeverityUnlocalized: severity,
		Code:                sqlstates[r.Kind],
		Message:             r.Public,
		Detail:              r.Detail,
		Hint:                r.Hint,
		Position:            int32(r.Position),
	}
}

// asServer is a refusal for which the server has another SQLSTATE than our
// table has for its kind.
func asServer(code string, r *policy.Refusal) error {
	said := report{fields: []field{{'S', "FATAL"}, {'V', "FATAL"}, {'C', code}, {'M', r.Public}}}
	if r.Detail != "" {
		said = said.with('D', r.Detail)
	}
	if r.Hint != "" {
		said = said.with('H', r.Hint)
	}
	return &serverError{said, r}
}

// report is an ErrorResponse or NoticeResponse from the server, taken apart.
// PostgreSQL 17, protocol-error-fields.html.
type report struct{ fields []field }

type field struct {
	kind byte
	text string
}

// parseReport takes the body of an ErrorResponse or NoticeResponse apart.
func parseReport(body []byte) (report, error) {
	p := parts{b: body}
	var r report
	for {
		kind := p.byte()
		if kind == 0 {
			break
		}
		r.fields = append(r.fields, field{kind, string(p.text())})
	}
	if !p.done() {
		return report{}, malformed("the server sent a malformed error")
	}
	return r, nil
}

// get returns the field's text, "" when it is absent.
func (r report) get(kind byte) string {
	for _, f := range r.fields {
		if f.kind == kind {
			return f.text
		}
	}
	return ""
}

// with is the report with another text in a field.
func (r report) with(kind byte, text string) report {
	out := report{fields: make([]field, 0, len(r.fields)+1)}
	for _, f := range r.fields {
		if f.kind != kind {
			out.fields = append(out.fields, f)
		}
	}
	out.fields = append(out.fields, field{kind, text})
	return out
}

// positionOf is the character in the statement, from 1; 0 is none.
func (r report) positionOf() int {
	n, _ := strconv.Atoi(r.get('P'))
	return n
}

func (r report) encode() []byte {
	var b bytes.Buffer
	for _, f := range r.fields {
		b.WriteByte(f.kind)
		b.WriteString(f.text)
		b.WriteByte(0)
	}
	b.WriteByte(0)
	return b.Bytes()
}
