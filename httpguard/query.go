package httpguard

import (
	"net/url"
	"strings"

	"sallyport/secret"
)

// pairs calls with each pair of a raw query, and gives back the query of those
// that with keeps, byte for byte.
func pairs(raw string, keep func(name, value string) bool) string {
	if raw == "" {
		return ""
	}
	var kept []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil && !keep(name, value) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}

// without gives the query without the parameter of that name.
func without(raw, name string) string {
	return pairs(raw, func(is, _ string) bool { return !strings.EqualFold(is, name) })
}

// takeFrom takes the caller's token out of the query.
func takeFrom(raw, name string) (string, secret.Text) {
	var found secret.Text
	rest := pairs(raw, func(is, value string) bool {
		if is != name {
			return true
		}
		if text, err := url.QueryUnescape(value); err == nil && text != "" {
			found = secret.New(text)
		}
		return false
	})
	return rest, found
}
