package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/loopback"
	"sallyport/internal/pgserver"
)

// world is the server, and what stands before it.
type world struct {
	server  *pgserver.Server
	dir     string
	plan    plan
	routes  []*route
	running []*exec.Cmd
}

// route is a way to the server.
type route struct {
	name     string
	port     int
	password string
	pid      int // of the proxy; 0: there is none
}

const (
	database = "bench"
	token    = "spt_bench"
)

// The names of the routes, as the report shows them.
const (
	direct    = "direct"
	pgbouncer = "PgBouncer"
	sallyport = "Sallyport"
)

// fill makes the tables: pgbench's, and one with a column that is masked.
func (w *world) fill(ctx context.Context) error {
	conn, err := pgconn.Connect(ctx, w.server.DSN("postgres"))
	if err != nil {
		return err
	}
	if _, err = conn.Exec(ctx, "create database "+database).ReadAll(); err != nil {
		return err
	}
	_ = conn.Close(ctx)
	there := &route{direct, w.server.Port, w.server.Password, 0}
	if out, err := w.client(ctx, there, "pgbench", "-i", "-q", "-s", strconv.Itoa(w.plan.scale)); err != nil {
		return fmt.Errorf("pgbench -i: %w: %s", err, out)
	}
	if conn, err = pgconn.Connect(ctx, w.server.DSN(database)); err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, fmt.Sprintf(`
		create table people as select i as id, 'person' || i || '@example.com' as email, repeat('n', 84) as note
		from generate_series(1, %d) i;
		analyze people; checkpoint`, w.plan.rows)).ReadAll()
	return err
}

// open starts the proxies.
func (w *world) open(ctx context.Context) error {
	w.routes = []*route{{direct, w.server.Port, w.server.Password, 0}}
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		if err := w.openPgBouncer(ctx, path); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(os.Stderr, "pgbouncer is not installed: measured without it")
	}
	return w.openGateway(ctx)
}

// openPgBouncer starts it in session mode, as Debian ships it.
func (w *world) openPgBouncer(ctx context.Context, path string) error {
	port, err := loopback.Port(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(filepath.Dir(w.dir), filepath.Base(w.dir)+"-pgbouncer")
	if os.Getuid() == 0 { // as whom it runs must pass through
		dir = filepath.Join("/tmp", filepath.Base(w.dir)+"-pgbouncer")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(dir) // it has read them once it answers
	users, ini := filepath.Join(dir, "users.txt"), filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(users, fmt.Appendf(nil, "%q %q\n", w.server.Superuser, w.server.Password), 0o644); err != nil {
		return err
	}
	err = os.WriteFile(ini, fmt.Appendf(nil, `[databases]
%s = host=%s port=%d user=%s password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
auth_type = scram-sha-256
auth_file = %s
pool_mode = session
max_client_conn = 500
default_pool_size = 100
unix_socket_dir =
`, database, w.server.Host, w.server.Port, w.server.Superuser, w.server.Password, port, users), 0o644)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, "-q", ini)
	if os.Getuid() == 0 {
		who, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("pgbouncer does not run as root: %w", err)
		}
		uid, _ := strconv.ParseUint(who.Uid, 10, 32)
		gid, _ := strconv.ParseUint(who.Gid, 10, 32)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return w.start(ctx, cmd, &route{name: pgbouncer, port: port, password: w.server.Password})
}

// openGateway starts the gateway as somebody would run it: a rule, a mask and
// recordings on a disk.
func (w *world) openGateway(ctx context.Context) error {
	binary := w.plan.binary
	if binary == "" {
		binary = filepath.Join(w.dir, "sallyport")
		if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "./cmd/sallyport").CombinedOutput(); err != nil {
			return fmt.Errorf("build the gateway: %w: %s", err, out)
		}
	}
	port, err := loopback.Port(ctx)
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(token))
	files := map[string]string{
		"login.json": fmt.Sprintf(`{"username": %q, "password": %q}`, w.server.Superuser, w.server.Password),
		"gateway.toml": fmt.Sprintf(`
[listen]
postgres = "127.0.0.1:%d"
http = "off"
console = "off"
metrics = "off"
[store]
database = "sqlite:state.db"
recordings = "file:recordings"
[[token]]
subject = "bench"
sha256 = "%s"
[postgres.bench]
upstream = "%s:%d"
sslmode = "disable"
credential = "file://login.json"
[[grant]]
who = ["subject:bench"]
targets = ["bench"]
[[rule]]
name = "no-destructive"
targets = ["bench"]
if = "sql.destructive || sql.unbounded"
then = "deny"
[[mask]]
targets = ["bench"]
columns = ["people.email"]
with = "email"
`, port, hex.EncodeToString(hash[:]), w.server.Host, w.server.Port),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	cmd := exec.Command(binary, "serve", "--config", "gateway.toml", "--log-level", "warn")
	cmd.Dir = w.dir
	return w.start(ctx, cmd, &route{name: sallyport, port: port, password: token})
}

// start runs a proxy, and waits until it answers.
func (w *world) start(ctx context.Context, cmd *exec.Cmd, r *route) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	w.running = append(w.running, cmd)
	r.pid = cmd.Process.Pid
	w.routes = append(w.routes, r)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		dsn := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres password=%s dbname=%s sslmode=disable", r.port, r.password, database)
		conn, err := pgconn.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return fmt.Errorf("%s does not answer: %w: %s", r.name, err, said.Bytes())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the proxies.
func (w *world) stop() {
	for _, cmd := range w.running {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			timer.Stop()
		}
	}
}

// client runs one of PostgreSQL's own programs over a route.
func (w *world) client(ctx context.Context, r *route, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(w.server.BinDir, program), args...)
	if cmd.Err != nil || !exists(cmd.Path) {
		cmd = exec.CommandContext(ctx, program, args...)
	}
	cmd.Env = append(os.Environ(), "PGHOST=127.0.0.1", "PGPORT="+strconv.Itoa(r.port), "PGUSER=postgres",
		"PGPASSWORD="+r.password, "PGDATABASE="+database, "PGSSLMODE=disable", "PGGSSENCMODE=disable", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}
