package wire

import (
	"crypto"
	_ "crypto/sha256" // SHA-256
	_ "crypto/sha512" // SHA-384, SHA-512
	"crypto/tls"
	"crypto/x509"
	"net"
)

// listenerTLS is the TLS of a listener: its protocol by ALPN, and, like the
// server's, without tickets: each connection shows certificates anew, ours for
// the channel binding and the client's own.
func listenerTLS(base *tls.Config) *tls.Config {
	cfg := base.Clone()
	cfg.NextProtos, cfg.SessionTicketsDisabled = []string{alpn}, true
	get, certificates := base.GetCertificate, base.Certificates
	cfg.Certificates = nil // or crypto/tls would take them without asking where the client sends no name
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := choose(hello, get, certificates)
		if g, ok := hello.Conn.(*greeted); ok && err == nil {
			g.shown = cert
		}
		return cert, err
	}
	if change := base.GetConfigForClient; change != nil {
		cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			other, err := change(hello)
			if other == nil || err != nil {
				return nil, err
			}
			return listenerTLS(other), nil
		}
	}
	return cfg
}

// choose is what crypto/tls does: GetCertificate, else the first that suits.
func choose(hello *tls.ClientHelloInfo, get func(*tls.ClientHelloInfo) (*tls.Certificate, error), all []tls.Certificate) (*tls.Certificate, error) {
	if get != nil {
		if cert, err := get(hello); cert != nil || err != nil {
			return cert, err
		}
	}
	for i := range all {
		if hello.SupportsCertificate(&all[i]) == nil {
			return &all[i], nil
		}
	}
	if len(all) == 0 {
		return nil, nil // crypto/tls says what is wrong
	}
	return &all[0], nil
}

// greeted is a connection before its TLS: it gives back bytes that were read to
// look at them, and keeps which certificate was shown.
type greeted struct {
	net.Conn
	first []byte
	shown *tls.Certificate
}

func (g *greeted) Read(p []byte) (int, error) {
	if len(g.first) > 0 {
		n := copy(p, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	return g.Conn.Read(p)
}

// endPoint is the tls-server-end-point of the connection: the hash of our
// certificate. It is nil where its signature has no hash of its own to take:
// then SCRAM-SHA-256-PLUS is not offered.
// RFC 5929, section 4.1.
func (g *greeted) endPoint() []byte {
	if g.shown == nil || len(g.shown.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(g.shown.Certificate[0])
	if err != nil {
		return nil
	}
	hash, ok := endPointHashes[leaf.SignatureAlgorithm]
	if !ok {
		return nil
	}
	h := hash.New()
	_, _ = h.Write(leaf.Raw) // never fails
	return h.Sum(nil)
}

// endPointHashes are the hashes of the signatures that have one. Those of MD5
// and SHA-1 take SHA-256.
var endPointHashes = map[x509.SignatureAlgorithm]crypto.Hash{
	x509.MD5WithRSA:       crypto.SHA256,
	x509.SHA1WithRSA:      crypto.SHA256,
	x509.ECDSAWithSHA1:    crypto.SHA256,
	x509.SHA256WithRSA:    crypto.SHA256,
	x509.SHA256WithRSAPSS: crypto.SHA256,
	x509.ECDSAWithSHA256:  crypto.SHA256,
	x509.SHA384WithRSA:    crypto.SHA384,
	x509.SHA384WithRSAPSS: crypto.SHA384,
	x509.ECDSAWithSHA384:  crypto.SHA384,
	x509.SHA512WithRSA:    crypto.SHA512,
	x509.SHA512WithRSAPSS: crypto.SHA512,
	x509.ECDSAWithSHA512:  crypto.SHA512,
}
