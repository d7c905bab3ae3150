package mask

import (
	"maps"
	"slices"
)

// Transform is what is done to a protected value.
type Transform struct {
	name string
	// text appends the masked form of value, valid UTF-8, to dst.
	// A transform without it leaves no text: SQL NULL or JSON null.
	text func(dst, value []byte) []byte
}

// transforms is every transform gateway.toml can name in `with`.
var transforms = map[string]*Transform{
	"redact": {"redact", redact}, // redact.go
	"null":   {"null", nil},      // leaves no text
	"last4":  {"last4", last4},   // last4.go
	"email":  {"email", email},   // email.go
}

// later names the transforms that a later version has.
var later = []string{"hash", "token"}

// Lookup finds a transform by its name in gateway.toml.
func Lookup(name string) (*Transform, bool) {
	t, ok := transforms[name]
	return t, ok
}

// Names lists the transforms, sorted.
func Names() []string { return slices.Sorted(maps.Keys(transforms)) }

// Name is the transform's name in gateway.toml.
func (t *Transform) Name() string { return t.name }
