package httpguard

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/credential"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

// BenchmarkExchange is a chat completion with everything on: a rule that reads the
// cost, masks by name and by detectors, metering, a recording on a disk. Client and
// upstream send what was made before, so that what is measured is the gateway. The
// processor's time says more than the clock's where other things run.
func BenchmarkExchange(b *testing.B) {
	const filler = "The gateway stands between the agents and what they reach, and nobody carries a key through both of its doors. "
	text := func(size int) string { return strings.Repeat(filler, size/len(filler)+1)[:size] }
	for _, one := range []struct {
		name   string
		size   int
		stream bool
	}{{"2KB", 1800, false}, {"100KB", 100_000, false}, {"stream", 1800, true}} {
		b.Run(one.name, func(b *testing.B) {
			var answer bytes.Buffer
			switch {
			case one.stream:
				answer.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
				chunk := func(s string) { fmt.Fprintf(&answer, "%x\r\n%s\r\n", len(s), s) }
				for _, word := range strings.SplitAfter(text(3000), " ") {
					chunk(fmt.Sprintf("data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", word))
				}
				chunk("data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":500,\"total_tokens\":900}}\n\n")
				chunk("data: [DONE]\n\n")
				answer.WriteString("0\r\n\r\n")
			default:
				body := fmt.Sprintf(`{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":400,"completion_tokens":400,"total_tokens":800}}`, text(one.size))
				fmt.Fprintf(&answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
			g := benchGateway(b, serveRaw(b, answer.Bytes()))
			body, err := json.Marshal(map[string]any{"model": "gpt-4o-mini", "stream": one.stream, "max_tokens": 500, "messages": []any{map[string]any{"role": "user", "content": text(one.size)}}})
			if err != nil {
				b.Fatal(err)
			}
			request := fmt.Appendf(nil, "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nUser-Agent: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
			conn, err := net.Dial("tcp", g)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 64<<10)
			exchange := func() {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				if err := skipResponse(in); err != nil {
					b.Fatal(err)
				}
			}
			exchange() // reads the vocabulary
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				exchange()
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
		})
	}
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// skipResponse reads one response of a length or in chunks.
func skipResponse(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("%s", line)
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			_, _ = fmt.Sscan(string(n), &length)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	if length >= 0 {
		_, err := in.Discard(length)
		return err
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if string(line) == "0\r\n" {
			_, err = in.Discard(2)
			return err
		}
		var n int
		if _, err := fmt.Sscanf(string(line), "%x", &n); err != nil {
			return err
		}
		if _, err := in.Discard(n + 2); err != nil {
			return err
		}
	}
}

// serveRaw answers every request with the same bytes.
func serveRaw(b *testing.B, answer []byte) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReaderSize(c, 256<<10)
				for {
					length := 0
					for {
						line, err := in.ReadSlice('\n')
						if err != nil {
							return
						}
						if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
							_, _ = fmt.Sscan(string(n), &length)
						}
						if len(bytes.TrimSpace(line)) == 0 {
							break
						}
					}
					if _, err := in.Discard(length); err != nil {
						return
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// benchJournal is a recorder.
type benchJournal struct{ *recorder.Recorder }

func (j benchJournal) Begin(ctx context.Context, o recorder.Opening) (Recording, error) {
	return j.Recorder.Begin(ctx, o)
}

// benchGateway gives the address of a gateway with everything on.
func benchGateway(b *testing.B, upstream string) string {
	b.Helper()
	rules, errs := policy.NewRules([]policy.RuleConfig{{
		Name: "dear", Targets: []string{"openai"}, If: `!llm.model.startsWith("gpt-") || llm.estimated_usd > 5.0`, Then: "deny",
	}}, map[string]policy.TargetKind{"openai": policy.LLMTarget})
	if errs != nil {
		b.Fatal(errs)
	}
	registry := prometheus.NewRegistry()
	journal, err := recorder.Open("file:" + b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	guard, err := New(Config{
		Targets: map[string]Target{"openai": {Upstream: upstream, Provider: "openai", Credential: "env://KEY", Inject: "Authorization: Bearer {secret}"}},
		Masks:   []mask.Rule{{Targets: []string{"openai"}, Fields: []string{"api_key", "user.ssn"}, Detect: []string{"email", "payment-card", "api-key"}, With: "redact"}},
		Identifier: identifierFunc(func(secret.Text) (policy.Principal, error) {
			return policy.Principal{Subject: "agent", Issuer: "sallyport", Token: "t1"}, nil
		}),
		Access:  accessFunc(func(policy.Principal, string) bool { return true }),
		Lender:  lenderFunc(func() (*credential.Lease, error) { return &credential.Lease{Secret: secret.New(key)}, nil }),
		Judge:   rules,
		Journal: benchJournal{journal},
		Log:     zerolog.New(io.Discard),
		NewID:   func() string { return "01JD0000000000000000000000" },
		Now:     time.Now, Registerer: registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(http.Handler(guard))
	b.Cleanup(func() {
		srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := guard.Close(ctx); err != nil {
			b.Error(err)
		}
	})
	return srv.Listener.Addr().String()
}
