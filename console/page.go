package console

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"time"

	"sallyport/policy"
	"sallyport/recorder"
)

const (
	shownSessions = 25  // on the overview
	shownOfEach   = 24  // events of each on the overview
	shownOfOne    = 500 // events on a session's own page
)

// pages are the parsed templates, by name.
type pages map[string]*template.Template

// parsePages parses each page with the frame around it.
func parsePages() pages {
	all := pages{}
	for _, name := range []string{"login", "overview", "session", "failure"} {
		all[name] = template.Must(template.ParseFS(files, "templates/frame.html", "templates/asked.html", "templates/"+name+".html"))
	}
	return all
}

// page is what every page has.
type page struct {
	Title   string
	Version string
	Who     string    // who is logged in, "" for nobody
	Now     time.Time // when it was made
}

// overview shows the targets and the latest sessions.
func (s *console) overview(w http.ResponseWriter, r *http.Request, who policy.Principal) {
	list, err := s.Sessions.Sessions(shownSessions)
	if err != nil {
		s.Log.Error().Err(err).Msg("console cannot list sessions")
	}
	view := struct {
		page
		Targets    []target
		Sessions   []session
		Unreadable bool
	}{page: s.page("Overview", who), Unreadable: err != nil}
	if s.Health != nil {
		view.Targets = targets(s.Health(), s.Now())
	}
	for _, summary := range list {
		events, err := s.Sessions.Latest(summary.Session, shownOfEach)
		if err != nil {
			s.Log.Error().Err(err).Msg("console cannot read a session")
		}
		view.Sessions = append(view.Sessions, newSession(summary, events))
	}
	s.show(w, http.StatusOK, "overview", view)
}

// session shows one session.
func (s *console) session(w http.ResponseWriter, r *http.Request, who policy.Principal) {
	id := r.PathValue("id")
	summary, err := s.Sessions.Summary(id)
	if errors.Is(err, recorder.ErrNoSession) {
		s.fail(w, http.StatusNotFound, "There is no such session.")
		return
	}
	var events []recorder.Event
	if err == nil {
		events, err = s.Sessions.Latest(id, shownOfOne)
	}
	if err != nil {
		s.Log.Error().Err(err).Msg("console cannot read a session")
		s.fail(w, http.StatusInternalServerError, "This session cannot be read.")
		return
	}
	s.show(w, http.StatusOK, "session", struct {
		page
		Session session
	}{s.page("Session "+id, who), newSession(summary, events)})
}

// askLogin shows the login page.
func (s *console) askLogin(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sallyport console"`) // no browser asks by itself for this one
	}
	s.show(w, status, "login", struct {
		page
		Message string
	}{s.page("Log in", policy.Principal{}), message})
}

// fail shows a page that says what is wrong, and no more.
func (s *console) fail(w http.ResponseWriter, status int, message string) {
	s.show(w, status, "failure", struct {
		page
		Message string
	}{s.page(http.StatusText(status), policy.Principal{}), message})
}

// page is the part that all have. The version is told to nobody who is not in.
func (s *console) page(title string, who policy.Principal) page {
	p := page{Title: title, Who: who.Subject, Now: s.Now().UTC()}
	if who.Subject != "" {
		p.Version = s.Version
	}
	return p
}

// show sends a page whole or not at all.
func (s *console) show(w http.ResponseWriter, status int, name string, view any) {
	var out bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&out, "frame", view); err != nil {
		s.Log.Error().Err(err).Str("page", name).Msg("console cannot make a page")
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}
