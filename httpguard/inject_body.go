package httpguard

import (
	"bytes"
	"errors"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/policy"
)

// putMember writes a member into a JSON object or a form. What was there under
// that name goes; every other byte stays.
func putMember(contentType string, body []byte, name, value string) ([]byte, error) {
	wrong := &policy.Refusal{Kind: policy.Malformed, Public: "requests to this target need a body that is a JSON object or a form: the gateway writes the credential into it"}
	if kind, _, err := mediaType(contentType); err == nil && kind == "application/x-www-form-urlencoded" {
		kept := without(string(body), name)
		if kept != "" {
			kept += "&"
		}
		return []byte(kept + url.QueryEscape(name) + "=" + url.QueryEscape(value)), nil
	}
	if !isJSON(contentType) {
		return nil, wrong
	}
	quotedName, err := jsontext.AppendQuote(nil, name)
	if err != nil {
		return nil, wrong
	}
	quoted, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		return nil, unusable(errors.New("inject: the secret is not UTF-8"))
	}
	out, err := splice(body, name, slices.Concat(quotedName, []byte(":"), quoted), quoted)
	if err != nil {
		wrong.Err = err
		return nil, wrong
	}
	return out, nil
}

// splice replaces the value of a top-level member, or adds the member first.
func splice(body []byte, name string, member, value []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return nil, errors.New("not an object")
	}
	start := dec.InputOffset()
	if dec.PeekKind() != jsontext.KindEndObject {
		member = append(member, ',')
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		t, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		is := t.String() == name
		old, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if is {
			end := dec.InputOffset()
			return slices.Concat(body[:end-int64(len(old))], value, body[end:]), nil
		}
	}
	return slices.Concat(body[:start], member, body[start:]), nil
}
