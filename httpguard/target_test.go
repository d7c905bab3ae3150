package httpguard

import (
	"fmt"
	"strings"
	"testing"
)

func TestTargetProblems(t *testing.T) {
	good := Target{Upstream: "https://api.example.com/v1/", Provider: "openai", Credential: "env://KEY", Inject: "Authorization: Bearer {secret}"}
	if p := good.Problems(); p != nil {
		t.Fatalf("a good target has problems: %v", p)
	}
	for name, c := range map[string]struct {
		change func(*Target)
		want   string
	}{
		"no upstream":     {func(t *Target) { t.Upstream = "" }, "upstream: an HTTP target needs the URL"},
		"no scheme":       {func(t *Target) { t.Upstream = "api.example.com" }, "upstream: \"api.example.com\": write http://"},
		"ftp":             {func(t *Target) { t.Upstream = "ftp://x" }, "upstream:"},
		"no host":         {func(t *Target) { t.Upstream = "https:///v1" }, "has no host"},
		"password":        {func(t *Target) { t.Upstream = "https://u:hunter2@x" }, "upstream: no user or password here"},
		"query":           {func(t *Target) { t.Upstream = "https://x?a=b" }, "no query"},
		"dots":            {func(t *Target) { t.Upstream = "https://x/a/../b" }, "dot segment"},
		"provider":        {func(t *Target) { t.Provider = "acme" }, "provider: no provider"},
		"credential only": {func(t *Target) { t.Inject = "" }, "inject: a credential needs"},
		"inject only":     {func(t *Target) { t.Credential = "" }, "credential: inject needs"},
		"bad reference":   {func(t *Target) { t.Credential = "hunter2" }, "credential: not a credential reference"},
		"no placeholder":  {func(t *Target) { t.Inject = "X-Key: hunter2" }, "inject: the value must hold {secret} once"},
		"two":             {func(t *Target) { t.Inject = "X-Key: {secret}{secret}" }, "once"},
		"no header":       {func(t *Target) { t.Inject = "{secret}" }, "inject: want"},
		"bad header":      {func(t *Target) { t.Inject = "X Key: {secret}" }, "inject: want"},
		"hop by hop":      {func(t *Target) { t.Inject = "Connection: {secret}" }, "not an end-to-end header"},
		"line break":      {func(t *Target) { t.Inject = "X-Key: a\nb {secret}" }, "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			target := good
			c.change(&target)
			got := ""
			for _, p := range target.Problems() {
				got += fmt.Sprintf("%s: %s\n", p.Key, p.Message)
			}
			if !strings.Contains(got, c.want) || strings.Contains(got, "hunter2") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if _, err := New(Config{Targets: map[string]Target{"x": target}}); err == nil {
				t.Error("New takes it")
			}
		})
	}
}
