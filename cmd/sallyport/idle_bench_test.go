package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdleSessions says what `sallyport serve` holds for sessions that wait:
// ten thousand, or as many as the limit of open files lets it, against a server
// that lets everybody in and says nothing more. It is one measurement:
//
//	go test -run '^$' -bench IdleSessions -benchtime 1x ./cmd/sallyport
func BenchmarkIdleSessions(b *testing.B) {
	const wanted, files = 10_000, 3 // of each session: client, server, recording
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	sessions := min(wanted, int(limit.Max-300)/files)

	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { letAllIn(upstream) })
	defer serving.Wait()
	defer upstream.Close()

	dir, token := b.TempDir(), "spt_idle"
	binary := filepath.Join(dir, "sallyport")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	address := freeAddress(b)
	for name, text := range map[string]string{
		"login.json": `{"username": "u", "password": "p"}`,
		"gateway.toml": fmt.Sprintf(`
[listen]
postgres = %q
http = "off"
console = "off"
metrics = "off"
[[token]]
subject = "idle"
sha256 = "%x"
[postgres.idle]
upstream = %q
sslmode = "disable"
credential = "file://login.json"
idle_timeout = "1h"
[[grant]]
who = ["subject:*"]
targets = ["idle"]
[[rule]]
name = "no-destructive"
targets = ["idle"]
if = "sql.destructive"
then = "deny"
`, address, sha256.Sum256([]byte(token)), upstream.Addr()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	gateway := exec.Command(binary, "serve", "--config", filepath.Join(dir, "gateway.toml"), "--log-level", "error")
	gateway.Stderr = os.Stderr
	if err := gateway.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = gateway.Process.Kill()
		_ = gateway.Wait()
	}()

	clients := make([]net.Conn, 0, sessions)
	defer func() {
		for _, c := range clients {
			_ = c.Close()
		}
	}()
	for begin := time.Now(); len(clients) == 0; { // until it listens
		if conn, err := logInIdle(address, token); err == nil {
			clients = append(clients, conn)
		} else if time.Since(begin) > time.Minute {
			b.Fatal(err)
		}
	}
	empty, _ := residence(b, gateway.Process.Pid)
	for len(clients) < sessions {
		conn, err := logInIdle(address, token)
		if err != nil {
			b.Fatalf("session %d: %v", len(clients), err)
		}
		clients = append(clients, conn)
	}
	now, peak := residence(b, gateway.Process.Pid)
	for b.Loop() { // nothing is timed
	}
	each := float64(now-empty) / float64(sessions)
	b.Logf("%d sessions: %d MiB resident, %d MiB at most; %d MiB with none; %.1f KiB for each, so %.0f MiB for %d",
		sessions, now>>10, peak>>10, empty>>10, each, (float64(empty)+each*wanted)/1024, wanted)
	b.ReportMetric(float64(now>>10), "MiB")
	b.ReportMetric(each, "KiB/session")
	if float64(empty)+each*wanted > 400<<10 {
		b.Errorf("ten thousand idle sessions would hold more than 400 MiB")
	}
}

// logInIdle opens a session.
func logInIdle(address, token string) (net.Conn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	startup := "\x00\x03\x00\x00user\x00agent\x00database\x00idle\x00\x00"
	message := append(binary.BigEndian.AppendUint32(nil, uint32(4+len(startup))), startup...)
	message = append(binary.BigEndian.AppendUint32(append(message, 'p'), uint32(4+len(token)+1)), token...)
	if _, err := conn.Write(append(message, 0)); err != nil {
		return nil, err
	}
	for {
		var head [5]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(conn, body); err != nil {
			return nil, err
		}
		switch head[0] {
		case 'Z':
			return conn, nil
		case 'E':
			return nil, fmt.Errorf("refused: %q", body)
		}
	}
}

// letAllIn is a server that says nothing after the login.
func letAllIn(ln net.Listener) {
	var conns []net.Conn
	for pid := uint32(1); ; pid++ {
		conn, err := ln.Accept()
		if err != nil {
			break
		}
		conns = append(conns, conn)
		var head [4]byte
		_, _ = io.ReadFull(conn, head[:])
		_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:])-4))
		said := "R\x00\x00\x00\x08\x00\x00\x00\x00"
		for _, setting := range []string{"server_version\x0015.0", "client_encoding\x00UTF8", "standard_conforming_strings\x00on", "TimeZone\x00Etc/UTC"} {
			said += "S" + string(binary.BigEndian.AppendUint32(nil, uint32(4+len(setting)+1))) + setting + "\x00"
		}
		key := binary.BigEndian.AppendUint32(nil, pid)
		_, _ = conn.Write([]byte(said + "K\x00\x00\x00\x0c" + string(key) + "abcdZ\x00\x00\x00\x05I"))
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

// residence is what a process has in memory now and had at most, in KiB.
func residence(b *testing.B, pid int) (now, peak int) {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("what a process holds can't be read here: %v", err)
	}
	value := func(name string) int {
		m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		if m == nil {
			b.Fatalf("no %s in %s", name, status)
		}
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return value("VmRSS"), value("VmHWM")
}
