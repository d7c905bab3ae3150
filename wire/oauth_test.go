package wire

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

func withOAuth(o OAuth) option { return func(c *Config, _ *Target) { c.OAuth = o } }

// loginByOAuth is login with a bearer token.
func loginByOAuth(t *testing.T, dsn, token string) error {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.OAuthTokenProvider = func(context.Context) (string, error) { return token, nil }
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		return err
	}
	var one int
	err = conn.QueryRow(t.Context(), "select 1").Scan(&one)
	return errors.Join(err, conn.Close(context.Background()))
}

func TestOAuthLogins(t *testing.T) {
	cert, _ := certificate(t)
	issued, who := tokens(t)
	token, info := issue(t, issued)
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	always := start(t, withTokens(who), withOAuth(OAuth{Always: true}))
	for name, c := range map[string]struct {
		g           *gateway
		user, token string
		extra, want string
	}{
		"by user name":               {g, "oauth", token.Reveal(), "sslmode=require require_auth=oauth", ""},
		"by the name's ending":       {g, "agent+oauth", token.Reveal(), "sslmode=require require_auth=oauth", ""},
		"on loopback":                {g, "oauth", token.Reveal(), "sslmode=disable", ""},
		"beside SCRAM":               {g, info.ID, token.Reveal(), "sslmode=require require_auth=oauth", ""},
		"always":                     {always, "agent", token.Reveal(), "sslmode=disable require_auth=oauth", ""},
		"for no other name":          {g, "agent", token.Reveal(), "sslmode=require require_auth=oauth", "require_auth"},
		"a wrong token":              {g, "oauth", "spt_wrong", "sslmode=require", "OAuth authentication failed: invalid_token"},
		"what is no bearer token":    {g, "oauth", "two words", "sslmode=require", "malformed OAUTHBEARER message"},
		"a binding there can't be":   {g, "oauth", token.Reveal(), "sslmode=require channel_binding=require", "channel binding"},
		"no cleartext where always":  {always, "agent", token.Reveal(), "sslmode=disable require_auth=password", "require_auth"},
		"SCRAM where OAuth is usual": {always, info.ID, token.Reveal(), "sslmode=disable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := loginByOAuth(t, c.g.as(c.user, "''", c.extra), c.token)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if err := login(t, always.as(info.ID, token.Reveal(), "sslmode=disable require_auth=scram-sha-256")); err != nil {
		t.Errorf("SCRAM where OAuth is usual: %v", err)
	}
}

// TestOAuthFailureIsToldTwice: as a challenge that a program reads, which the
// client answers, and as the error that ends the login.
// RFC 7628, sections 3.2.2 and 3.2.3; what libpq 18 does.
func TestOAuthFailureIsToldTwice(t *testing.T) {
	discovery := OAuth{Discovery: "https://login.example.com/.well-known/openid-configuration", Scope: "openid email"}
	g := start(t, withOAuth(discovery))
	for name, c := range map[string]struct{ first, second, code, message string }{
		"no token":            {"n,,\x01auth=\x01\x01", "\x01", "28P01", "no token was sent"},
		"a wrong token":       {"n,,\x01auth=Bearer spt_bad\x01\x01", "\x01", "28P01", "not valid"},
		"a wrong answer":      {"n,,\x01auth=\x01\x01", "x", "08P01", "malformed OAUTHBEARER message"},
		"the token after all": {"n,,\x01auth=\x01\x01", "n,,\x01auth=Bearer " + goodToken + "\x01\x01", "08P01", "malformed OAUTHBEARER message"},
	} {
		t.Run(name, func(t *testing.T) {
			_, fe := g.hail(t, "oauth")
			m, err := fe.Receive()
			if sasl, ok := m.(*pgproto3.AuthenticationSASL); !ok || strings.Join(sasl.AuthMechanisms, " ") != "OAUTHBEARER" {
				t.Fatalf("%#v, %v", m, err)
			}
			fe.Send(&pgproto3.SASLInitialResponse{AuthMechanism: "OAUTHBEARER", Data: []byte(c.first)})
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			m, err = fe.Receive()
			challenge, ok := m.(*pgproto3.AuthenticationSASLContinue)
			if !ok {
				t.Fatalf("%#v, %v", m, err)
			}
			var said map[string]string
			if err := json.Unmarshal(challenge.Data, &said); err != nil || len(said) != 3 || said["status"] != "invalid_token" ||
				said["openid-configuration"] != discovery.Discovery || said["scope"] != discovery.Scope {
				t.Errorf("%s, %v", challenge.Data, err)
			}
			fe.Send(&pgproto3.SASLResponse{Data: []byte(c.second)})
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			if last := untilClosed(t, fe); last.Severity != "FATAL" || last.Code != c.code || !strings.Contains(last.Message, c.message) {
				t.Errorf("%+v", last)
			}
		})
	}
	if text, err := (OAuth{}).failure(); err != nil || string(text) != `{"status":"invalid_token"}` {
		t.Errorf("%s, %v", text, err)
	}
	if g.tap.received("user") {
		t.Fatal("the server was reached before the login")
	}
}

// TestSASLRefusesMessages: each costs its own connection, and none reaches the
// server.
func TestSASLRefusesMessages(t *testing.T) {
	issued, who := tokens(t)
	token, info := issue(t, issued)
	g := start(t, withTokens(who))
	initial := func(mechanism, data string) pgproto3.FrontendMessage {
		return &pgproto3.SASLInitialResponse{AuthMechanism: mechanism, Data: []byte(data)}
	}
	for name, c := range map[string]struct {
		send []pgproto3.FrontendMessage
		raw  string
		want string
	}{
		"a password instead":     {send: []pgproto3.FrontendMessage{&pgproto3.PasswordMessage{Password: token.Reveal()}}, want: "08P01"},
		"another mechanism":      {send: []pgproto3.FrontendMessage{initial("SCRAM-SHA-1", "n,,n=,r=a")}, want: "08P01"},
		"a binding without TLS":  {send: []pgproto3.FrontendMessage{initial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=a")}, want: "08P01"},
		"no header":              {send: []pgproto3.FrontendMessage{initial("SCRAM-SHA-256", "x")}, want: "08P01"},
		"a proof out of the air": {send: []pgproto3.FrontendMessage{initial("SCRAM-SHA-256", "n,,n=,r=a"), &pgproto3.SASLResponse{Data: []byte("c=biws,r=a,p=")}}, want: "08P01"},
		"another identity":       {send: []pgproto3.FrontendMessage{initial("SCRAM-SHA-256", "n,a=root,n=,r=a")}, want: "0A000"},
		"a query":                {send: []pgproto3.FrontendMessage{&pgproto3.Query{String: "select 1"}}, want: "08P01"},
		"a length below":         {raw: "p\x00\x00\x00\x16SCRAM-SHA-256\x00\xff\xff\xff\xfe", want: "08P01"},
		"a length beyond":        {raw: "p\x00\x00\x00\x16SCRAM-SHA-256\x00\x00\x00\x00\x09", want: "08P01"},
		"no length":              {raw: "p\x00\x00\x00\x12SCRAM-SHA-256\x00", want: "08P01"},
		"no data, then nonsense": {raw: "p\x00\x00\x00\x16SCRAM-SHA-256\x00\xff\xff\xff\xffp\x00\x00\x00\x05x", want: "08P01"},
		"a gigabyte":             {raw: "p\x3f\xff\xff\xff", want: "08P01"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, fe := g.hail(t, info.ID)
			for _, m := range c.send {
				fe.Send(m)
			}
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, c.raw); err != nil {
				t.Fatal(err)
			}
			if last := untilClosed(t, fe); last.Severity != "FATAL" || last.Code != c.want {
				t.Errorf("%+v, want %s", last, c.want)
			}
		})
	}
	if g.tap.received("user") {
		t.Fatal("the server was reached before the login")
	}
	if err := login(t, g.as(info.ID, token.Reveal(), "sslmode=disable")); err != nil {
		t.Error(err)
	}
}

// hail connects and names a user.
func (g *gateway) hail(t *testing.T, user string) (net.Conn, *pgproto3.Frontend) {
	t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fe := pgproto3.NewFrontend(conn, conn)
	fe.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": user, "database": "orders"}})
	if err := fe.Flush(); err != nil {
		t.Fatal(err)
	}
	return conn, fe
}

// away makes clients appear to come from another machine.
type away struct{ net.Listener }

type foreign struct{ net.Conn }

func (foreign) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 5000} }

