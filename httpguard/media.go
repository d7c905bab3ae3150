package httpguard

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"sallyport/mask"
)

// media is how masks read a body. One that they can't read has neither whole
// nor streams.
type media struct {
	name    string // in messages
	whole   func(c *mask.Content, body []byte) ([]byte, int, error)
	streams bool
	format  mask.Format // of a stream
}

// readMedia says how a body of this content type is read. Where members are
// protected by name, a text without names is not: a value in it would pass.
// list is said of a JSON array that comes element by element.
func readMedia(contentType string, byName, list bool) media {
	kind, params, err := mediaType(contentType)
	if err != nil || !readable(params["charset"]) {
		return media{}
	}
	format, streams := mask.FormatOf(kind)
	switch {
	case isJSON(contentType) && kind != "application/stream+json":
		return media{name: "one JSON value", whole: wholeJSON, streams: list, format: mask.FormatArray}
	case streams && format == mask.FormatSSE:
		return media{name: "a stream of events", streams: true, format: format}
	case streams && format == mask.FormatLines:
		return media{name: "a JSON value a line", whole: wholeLines, streams: true, format: format}
	case streams && !byName:
		return media{name: "text in UTF-8", whole: wholeText, streams: true, format: format}
	case kind == "application/x-www-form-urlencoded":
		return media{name: "a form", whole: wholeForm}
	case kind == "multipart/form-data":
		boundary := params["boundary"]
		return media{name: "a form in parts", whole: func(c *mask.Content, body []byte) ([]byte, int, error) {
			return c.Multipart(nil, body, boundary)
		}}
	}
	return media{}
}

// readable reports whether a text in the charset is one in UTF-8.
func readable(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}

func wholeJSON(c *mask.Content, body []byte) ([]byte, int, error)  { return c.JSON(nil, body) }
func wholeLines(c *mask.Content, body []byte) ([]byte, int, error) { return c.Lines(nil, body) }
func wholeForm(c *mask.Content, body []byte) ([]byte, int, error)  { return c.Form(nil, body) }

func wholeText(c *mask.Content, body []byte) ([]byte, int, error) {
	if err := (&textCheck{}).end(body); err != nil {
		return nil, 0, err
	}
	out, n := c.Text(nil, body)
	return out, n, nil
}

// wholeNoEvents masks a text that is none of a model's streams by another name:
// in that a value would be cut up by its events.
func wholeNoEvents(c *mask.Content, body []byte) ([]byte, int, error) {
	for _, begin := range []string{"data:", "event:", "id:", ":"} {
		if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), "\r\n"), []byte(begin)) {
			return nil, 0, errText
		}
	}
	return wholeText(c, body)
}

// errText is said of what claims to be a text and can't be searched as one.
var errText = errors.New("not a text in UTF-8")

// textCheck finds what is no UTF-8, or UTF-16 without saying so, in a text that
// comes in pieces.
type textCheck struct{ rest []byte }

// next takes a piece.
func (t *textCheck) next(p []byte) error {
	text := p
	if len(t.rest) > 0 {
		text = append(t.rest, p...)
	}
	end := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if at := len(text) - i; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				end = at
			}
			break
		}
	}
	if !utf8.Valid(text[:end]) || bytes.IndexByte(text, 0) >= 0 {
		return errText
	}
	t.rest = bytes.Clone(text[end:])
	return nil
}

// end takes the last piece.
func (t *textCheck) end(p []byte) error {
	if err := t.next(p); err != nil || len(t.rest) > 0 {
		return errText
	}
	return nil
}
