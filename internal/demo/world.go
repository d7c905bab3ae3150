package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgserver"
)

// Database is the target's name and, behind it, the database's.
const Database = "shop"

// role is who the gateway logs in as upstream.
const role = "shop_app"

//go:embed shop.sql
var shop string

//go:embed gateway.toml.tmpl
var gatewayTOML string

// World is everything around the gateway, running.
type World struct {
	Folder string // temporary: configuration, credentials, state and recordings
	Config string // the gateway.toml in it
	Listen Addresses
	Model  string // the one model that the rules let through

	Agent string // gateway token of worker-1, group agents
	Admin string // gateway token of operator, group admins

	Postgres *pgserver.Server
	OpenAI   *OpenAI

	// What nobody in front of the gateway may ever see.
	Password string // of the role the gateway logs in as
	Key      string // of the model upstream
}

// Start makes the world. The caller closes it.
func Start(ctx context.Context, listen Addresses) (*World, error) {
	folder, err := os.MkdirTemp("", "sallyport-demo-")
	if err != nil {
		return nil, err
	}
	w := &World{
		Folder: folder, Config: filepath.Join(folder, "gateway.toml"), Listen: listen, Model: Model,
		Agent: "demo-agent-" + rand.Text(), Admin: "demo-admin-" + rand.Text(),
		Password: rand.Text(), Key: "demo-key-" + rand.Text(),
	}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start(ctx context.Context) (err error) {
	if w.Postgres, err = pgserver.Start(ctx, pgserver.Options{AllowDownload: true}); err != nil {
		return err
	}
	if err := w.fill(ctx); err != nil {
		return fmt.Errorf("fill the shop's database: %w", err)
	}
	if w.OpenAI, err = StartOpenAI(ctx, w.Key); err != nil {
		return err
	}
	return w.write()
}

// Close ends what runs and removes the folder. It is safe on a half-made world.
func (w *World) Close() error {
	var err error
	if w.OpenAI != nil {
		err = w.OpenAI.Close()
	}
	if w.Postgres != nil {
		w.Postgres.Stop()
	}
	return errors.Join(err, os.RemoveAll(w.Folder))
}

// PostgresAddress is where the real server listens.
func (w *World) PostgresAddress() string {
	return net.JoinHostPort(w.Postgres.Host, strconv.Itoa(w.Postgres.Port))
}

// fill makes the role and its database, and the shop in it as that role.
func (w *World) fill(ctx context.Context) error {
	err := run(ctx, w.Postgres.DSN("postgres"),
		fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", role, w.Password), // letters and digits only
		fmt.Sprintf("CREATE DATABASE %s OWNER %s", Database, role))
	if err != nil {
		return err
	}
	return run(ctx, w.Postgres.DSNFor(role, w.Password, Database), shop)
}

// Direct is the URL of the shop past the gateway, for looking at what is really there.
func (w *World) Direct() string { return w.Postgres.DSNFor(role, w.Password, Database) }

func run(ctx context.Context, dsn string, texts ...string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, text := range texts {
		if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// write makes the credential files and gateway.toml, readable by the owner alone.
func (w *World) write() error {
	login, err := json.Marshal(map[string]string{"username": role, "password": w.Password})
	if err != nil {
		return err
	}
	page, err := template.New("gateway.toml").Funcs(template.FuncMap{"quote": strconv.Quote, "sum": sum}).Parse(gatewayTOML)
	if err != nil {
		return err
	}
	var config strings.Builder
	if err := page.Execute(&config, w); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"shop.json": string(login), "openai.key": w.Key + "\n", "gateway.toml": config.String(),
	} {
		if err := os.WriteFile(filepath.Join(w.Folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sum is the hash of a token as [[token]] wants it.
func sum(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
