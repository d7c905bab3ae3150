package httpguard

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// What `provider` may say: whose API a target speaks, and so which facts there
// are of its exchanges and which shape a refusal has.
const (
	openAI    = "openai"    // and every server that speaks its API
	anthropic = "anthropic" // the Messages API
	azure     = "azure"     // OpenAI's API with the deployment in the path
	gemini    = "gemini"    // the model in the path
	pinecone  = "pinecone"
	mcp       = "mcp" // JSON-RPC over streamable HTTP
)

var providers = []string{openAI, anthropic, azure, gemini, pinecone, mcp}

func checkProvider(name string) error {
	if name == "" || slices.Contains(providers, name) {
		return nil
	}
	return fmt.Errorf("no provider %q; there is %s, or none%s", name, strings.Join(providers, ", "), policy.DidYouMean(name, providers))
}

// Kind says which facts there are of the target's exchanges.
func (t Target) Kind() policy.TargetKind {
	switch t.Provider {
	case openAI, anthropic, azure, gemini:
		return policy.LLMTarget
	case mcp:
		return policy.MCPTarget
	}
	return policy.HTTPTarget
}
