package credential

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/hashicorp/vault/api"
)

// errOddAnswer stands for all that cannot be quoted.
var errOddAnswer = errors.New("an answer that is not Vault's")

// statusError is an answer of Vault's that is not 200. Its text is ours: what
// Vault wrote can quote what it was sent.
type statusError int

// statusHints say what a status mostly means.
var statusHints = map[int]string{
	http.StatusBadRequest:         "refused as it stands; at a login: a wrong role_id or secret_id",
	http.StatusForbidden:          "permission denied: the token has ended or its policy does not allow the path",
	http.StatusNotFound:           "nothing is there, or its latest version is deleted; KV version 2 is read at MOUNT/data/NAME",
	http.StatusTooManyRequests:    "too many requests",
	http.StatusServiceUnavailable: "sealed, or not ready",
}

func (s statusError) Error() string {
	hint, ok := statusHints[int(s)]
	switch {
	case !ok && s >= 300 && s < 400:
		hint = "a redirect, which is not followed: the address must be the active node's or a balancer's"
	case !ok:
		hint = "unexpected"
	}
	return fmt.Sprintf("Vault answers %d (%s)", int(s), hint)
}

// isStatus reports whether Vault answered with the code.
func isStatus(err error, code int) bool {
	var s statusError
	return errors.As(err, &s) && int(s) == code
}

// answer reads what the library's raw calls return, closed status by status.
func answer(resp *api.Response, err error) (*api.Secret, error) {
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		return nil, explain(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp.StatusCode)
	}
	found, err := api.ParseSecret(resp.Body)
	if err != nil {
		return nil, explain(err)
	}
	if found == nil {
		return nil, errOddAnswer
	}
	return found, nil
}

// explain says what went wrong without a byte of what was sent or answered. The
// errors it lets through are those of dialling and of certificates.
func explain(err error) error {
	var (
		status *api.ResponseError
		dial   *net.OpError
		cert   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &status):
		return statusError(status.StatusCode)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &cert):
		return cert
	case errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("it speaks http, the address says https")
	case errors.As(err, &dial):
		return dial
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection broke")
	}
	return errOddAnswer
}

// bounded cuts every answer at maxMaterial: the library reads to the end.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxMaterial), resp.Body}
	return resp, nil
}
