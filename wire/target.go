package wire

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"sallyport/credential"
	"sallyport/policy"
)

// Target is one [postgres.NAME] of gateway.toml.
type Target struct {
	Upstream    string   `toml:"upstream"`    // host:port, port 5432 if left out; several with commas are tried in order
	Host        []string `toml:"host"`        // host names that lead here, where clients give one for TLS (SNI)
	Database    string   `toml:"database"`    // the server's name for it; the target's own if left out
	SSLMode     string   `toml:"sslmode"`     // as libpq names them; verify-full if left out
	SSLRootCert string   `toml:"sslrootcert"` // file of CA certificates; the system's if left out
	SSLCert     string   `toml:"sslcert"`     // file of the gateway's own certificate to the server
	SSLKey      string   `toml:"sslkey"`      // file of its key
	Credential  string   `toml:"credential"`  // reference to fields username and password

	TargetSessionAttrs string `toml:"target_session_attrs"` // as libpq names them; any if left out

	Pool int `toml:"pool"` // upstream connections kept logged in and ready; 0 is none

	Unparsed       string `toml:"unparsed"`        // SQL the parser rejects and the server would take: deny or allow
	ParseLimit     int    `toml:"parse_limit"`     // bytes of a statement that is parsed; a longer one is as one that the parser rejects; 0 is 1 MiB
	FunctionCalls  string `toml:"function_calls"`  // of the fast path, by OID: deny or allow
	Replication    string `toml:"replication"`     // connections: deny or allow
	ParserSettings string `toml:"parser_settings"` // pinned, or free where nothing depends on the SQL

	IdleTimeout              time.Duration `toml:"idle_timeout"`                // between transactions; 0 is none
	IdleInTransactionTimeout time.Duration `toml:"idle_in_transaction_timeout"` // within one; 0 is none

	ServerFiles []string `toml:"server_files"` // folders of the server from which COPY may read where columns are masked

	TrustedLibraries []string `toml:"trusted_libraries"` // of the server, as CREATE FUNCTION writes them: their functions are harmless

	CatalogRefresh time.Duration `toml:"catalog_refresh"` // how old the guard's knowledge of definitions may be; 0 is 5 s
}

// Problems says what is wrong with the keys that only this room understands.
func (t Target) Problems() []policy.KeyError {
	var all []policy.KeyError
	oneOf := func(key, value string, words ...string) {
		if value != "" && !slices.Contains(words, value) {
			all = append(all, policy.KeyError{Key: key, Err: fmt.Errorf("must be %q or %q, is %q", words[0], words[1], value)})
		}
	}
	oneOf("unparsed", t.Unparsed, "deny", "allow")
	if t.ParseLimit < 0 || t.ParseLimit > maxText {
		all = append(all, policy.KeyError{Key: "parse_limit", Err: fmt.Errorf("must be 0 to %d bytes, is %d", maxText, t.ParseLimit)})
	}
	oneOf("function_calls", t.FunctionCalls, "deny", "allow")
	oneOf("replication", t.Replication, "deny", "allow")
	oneOf("parser_settings", t.ParserSettings, "pinned", "free")
	if t.TargetSessionAttrs != "" && !slices.Contains(SessionAttrs, t.TargetSessionAttrs) {
		all = append(all, policy.KeyError{Key: "target_session_attrs", Err: fmt.Errorf("must be one of %s, is %q", strings.Join(SessionAttrs, ", "), t.TargetSessionAttrs)})
	}
	for _, host := range t.Host {
		if err := checkHost(host); err != nil {
			all = append(all, policy.KeyError{Key: "host", Err: err})
		}
	}
	if t.Pool < 0 || t.Pool > maxPool {
		all = append(all, policy.KeyError{Key: "pool", Err: fmt.Errorf("must be 0 to %d connections, is %d", maxPool, t.Pool)})
	}
	for _, folder := range t.ServerFiles {
		if !path.IsAbs(folder) || path.Clean(folder) != folder || folder == "/" {
			all = append(all, policy.KeyError{Key: "server_files", Err: fmt.Errorf("must be the full paths of folders such as \"/srv/import\", holds %q", folder)})
		}
	}
	for _, library := range t.TrustedLibraries {
		if library == "" || strings.ContainsAny(library, "*?\x00") {
			all = append(all, policy.KeyError{Key: "trusted_libraries", Err: fmt.Errorf("must be libraries as CREATE FUNCTION names them, such as \"$libdir/plperl\", holds %q", library)})
		}
	}
	if (t.SSLCert == "") != (t.SSLKey == "") {
		all = append(all, policy.KeyError{Key: "sslcert", Err: errors.New("sslcert and sslkey go together")})
	}
	return all
}

