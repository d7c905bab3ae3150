package identity

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"time"

	"sallyport/policy"
)

// IssuerCertificate is the issuer of principals that a client certificate of
// tls.client_ca names.
const IssuerCertificate = "client-certificate"

// OfConnection is the principal that the client's certificate names, nil where
// the client showed none. A certificate that was not verified counts as none:
// there is no reading it without its chain.
func OfConnection(state *tls.ConnectionState, now time.Time) (*policy.Principal, error) {
	if state == nil || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil, nil
	}
	p, err := ofCertificate(state.VerifiedChains[0][0], now)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// ofCertificate is the principal of a verified certificate: its one URI, else
// its one e-mail address, else its common name; its organizational units are
// the groups.
func ofCertificate(c *x509.Certificate, now time.Time) (policy.Principal, error) {
	if now.After(c.NotAfter) {
		return policy.Principal{}, refuseCertificate("the client certificate has expired", nil)
	}
	subject := c.Subject.CommonName
	switch {
	case len(c.URIs) > 1, len(c.URIs) == 0 && len(c.EmailAddresses) > 1:
		return policy.Principal{}, refuseCertificate("the client certificate names more than one subject", nil)
	case len(c.URIs) == 1:
		subject = c.URIs[0].String()
	case len(c.EmailAddresses) == 1:
		subject = c.EmailAddresses[0]
	}
	if err := checkNames(subject, c.Subject.OrganizationalUnit); err != nil {
		return policy.Principal{}, refuseCertificate("the client certificate names no subject", err)
	}
	sum := sha256.Sum256(c.Raw)
	return policy.Principal{
		Subject: subject,
		Issuer:  IssuerCertificate,
		Groups:  append([]string(nil), c.Subject.OrganizationalUnit...),
		Token:   "crt_" + hex.EncodeToString(sum[:8]),
		Expires: c.NotAfter,
	}, nil
}

// Both is the principal of a client that showed a certificate and proved a
// token. They must be of one subject: neither can be lent to another's. The
// token says the rest, being what is made for the occasion, and the first that
// expires ends both.
func Both(certificate *policy.Principal, token policy.Principal) (policy.Principal, error) {
	if certificate == nil {
		return token, nil
	}
	if certificate.Subject != token.Subject {
		return policy.Principal{}, refuseCertificate("the client certificate and the gateway token are not of the same subject", nil)
	}
	if token.Expires.IsZero() || certificate.Expires.Before(token.Expires) {
		token.Expires = certificate.Expires
	}
	return token, nil
}

func refuseCertificate(public string, err error) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Unauthenticated, Public: public, Err: err}
}
