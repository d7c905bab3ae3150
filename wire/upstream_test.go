package wire

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/xdg-go/scram"

	"sallyport/credential"
	"sallyport/secret"
)

// into logs in through a gateway before upstream, and gives what came of it.
func into(t *testing.T, upstream string, options ...option) error {
	t.Helper()
	g := startBefore(t, upstream, options...)
	conn, err := pgx.Connect(t.Context(), g.dsn("default_query_exec_mode=simple_protocol"))
	if err == nil {
		_ = conn.Close(t.Context())
	}
	return err
}

var rest = letIn[9:] // after AuthenticationOk

// TestLoginUpstream: each method the server may ask for, and those where it
// gives itself away.
func TestLoginUpstream(t *testing.T) {
	inner := md5.Sum([]byte("upstream_passwordupstream_user"))
	outer := md5.Sum(append([]byte(hex.EncodeToString(inner[:])), "salt"...))
	verifier := func(name string) (scram.StoredCredentials, error) {
		client, err := scram.SHA256.NewClient(name, "upstream_password", "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096})
	}
	mechanisms := func(names ...string) []byte {
		return message('R', int32s(10)+strings.Join(names, "\x00")+"\x00\x00")
	}
	answered := func(t *testing.T, conn net.Conn, want string) {
		if got := string(expect(t, conn, 'p')); got != want {
			t.Errorf("answered %q", got)
		}
	}
	// byScram plays SCRAM up to the server's last word.
	byScram := func(t *testing.T, conn net.Conn) string {
		server, err := scram.SHA256.NewServer(verifier)
		if err != nil {
			t.Error(err)
			return ""
		}
		_, _ = conn.Write(mechanisms("SCRAM-SHA-256"))
		first := expect(t, conn, 'p')
		at := bytes.Index(first, []byte("n,,"))
		if at < 0 || !bytes.HasPrefix(first, []byte("SCRAM-SHA-256\x00")) {
			t.Errorf("began with %q", first)
			return ""
		}
		talk := server.NewConversation()
		challenge, err := talk.Step(string(first[at:]))
		if err != nil {
			t.Error(err)
		}
		_, _ = conn.Write(message('R', int32s(11)+challenge))
		proof, err := talk.Step(string(expect(t, conn, 'p')))
		if err != nil || !talk.Valid() {
			t.Errorf("the proof is wrong: %v", err)
		}
		return proof
	}
	for name, c := range map[string]struct {
		play func(t *testing.T, conn net.Conn)
		code string
	}{
		"trust": {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write([]byte(letIn)) }, ""},
		"md5": {func(t *testing.T, conn net.Conn) {
			_, _ = conn.Write(message('R', int32s(5)+"salt"))
			answered(t, conn, "md5"+hex.EncodeToString(outer[:])+"\x00")
			_, _ = conn.Write([]byte(letIn))
		}, ""},
		"cleartext, on loopback": {func(t *testing.T, conn net.Conn) {
			_, _ = conn.Write(message('R', int32s(3)))
			answered(t, conn, "upstream_password\x00")
			_, _ = conn.Write([]byte(letIn))
		}, ""},
		"SCRAM": {func(t *testing.T, conn net.Conn) {
			_, _ = conn.Write(append(message('R', int32s(12)+byScram(t, conn)), letIn...))
		}, ""},
		"SCRAM, the server's proof wrong": {func(t *testing.T, conn net.Conn) {
			byScram(t, conn)
			_, _ = conn.Write(append(message('R', int32s(12)+"v=AAAA"), letIn...))
		}, "08006"},
		"SCRAM, the server's proof left out": {func(t *testing.T, conn net.Conn) {
			byScram(t, conn)
			_, _ = conn.Write([]byte(letIn))
		}, "08006"},
		"SCRAM continues without a start": {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write(message('R', int32s(11)+"r=x")) }, "08006"},
		"no mechanism of ours":            {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write(mechanisms("SCRAM-SHA-1")) }, "08006"},
		"Kerberos":                        {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write(message('R', int32s(7))) }, "08006"},
		"let in without authenticating":   {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write([]byte(rest)) }, "08006"},
		"a query's answer in between":     {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write([]byte(letIn[:9] + "D\x00\x00\x00\x06\x00\x00")) }, "08006"},
		"a message of a gigabyte":         {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write(header('R', giga)) }, "08006"},
		"a setting with no end":           {func(_ *testing.T, conn net.Conn) { _, _ = conn.Write([]byte(letIn[:9] + "S\x00\x00\x00\x06ab")) }, "08006"},
		"it hangs up":                     {func(_ *testing.T, conn net.Conn) { _ = conn.Close() }, "08006"},
		"another encoding than was asked": {func(_ *testing.T, conn net.Conn) {
			_, _ = conn.Write([]byte(letIn[:9] + string(message('S', "client_encoding\x00LATIN1\x00")) + rest))
		}, "0A000"},
	} {
		t.Run(name, func(t *testing.T) {
			err := into(t, doorway(t, func(conn net.Conn) {
				startupOf(conn)
				c.play(t, conn)
				_, _ = io.Copy(io.Discard, conn)
			}))
			if code(err) != c.code {
				t.Fatalf("got %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "upstream_user") || strings.Contains(err.Error(), "upstream_password")) {
				t.Fatalf("the error says too much: %v", err)
			}
		})
	}
}