// SessionAttrs are the accepted values of target_session_attrs.
// PostgreSQL 17, libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS.
var SessionAttrs = []string{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}

// SSLModes are the accepted values of sslmode. libpq's allow and prefer fall
// back to plaintext in silence, and are not offered.
var SSLModes = []string{"disable", "require", "verify-ca", "verify-full"}

// target is a Target made ready to dial.
type target struct {
	name      string
	endpoints []endpoint
	attrs     string // target_session_attrs
	database  string
	ref       credential.Ref

	functionCalls bool
	replication   bool
	free          bool // the pinned settings are the client's
	idle, idleTx  time.Duration

	key   []byte // of fingerprints
	pool  *pool  // nil: every session logs in anew
	count counters
}

// endpoint is one server of a target.
type endpoint struct {
	address string
	tls     *tls.Config // nil: plaintext
}

// newTarget checks t and makes it ready.
func newTarget(name string, t Target) (*target, error) {
	ref, err := credential.ParseRef(t.Credential)
	if err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	if wrong := t.Problems(); len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %w", wrong[0].Key, wrong[0].Err)
	}
	out := &target{
		name: name, database: t.Database, ref: ref, attrs: t.TargetSessionAttrs,
		functionCalls: t.FunctionCalls == "allow", replication: t.Replication == "allow", free: t.ParserSettings == "free",
		idle: t.IdleTimeout, idleTx: t.IdleInTransactionTimeout,
	}
	out.key = make([]byte, 32)
	_, _ = rand.Read(out.key) // never fails: crypto/rand
	if out.database == "" {
		out.database = name
	}
	for address := range strings.SplitSeq(t.Upstream, ",") {
		address = strings.TrimSpace(address)
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
			address = net.JoinHostPort(host, "5432")
		}
		cfg, err := clientTLS(t, host)
		if err != nil {
			return nil, err
		}
		out.endpoints = append(out.endpoints, endpoint{address, cfg})
	}
	return out, nil
}

// clientTLS is the TLS of the way upstream, as libpq defines the modes.
// PostgreSQL 17, libpq-ssl.html#LIBPQ-SSL-PROTECTION.
func clientTLS(t Target, host string) (*tls.Config, error) {
	mode := t.SSLMode
	if mode == "" {
		mode = "verify-full"
	}
	if !slices.Contains(SSLModes, mode) {
		return nil, fmt.Errorf("sslmode %q is not one of %v", mode, SSLModes)
	}
	if mode == "disable" {
		return nil, nil
	}
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.SSLRootCert != "" {
		pem, err := os.ReadFile(t.SSLRootCert)
		if err != nil {
			return nil, fmt.Errorf("read sslrootcert: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("sslrootcert %s holds no certificate", t.SSLRootCert)
		}
	}
	if t.SSLCert != "" {
		pair, err := tls.LoadX509KeyPair(t.SSLCert, t.SSLKey)
		if err != nil {
			return nil, fmt.Errorf("sslcert: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	switch {
	case mode == "verify-full":
	case mode == "verify-ca", t.SSLRootCert != "":
		// libpq: require with a root certificate verifies it too.
		cfg.InsecureSkipVerify = true // the chain is verified below, the host name is not
		cfg.VerifyConnection = verifyChain(cfg.RootCAs)
	default:
		cfg.InsecureSkipVerify = true // require encrypts and trusts whoever answers
	}
	return cfg, nil
}

// verifyChain checks the server's chain against roots and no host name.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server sent no certificate")
		}
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range state.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(opts)
		return err
	}
}
