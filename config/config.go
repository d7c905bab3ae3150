package config

import (
	"sallyport/credential"
	"sallyport/httpguard"
	"sallyport/identity"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/wire"
)

// Config is a checked gateway.toml. Its relative paths have been resolved
// against the file's folder, except those of credentials: the lender does that.
type Config struct {
	Dir      string                      // the file's folder, absolute
	Listen   Listen                      `toml:"listen"`
	TLS      TLS                         `toml:"tls"`
	OAuth    wire.OAuth                  `toml:"oauth"`
	Proxy    httpguard.Proxy             `toml:"proxy"` // zero: the gateway is nobody's forward proxy
	Store    Store                       `toml:"store"`
	Tokens   []identity.Token            `toml:"token"`
	Vault    *credential.Vault           `toml:"vault"` // nil when there is none
	Postgres map[string]wire.Target      `toml:"postgres"`
	HTTP     map[string]httpguard.Target `toml:"http"`
	Prices   string                      `toml:"prices"` // file of prices for the targets that name none
	Grants   []policy.GrantConfig        `toml:"grant"`
	Rules    []policy.RuleConfig         `toml:"rule"`
	Masks    []mask.Rule                 `toml:"mask"`
}

// Listen is [listen]: host:port of each listener, empty for one that is off.
type Listen struct {
	Postgres string `toml:"postgres"`
	HTTP     string `toml:"http"`
	Console  string `toml:"console"`
	Metrics  string `toml:"metrics"`
}

// TLS is [tls]: the certificate of the listeners; all empty for none.
type TLS struct {
	Cert     string `toml:"cert"`      // PEM file, the chain in it
	Key      string `toml:"key"`       // PEM file
	ClientCA string `toml:"client_ca"` // PEM file: whose certificates clients may log in with; empty: nobody's
}

// Store is [store]: where state and recordings are kept.
type Store struct {
	Database   string `toml:"database"`   // sqlite:PATH
	Recordings string `toml:"recordings"` // file:FOLDER
}

// Kinds says of each target which protocol it speaks.
func (c *Config) Kinds() map[string]policy.TargetKind {
	kinds := make(map[string]policy.TargetKind, len(c.Postgres)+len(c.HTTP))
	for name, t := range c.HTTP {
		kinds[name] = t.Kind()
	}
	for name := range c.Postgres {
		kinds[name] = policy.PostgresTarget
	}
	return kinds
}
