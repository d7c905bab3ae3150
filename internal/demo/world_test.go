package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWorld starts the world, looks at each part, and finds nothing left of it.
func TestWorld(t *testing.T) {
	w, err := Start(t.Context(), Free())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(w.Folder); !os.IsNotExist(err) {
			t.Errorf("%s is left behind", w.Folder)
		}
	}()

	conn, err := pgx.Connect(t.Context(), w.Direct())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var users, orders, items, secrets int
	err = conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders),
		(SELECT count(*) FROM order_items), (SELECT count(*) FROM secrets)`).Scan(&users, &orders, &items, &secrets)
	if err != nil || users == 0 || orders == 0 || items == 0 || secrets == 0 {
		t.Errorf("the shop holds %d users, %d orders, %d items, %d secrets (%v)", users, orders, items, secrets, err)
	}

	entries, err := os.ReadDir(w.Folder)
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, want only the owner to read it (%v)", entry.Name(), info.Mode(), err)
		}
	}
	text, err := os.ReadFile(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{w.Agent, w.Admin, w.Password, w.Key} {
		if strings.Contains(string(text), secret) {
			t.Error("gateway.toml holds a secret")
		}
	}
}

// TestOpenAI asks with and without the key, plain and streamed.
func TestOpenAI(t *testing.T) {
	o, err := StartOpenAI(t.Context(), "k-1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(method, path, key, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, o.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var all strings.Builder
		if _, err := io.Copy(&all, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, all.String()
	}
	const chat = "/v1/chat/completions"
	for name, c := range map[string]struct {
		method, path, key, body string
		status                  int
		holds                   string
	}{
		"no key":     {"POST", chat, "k-2", `{"model":"m","messages":[{}]}`, 401, `"error"`},
		"plain":      {"POST", chat, "k-1", `{"model":"m","messages":[{}]}`, 200, Answer()},
		"streamed":   {"POST", chat, "k-1", `{"model":"m","messages":[{}],"stream":true}`, 200, "data: [DONE]\n\n"},
		"usage":      {"POST", chat, "k-1", `{"model":"m","messages":[{}],"stream":true,"stream_options":{"include_usage":true}}`, 200, `"total_tokens":28`},
		"no model":   {"POST", chat, "k-1", `{"messages":[{}]}`, 400, `"error"`},
		"not JSON":   {"POST", chat, "k-1", `{`, 400, `"error"`},
		"models":     {"GET", "/v1/models", "k-1", "", 200, Model},
		"embeddings": {"POST", "/v1/embeddings", "k-1", `{"model":"m","input":"x"}`, 200, `"embedding"`},
		"elsewhere":  {"GET", "/v1/files", "k-1", "", 404, `"error"`},
	} {
		status, text := ask(c.method, c.path, c.key, c.body)
		if status != c.status || !strings.Contains(text, c.holds) {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if c.status == 200 && !strings.Contains(text, "data:") && !json.Valid([]byte(text)) {
			t.Errorf("%s: not JSON: %s", name, text)
		}
	}
	if calls := o.Calls(); len(calls) != 9 {
		t.Errorf("kept %d calls of 9", len(calls))
	}
}
