package httpguard

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

// exchange is one request with its response. It belongs to one goroutine.
type exchange struct {
	server *Server
	in     *http.Request // never changed
	out    *tracked
	id     string // what the caller is told: the session's id and the number in it, once there is a session
	start  time.Time

	tunnel *tunnel // the connection through the proxy it came by; nil for none

	route    route
	target   *target       // nil until it is known
	sides    mask.Sides    // what is masked for this caller
	restores *mask.Content // puts values back that this session's requests had; nil: none is
	token    secret.Text
	who      policy.Caller
	session  *session // nil until there is one
	number   int64    // within the session, from 1

	header  http.Header // as sent upstream, but for what is injected
	body    []byte      // as sent upstream, but for what is injected; nil when rest is not
	trailer http.Header // the caller's, as sent upstream
	rest    *upload     // a body too large to be judged, nil for any other
	echo    *echo       // finds what was injected; nil when nothing was

	asked asked // of a model's provider, or an MCP server

	judged bool // the recording holds the exchange
	ended  bool // the recording holds the outcome
	ending ending
	bytes  int64 // of the response's body
	masked int64 // values

	cleaned bool // the request's body is as the masks leave it
	whole   bool // the response's body is all there
}

// carryOut is the story: each step either goes on or refuses.
func (x *exchange) carryOut(ctx context.Context) error {
	if err := x.find(); err != nil {
		return err
	}
	if err := x.identify(ctx); err != nil {
		return err
	}
	if err := x.enter(ctx); err != nil {
		return err
	}
	facts, err := x.read()
	if err != nil {
		return err
	}
	if err := x.admit(facts); err != nil {
		return err
	}
	lease, err := x.lend(ctx)
	if err != nil {
		return err
	}
	defer x.release(ctx, lease)
	return x.forward(lease)
}

// find reads where the request wants to go. Whether that exists is said only
// to those who are identified.
func (x *exchange) find() error {
	var err error
	x.route, err = x.server.find(x.in, x.tunnel)
	x.target = x.server.targets[x.route.target]
	x.who.Address = x.in.RemoteAddr
	if host, _, err := net.SplitHostPort(x.in.RemoteAddr); err == nil {
		x.who.Address = host
	}
	return err
}

// enter joins the session of this caller with this target, if there is such a
// target and a grant for it.
func (x *exchange) enter(ctx context.Context) error {
	if x.target == nil && x.route.missing != nil {
		return x.route.missing
	}
	if x.target == nil {
		return &policy.Refusal{Kind: policy.Unknown, Public: "no such target", Hint: "the first part of the path names the target, as in /openai/v1/models"}
	}
	var err error
	x.session, err = x.server.sessions.join(ctx, recorder.Opening{
		Protocol:    recorder.HTTP,
		Target:      x.target.name,
		Subject:     x.who.Subject,
		Issuer:      x.who.Issuer,
		Groups:      x.who.Groups,
		Token:       x.who.Token,
		Address:     x.who.Address,
		Application: x.in.UserAgent(),
		Credential:  x.target.reference,
	})
	if err != nil {
		return err
	}
	x.number = x.session.number()
	x.id = x.session.id + "." + strconv.FormatInt(x.number, 10)
	if !x.server.access.Allows(x.who.Principal, x.target.name) {
		return &policy.Refusal{Kind: policy.Denied, Public: "no grant for this target", Hint: "ask who runs the gateway for a [[grant]]"}
	}
	if x.sides, err = x.target.masks.For(x.who.Principal); err != nil {
		return err
	}
	if x.sides.Restores() {
		x.sides, x.restores = x.session.kept.sides(x.sides)
	}
	if err := x.checkReach(); err != nil {
		return err
	}
	return x.checkUpgrade()
}

// about says in a line of the log which exchange it is about.
func (x *exchange) about(line *zerolog.Event) *zerolog.Event {
	if x.session == nil {
		return line.Str("exchange", x.id)
	}
	return line.Str("session", x.session.id).Str("exchange", x.id).Str("who", x.who.Subject).Str("target", x.target.name)
}

// proxyLog is the log as httputil writes to it.
type proxyLog struct{ *exchange }

// Write takes one line.
func (l proxyLog) Write(p []byte) (int, error) {
	l.about(l.server.log.Log()).Msg(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// leave gives the session back. What the log tells of the exchange no caller waits
// for.
func (x *exchange) leave() {
	x.tell()
	if x.session != nil {
		x.server.sessions.leave(x.session)
	}
}
