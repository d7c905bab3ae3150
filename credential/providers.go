package credential

import "context"

// providers is every scheme a reference can have.
var providers = map[string]provider{
	schemeEnv:   {checkEnv, openEnv},     // env.go
	schemeFile:  {checkFile, openFile},   // file.go
	schemeVault: {checkVault, openVault}, // vault.go
}

// provider is one way to have a credential.
type provider struct {
	check func(Ref) error                // what is wrong with a reference of this scheme
	open  func(settings) (source, error) // makes the source, without reaching for it
}

// settings is what sources are made from.
type settings struct {
	vault *Vault // [vault]; nil when there is none
	base  string // the folder that relative paths start from
}

// source fetches what a reference names, as it is now. It ends by itself when
// ctx does. Its errors hold no byte of a secret.
type source interface {
	fetch(ctx context.Context, ref Ref) (*material, error)
}
