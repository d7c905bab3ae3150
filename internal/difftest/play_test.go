package difftest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// silence is how long a message may be awaited: in no script does the server
// take as long for one.
const silence = 20 * time.Second

// script is one case: what clients do, in order.
type script struct {
	name string
	play func(p *play)
	on   func(r *route) bool // over which gateways
}

// everywhere is for most scripts.
func everywhere(*route) bool { return true }

// unguarded is for what is closed where anything is masked: functions of the
// user's, DO, and the like.
func unguarded(r *route) bool { return !r.guarded }

// inProcessOnly is for scripts that take long.
func inProcessOnly(r *route) bool { return r.inProcess }

// play is a script being played over one route.
type play struct {
	t     *testing.T
	route *route
	names names
	lines []string
}

// transcript plays the script over the route and returns what came back.
func transcript(t *testing.T, s script, r *route) []string {
	t.Helper()
	p := &play{t: t, route: r, names: names{oids: map[uint32]string{}, pids: map[uint32]string{}}}
	s.play(p)
	return p.lines
}

// note adds a line to the transcript.
func (p *play) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// client is one session of a play.
type client struct {
	*play
	name string
	conn net.Conn
	fe   *pgproto3.Frontend
	pid  uint32
	key  []byte
	over bool

	settings map[string]string // as reported at login
}

// open logs in. It notes an error, if that is what comes of it.
func (p *play) open(name string, settings ...string) *client {
	p.t.Helper()
	cfg, err := pgconn.ParseConfig(p.route.dsn)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(settings); i += 2 {
		cfg.RuntimeParams[settings[i]] = settings[i+1]
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), silence)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		p.note("%s: not open: %s", name, connectError(err))
		return &client{play: p, name: name, over: true}
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		p.t.Fatal(err)
	}
	c := &client{play: p, name: name, conn: hijacked.Conn, fe: hijacked.Frontend, pid: hijacked.PID, key: hijacked.SecretKey}
	p.t.Cleanup(func() { _ = c.conn.Close() })
	p.names.pids[c.pid] = name
	c.settings = hijacked.ParameterStatuses
	return c
}

// noteSettings notes what the server reported at login.
func (c *client) noteSettings() {
	for _, key := range slices.Sorted(maps.Keys(c.settings)) {
		c.note("%s: %s=%q", c.name, key, c.settings[key])
	}
}

// connectError is what the server said to a login that failed.
func connectError(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return fmt.Sprintf("%s %s %s", pg.Severity, pg.Code, pg.Message)
	}
	return err.Error()
}

// send writes messages, all in one go.
func (c *client) send(messages ...pgproto3.FrontendMessage) {
	if c.over {
		return
	}
	for _, m := range messages {
		c.fe.Send(m)
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(silence))
	if err := c.fe.Flush(); err != nil {
		c.note("%s: cannot send", c.name)
	}
}

// until takes messages up to the first of a kind, by the kind's name in
// pgproto3, or up to the end of the connection.
func (c *client) until(kinds ...string) pgproto3.BackendMessage {
	for !c.over {
		_ = c.conn.SetReadDeadline(time.Now().Add(silence))
		m, err := c.fe.Receive()
		if err != nil {
			c.over = true
			c.note("%s: %s", c.name, ending(err))
			break
		}
		c.note("%s: %s", c.name, c.names.line(m))
		if kind := strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3."); slices.Contains(kinds, kind) {
			return m
		}
	}
	return nil
}

func ending(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "(silence)"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "(closed)"
	}
	return "(lost: " + err.Error() + ")"
}

// ready takes messages up to the n-th ReadyForQuery.
func (c *client) ready(n int) {
	for range n {
		c.until("ReadyForQuery")
	}
}

// end takes all messages up to the end of the connection.
func (c *client) end() { c.until() }

// query runs texts by the simple protocol, one after the other.
func (c *client) query(texts ...string) {
	for _, text := range texts {
		c.send(&pgproto3.Query{String: text})
		c.ready(1)
	}
}

// exchange sends a pipeline and takes its answers, one ReadyForQuery for each
// Sync in it.
func (c *client) exchange(messages ...pgproto3.FrontendMessage) {
	c.send(messages...)
	for _, m := range messages {
		if _, ok := m.(*pgproto3.Sync); ok {
			c.ready(1)
		}
	}
}

// cancel sends a CancelRequest on a connection of its own, and waits until it
// has been taken.
func (c *client) cancel() {
	if c.over {
		return
	}
	conn, err := net.Dial("tcp", c.route.address)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	b := binary.BigEndian.AppendUint32(nil, uint32(12+len(c.key)))
	b = binary.BigEndian.AppendUint32(b, 80877102)
	b = binary.BigEndian.AppendUint32(b, c.pid)
	if _, err := conn.Write(append(b, c.key...)); err != nil {
		c.t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(silence))
	answer, err := io.ReadAll(conn)
	c.note("cancel of %s: answered %q, %v", c.name, answer, err)
}

// await waits until the session's row in pg_stat_activity meets a condition.
func (c *client) await(condition string) {
	c.t.Helper()
	if c.over {
		return
	}
	c.awaitSQL(fmt.Sprintf("select exists (select from pg_stat_activity where pid = %d and %s)", c.pid, condition))
}

// awaitSQL waits until a query, asked of the server directly, says true.
func (p *play) awaitSQL(query string) {
	p.t.Helper()
	for deadline := time.Now().Add(silence); ; {
		var yes bool
		if err := p.route.admin.QueryRow(p.t.Context(), query).Scan(&yes); err != nil {
			p.t.Fatal(err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			p.note("never came: %s", query)
			return
		}
	}
}

// admin runs SQL on the server directly.
func (p *play) admin(text string) {
	p.t.Helper()
	if _, err := p.route.admin.Exec(p.t.Context(), text); err != nil {
		p.t.Fatal(err)
	}
}