func (a away) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return foreign{conn}, nil
}

// elsewhere is the same gateway for clients on another machine.
func (g *gateway) elsewhere(t *testing.T) *gateway {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := g.server.Serve(ctx, ctx, away{ln}); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	there := *g
	there.addr = ln.Addr().String()
	return &there
}

// TestNoTokenInClearFromElsewhere: off loopback a token needs TLS, and a proof
// does not.
func TestNoTokenInClearFromElsewhere(t *testing.T) {
	cert, _ := certificate(t)
	issued, who := tokens(t)
	token, info := issue(t, issued)
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}})).elsewhere(t)
	for name, c := range map[string]struct{ user, extra, want string }{
		"cleartext, TLS":       {"agent", "sslmode=require", ""},
		"cleartext, plaintext": {"agent", "sslmode=disable", "28000 a gateway token is taken over TLS only"},
		"OAuth, plaintext":     {"oauth", "sslmode=disable", "28000 a gateway token is taken over TLS only"},
		"SCRAM, plaintext":     {info.ID, "sslmode=disable", ""},
		"SCRAM, TLS":           {info.ID, "sslmode=require channel_binding=require", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := login(t, g.as(c.user, token.Reveal(), c.extra))
			var pg *pgconn.PgError
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &pg) || pg.Code+" "+pg.Message != c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	// OAUTHBEARER is not among what is offered there.
	if err := loginByOAuth(t, g.as(info.ID, token.Reveal(), "sslmode=disable require_auth=oauth"), token.Reveal()); err == nil {
		t.Error("a bearer token was taken in clear")
	}
}

