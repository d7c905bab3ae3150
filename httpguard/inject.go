package httpguard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"sallyport/credential"
	"sallyport/policy"
	"sallyport/secret"
)

// injection is a target's inject line: which header carries the secret, and how.
type injection struct{ name, before, after string }

// placeholder stands for the secret in an inject line.
const placeholder = "{secret}"

// parseInjection reads "Header: value {secret}".
func parseInjection(s string) (injection, error) {
	name, value, ok := strings.Cut(s, ":")
	value = strings.TrimSpace(value)
	before, after, found := strings.Cut(value, placeholder)
	switch {
	case !ok || !isHeaderName(name):
		return injection{}, errors.New(`want "Header: value {secret}"`)
	case !found || strings.Contains(after, placeholder):
		return injection{}, fmt.Errorf("the value must hold %s once", placeholder)
	case !isHeaderValue(value):
		return injection{}, errors.New("the value has a control character")
	case slices.Contains(hopByHop, fold(name)):
		return injection{}, fmt.Errorf("the header %s is not an end-to-end header", name)
	}
	return injection{textproto.CanonicalMIMEHeaderKey(name), before, after}, nil
}

// lend fetches the target's secret for this exchange; nil for a target without.
func (x *exchange) lend(ctx context.Context) (*credential.Lease, error) {
	if !x.target.keyed {
		return nil, nil
	}
	return x.server.lender.Key(ctx, x.target.credential)
}

// release gives the secret back, whether or not the caller is still there.
func (x *exchange) release(ctx context.Context, lease *credential.Lease) {
	if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
		x.log.Warn().Err(err).Msg("release the credential")
	}
}

// into puts the secret into its header; outgoing left out the caller's own.
func (i injection) into(h http.Header, s secret.Text) error {
	key := s.Reveal()
	if key == "" || !isHeaderValue(key) {
		return &policy.Refusal{
			Kind: policy.Unavailable, Public: "the credential for this target can't be used",
			Err: errors.New("inject: the secret is empty or no header value"),
		}
	}
	h[i.name] = []string{i.before + key + i.after}
	return nil
}

func isHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r > 0x7f || !isAlphanumeric(byte(r)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
