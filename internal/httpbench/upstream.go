package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

const (
	key       = "sk-bench-the-real-key"
	token     = "bench-gateway-token"
	streamed  = 500      // events
	large     = 20 << 20 // bytes of a large body
	modelName = "gpt-4o-mini"
)

// filler is text as models write it, without anything that a mask finds.
const filler = "The gateway stands between the agents and what they reach, and nobody carries a key through both of its doors. "

func text(size int) string {
	return strings.Repeat(filler, size/len(filler)+1)[:size]
}

// sizes are how many bytes of text the bodies of a kind have, either way.
var sizes = map[string]int{"2k": 1800, "100k": 100_000, "sse": 1800}

// answers are the bodies by kind.
func answer(kind string) []byte {
	body, _ := json.Marshal(map[string]any{
		"id": "chatcmpl-bench", "object": "chat.completion", "created": 1700000000, "model": modelName,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text(sizes[kind])}}},
		"usage":   map[string]any{"prompt_tokens": 400, "completion_tokens": 400, "total_tokens": 800},
	})
	return body
}

func events() [][]byte {
	var all [][]byte
	words := strings.SplitAfter(text(streamed*8), " ")
	for i := range streamed {
		chunk, _ := json.Marshal(map[string]any{
			"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": modelName,
			"choices": []any{map[string]any{"index": 0, "finish_reason": nil, "delta": map[string]any{"content": words[i%len(words)]}}},
		})
		all = append(all, fmt.Appendf(nil, "data: %s\n\n", chunk))
	}
	return all
}

// serveUpstream is the upstream as a process of its own. It prints its address
// and ends with its standard input.
func serveUpstream() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bodies := map[string][]byte{"2k": answer("2k"), "100k": answer("100k")}
	chunks := events()
	finish := []byte("data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"" + modelName + "\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
	usage := []byte("data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"" + modelName + "\",\"choices\":[],\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":500,\"total_tokens\":900}}\n\n")
	piece := []byte(text(64 << 10))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if !bytes.Contains(body, []byte(`"stream":true`)) && !bytes.Contains(body, []byte(`"stream": true`)) {
			kind := "2k"
			if len(body) > 50_000 {
				kind = "100k"
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bodies[kind])
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		flush := w.(http.Flusher)
		for _, c := range chunks {
			_, _ = w.Write(c)
			flush.Flush()
		}
		_, _ = w.Write(finish)
		if bytes.Contains(body, []byte("include_usage")) {
			_, _ = w.Write(usage)
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	})
	mux.HandleFunc("POST /large", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for sent := 0; sent < large; sent += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	fmt.Println(ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(ln, mux)
}