// TestErrorsOfTheLoginUpstream: what names the gateway's own user, or where it
// comes from, is not passed on.
func TestErrorsOfTheLoginUpstream(t *testing.T) {
	report := func(code, text string) string {
		return string(message('E', "SFATAL\x00VFATAL\x00C"+code+"\x00M"+text+"\x00\x00"))
	}
	for name, c := range map[string]struct{ says, code, message string }{
		"its password":       {report("28P01", `password authentication failed for user "upstream_user"`), "08006", "refused the gateway's login (SQLSTATE 28P01)"},
		"its address":        {report("28000", `no pg_hba.conf entry for host "10.1.2.3", user "upstream_user", database "orders"`), "08006", "refused the gateway's login (SQLSTATE 28000)"},
		"its own limit":      {report("53300", `too many connections for role "upstream_user"`), "08006", "refused the gateway's login (SQLSTATE 53300)"},
		"the server's limit": {report("53300", "sorry, too many clients already"), "53300", "sorry, too many clients already"},
		"starting up":        {report("57P03", "the database system is starting up"), "57P03", "the database system is starting up"},
		"a setting":          {letIn[:9] + report("22023", `invalid value for parameter "TimeZone": "nowhere"`), "22023", `invalid value for parameter "TimeZone": "nowhere"`},
		"a role":             {letIn[:9] + report("42501", `permission denied to set role "admin" for upstream_user`), "08006", "refused the gateway's login (SQLSTATE 42501)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := into(t, doorway(t, func(conn net.Conn) {
				startupOf(conn)
				_, _ = conn.Write([]byte(c.says))
			}))
			if code(err) != c.code || !strings.Contains(err.Error(), c.message) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "upstream_user") || strings.Contains(err.Error(), "10.1.2.3") {
				t.Fatalf("the error says too much: %v", err)
			}
		})
	}
}

// TestNoPasswordInClearAcrossTheNetwork: only inside TLS, or on this machine.
func TestNoPasswordInClearAcrossTheNetwork(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	received := make(chan []byte, 1)
	go func() {
		_, _ = theirs.Write(message('R', int32s(3)))
		all, _ := io.ReadAll(theirs)
		received <- all
	}()
	up := &upstream{conn: elsewhere{ours}, out: &outbox{conn: ours}, lease: &credential.Lease{Username: "u", Secret: secret.New("sesame")}}
	up.in = newStream(up.conn, up.out)
	if err := up.authenticate(); err == nil || !strings.Contains(err.Error(), "without TLS") {
		t.Fatalf("got %v", err)
	}
	_ = up.out.flush()
	_ = ours.Close()
	if got := <-received; len(got) > 0 {
		t.Fatalf("the server received %q", got)
	}
}

// elsewhere is a connection to another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

