package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/BurntSushi/toml"

	"sallyport/secret"
)

// maxMaterial bounds one secret, in bytes.
const maxMaterial = 1 << 20

// material is what a source found. The values are in closures, as in
// secret.Text: no printer reaches them.
type material struct {
	whole   func() (secret.Text, error)       // the text as it is
	plain   func(name string) (string, error) // one field of an object, in the open: for a username
	version string                            // the store's own, "" when it has none
	release func(ctx context.Context) error   // gives it back; nil when there is nothing to give back
}

var (
	errEmpty    = errors.New("the value is empty")
	errNoObject = errors.New("not a JSON or TOML object")
)

// textMaterial is a text that may be a JSON or TOML object.
func textMaterial(raw []byte) *material {
	return &material{
		whole: func() (secret.Text, error) {
			text := bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
			if len(text) == 0 {
				return secret.Text{}, errEmpty
			}
			return secret.New(string(text)), nil
		},
		plain: func(name string) (string, error) {
			object, err := parseObject(raw)
			if err != nil {
				return "", err
			}
			return fieldOf(object, name)
		},
	}
}

// objectMaterial is an object, as a store answers with.
func objectMaterial(object map[string]any) *material {
	return &material{
		whole: func() (secret.Text, error) { return secret.Text{}, errors.New("which field?") },
		plain: func(name string) (string, error) { return fieldOf(object, name) },
	}
}

// field is one field of an object.
func (m *material) field(name string) (secret.Text, error) {
	text, err := m.plain(name)
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(text), nil
}

// fieldOf takes a text or a whole number out of the object.
func fieldOf(object map[string]any, name string) (string, error) {
	value, ok := object[name]
	if !ok {
		return "", fmt.Errorf("no field %q", name)
	}
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	case int64:
		text = strconv.FormatInt(v, 10)
	default:
		return "", fmt.Errorf("field %q is not a text", name)
	}
	if text == "" {
		return "", fmt.Errorf("field %q is empty", name)
	}
	return text, nil
}

// parseObject reads JSON if raw starts like an object of it, else TOML. What
// the parsers say is kept back, for it can quote.
func parseObject(raw []byte) (map[string]any, error) {
	object := map[string]any{}
	if bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&object); err != nil || dec.More() {
			return nil, errNoObject
		}
		return object, nil
	}
	if _, err := toml.Decode(string(raw), &object); err != nil {
		var at toml.ParseError
		if errors.As(err, &at) && at.Position.Line > 0 {
			return nil, fmt.Errorf("%w: line %d", errNoObject, at.Position.Line)
		}
		return nil, errNoObject
	}
	return object, nil
}
