//go:build real

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sallyport/internal/demo"
)

// realWorld is what the clients of testdata/real are told of the demo's world.
type realWorld struct {
	Host    string   `json:"host"`
	Port    string   `json:"port"`
	HTTP    string   `json:"http"`
	Token   string   `json:"token"`
	Model   string   `json:"model"`
	Answer  string   `json:"answer"`
	Secrets []string `json:"secrets"` // none of which may ever come back
}

// TestRealClients runs the client libraries that agents use, unchanged, against
// the demo's world, each in its own world: they write.
func TestRealClients(t *testing.T) {
	python, node := os.Getenv("SALLYPORT_TEST_PYTHON"), os.Getenv("SALLYPORT_TEST_NODE")
	if python == "" || node == "" {
		t.Fatal("SALLYPORT_TEST_PYTHON and SALLYPORT_TEST_NODE are not set: run this by `make test-real`, which installs the clients")
	}
	for name, command := range map[string][]string{
		"psycopg":       {python, "python/postgres.py"},
		"openai-python": {python, "python/openai_client.py"},
		"pg":            {"node", "node/postgres.mjs"},
		"openai-node":   {"node", "node/openai.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			w, at := startDemo(t)
			host, port := splitAddress(at.Postgres)
			world, err := json.Marshal(realWorld{
				Host: host, Port: port, HTTP: "http://" + at.HTTP, Token: w.Agent, Model: w.Model, Answer: demo.Answer(),
				Secrets: append([]string{w.Password, w.Key}, protectedValues(t, w)...),
			})
			if err != nil {
				t.Fatal(err)
			}
			script, err := filepath.Abs(filepath.Join("../../testdata/real", command[1]))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), command[0], script)
			cmd.Env = append(os.Environ(), "SALLYPORT_WORLD="+string(world), "NO_PROXY=127.0.0.1")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}
