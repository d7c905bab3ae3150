package pgserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// settings of a server that keeps nothing.
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 300
shared_buffers = 32MB
autovacuum_naptime = 1h
log_min_messages = warning
lc_messages = 'C'
timezone = 'UTC'
`

// hba admits passwords by SCRAM over TCP, and nobody otherwise.
const hba = `
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`

// cluster is a data folder inside a scratch folder:
//
//	scratch/          the account's, 0755
//	scratch/data      initdb's, 0700
//	scratch/ca.crt    with Options.TLS
type cluster struct {
	scratch  string
	password string
	who      *account
}

func (c *cluster) data() string { return filepath.Join(c.scratch, "data") }
func (c *cluster) ca() string   { return filepath.Join(c.scratch, "ca.crt") }

// newCluster runs initdb.
func newCluster(ctx context.Context, bin string, o Options) (*cluster, error) {
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(scratchParent(), "sallyport-pg-")
	if err != nil {
		return nil, err
	}
	c := &cluster{scratch: scratch, password: rand.Text(), who: who}
	if err := c.fill(ctx, bin, o); err != nil {
		_ = os.RemoveAll(scratch)
		return nil, err
	}
	return c, nil
}

// scratchParent is a folder that the server's account can pass through, which
// root's $TMPDIR need not be.
func scratchParent() string {
	if os.Getuid() == 0 {
		return "/tmp"
	}
	return ""
}

func (c *cluster) fill(ctx context.Context, bin string, o Options) error {
	if err := os.Chmod(c.scratch, 0o755); err != nil {
		return err
	}
	if err := c.who.own(c.scratch); err != nil {
		return err
	}
	pwfile := filepath.Join(c.scratch, "pwfile")
	if err := c.who.write(pwfile, []byte(c.password+"\n")); err != nil {
		return err
	}
	if err := c.initdb(ctx, bin, pwfile); err != nil {
		return err
	}
	if err := os.Remove(pwfile); err != nil {
		return err
	}
	conf := settings
	if o.TLS {
		if err := c.writeTLS(); err != nil {
			return err
		}
		conf += "ssl = on\n"
	}
	for name, value := range o.Settings {
		conf += fmt.Sprintf("%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	// The last setting of a name wins, so these go behind initdb's.
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(conf)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return c.who.write(filepath.Join(c.data(), "pg_hba.conf"), []byte(hba))
}

func (c *cluster) initdb(ctx context.Context, bin, pwfile string) error {
	var out []byte
	var err error
	for _, locale := range []string{"C.UTF-8", "C"} { // not every C library has the first
		if err := os.RemoveAll(c.data()); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"),
			"--pgdata", c.data(), "--username", Superuser, "--pwfile", pwfile, "--auth", "scram-sha-256",
			"--encoding", "UTF8", "--locale", locale, "--no-sync", "--no-instructions")
		cmd.SysProcAttr = c.who.process()
		cmd.Dir = c.scratch
		cmd.Env = environment()
		if out, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("initdb: %w: %s", err, out)
}

// environment is ours without what would steer PostgreSQL.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}

func (c *cluster) writeTLS() error {
	certs, err := newCertificates(time.Now())
	if err != nil {
		return err
	}
	if err := c.who.write(filepath.Join(c.data(), "server.crt"), certs.server); err != nil {
		return err
	}
	if err := c.who.write(filepath.Join(c.data(), "server.key"), certs.key); err != nil {
		return err
	}
	return os.WriteFile(c.ca(), certs.authority, 0o644)
}