// TestFailedLoginsOfEachKindAreLimited: a guess is a guess, by whichever
// method; who asks where to get a token guesses nothing.
func TestFailedLoginsOfEachKindAreLimited(t *testing.T) {
	issued, who := tokens(t)
	token, info := issue(t, issued)
	for name, try := range map[string]func(*gateway) error{
		"SCRAM": func(g *gateway) error { return login(t, g.as(info.ID, "wrong", "sslmode=disable")) },
		"SCRAM, an id that names none": func(g *gateway) error {
			return login(t, g.as("tok_00000000000", token.Reveal(), "sslmode=disable"))
		},
		"OAUTHBEARER": func(g *gateway) error {
			return loginByOAuth(t, g.as("oauth", "''", "sslmode=disable"), "spt_wrong")
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, withTokens(who))
			for range maxFailures {
				if err := try(g); err == nil || code(err) == "53300" {
					t.Fatal(err)
				}
			}
			if err := login(t, g.as("agent", token.Reveal(), "sslmode=disable")); code(err) != "53300" {
				t.Errorf("after %d failures: %v", maxFailures, err)
			}
		})
	}
	t.Run("asking", func(t *testing.T) {
		g := start(t, withTokens(who))
		for range maxFailures {
			_, fe := g.hail(t, "oauth")
			fe.Send(&pgproto3.SASLInitialResponse{AuthMechanism: "OAUTHBEARER", Data: []byte("n,,\x01auth=\x01\x01")})
			fe.Send(&pgproto3.SASLResponse{Data: []byte("\x01")})
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			if last := untilClosed(t, fe); last.Code != "28P01" {
				t.Fatalf("%+v", last)
			}
		}
		if err := login(t, g.as("agent", token.Reveal(), "sslmode=disable")); err != nil {
			t.Error(err)
		}
	})
}
