package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"sallyport/credential"
)

// Target is one [postgres.NAME] of gateway.toml.
type Target struct {
	Upstream    string `toml:"upstream"`    // host:port, port 5432 if left out
	Database    string `toml:"database"`    // the server's name for it; the target's own if left out
	SSLMode     string `toml:"sslmode"`     // as libpq names them; verify-full if left out
	SSLRootCert string `toml:"sslrootcert"` // file of CA certificates; the system's if left out
	Credential  string `toml:"credential"`  // reference to fields username and password
}

// SSLModes are the accepted values of sslmode. libpq's allow and prefer fall
// back to plaintext in silence, and are not offered.
var SSLModes = []string{"disable", "require", "verify-ca", "verify-full"}

// target is a Target made ready to dial.
type target struct {
	name     string
	address  string
	database string
	tls      *tls.Config // nil: plaintext
	ref      credential.Ref
}

// newTarget checks t and makes it ready.
func newTarget(name string, t Target) (*target, error) {
	ref, err := credential.ParseRef(t.Credential)
	if err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	out := &target{name: name, address: t.Upstream, database: t.Database, ref: ref}
	if out.database == "" {
		out.database = name
	}
	host, _, err := net.SplitHostPort(t.Upstream)
	if err != nil {
		host = t.Upstream
		out.address = net.JoinHostPort(host, "5432")
	}
	out.tls, err = clientTLS(t, host)
	return out, err
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
