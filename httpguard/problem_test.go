package httpguard

import (
	"net/http"
	"strings"
	"testing"

	"sallyport/policy"
)

func TestOpenAIShape(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Judge = judgeFunc(func(*policy.Question) policy.Verdict { return policy.Verdict{Rule: "dear", Hint: "a smaller model"} })
	})
	_, body := g.do(t, "POST", "/openai/v1/x", "{}")
	if want := `{"error":{"message":"refused by rule \"dear\". a smaller model","type":"permission_error","param":null,"code":"dear"}}` + "\n"; body != want {
		t.Errorf("got %s", body)
	}
	_, body = g.do(t, "POST", "/openai/v1/x", "{}", "Authorization", "Bearer wrong")
	if !strings.Contains(body, `"type":"authentication_error","param":null,"code":"unauthenticated"`) {
		t.Errorf("got %s", body)
	}
}

// TestKinds finds holes in the table of answers.
func TestKinds(t *testing.T) {
	for _, k := range policy.Kinds() {
		a, ok := answers[k]
		if !ok || a.status < 400 || a.openai == "" || http.StatusText(a.status) == "" {
			t.Errorf("%v has no answer", k)
		}
	}
	if len(answers) != len(policy.Kinds()) {
		t.Error("an answer to a kind that isn't")
	}
	if answerFor(&policy.Refusal{Kind: 99}).status != 500 {
		t.Error("an unknown kind is not a bug's")
	}
}
