package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// gateway is one of those that are compared.
type gateway struct {
	name   string
	url    string // of chat completions
	header http.Header
	pid    int // 0: none
	client *http.Client
}

// world is all that runs.
type world struct {
	dir      string // of the gateway that is started last
	upstream string // host:port
	gateways []*gateway
	running  []*exec.Cmd
}

func (w *world) start(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	up := exec.CommandContext(ctx, self, "upstream")
	up.Stderr = os.Stderr
	if _, err := up.StdinPipe(); err != nil {
		return err
	}
	out, err := up.StdoutPipe()
	if err != nil {
		return err
	}
	if err := up.Start(); err != nil {
		return err
	}
	w.running = append(w.running, up)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start the upstream: %w", err)
	}
	w.upstream = strings.TrimSpace(line)
	dir := w.dir
	bearer := http.Header{"Authorization": {"Bearer " + key}}
	w.add(&gateway{name: "direct", url: "http://" + w.upstream + "/v1/chat/completions", header: bearer, pid: up.Process.Pid})
	for _, one := range []struct {
		name  string
		with  string
		start func(context.Context, string) (*gateway, error)
	}{
		{"nginx", "nginx", w.nginx}, {"sallyport", o.sallyport, w.sallyport}, {"before", o.before, w.sallyport}, {"portkey", o.portkey, w.portkey}, {"litellm", o.litellm, w.litellm},
	} {
		if one.with == "" || one.name != "before" && !strings.Contains(one.name, o.only) {
			continue
		}
		w.dir = filepath.Join(dir, one.name)
		if err := os.Mkdir(w.dir, 0o700); err != nil {
			return err
		}
		g, err := one.start(ctx, one.with)
		if err != nil {
			return fmt.Errorf("start %s: %w", one.name, err)
		}
		g.name = one.name
		w.add(g)
	}
	return nil
}

func (w *world) add(g *gateway) {
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	w.gateways = append(w.gateways, g)
}

// stop ends everything in reverse order.
func (w *world) stop() {
	for i := len(w.running) - 1; i >= 0; i-- {
		cmd := w.running[i]
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
	}
}

// spawn runs a program in a group of its own until something answers at the
// address.
func (w *world) spawn(ctx context.Context, at string, env []string, name string, args ...string) (int, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(w.dir, filepath.Base(name)+".log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	w.running = append(w.running, cmd)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		if c, err := net.Dial("tcp", at); err == nil {
			_ = c.Close()
			return cmd.Process.Pid, nil
		}
	}
	said, _ := os.ReadFile(log.Name())
	return 0, fmt.Errorf("nothing answers at %s:\n%s", at, said[max(0, len(said)-2000):])
}

// free is an address nobody listens at.
func free() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

func (w *world) write(name, content string) (string, error) {
	path := filepath.Join(w.dir, name)
	return path, os.WriteFile(path, []byte(content), 0o600)
}

func (w *world) nginx(ctx context.Context, program string) (*gateway, error) {
	at, err := free()
	if err != nil {
		return nil, err
	}
	conf, err := w.write("nginx.conf", fmt.Sprintf(`
user root;
worker_processes 2;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.err;
events { worker_connections 1024; }
http {
	access_log %[1]s/access.log;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	client_max_body_size 100m; client_body_buffer_size 1m;
	upstream model { server %[2]s; keepalive 128; }
	server {
		listen %[3]s;
		keepalive_requests 1000000;
		location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_set_header Authorization "Bearer %[4]s"; }
	}
}`, w.dir, w.upstream, at, key))
	if err != nil {
		return nil, err
	}
	pid, err := w.spawn(ctx, at, nil, program, "-c", conf, "-e", w.dir+"/nginx.err")
	return &gateway{url: "http://" + at + "/v1/chat/completions", header: http.Header{}, pid: pid}, err
}

func (w *world) sallyport(ctx context.Context, program string) (*gateway, error) {
	at, err := free()
	if err != nil {
		return nil, err
	}
	conf, err := w.write("gateway.toml", fmt.Sprintf(`
[listen]
postgres = "off"
http     = %q
console  = "off"
metrics  = "off"

[store]
database   = "sqlite:sallyport.db"
recordings = "file:recordings"

[[token]]
subject = "agent"
groups  = ["agents"]
sha256  = "%x"

[http.openai]
upstream   = "http://%[3]s"
provider   = "openai"
credential = "file://key"
inject     = "Authorization: Bearer {secret}"

[http.plain]
upstream   = "http://%[3]s"
credential = "file://key"
inject     = "Authorization: Bearer {secret}"

[[grant]]
who     = ["group:agents"]
targets = ["*"]

[[rule]]
name    = "dear"
targets = ["openai"]
if      = '!llm.model.startsWith("gpt-") || llm.estimated_usd > 5.0'
then    = "deny"

[[mask]]
targets = ["openai"]
fields  = ["api_key", "user.ssn"]
detect  = ["email", "payment-card", "api-key"]
with    = "redact"
`, at, sha256.Sum256([]byte(token)), w.upstream))
	if err != nil {
		return nil, err
	}
	if _, err := w.write("key", key); err != nil {
		return nil, err
	}
	pid, err := w.spawn(ctx, at, nil, program, "serve", "--config", conf, "--log-format", "json")
	return &gateway{url: "http://" + at + "/openai/v1/chat/completions", header: http.Header{"Authorization": {"Bearer " + token}}, pid: pid}, err
}

// portkey is Portkey's open gateway. It listens at every address: run the whole
// in a network namespace of its own.
func (w *world) portkey(ctx context.Context, folder string) (*gateway, error) {
	at, err := free()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(at)
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("there is no node")
	}
	pid, err := w.spawn(ctx, at, nil, node, filepath.Join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js"), "--headless", "--port="+port)
	return &gateway{url: "http://" + at + "/v1/chat/completions", pid: pid, header: http.Header{
		"Authorization": {"Bearer " + key}, "X-Portkey-Provider": {"openai"}, "X-Portkey-Custom-Host": {"http://" + w.upstream + "/v1"},
	}}, err
}

func (w *world) litellm(ctx context.Context, program string) (*gateway, error) {
	at, err := free()
	if err != nil {
		return nil, err
	}
	conf, err := w.write("litellm.yaml", fmt.Sprintf(`
model_list:
  - model_name: %q
    litellm_params: {model: "openai/%s", api_base: "http://%s/v1", api_key: %q}
general_settings: {master_key: %q}
litellm_settings: {drop_params: true}
`, modelName, modelName, w.upstream, key, "sk-"+token))
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(at)
	pid, err := w.spawn(ctx, at, []string{"LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_LOG=ERROR"}, program, "--config", conf, "--host", host, "--port", port)
	return &gateway{url: "http://" + at + "/v1/chat/completions", header: http.Header{"Authorization": {"Bearer sk-" + token}}, pid: pid}, err
}
