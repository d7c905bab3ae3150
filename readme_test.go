package sallyport_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/config"
)

// TestReadmeConfig loads the gateway.toml that the README shows.
func TestReadmeConfig(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "\n```toml\n")
	block, _, ended := strings.Cut(rest, "\n```\n")
	if !found || !ended || strings.Contains(rest[len(block)+5:], "\n```toml\n") {
		t.Fatal("README.md has not exactly one toml block")
	}
	t.Setenv("ORDERS_LOGIN", `{"username":"u","password":"p"}`)
	t.Setenv("OPENAI_API_KEY", "k")
	file := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(file, []byte(block+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); err != nil {
		t.Error(err)
	}
}

// TestReadmeLinks finds every file that the project's pages link to.
func TestReadmeLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, docs...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			link, _, _ = strings.Cut(link, "#")
			if link == "" || strings.Contains(link, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link)); err != nil {
				t.Errorf("%s links to %s: %v", page, link, err)
			}
		}
	}
}

// TestEveryDependencyIsExplained wants a word in CHANGELOG.md for each direct
// requirement of go.mod.
func TestEveryDependencyIsExplained(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	changes, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]string{ // named beside another of the same origin
		"github.com/hashicorp/vault/api/auth/approle": "`auth/approle`",
		"github.com/xdg-go/stringprep":                "`stringprep`",
	}
	for _, line := range strings.Split(string(mod), "\n") {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "\t") || len(fields) != 2 {
			continue // not a requirement, or an indirect one
		}
		name := explained[fields[0]]
		if name == "" {
			name = "`" + fields[0] + "`"
		}
		if !strings.Contains(string(changes), name) {
			t.Errorf("CHANGELOG.md does not say why %s is there", fields[0])
		}
	}
}
