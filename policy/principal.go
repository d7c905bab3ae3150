package policy

import (
	"slices"
	"strings"
	"time"
)

// Principal is who asks: what a token proved.
type Principal struct {
	Subject string
	Issuer  string // "gateway.toml" for a [[token]], "sallyport" for an issued one, else the issuer's URL
	Groups  []string
	Claims  map[string]any
	Token   string    // public id of the token, never the token
	Expires time.Time // zero: does not expire
}

// Caller is a principal at one address.
type Caller struct {
	Principal
	Address string // IP without port
}

// In reports whether the principal is in the group.
func (p Principal) In(group string) bool { return slices.Contains(p.Groups, group) }

// Is reports whether one of the who-patterns names the principal: "group:NAME",
// "subject:NAME" or "issuer:URL", where NAME takes *.
func (p Principal) Is(who ...string) bool {
	return slices.ContainsFunc(who, func(w string) bool {
		kind, name, _ := strings.Cut(w, ":")
		switch kind {
		case "group":
			return slices.ContainsFunc(p.Groups, func(g string) bool { return Match(name, g) })
		case "subject":
			return Match(name, p.Subject)
		case "issuer":
			return Match(name, p.Issuer)
		}
		return false
	})
}
