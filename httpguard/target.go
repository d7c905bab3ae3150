package httpguard

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/credential"
	"sallyport/mask"
	"sallyport/policy"
)

// Target is one [http.NAME] of gateway.toml.
type Target struct {
	Upstream   string `toml:"upstream"`   // http or https, host, and perhaps a base path
	Provider   string `toml:"provider"`   // whose API it is, or nothing
	Credential string `toml:"credential"` // reference to the key
	Inject     string `toml:"inject"`     // "Header: value {secret}", and what else parseInjection reads

	Host         []string      `toml:"host"`          // host names that lead here with the whole path
	Methods      []string      `toml:"methods"`       // the only methods; none means all
	Paths        []string      `toml:"paths"`         // patterns of the only paths, as sent upstream; none means all
	CACert       string        `toml:"cacert"`        // PEM file: the upstream's authorities, in place of the system's
	AllowPrivate bool          `toml:"allow_private"` // the upstream's name may stand for a private address
	DataHosts    []string      `toml:"data_hosts"`    // of Pinecone: hosts of indexes, which take *
	TokenQuery   string        `toml:"token_query"`   // the query parameter that may hold the gateway token
	Cookies      bool          `toml:"cookies"`       // cookies pass, as the gateway's
	UnknownCost  string        `toml:"unknown_cost"`  // of a model's provider: "deny" or "allow" calls whose cost can't be told
	Prices       string        `toml:"prices"`        // file of prices in LiteLLM's format, above the shipped ones
	IdleTimeout  time.Duration `toml:"idle_timeout"`  // of a WebSocket on which nothing comes, and of an upload
}

// Problem is what is wrong with one key of a target.
type Problem struct{ Key, Message string }

// target is a Target, read and checked.
type target struct {
	name       string
	upstream   *url.URL // scheme, host and base path without a trailing slash
	provider   string
	keyed      bool // a credential is injected
	credential credential.Ref
	reference  string // the credential as written
	inject     injection
	kind       policy.TargetKind
	masks      *mask.Contents // nil: nothing is masked

	unknownCost string      // "" leaves it to the rules
	prices      *priceTable // of a model's provider

	reach
	pool       *pool
	lastEcho   atomic.Pointer[remembered]
	tokenQuery string        // "" for none
	cookies    bool          // pass
	idle       time.Duration // of a WebSocket and of an upload
}

// TakesFields reports whether the target's credential is several fields, not one
// value.
func (t Target) TakesFields() bool {
	i, err := parseInjection(t.Inject)
	return err == nil && (i.login || i.kind == inSignature)
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
	out := &target{name: name, provider: t.Provider, kind: t.Kind(), reference: t.Credential, keyed: t.Credential != ""}
	var err error
	out.reach = t.parseReach(add)
	if len(out.upstreams) > 0 {
		out.upstream = out.upstreams[0]
	}
	out.tokenQuery, out.idle, out.cookies = t.TokenQuery, t.IdleTimeout, t.Cookies
	if out.idle == 0 {
		out.idle = idleLimit
	}
	add("provider", checkProvider(t.Provider))
	t.checkCost(out, add)
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
		if out.inject.kind == inSignature && len(out.upstreams) > 1 {
			add("inject", errors.New("a signature names the host: it needs one upstream"))
		}
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