// TestTLSOfTheServersChoice: bound SCRAM where it is offered, our certificate
// where it is asked for, and no way back to plaintext.
func TestTLSOfTheServersChoice(t *testing.T) {
	cert, ca := certificate(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	secured := func(t *testing.T, play func(conn *tls.Conn)) string {
		return doorway(t, func(raw net.Conn) {
			startupOf(raw)
			_, _ = raw.Write([]byte("S"))
			conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert})
			defer conn.Close()
			if conn.HandshakeContext(context.Background()) == nil && startupOf(conn) != nil {
				play(conn)
			}
		})
	}
	full := func(target *Target) { target.SSLMode, target.SSLRootCert = "verify-full", ca }

	t.Run("SCRAM bound to the channel", func(t *testing.T) {
		err := into(t, secured(t, func(conn *tls.Conn) {
			_, _ = conn.Write(message('R', int32s(10)+"SCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00\x00"))
			if first := expect(t, conn, 'p'); !bytes.HasPrefix(first, []byte("SCRAM-SHA-256-PLUS\x00")) || !bytes.Contains(first, []byte("p=tls-server-end-point,,")) {
				t.Errorf("began with %q", first)
			}
		}), withTarget(full))
		if code(err) != "08006" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("SCRAM without binding says that we could", func(t *testing.T) {
		_ = into(t, secured(t, func(conn *tls.Conn) {
			_, _ = conn.Write(message('R', int32s(10)+"SCRAM-SHA-256\x00\x00"))
			if first := expect(t, conn, 'p'); !bytes.Contains(first, []byte("y,,")) {
				t.Errorf("began with %q: a server that was talked out of PLUS would not notice", first)
			}
		}), withTarget(full))
	})
	t.Run("our certificate", func(t *testing.T) {
		err := into(t, secured(t, func(conn *tls.Conn) {
			if shown := conn.ConnectionState().PeerCertificates; len(shown) != 1 || !bytes.Equal(shown[0].Raw, cert.Certificate[0]) {
				t.Errorf("%d certificates were shown", len(shown))
			}
			_, _ = conn.Write([]byte(letIn))
			_, _ = io.Copy(io.Discard, conn)
		}), withTarget(full), withTarget(func(target *Target) { target.SSLCert, target.SSLKey = ca, key }))
		if err != nil {
			t.Error(err)
		}
	})
	for name, answer := range map[string]string{"N": "N", "an old server's error": "E\x00\x00\x00\x08wha\x00", "bytes before TLS": "SR\x00\x00\x00\x08\x00\x00\x00\x00" + rest} {
		t.Run("no way back: "+name, func(t *testing.T) {
			received := make(chan []byte, 1)
			err := into(t, doorway(t, func(conn net.Conn) {
				startupOf(conn)
				_, _ = conn.Write([]byte(answer))
				all, _ := io.ReadAll(conn)
				received <- all
			}), withTarget(func(target *Target) { target.SSLMode = "require" }))
			if got := <-received; code(err) != "08006" || bytes.Contains(got, []byte("upstream_user")) {
				t.Fatalf("got %v, the server received %q", err, got)
			}
		})
	}
}

// TestSessionAttrs: of several servers the first that is what was asked for.
func TestSessionAttrs(t *testing.T) {
	is := func(name string, settings ...string) func(t *testing.T) string {
		return func(t *testing.T) string {
			return doorway(t, func(conn net.Conn) {
				startupOf(conn)
				said := letIn[:9] + string(message('S', "server\x00"+name+"\x00"))
				for _, s := range settings {
					said += string(message('S', s+"\x00on\x00"))
				}
				_, _ = conn.Write([]byte(said + rest))
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	}
	primary, standby := is("primary"), is("standby", "in_hot_standby")
	readOnly := is("read-only", "default_transaction_read_only")
	refuses := func(t *testing.T) string {
		return doorway(t, func(conn net.Conn) {
			startupOf(conn)
			_, _ = conn.Write(message('E', "SFATAL\x00VFATAL\x00C28P01\x00Mno\x00\x00"))
		})
	}
	for name, c := range map[string]struct {
		attrs   string
		servers []func(*testing.T) string
		want    string
	}{
		"any":                    {"any", []func(*testing.T) string{standby, primary}, "standby"},
		"primary":                {"primary", []func(*testing.T) string{standby, readOnly, primary}, "read-only"},
		"read-write":             {"read-write", []func(*testing.T) string{standby, readOnly, primary}, "primary"},
		"read-only":              {"read-only", []func(*testing.T) string{primary, readOnly, standby}, "read-only"},
		"standby":                {"standby", []func(*testing.T) string{primary, readOnly, standby}, "standby"},
		"prefer-standby":         {"prefer-standby", []func(*testing.T) string{primary, standby}, "standby"},
		"prefer-standby, none":   {"prefer-standby", []func(*testing.T) string{primary, readOnly}, "primary"},
		"standby, none":          {"standby", []func(*testing.T) string{primary}, "08006"},
		"a refusal ends it":      {"any", []func(*testing.T) string{refuses, primary}, "08006"},
		"not after what is said": {"standby", []func(*testing.T) string{primary, refuses, standby}, "08006"},
	} {
		t.Run(name, func(t *testing.T) {
			var addresses []string
			for _, s := range c.servers {
				addresses = append(addresses, s(t))
			}
			g := startBefore(t, strings.Join(addresses, ", "), withTarget(func(target *Target) { target.TargetSessionAttrs = c.attrs }))
			conn, err := pgx.Connect(t.Context(), g.dsn(""))
			got := code(err)
			if err == nil {
				got = conn.PgConn().ParameterStatus("server")
				_ = conn.PgConn().Conn().Close()
			}
			if got != c.want {
				t.Fatalf("got %s, %v", got, err)
			}
		})
	}
}
