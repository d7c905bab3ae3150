package mask

import (
	"fmt"
	"maps"
	"slices"
)

// Transform is what is done to a protected value. It holds no state of a
// session: one may be used by many at once.
type Transform struct {
	name string
	// text appends the masked form of value, valid UTF-8, to dst.
	// A transform without it leaves no text: SQL NULL or JSON null.
	text func(dst, value []byte) []byte
	// typed appends the masked form of a value of one of the kinds in of, valid
	// for the kind and format; null asks for SQL NULL.
	typed func(dst []byte, k kind, format int16, value []byte) (out []byte, null bool)
	of    kindSet
	// number appends the masked form of a JSON number, itself a JSON number.
	// Nil treats numbers as text.
	number func(dst, value []byte) []byte
	// document appends the masked form of a whole JSON value, which is valid.
	// Nil leaves a mark that says what kind of value it was.
	document func(dst, value []byte) (out []byte, ok bool)
	// inside: only these members of a document are masked. pgjson.go
	inside *inside
	// scan: only what detectors find in a value is masked, after first has
	// masked what it does. detected.go
	scan  *Content
	first *Transform
	// restores: its tokens become values again in what the session is answered. restore.go
	restores bool
	// lone: a list shrinks to one element, so that nothing tells how long it was.
	lone bool
}

// transforms is every transform gateway.toml can name in `with` without a key.
var transforms = map[string]*Transform{
	"redact": {name: "redact", text: redact, lone: true}, // redact.go
	"null":   {name: "null"},                             // leaves no text
	"last4":  {name: "last4", text: last4},               // last4.go
	"email":  {name: "email", text: email},               // email.go
}

// keyed is every transform that gateway.toml can name in `with` beside a `key`.
var keyed = map[string]func(*material) *Transform{
	"hash":  newHash,  // hash.go
	"token": newToken, // token.go
}

// Lookup finds a transform by its name in gateway.toml. Those that need a key
// are not found: LookupKeyed makes them.
func Lookup(name string) (*Transform, bool) {
	t, ok := transforms[name]
	return t, ok
}

// LookupKeyed finds a transform that works by the key; the same key gives the
// same transform each time.
func LookupKeyed(name string, key Key) (*Transform, error) {
	switch {
	case keyed[name] == nil:
		return nil, fmt.Errorf("no transform %q works by a key", name)
	case key.transforms == nil:
		return nil, fmt.Errorf("transform %q needs a key", name)
	}
	return key.transforms()[name], nil
}

// Names lists the transforms that need no key, sorted.
func Names() []string { return slices.Sorted(maps.Keys(transforms)) }

// KeyedNames lists the transforms that need a key, sorted.
func KeyedNames() []string { return slices.Sorted(maps.Keys(keyed)) }

// Name is the transform's name in gateway.toml.
func (t *Transform) Name() string { return t.name }
