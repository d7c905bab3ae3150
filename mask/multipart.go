package mask

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"
)

// Errors of bodies in parts.
var (
	errBoundary = errors.New("not in parts with that boundary")
	errPart     = errors.New("a part that can't be read")
)

// Multipart appends the body src (RFC 2046, 5.1; RFC 7578) to dst with all that
// is protected in its texts masked, and says how many values those were. Parts
// of JSON, of forms and of text are masked by what they are, a part of a form
// also by its name; other parts, pictures say, stay as they are. After an error
// nothing of it may be used.
func (c *Content) Multipart(dst, src []byte, boundary string) (out []byte, masked int, err error) {
	delimiter := []byte("--" + boundary)
	out = dst
	if boundary == "" {
		return dst, 0, fmt.Errorf("mask parts: %w", errBoundary)
	}
	at := delimiterAt(src, delimiter)
	for first := true; ; first = false {
		if at < 0 {
			return dst, 0, fmt.Errorf("mask parts: %w", errBoundary)
		}
		// What stands before the first part is for nobody, and is a text all the same.
		if first {
			preamble, n := c.Text(nil, src[:at])
			out, masked = append(out, preamble...), masked+n
		}
		end := at + len(delimiter)
		if bytes.HasPrefix(src[end:], []byte("--")) {
			epilogue, n := c.Text(nil, src[end+2:])
			return append(append(out, src[at:end+2]...), epilogue...), masked + n, nil
		}
		line := bytes.IndexByte(src[end:], '\n')
		if line < 0 || len(bytes.TrimSpace(src[end:end+line])) > 0 {
			return dst, 0, fmt.Errorf("mask parts: %w", errBoundary)
		}
		out = append(out, src[at:end+line+1]...)
		src = src[end+line+1:]
		if at = delimiterAt(src, delimiter); at < 0 {
			continue
		}
		// The line end before a boundary belongs to the boundary.
		body := bytes.TrimSuffix(bytes.TrimSuffix(src[:at], []byte("\n")), []byte("\r"))
		part, n, err := c.part(body)
		if err != nil {
			return dst, 0, fmt.Errorf("mask parts: %w", err)
		}
		if n > 0 && bytes.Contains(part, delimiter) {
			return dst, 0, fmt.Errorf("mask parts: %w", errPart)
		}
		out = append(append(out, part...), src[len(body):at]...)
		masked += n
	}
}

// delimiterAt is where the next boundary stands at the beginning of a line; -1:
// nowhere.
func delimiterAt(src, delimiter []byte) int {
	for from := 0; ; {
		n := bytes.Index(src[from:], delimiter)
		if n < 0 {
			return -1
		}
		at := from + n
		rest := src[at+len(delimiter):]
		ends := len(rest) == 0 || bytes.HasPrefix(rest, []byte("--")) || strings.IndexByte(" \t\r\n", rest[0]) >= 0
		if ends && (at == 0 || src[at-1] == '\n') {
			return at
		}
		from = at + 1
	}
}

// part masks one part, its header included.
func (c *Content) part(src []byte) ([]byte, int, error) {
	header, body, ok := cutHeader(src)
	if !ok {
		return nil, 0, errPart
	}
	var kind, name string
	encoded := false
	for line := range bytes.Lines(header) {
		key, value, _ := strings.Cut(string(bytes.TrimSpace(line)), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "content-type":
			media, _, err := mime.ParseMediaType(value)
			if err != nil {
				return nil, 0, errPart
			}
			kind = media
		case "content-disposition":
			_, params, err := mime.ParseMediaType(value)
			if err != nil {
				return nil, 0, errPart
			}
			name = params["name"]
		case "content-transfer-encoding":
			encoded = strings.EqualFold(value, "base64") || strings.EqualFold(value, "quoted-printable")
		}
	}
	out, masked, err := c.partBody(kind, name, encoded, body)
	if err != nil {
		return nil, 0, err
	}
	return append(bytes.Clone(header), out...), masked, nil
}

// partBody masks a part by what it is.
func (c *Content) partBody(kind, name string, encoded bool, body []byte) ([]byte, int, error) {
	text := kind == "" || strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || kind == "application/x-www-form-urlencoded"
	path := formPath(name)
	protected := false
	for i := range path {
		protected = protected || c.fields.find(path[:i+1]) != nil
	}
	switch {
	case protected:
		out, n := c.named(path, body)
		return out, n, nil
	case !text:
		return body, 0, nil
	case encoded || !utf8.Valid(body):
		return nil, 0, errPart // a text we can't read
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return c.JSON(nil, body)
	case kind == "application/x-www-form-urlencoded":
		return c.Form(nil, body)
	}
	out, n := c.named(path, body)
	return out, n, nil
}

// cutHeader splits a part behind the blank line; a part may begin with it.
func cutHeader(src []byte) (header, body []byte, ok bool) {
	for at := 0; at < len(src); {
		n := bytes.IndexByte(src[at:], '\n')
		if n < 0 {
			break
		}
		line := src[at : at+n]
		at += n + 1
		if len(bytes.TrimRight(line, "\r")) == 0 {
			return src[:at], src[at:], true
		}
	}
	return nil, nil, false
}

// Lines appends JSON, a value a line, to dst with all that is protected in it
// masked, and says how many values those were. After an error nothing of it may
// be used.
func (c *Content) Lines(dst, src []byte) (out []byte, masked int, err error) {
	out = dst
	for line := range bytes.Lines(src) {
		value := bytes.TrimSpace(line)
		if len(value) == 0 {
			out = append(out, line...)
			continue
		}
		at := bytes.Index(line, value)
		var n int
		if out, n, err = c.JSON(append(out, line[:at]...), value); err != nil {
			return dst, 0, err
		}
		out = append(out, line[at+len(value):]...)
		masked += n
	}
	return out, masked, nil
}
