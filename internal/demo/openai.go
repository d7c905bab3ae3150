package demo

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// answer is what the model of the demo says, in the pieces it streams.
var answer = []string{"A sally port ", "is a small entry ", "with two doors, ", "and nobody holds ", "the keys to both."}

// maxRequest is the size in bytes of the largest request body it reads.
const maxRequest = 1 << 20

// Call is one request as the upstream received it.
type Call struct {
	Method, Path string
	Header       http.Header
	Body         string
	Status       int // what it answered
}

// OpenAI is an upstream that speaks the parts of OpenAI's API that client
// libraries use first: chat completions, plain and streamed, embeddings and
// the list of models. Without its key it answers 401. It keeps every call.
type OpenAI struct {
	URL string // http://127.0.0.1:PORT
	key string

	server *http.Server
	done   chan error

	mu    sync.Mutex
	calls []Call
}

// StartOpenAI serves on a free port of the loopback until Close.
func StartOpenAI(ctx context.Context, key string) (*OpenAI, error) {
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the model upstream: %w", err)
	}
	o := &OpenAI{URL: "http://" + ln.Addr().String(), key: key, done: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", o.chat)
	mux.HandleFunc("POST /v1/embeddings", o.embeddings)
	mux.HandleFunc("GET /v1/models", o.models)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "invalid_request_error", "unknown request URL: "+r.Method+" "+r.URL.Path)
	})
	o.server = &http.Server{Handler: o.keep(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() { o.done <- o.server.Serve(ln) }()
	return o, nil
}

// Close stops serving and waits until the listener is gone.
func (o *OpenAI) Close() error {
	err := o.server.Close()
	if served := <-o.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Calls are the requests so far, oldest first.
func (o *OpenAI) Calls() []Call {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Call(nil), o.calls...)
}

// keep records each request, with what was answered, and turns away who comes
// without the key.
func (o *OpenAI) keep(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			problem(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "the request is too large")
			return
		}
		call := Call{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: string(body), Status: http.StatusOK}
		want := "Bearer " + o.key
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) != 1 {
			call.Status = http.StatusUnauthorized
		}
		o.mu.Lock()
		o.calls = append(o.calls, call)
		o.mu.Unlock()
		if call.Status != http.StatusOK {
			problem(w, call.Status, "invalid_request_error", "incorrect API key provided")
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		next.ServeHTTP(w, r)
	})
}

// chatRequest is what chat reads of a request.
type chatRequest struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role string `json:"role"`
	} `json:"messages"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// chat answers with the same sentence always, whole or in pieces.
func (o *OpenAI) chat(w http.ResponseWriter, r *http.Request) {
	var in chatRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model == "" || len(in.Messages) == 0 {
		problem(w, http.StatusBadRequest, "invalid_request_error", "model and messages are required")
		return
	}
	usage := map[string]int{"prompt_tokens": 9, "completion_tokens": 19, "total_tokens": 28}
	if in.Stream {
		stream(w, in, usage)
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"id": "chatcmpl-demo", "object": "chat.completion", "created": time.Now().Unix(), "model": in.Model,
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "logprobs": nil,
			"message": map[string]any{"role": "assistant", "content": strings.Join(answer, ""), "refusal": nil},
		}},
		"usage": usage,
	})
}

// stream writes the answer as server-sent events, flushing each.
func stream(w http.ResponseWriter, in chatRequest, usage map[string]int) {
	flush := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	created := time.Now().Unix()
	send := func(choices []any, usage map[string]int) {
		chunk := map[string]any{
			"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": created, "model": in.Model,
			"choices": choices,
		}
		if usage != nil {
			chunk["usage"] = usage
		}
		text, err := json.Marshal(chunk)
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
		_ = flush.Flush()
	}
	choice := func(delta map[string]any, finish any) []any {
		return []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}
	}
	send(choice(map[string]any{"role": "assistant", "content": ""}, nil), nil)
	for _, piece := range answer {
		send(choice(map[string]any{"content": piece}, nil), nil)
	}
	send(choice(map[string]any{}, "stop"), nil)
	if in.StreamOptions.IncludeUsage {
		send([]any{}, usage)
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
	_ = flush.Flush()
}

// embeddings answers with one short vector.
func (o *OpenAI) embeddings(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model == "" || len(in.Input) == 0 {
		problem(w, http.StatusBadRequest, "invalid_request_error", "model and input are required")
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"object": "list", "model": in.Model,
		"data":  []any{map[string]any{"object": "embedding", "index": 0, "embedding": []float64{0.25, -0.5, 0.125}}},
		"usage": map[string]int{"prompt_tokens": 4, "total_tokens": 4},
	})
}

// models lists the one model there is.
func (o *OpenAI) models(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"object": "list",
		"data":   []any{map[string]any{"id": Model, "object": "model", "created": 1700000000, "owned_by": "demo"}},
	})
}

// Model is the name of the demo's model.
const Model = "demo-1"

// problem is an error in OpenAI's shape.
func problem(w http.ResponseWriter, status int, kind, message string) {
	reply(w, status, map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": nil}})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Answer is what the model says, whole.
func Answer() string { return strings.Join(answer, "") }
