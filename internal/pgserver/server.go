package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/loopback"

	"github.com/jackc/pgx/v5"
)

// Superuser is the role that initdb makes.
const Superuser = "postgres"

const (
	startDeadline = 60 * time.Second // initdb and start, on a busy machine
	stopDeadline  = 15 * time.Second
	portTries     = 5 // somebody can take the port between the asking and the listening
)

// Options of a server; the zero value is a plain one.
type Options struct {
	TLS           bool              // ssl = on with a certificate of an authority of its own; plain connections stay possible
	AllowDownload bool              // fetch an embedded PostgreSQL when the machine has none
	Settings      map[string]string // more lines for postgresql.conf
}

// Server is a running PostgreSQL. Stop it.
type Server struct {
	Host      string // 127.0.0.1
	Port      int
	Superuser string
	Password  string // the superuser's, random
	BinDir    string // where its binaries are
	CAFile    string // with Options.TLS: PEM file of the authority; else empty

	scratch string
	cmd     *exec.Cmd
	leash   io.Closer // the shell's standard input: closing it ends the server
	log     *os.File
}

// leash runs the server ("$@") until standard input ends, which it does when
// Stop closes it and when we die, however we die; then it removes the scratch
// folder ($0). SIGQUIT is PostgreSQL's immediate shutdown.
const leash = `
exec 3<&0
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -QUIT $server; } 2>/dev/null &
wait $server
cd / && rm -rf -- "$0"
`

// Start makes a fresh server and returns when it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	bin, err := Find()
	if errors.Is(err, ErrNotFound) && o.AllowDownload {
		bin, err = download(ctx)
	}
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		s, err := start(ctx, bin, o)
		if err == nil {
			return s, nil
		}
		if try == portTries || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("start PostgreSQL of %s: %w", bin, err)
		}
	}
}

var errPortTaken = errors.New("port taken")

func start(ctx context.Context, bin string, o Options) (*Server, error) {
	c, err := newCluster(ctx, bin, o)
	if err != nil {
		return nil, err
	}
	s := &Server{Host: "127.0.0.1", Superuser: Superuser, Password: c.password, BinDir: bin, scratch: c.scratch}
	if o.TLS {
		s.CAFile = c.ca()
	}
	if err := s.run(ctx, c); err != nil {
		_ = os.RemoveAll(c.scratch)
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// run starts the leash and, on it, the server.
func (s *Server) run(ctx context.Context, c *cluster) error {
	port, err := loopback.Port(ctx)
	if err != nil {
		return err
	}
	s.Port = port
	if s.log, err = os.CreateTemp("", "sallyport-pg-log-"); err != nil {
		return err
	}
	// The open file is enough for us, and nothing is left behind.
	if err := os.Remove(s.log.Name()); err != nil {
		return err
	}
	// Not CommandContext: the server outlives the context of its start.
	s.cmd = exec.Command("/bin/sh", "-c", leash, c.scratch,
		filepath.Join(s.BinDir, "postgres"), "-D", c.data(), "-p", strconv.Itoa(port))
	s.cmd.SysProcAttr = c.who.process()
	s.cmd.Dir = c.scratch
	s.cmd.Env = environment()
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if s.leash, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	return s.cmd.Start()
}

// await tries to log in until it works, the server has died, or ctx ends.
func (s *Server) await(ctx context.Context) error {
	pause := 5 * time.Millisecond
	for {
		conn, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if _, gone := os.Stat(s.scratch); gone != nil {
			log := s.Log()
			if strings.Contains(log, "could not bind") {
				return fmt.Errorf("%w: %s", errPortTaken, log)
			}
			return fmt.Errorf("the server ended: %s", log)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w: %s", context.Cause(ctx), err, s.Log())
		case <-time.After(pause):
			pause = min(2*pause, 100*time.Millisecond)
		}
	}
}

// DSN is the superuser's URL for the database.
func (s *Server) DSN(database string) string { return s.DSNFor(s.Superuser, s.Password, database) }

// DSNFor is anybody's URL for the database. With a certificate it asks for
// verify-full, else for no TLS.
func (s *Server) DSNFor(user, password, database string) string {
	if s.CAFile == "" {
		return s.PlainDSNFor(user, password, database)
	}
	return s.dsn(user, password, database, url.Values{"sslmode": {"verify-full"}, "sslrootcert": {s.CAFile}})
}

// PlainDSNFor is anybody's URL for the database, without TLS.
func (s *Server) PlainDSNFor(user, password, database string) string {
	return s.dsn(user, password, database, url.Values{"sslmode": {"disable"}})
}

func (s *Server) dsn(user, password, database string, query url.Values) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Path:     "/" + database,
		RawQuery: query.Encode(),
	}
	return u.String()
}

// Log is what the server has written so far.
func (s *Server) Log() string {
	var b bytes.Buffer
	_, _ = io.Copy(&b, io.NewSectionReader(s.log, 0, 1<<20))
	return strings.TrimSpace(b.String())
}

// Stop ends the server, cutting its connections, and removes its folder.
func (s *Server) Stop() {
	_ = s.leash.Close()
	timer := time.AfterFunc(stopDeadline, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait() // its exit status is of no interest any more
	timer.Stop()
	_ = os.RemoveAll(s.scratch)
	_ = s.log.Close()
}
