package console

import (
	"embed"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"sallyport/limit"
)

// tryLimit is how many logins an address may begin in a limit.Window.
const tryLimit = 10

// Group is the group whose members may log in.
const Group = "admins"

//go:embed templates/*.html static/style.css
var files embed.FS

// Config is what the console shows and whom it asks.
type Config struct {
	Version    string
	Listen     string // address it listens on, as configured: on loopback only loopback names are answered
	Identifier Identifier
	Sessions   Sessions
	Health     func() []TargetHealth // nil: no targets are shown
	Log        zerolog.Logger
	Now        func() time.Time // nil: time.Now
}

// console is the handler's state.
type console struct {
	Config
	pages  pages
	logins *logins
	tries  *limit.Tries
}

// New makes the console's handler.
func New(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &console{Config: c, pages: parsePages(), logins: newLogins(c.Now), tries: limit.NewTries(tryLimit, c.Now)}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.inside(s.overview))
	mux.HandleFunc("GET /sessions/{id}", s.inside(s.session))
	mux.HandleFunc("GET /login", s.toOverview)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("GET /style.css", s.style)

	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, http.StatusForbidden, "This form was sent from another site.")
	}))
	return headers(s.hosts(origin.Handler(mux)))
}

// toOverview sends a reload of /login to the page, which asks for the login.
func (s *console) toOverview(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// style serves the style sheet.
func (s *console) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "static/style.css")
}
