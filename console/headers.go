package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// security is on every response, errors included.
var security = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range security {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

// hosts answers only names of this machine when it listens only to this
// machine. Otherwise a site anywhere could let its own name point to 127.0.0.1
// and read the console as its own page (DNS rebinding).
func (s *console) hosts(next http.Handler) http.Handler {
	if !loopback(s.Listen) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			s.fail(w, http.StatusMisdirectedRequest, "The console answers only to localhost.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback reports whether host, with or without a port, means this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
