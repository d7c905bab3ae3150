package credential

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"
	"golang.org/x/sync/singleflight"

	"sallyport/secret"
)

const schemeVault = "vault"

func checkVault(r Ref) error { return checkVaultPath(r.Path) }

func openVault(s settings) (source, error) {
	if s.vault == nil {
		return noVault{}, nil
	}
	v := *s.vault
	if errs := v.Check(); len(errs) > 0 {
		return nil, fmt.Errorf("%s: %w", errs[0].Key, errs[0].Err)
	}
	for _, path := range []*string{&v.TokenFile, &v.SecretIDFile, &v.CACert} {
		if *path != "" {
			*path = within(s.base, *path)
		}
	}
	if v.Mount == "" {
		v.Mount = authAppRole
	}
	transport, err := vaultTransport(v.CACert)
	if err != nil {
		return nil, err
	}
	return &vault{config: v, transport: transport}, nil
}

// noVault is what vault:// references meet in a configuration without [vault].
type noVault struct{}

func (noVault) fetch(context.Context, Ref) (*material, error) {
	return nil, errors.New("there is no [vault] in the configuration")
}

// vault fetches from HashiCorp Vault. It logs in when it first has to, again
// when two thirds of the login's time have passed, and once more when Vault says
// 403; one login at a time, whoever asks.
type vault struct {
	config    Vault
	transport http.RoundTripper
	flight    singleflight.Group

	mu      sync.Mutex
	current *login
}

// login is one token of Vault's, with the client that carries it. Leases stay
// with the login that made them.
type login struct {
	client *api.Client
	token  *api.Secret // nil when it is not ours to renew
	until  time.Time   // then log in anew; zero is never

	mu     sync.Mutex
	leases int
	renew  *keeper // while there are leases and the token can be renewed
}

// fetch reads ref's path, logging in anew once if Vault no longer likes the
// login that was there.
func (v *vault) fetch(ctx context.Context, ref Ref) (*material, error) {
	l, fresh, err := v.login(ctx, nil)
	if err != nil {
		return nil, err
	}
	m, err := v.read(ctx, l, ref.Path)
	if !fresh && isStatus(err, http.StatusForbidden) {
		if l, _, err = v.login(ctx, l); err != nil {
			return nil, err
		}
		m, err = v.read(ctx, l, ref.Path)
	}
	return m, err
}

// read reads an API path. KV version 2 wraps its answer; other engines may
// lend, and then the lease is kept alive until it is released.
func (v *vault) read(ctx context.Context, l *login, path string) (*material, error) {
	found, err := answer(l.client.Logical().ReadRawWithContext(ctx, path))
	if err != nil {
		return nil, err
	}
	if object, version, ok := unwrapKV2(found.Data); ok {
		m := objectMaterial(object)
		m.version = version
		return m, nil
	}
	m := objectMaterial(found.Data)
	if found.LeaseID != "" {
		if m.release, err = l.keep(found); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// unwrapKV2 takes the object and its version out of a KV version 2 answer.
func unwrapKV2(data map[string]any) (object map[string]any, version string, ok bool) {
	meta, _ := data["metadata"].(map[string]any)
	number, isNumber := meta["version"].(json.Number)
	if _, hasTime := meta["created_time"]; !isNumber || !hasTime {
		return nil, "", false
	}
	object, _ = data["data"].(map[string]any) // null when the version is deleted: then no field is there
	return object, number.String(), true
}

// login returns a login that is not stale, made now or before. fresh says that
// it was made for this call.
func (v *vault) login(ctx context.Context, stale *login) (l *login, fresh bool, err error) {
	if l := v.usable(stale); l != nil {
		return l, false, nil
	}
	// The one who asked first may go away; the others still want the login.
	shared := v.flight.DoChan("login", func() (any, error) {
		if l := v.usable(stale); l != nil {
			return l, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		l, err := v.logIn(ctx)
		if err != nil {
			return nil, fmt.Errorf("log in to Vault with auth = %q: %w", v.config.Auth, err)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.current = l
		return l, nil
	})
	select {
	case done := <-shared:
		if done.Err != nil {
			return nil, false, done.Err
		}
		return done.Val.(*login), true, nil
	case <-ctx.Done():
		return nil, false, fmt.Errorf("log in to Vault: %w", explain(ctx.Err()))
	}
}

func (v *vault) usable(stale *login) *login {
	v.mu.Lock()
	defer v.mu.Unlock()
	l := v.current
	if l == nil || l == stale || (!l.until.IsZero() && !time.Now().Before(l.until)) {
		return nil
	}
	return l
}

// logIn makes a new login.
func (v *vault) logIn(ctx context.Context) (*login, error) {
	client, err := v.client()
	if err != nil {
		return nil, err
	}
	if v.config.Auth == authToken {
		token, err := v.token()
		if err != nil {
			return nil, err
		}
		client.SetToken(token.Reveal())
		return &login{client: client}, nil
	}
	secretID, err := readText(v.config.SecretIDFile)
	if err != nil {
		return nil, fmt.Errorf("secret_id_file: %w", err)
	}
	body, err := json.Marshal(map[string]string{"role_id": v.config.RoleID, "secret_id": secretID.Reveal()})
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	found, err := answer(client.Logical().WriteRawWithContext(ctx, "auth/"+v.config.Mount+"/login", body))
	if err != nil {
		return nil, err
	}
	if found.Auth == nil || found.Auth.ClientToken == "" {
		return nil, errOddAnswer
	}
	client.SetToken(found.Auth.ClientToken)
	l := &login{client: client, token: found}
	if ttl := time.Duration(found.Auth.LeaseDuration) * time.Second; ttl > 0 {
		l.until = begin.Add(ttl * 2 / 3)
	}
	return l, nil
}

// token is the one we were given: who gave it renews it.
func (v *vault) token() (secret.Text, error) {
	if v.config.TokenFile != "" {
		token, err := readText(v.config.TokenFile)
		if err != nil {
			return secret.Text{}, fmt.Errorf("token_file: %w", err)
		}
		return token, nil
	}
	token := secret.New(os.Getenv(api.EnvVaultToken))
	if token.Empty() {
		return secret.Text{}, errors.New("no token: set token_file, or the environment variable " + api.EnvVaultToken)
	}
	return token, nil
}

// readText reads a file that holds one secret.
func readText(path string) (secret.Text, error) {
	raw, err := readSecretFile(path)
	if err != nil {
		return secret.Text{}, err
	}
	return textMaterial(bytes.TrimSpace(raw)).whole()
}

// client is a new one without a token: the library would take token, namespace
// and more from the environment, and follow a redirect with the token.
func (v *vault) client() (*api.Client, error) {
	client, err := api.NewClient(&api.Config{
		Address: v.config.Address,
		HttpClient: &http.Client{
			Transport:     v.transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Timeout:          fetchTimeout,
		MaxRetries:       0,
		DisableRedirects: true,
	})
	if err != nil {
		return nil, errors.New("the environment's VAULT_ variables are not understood")
	}
	client.ClearToken()
	client.ClearNamespace()
	if v.config.Namespace != "" {
		client.SetNamespace(v.config.Namespace)
	}
	return client, nil
}

// vaultTransport trusts the authorities of the PEM file, the system's without one.
func vaultTransport(caCert string) (http.RoundTripper, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caCert != "" {
		pem, err := os.ReadFile(caCert)
		if err != nil {
			return nil, fmt.Errorf("ca_cert: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_cert: %s holds no PEM certificate", caCert)
		}
	}
	return bounded{&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     time.Minute, // before Vault closes it: a write is not tried twice
	}}, nil
}
