package httpguard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/policy"
)

// FuzzTalk judges messages by a rule that lets one model through: nothing panics,
// and what passes names no other model by any reading of JSON, one that takes the
// last of two members and does not look at their case included.
func FuzzTalk(f *testing.F) {
	for _, text := range []string{
		`{"type":"response.create","model":"good","input":[{"role":"user","content":"x"}],"tools":[{"type":"mcp"}],"max_output_tokens":5}`,
		`{"type":"response.create","response":{"tools":[{"name":"f"}],"max_output_tokens":"inf","model":"bad"}}`, `{"type":"session.update","session":{"Model":"bad"}}`,
		`{"type":"session.update","session":{"audio":{"input":{"transcription":{},"turn_detection":{"idle_timeout_ms":1}}},"model":"good"}}`,
		`{"type":"conversation.item.create","item":{"content":[{"type":"input_audio"}]}}`, `{"type":"response.create","model":"bad","model":"good"}`, `[]`, ``,
	} {
		f.Add(text, text)
	}
	shipped, tools, err := readShipped(shippedPrices)
	if err != nil {
		f.Fatal(err)
	}
	rules, errs := policy.NewRules([]policy.RuleConfig{{Name: "r", Targets: []string{"t"}, Then: "deny", Models: []string{"good"}}}, map[string]policy.TargetKind{"t": policy.LLMTarget})
	if errs != nil {
		f.Fatal(errs)
	}
	guard := &Server{ledger: &ledger{}, judge: rules, now: time.Now, metrics: newMetrics()}
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, path := range []string{"/v1/responses", "/v1/realtime"} {
			x := &exchange{in: &http.Request{Method: "GET", Header: http.Header{"Upgrade": {"websocket"}}}, server: guard, target: &target{
				name: "t", provider: openAI, kind: policy.LLMTarget, prices: &priceTable{shipped: shipped, tools: tools},
			}}
			x.understand(&policy.HTTP{Method: "GET", Path: path, Query: map[string][]string{"model": {"good"}}})
			for _, text := range []string{first, second} {
				if x.hear(&socket{}, message{opText, []byte(text)}).denies() {
					continue
				}
				var said struct {
					Type              string
					Model             string
					Response, Session struct{ Model string }
				}
				err := json.Unmarshal([]byte(text), &said)
				named := said.Model + said.Response.Model + said.Session.Model
				if err != nil && !strings.Contains(err.Error(), "cannot unmarshal") || strings.ReplaceAll(named, "good", "") != "" || said.Type == "" {
					t.Errorf("%s: %s passed", path, text)
				}
			}
		}
	})
}
