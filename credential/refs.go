package credential

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ref says where a credential is, never what it is. Make one with ParseRef.
type Ref struct {
	Scheme string // a key of providers
	Path   string // Vault's API path, a file, the name of an environment variable
	Field  string // the one field that is meant; "" for the whole
}

// later are the schemes of the design that no provider serves yet.
var later = []string{"aws-sm", "https"}

// errNotRef does not repeat the text: somebody may have written the secret
// itself where its reference belongs.
var errNotRef = errors.New("not a credential reference: want vault://PATH#FIELD, file://PATH#FIELD or env://NAME")

// ParseRef reads a reference of gateway.toml.
func ParseRef(s string) (Ref, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Ref{}, errNotRef
	}
	for _, l := range later {
		if scheme == l {
			return Ref{}, fmt.Errorf("%s:// credentials are known, but not built yet", scheme)
		}
	}
	p, ok := providers[scheme]
	if !ok {
		return Ref{}, errNotRef
	}
	path, field, hasField := strings.Cut(rest, "#")
	ref := Ref{Scheme: scheme, Path: path, Field: field}
	switch {
	case path == "":
		return Ref{}, fmt.Errorf("%s:// names nothing", scheme)
	case !printable(rest):
		return Ref{}, fmt.Errorf("%s:// reference holds a character that cannot be printed", scheme)
	case hasField && field == "":
		return Ref{}, fmt.Errorf("%s: no field after the #", s)
	case strings.Contains(field, "#"):
		return Ref{}, fmt.Errorf("%s: more than one #", s)
	}
	if err := p.check(ref); err != nil {
		return Ref{}, fmt.Errorf("%s: %w", s, err)
	}
	return ref, nil
}

// String is the reference as written.
func (r Ref) String() string {
	if r.Field == "" {
		return r.Scheme + "://" + r.Path
	}
	return r.Scheme + "://" + r.Path + "#" + r.Field
}

// CheckLogin says why the reference cannot give a username and a password.
func (r Ref) CheckLogin() error {
	if r.Field != "" {
		return fmt.Errorf("%s: a database login takes the fields username and password: leave #%s out", r, r.Field)
	}
	return nil
}

// CheckKey says why the reference cannot give one value.
func (r Ref) CheckKey() error {
	if r.Field == "" && r.Scheme == schemeVault {
		return fmt.Errorf("%s: which field? add #FIELD", r)
	}
	return nil
}

// printable reports whether s can be shown on one line as it is.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
