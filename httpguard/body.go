package httpguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/policy"
)

const (
	// maxRequest is how many bytes a request's body may have. It is judged and
	// recorded before any of it is forwarded, so it must fit into memory.
	maxRequest = 4 << 20
	// maxUpload is how long a caller may take to send it.
	maxUpload = time.Minute
	// maxDepth is how deep a JSON body may nest.
	maxDepth = 1000
)

// errEncoding marks the refusal of a content coding: 415, not 501.
var errEncoding = errors.New("content coding")

// readBody reads the whole body of a request.
func (x *exchange) readBody() ([]byte, error) {
	for _, coding := range x.in.Header.Values("Content-Encoding") {
		if c := strings.TrimSpace(coding); c != "" && !strings.EqualFold(c, "identity") {
			return nil, &policy.Refusal{Kind: policy.Unsupported, Public: "a compressed body can't be judged: send it without Content-Encoding", Err: errEncoding}
		}
	}
	if x.in.ContentLength > maxRequest && !x.streams() {
		return nil, tooLarge()
	}
	body, err := readAll(io.LimitReader(x.in.Body, maxRequest+1), x.in.ContentLength, x.server.buffers)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &policy.Refusal{Kind: policy.Idle, Public: "the body took too long to arrive", Err: err}
	case err != nil:
		return nil, malformed("the body could not be read", err)
	case len(body) > maxRequest && !x.streams():
		return nil, tooLarge()
	case len(body) > maxRequest:
		x.rest = newUpload(x, body)
		return nil, nil
	}
	x.expect(time.Time{}) // from here on a read only tells us that the caller went away
	return body, x.readTrailers()
}

func tooLarge() *policy.Refusal {
	return &policy.Refusal{Kind: policy.TooLarge, Public: fmt.Sprintf("the body has more than %d bytes, which is what can be judged and recorded", maxRequest)}
}

// expect limits how long the caller's bytes may take, those included that
// net/http reads only to throw them away. A connection that can't be limited is
// a test's.
func (x *exchange) expect(until time.Time) {
	_ = http.NewResponseController(x.out).SetReadDeadline(until)
}

// mediaType is mime.ParseMediaType, quick where there is nothing to parse.
func mediaType(contentType string) (kind string, params map[string]string, err error) {
	switch contentType {
	case "application/json", "text/event-stream":
		return contentType, nil, nil
	}
	return mime.ParseMediaType(contentType)
}

// isJSON reports whether a content type promises JSON in UTF-8.
func isJSON(contentType string) bool {
	kind, _, err := mediaType(contentType)
	return err == nil && (kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json"))
}

// parseBody gives a JSON body as maps, lists, strings, doubles, bools and nil;
// nil for a body that is none. Repeated members are refused: the upstream might
// read the other one.
func parseBody(contentType string, body []byte) (any, error) {
	if len(body) == 0 || !isJSON(contentType) {
		return nil, nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body)) // which is read where it is
	value, err := parseValue(dec)
	if err == nil {
		if _, end := dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return nil, &policy.Refusal{Kind: policy.Unparsed, Public: "the body is not JSON as its content type promises", Hint: "one value, in UTF-8, no member twice", Err: err}
	}
	return value, nil
}

func parseValue(dec *jsontext.Decoder) (any, error) {
	if dec.StackDepth() > maxDepth {
		return nil, errors.New("nested too deep")
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		object := map[string]any{}
		for dec.PeekKind() != jsontext.KindEndObject {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if object[key], err = parseValue(dec); err != nil {
				return nil, err
			}
		}
		_, err = dec.ReadToken()
		return object, err
	case jsontext.KindBeginArray:
		list := []any{}
		for dec.PeekKind() != jsontext.KindEndArray {
			value, err := parseValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = dec.ReadToken()
		return list, err
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		number, err := token.Float()
		return number, err
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	}
	return nil, nil
}
