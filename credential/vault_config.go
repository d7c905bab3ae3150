package credential

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sallyport/policy"
)

// Vault is gateway.toml's [vault].
type Vault struct {
	Address      string `toml:"address"`        // https://vault:8200
	Auth         string `toml:"auth"`           // token or approle
	TokenFile    string `toml:"token_file"`     // for token; without it the environment variable VAULT_TOKEN
	RoleID       string `toml:"role_id"`        // for approle
	SecretIDFile string `toml:"secret_id_file"` // for approle; read at each login
	Mount        string `toml:"mount"`          // for approle: where it is mounted, "approle" unless told
	CACert       string `toml:"ca_cert"`        // PEM file; without it the system's authorities
	Namespace    string `toml:"namespace"`      // Vault Enterprise
}

const (
	authToken   = "token"
	authAppRole = "approle"
)

// laterAuth are the ways of the design that are not built.
var laterAuth = []string{"kubernetes", "jwt"}

// Check says what is wrong, by key.
func (v Vault) Check() []policy.KeyError {
	var errs []policy.KeyError
	wrong := func(key, format string, args ...any) {
		errs = append(errs, policy.KeyError{Key: key, Err: fmt.Errorf(format, args...)})
	}
	if err := checkAddress(v.Address); err != nil {
		wrong("address", "%w", err)
	}
	only := func(auth, key, value string) {
		if value != "" && v.Auth != auth {
			wrong(key, "means nothing with auth = %q", v.Auth)
		}
	}
	switch {
	case v.Auth == authToken:
	case v.Auth == authAppRole:
		if v.RoleID == "" {
			wrong("role_id", "auth = %q needs role_id", v.Auth)
		}
		if v.SecretIDFile == "" {
			wrong("secret_id_file", "auth = %q needs secret_id_file", v.Auth)
		}
	case slices.Contains(laterAuth, v.Auth):
		wrong("auth", "%q is known, but not built yet", v.Auth)
		return errs
	default:
		wrong("auth", "want %q or %q", authToken, authAppRole)
		return errs
	}
	only(authToken, "token_file", v.TokenFile)
	only(authAppRole, "role_id", v.RoleID)
	only(authAppRole, "secret_id_file", v.SecretIDFile)
	only(authAppRole, "mount", v.Mount)
	if v.Mount != "" && checkVaultPath(v.Mount) != nil {
		wrong("mount", "not a path of Vault's")
	}
	return errs
}

// checkAddress does not repeat the address: it may hold a password, which is
// one of the things refused.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("where is Vault? as in https://vault:8200")
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("want an address as in https://vault:8200")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want an address alone, as in https://vault:8200")
	}
	return nil
}

// checkVaultPath accepts what can be appended to an API path as it is.
func checkVaultPath(path string) error {
	if strings.ContainsAny(path, "?") {
		return errors.New("a path of Vault's takes no query")
	}
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return errors.New("want an API path of Vault's, as in secret/data/orders")
		}
	}
	return nil
}
