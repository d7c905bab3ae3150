package httpguard

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"sallyport/credential"
	"sallyport/policy"
)

// The fields of a credential that signs for AWS.
const (
	fieldAccessKey    = "access_key_id"
	fieldSecretKey    = "secret_access_key"
	fieldSessionToken = "session_token"
	fieldRegion       = "region"
)

// lend fetches the target's secret for this exchange; nil for a target without.
func (x *exchange) lend(ctx context.Context) (*credential.Lease, error) {
	if !x.target.keyed {
		return nil, nil
	}
	switch i := x.target.inject; {
	case i.kind == inSignature:
		return x.server.lender.Fields(ctx, x.target.credential, []string{fieldAccessKey, fieldSecretKey}, []string{fieldSessionToken, fieldRegion})
	case i.login:
		return x.server.lender.Login(ctx, x.target.credential)
	}
	return x.server.lender.Key(ctx, x.target.credential)
}

// release gives the secret back, whether or not the caller is still there.
func (x *exchange) release(ctx context.Context, lease *credential.Lease) {
	if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
		x.about(x.server.log.Warn()).Err(err).Msg("release the credential")
	}
}

// inject puts the secret into the request that goes upstream, where the target
// says; outgoing left out what the caller had there. What comes back is searched
// for every secret that was put in.
func (x *exchange) inject(out *http.Request, body []byte, lease *credential.Lease) ([]byte, error) {
	if !x.target.keyed {
		return body, nil
	}
	i := x.target.inject
	if i.kind == inSignature {
		return body, x.sign4(out, body, lease)
	}
	key := lease.Secret.Reveal()
	if key == "" {
		return nil, unusable(errors.New("inject: the secret is empty"))
	}
	x.echo = x.target.echoOf(key)
	value := i.before + key + i.after
	if i.login {
		value = fillLogin(i, lease.Username, key)
	}
	switch i.kind {
	case inQuery:
		pair := url.QueryEscape(i.name) + "=" + url.QueryEscape(value)
		if out.URL.RawQuery != "" {
			pair = out.URL.RawQuery + "&" + pair
		}
		out.URL.RawQuery = pair
		return body, nil
	case inBody:
		if x.rest != nil {
			return nil, &policy.Refusal{Kind: policy.TooLarge, Public: "the credential of this target is written into the body, and this one is too large for it"}
		}
		return putMember(x.in.Header.Get("Content-Type"), body, i.name, value)
	}
	if i.basic {
		encoded := base64.StdEncoding.EncodeToString([]byte(value))
		x.echo = x.target.echoOf(key, encoded)
		value = "Basic " + encoded
	}
	if !isHeaderValue(value) {
		return nil, unusable(errors.New("inject: the secret is no header value"))
	}
	out.Header[i.name] = []string{value}
	return body, nil
}

// sign4 signs the request with the credential's fields.
func (x *exchange) sign4(out *http.Request, body []byte, lease *credential.Lease) error {
	s := signer{
		accessKey: lease.Fields[fieldAccessKey].Reveal(), secretKey: lease.Fields[fieldSecretKey].Reveal(),
		sessionToken: lease.Fields[fieldSessionToken].Reveal(), region: lease.Fields[fieldRegion].Reveal(),
		service: x.target.inject.service,
	}
	if x.target.inject.region != "" {
		s.region = x.target.inject.region
	}
	switch {
	case s.accessKey == "" || s.secretKey == "" || !isHeaderValue(s.accessKey+s.sessionToken):
		return unusable(errors.New("inject: the credential needs the fields access_key_id and secret_access_key"))
	case s.region == "":
		return unusable(errors.New("inject: no region: name it in inject or in the credential's field region"))
	case x.rest != nil && s.service != "s3":
		return &policy.Refusal{Kind: policy.TooLarge, Public: "requests to this target are signed with their body, and this one is too large for it"}
	}
	x.echo = x.target.echoOf(s.secretKey, s.sessionToken)
	payload := unsignedPayload
	if x.rest == nil {
		payload = hexSum(body)
	}
	s.sign(out, payload, time.Now().UTC())
	return nil
}

func unusable(err error) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Unavailable, Public: "the credential for this target can't be used", Err: err}
}
