package httpguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/policy"
)

// filterTools leaves out of the server's lists the tools that the caller's
// rules deny whatever the arguments. It is a courtesy to the model, not the
// gate: tools/call is judged all the same.
func (x *exchange) filterTools(res *http.Response) error {
	if x.target.provider != mcp || isEmpty(res) {
		return nil
	}
	kind, _, _ := mediaType(res.Header.Get("Content-Type"))
	if kind == "text/event-stream" && plainCoding(res.Header) {
		res.Body = newEvents(res.Body, x.filterEvent)
		res.ContentLength = -1
		res.Header.Del("Content-Length")
		return nil
	}
	lists := false
	for _, m := range x.asked.messages {
		lists = lists || m.method == toolsList
	}
	if !lists || res.StatusCode != http.StatusOK {
		return nil
	}
	why := ""
	switch {
	case !plainCoding(res.Header):
		why = "it is compressed"
	case !isJSON(res.Header.Get("Content-Type")):
		why = "its content type is not JSON"
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxMasked+1))
	if err != nil {
		return err
	}
	if len(body) > maxMasked {
		why = fmt.Sprintf("it has more than %d bytes", maxMasked)
	}
	filtered, err := keepTools(body, x.offers)
	if err != nil && why == "" {
		why = "it is not JSON"
	}
	if why != "" {
		return &policy.Refusal{Kind: policy.Unavailable, Public: "the list of tools was withheld: its tools must be judged, and " + why, Err: err}
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(filtered))
	res.ContentLength = int64(len(filtered))
	res.Header.Set("Content-Length", strconv.Itoa(len(filtered)))
	return nil
}

// offers reports whether a call of the tool could pass, for some arguments.
func (x *exchange) offers(tool string) bool {
	const later = "the arguments of a call are not known before it"
	http := *x.asked.http
	http.Method = "POST"
	http.Body = map[string]any{"jsonrpc": "2.0", "method": toolsCall, "params": map[string]any{"name": tool}}
	v := x.server.judge.Judge(&policy.Question{
		Caller: x.who, Target: x.target.name, Time: x.start, HTTP: &http, Ahead: true,
		MCP: &policy.MCP{Method: policy.Known(toolsCall), Tool: policy.Known(tool), Arguments: policy.UnknownFact[map[string]any](later)},
	})
	return v.Action != policy.Deny
}

// filterEvent filters a list that comes in an event of a stream.
func (x *exchange) filterEvent(event []byte) []byte {
	text := eventData(event)
	if !bytes.Contains(text, []byte(`"tools"`)) {
		return event
	}
	filtered, err := keepTools(text, x.offers)
	if err != nil || bytes.Equal(filtered, text) {
		return event // what is no JSON, no client reads either
	}
	var out []byte
	for _, line := range bytes.FieldsFunc(event, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if !bytes.HasPrefix(line, []byte("data")) {
			out = append(append(out, line...), '\n')
		}
	}
	out = append(out, "data: "...)
	out = append(out, bytes.ReplaceAll(filtered, []byte("\n"), []byte(" "))...) // between values only
	return append(out, "\n\n"...)
}

// keepTools takes the tools that keep does not want out of the results in a
// JSON-RPC message or batch. Other bytes stay as they are.
func keepTools(text []byte, keep func(tool string) bool) ([]byte, error) {
	f := &filter{keep: keep}
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() == jsontext.KindBeginArray {
		if err := f.each(dec, f.message); err != nil {
			return nil, err
		}
	} else if err := f.message(dec); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	out, from := []byte(nil), 0
	for _, e := range f.edits {
		out = append(append(out, text[from:e.from]...), e.text...)
		from = e.to
	}
	return append(out, text[from:]...), nil
}

// filter walks over a message and notes what to replace.
type filter struct {
	keep  func(string) bool
	edits []edit
}

type edit struct {
	from, to int
	text     []byte
}

// each does something with every element of the list that comes next.
func (f *filter) each(dec *jsontext.Decoder, do func(*jsontext.Decoder) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndArray {
		if err := do(dec); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// in does something with the values of one member of the object that comes next.
func (f *filter) in(dec *jsontext.Decoder, name string, kind jsontext.Kind, do func(*jsontext.Decoder) error) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		key, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if key.String() == name && dec.PeekKind() == kind {
			err = do(dec)
		} else {
			err = dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (f *filter) message(dec *jsontext.Decoder) error {
	return f.in(dec, "result", jsontext.KindBeginObject, func(dec *jsontext.Decoder) error {
		return f.in(dec, "tools", jsontext.KindBeginArray, f.tools)
	})
}

// tools reads the list and notes what is left of it.
func (f *filter) tools(dec *jsontext.Decoder) error {
	var left []byte
	removed := false
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	from := int(dec.InputOffset())
	for dec.PeekKind() != jsontext.KindEndArray {
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if name, ok := toolName(value); ok && !f.keep(name) {
			removed = true
			continue
		}
		if left != nil {
			left = append(left, ',')
		}
		left = append(left, value...)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if removed {
		f.edits = append(f.edits, edit{from, int(dec.InputOffset()) - 1, left})
	}
	return nil
}

// toolName is the tool's name, the last of several.
func toolName(tool jsontext.Value) (string, bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(tool), jsontext.AllowDuplicateNames(true))
	name, found := "", false
	f := &filter{}
	err := f.in(dec, "name", jsontext.KindString, func(dec *jsontext.Decoder) error {
		token, err := dec.ReadToken()
		if err == nil {
			name, found = token.String(), true
		}
		return err
	})
	return name, found && err == nil
}
