// Command testvault is a real HashiCorp Vault in one process, for tests.
//
//	testvault [ADDRESS]     default 127.0.0.1:0
//
// It keeps everything in memory, unseals itself, and prints two lines on
// standard output when it is ready to serve:
//
//	address http://127.0.0.1:PORT
//	token   ROOT-TOKEN
//
// Mounted: kv version 2 at secret/, the database engine (PostgreSQL) at
// database/, AppRole at auth/approle/. It ends when its standard input does,
// so that a killed test leaves nothing behind.
//
// Vault is under the Business Source License: this module is apart, so that
// none of it is ever in the product.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	log "github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/database"
	"github.com/hashicorp/vault/command/server"
	vhttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/plugins/database/postgresql"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := serve(address); err != nil {
		fmt.Fprintln(os.Stderr, "testvault:", err)
		os.Exit(1)
	}
}

// serve runs until standard input ends or the listener fails.
func serve(address string) error {
	core, keys, err := start()
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	handler := vhttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}})
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()

	url := "http://" + ln.Addr().String()
	if err := mount(url, keys.RootToken); err != nil {
		return err
	}
	fmt.Printf("address %s\ntoken   %s\n", url, keys.RootToken)

	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case err := <-served:
		return err
	case <-ended:
		return srv.Close()
	}
}

// start makes an initialised, unsealed core.
func start() (*vault.Core, *vault.InitResult, error) {
	logger := log.New(&log.LoggerOptions{Level: log.Error, Output: os.Stderr})
	store, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, nil, err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:        store,
		Logger:          logger,
		DisableMlock:    true,
		RawConfig:       &server.Config{SharedConfig: &configutil.SharedConfig{}},
		BuiltinRegistry: builtin{},
		LogicalBackends: map[string]logical.Factory{"kv": kv.Factory, "database": database.Factory},
		CredentialBackends: map[string]logical.Factory{
			"approle": approle.Factory,
		},
	})
	if err != nil {
		return nil, nil, err
	}
	keys, err := core.Initialize(context.Background(), &vault.InitParams{
		BarrierConfig:  &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
		RecoveryConfig: &vault.SealConfig{},
	})
	if err != nil {
		return nil, nil, err
	}
	unsealed, err := core.Unseal(keys.SecretShares[0])
	if err != nil {
		return nil, nil, err
	}
	if !unsealed {
		return nil, nil, errors.New("still sealed")
	}
	return core, keys, nil
}

// mount enables what the tests use.
func mount(url, token string) error {
	client, err := api.NewClient(&api.Config{Address: url, Timeout: 30 * time.Second})
	if err != nil {
		return err
	}
	client.SetToken(token)
	sys := client.Sys()
	if err := sys.Mount("secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}); err != nil {
		return err
	}
	if err := sys.Mount("database", &api.MountInput{Type: "database"}); err != nil {
		return err
	}
	return sys.EnableAuthWithOptions("approle", &api.EnableAuthOptions{Type: "approle"})
}

// builtin is the registry of plugins: PostgreSQL and no other.
type builtin struct{}

const postgres = "postgresql-database-plugin"

func (builtin) Get(name string, _ consts.PluginType) (func() (interface{}, error), bool) {
	if name == postgres {
		return postgresql.New, true
	}
	return nil, false
}

func (builtin) Keys(consts.PluginType) []string { return nil }

func (builtin) Contains(name string, kind consts.PluginType) bool {
	return name == postgres && kind == consts.PluginTypeDatabase
}

func (builtin) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (builtin) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
