package httpguard

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sallyport/credential"
	"sallyport/mask"
)

// Target is one [http.NAME] of gateway.toml.
type Target struct {
	Upstream   string `toml:"upstream"`   // http or https, host, and perhaps a base path
	Provider   string `toml:"provider"`   // openai, or nothing
	Credential string `toml:"credential"` // reference to the key
	Inject     string `toml:"inject"`     // "Header: value {secret}"
}

// Problem is what is wrong with one key of a target.
type Problem struct{ Key, Message string }

// openAI is the provider whose clients know OpenAI's error object.
const openAI = "openai"

// providers is what `provider` may say, and laterProviders what it will.
var (
	providers      = []string{"", openAI}
	laterProviders = []string{"anthropic", "pinecone", "mcp"}
)

// target is a Target, read and checked.
type target struct {
	name       string
	upstream   *url.URL // scheme, host and base path without a trailing slash
	provider   string
	keyed      bool // a credential is injected
	credential credential.Ref
	reference  string // the credential as written
	inject     injection
	fields     *mask.Fields // nil: nothing is masked
}

// Problems lists everything that is wrong with the target by itself.
func (t Target) Problems() []Problem {
	_, problems := t.parse("")
	return problems
}

func (t Target) parse(name string) (*target, []Problem) {
	var all []Problem
	add := func(key string, err error) {
		if err != nil {
			all = append(all, Problem{key, err.Error()})
		}
	}
	out := &target{name: name, provider: t.Provider, reference: t.Credential, keyed: t.Credential != ""}
	var err error
	out.upstream, err = parseUpstream(t.Upstream)
	add("upstream", err)
	switch {
	case slices.Contains(laterProviders, t.Provider):
		add("provider", fmt.Errorf("provider %q is known, but not built yet", t.Provider))
	case !slices.Contains(providers, t.Provider):
		add("provider", fmt.Errorf("no provider %q; there is %s, or none", t.Provider, openAI))
	}
	switch {
	case t.Credential == "" && t.Inject == "":
	case t.Credential == "":
		add("credential", errors.New("inject needs a credential"))
	case t.Inject == "":
		add("inject", errors.New(`a credential needs inject = "Header: value {secret}"`))
	}
	if t.Credential != "" {
		out.credential, err = credential.ParseRef(t.Credential)
		add("credential", err)
	}
	if t.Inject != "" {
		out.inject, err = parseInjection(t.Inject)
		add("inject", err)
	}
	return out, all
}

func parseUpstream(s string) (*url.URL, error) {
	if s == "" {
		return nil, errors.New("an HTTP target needs the URL of its upstream")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: write http:// or https://", s)
	case u.User != nil: // s is not repeated: it may hold a password
		return nil, errors.New("no user or password here: name a credential and inject it")
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q has no host", s)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%q: no query and no fragment here", s)
	}
	raw := strings.TrimSuffix(u.EscapedPath(), "/")
	if raw == "" {
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	path, err := cleanPath(raw)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path, RawPath: raw}, nil
}
