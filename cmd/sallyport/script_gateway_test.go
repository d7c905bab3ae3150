package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	readyWithin = 30 * time.Second
	endWithin   = 15 * time.Second
	logName     = "gateway.log"
)

// process is a running gateway.
type process struct {
	cmd      *exec.Cmd
	log      *os.File
	ended    chan error
	expected []*regexp.Regexp // errors in the log that the script asked for
}

// runGateway starts a gateway and waits until it is ready.
func runGateway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: gateway [NAME=VALUE...] FILE")
	}
	w, file := worldOf(ts), args[len(args)-1]
	if w.gateway != nil {
		ts.Fatalf("a gateway is running")
	}
	env := append([]string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}, args[:len(args)-1]...)
	p, err := startGateway(w.dir, env, file)
	ts.Check(err)
	w.gateway = p
	if err := p.awaitReady("http://" + ts.Getenv("METRICS") + "/readyz"); err != nil {
		ts.Fatalf("%v\n%s", err, p.logged())
	}
}

func startGateway(dir string, env []string, file string) (*process, error) {
	program, err := exec.LookPath("sallyport")
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, "serve", "--config", file), log: log, ended: make(chan error, 1)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// awaitReady asks until the gateway says that it is ready.
func (p *process) awaitReady(url string) error {
	client := http.Client{Timeout: time.Second}
	within := time.After(readyWithin)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-p.ended:
			p.ended <- err
			return fmt.Errorf("the gateway ended: %w", err)
		case <-within:
			return errors.New("the gateway is not ready")
		case <-tick.C:
		}
		if res, err := client.Get(url); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

func (p *process) logged() string {
	text, _ := os.ReadFile(p.log.Name())
	return string(text)
}

// end sends SIGTERM and says what was wrong with the end: nil for exit 0 in time.
func (p *process) end() error {
	defer func() { _ = p.log.Close() }()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the gateway: %w, it ended: %w", err, <-p.ended)
	}
	timer := time.NewTimer(endWithin)
	defer timer.Stop()
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("the gateway ended badly: %w", err)
		}
		return nil
	case <-timer.C:
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its stacks go to the log
		<-p.ended
		return fmt.Errorf("the gateway did not end within %v of SIGTERM", endWithin)
	}
}

// badLines are the lines of the log that are no JSON, or errors nobody expected.
func (p *process) badLines() (bad []string) {
	for line := range strings.Lines(p.logged()) {
		line = strings.TrimSpace(line)
		var entry struct {
			Level string `json:"level"`
			Time  string `json:"time"`
		}
		err := json.Unmarshal([]byte(line), &entry)
		if _, untimed := time.Parse(time.RFC3339, entry.Time); err == nil && untimed == nil {
			if entry.Level == "info" || entry.Level == "warn" || entry.Level == "debug" || p.expects(line) {
				continue
			}
		}
		bad = append(bad, line)
	}
	return bad
}

func (p *process) expects(line string) bool {
	for _, re := range p.expected {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

// stop ends the gateway, and looks at what it leaves.
func (w *world) stop() {
	p := w.gateway
	w.gateway = nil
	if err := p.end(); err != nil {
		w.t.Errorf("%v\n%s", err, p.logged())
	}
	for _, line := range p.badLines() {
		w.t.Errorf("in the gateway's log: %s", line)
	}
	noSecret(w.t, w.dir, logName, "recordings", "sallyport.db", "sallyport.db-wal")
}

// noSecret looks for secrets in what a gateway keeps.
func noSecret(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if at := bytes.Index(text, []byte(canary)); at >= 0 {
				t.Errorf("a secret is in %s: ...%q...", path, text[max(0, at-100):min(len(text), at+100)])
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func runStop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 || worldOf(ts).gateway == nil {
		ts.Fatalf("usage: stop, while a gateway runs")
	}
	worldOf(ts).stop()
}

func runLogged(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if len(args) != 1 || w.gateway == nil {
		ts.Fatalf("usage: logged REGEXP, while a gateway runs")
	}
	re := regexp.MustCompile("(?m)" + args[0])
	if neg {
		if re.MatchString(w.gateway.logged()) {
			ts.Fatalf("logged %q", args[0])
		}
		return
	}
	if !eventually(func() bool { return re.MatchString(w.gateway.logged()) }) {
		ts.Fatalf("not logged: %q in\n%s", args[0], w.gateway.logged())
	}
	w.gateway.expected = append(w.gateway.expected, re)
}

// eventually asks for some seconds whether it is so by now.
func eventually(so func() bool) bool {
	within := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-within:
			return false
		case <-tick.C:
		}
	}
	return true
}
