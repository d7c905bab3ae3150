package console

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"sallyport/limit"
	"sallyport/policy"
	"sallyport/secret"
)

// maxForm is how many bytes of login form are read. A token has some 2000.
const maxForm = 16 << 10

// What the login page says when it says no. A wrong token, an expired one and
// a form that is none all get the same words.
const (
	wrong    = "This token does not open the console."
	stranger = "This token is valid, but its holder is not in the group " + Group + "."
	tooOften = "Too many attempts. Wait a minute, then try again."
)

// login takes a gateway token for a cookie.
func (s *console) login(w http.ResponseWriter, r *http.Request) {
	if !s.tries.Take(r.RemoteAddr) {
		s.Log.Warn().Str("address", address(r.RemoteAddr)).Msg("console login refused: too many attempts")
		w.Header().Set("Retry-After", strconv.Itoa(int(limit.Window.Seconds())))
		s.askLogin(w, http.StatusTooManyRequests, tooOften)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	token := secret.New(strings.TrimSpace(r.PostFormValue("token")))
	who, err := s.Identifier.Identify(r.Context(), token)
	if err != nil {
		s.Log.Warn().Str("address", address(r.RemoteAddr)).Err(err).Msg("console login refused")
		s.askLogin(w, http.StatusUnauthorized, wrong)
		return
	}
	if !who.In(Group) {
		s.Log.Warn().Str("address", address(r.RemoteAddr)).Str("who", who.Subject).Msg("console login refused: not in group " + Group)
		s.askLogin(w, http.StatusForbidden, stranger)
		return
	}
	s.tries.Forget(r.RemoteAddr)
	if old, err := r.Cookie(cookieName(r)); err == nil {
		s.logins.end(old.Value)
	}
	http.SetCookie(w, cookie(r, s.logins.add(token, who)))
	s.Log.Info().Str("address", address(r.RemoteAddr)).Str("who", who.Subject).Msg("console login")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the login, here and in the browser.
func (s *console) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName(r)); err == nil {
		s.logins.end(c.Value)
	}
	gone := cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// inside serves next to members of the group, and the login page to all others.
// The token is asked about each time: one revoked a moment ago is out now.
func (s *console) inside(next func(http.ResponseWriter, *http.Request, policy.Principal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName(r))
		if err != nil {
			s.askLogin(w, http.StatusUnauthorized, "")
			return
		}
		token, found := s.logins.token(c.Value)
		if !found {
			s.askLogin(w, http.StatusUnauthorized, "You were logged out.")
			return
		}
		who, err := s.Identifier.Identify(r.Context(), token)
		switch refusal := policy.AsRefusal(err); {
		case err != nil && refusal.Kind != policy.Unauthenticated:
			s.Log.Error().Err(err).Msg("console cannot check a login")
			s.fail(w, http.StatusServiceUnavailable, "Your login cannot be checked now.")
		case err != nil || !who.In(Group):
			s.logins.end(c.Value)
			s.askLogin(w, http.StatusUnauthorized, "You were logged out.")
		default:
			next(w, r, who)
		}
	}
}

// cookie is the login's cookie: for this host alone, out of reach of scripts,
// never sent from another site.
func cookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{
		Name:     cookieName(r),
		Value:    value,
		Path:     "/",
		HttpOnly: true,
		Secure:   r.TLS != nil,
		SameSite: http.SameSiteStrictMode,
	}
}

// cookieName begins with __Host- where browsers allow it: then no other host of
// the domain can set it.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-sallyport"
	}
	return "sallyport"
}

// address is a remote address without its port.
func address(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}
