package httpguard

import "strings"

// geminiOperations are those of Google's API that do not end in a verb, and its
// layer for OpenAI's clients.
var geminiOperations = []operation{
	{path: "openai/chat/completions", name: "chat", deed: byToken, read: readChat},
	{path: "openai/embeddings", name: "embeddings", deed: byToken, read: readEmbedding},
	{path: "openai/models", name: "models", deed: free},
	{path: "openai/models/*", name: "models", deed: free},
	{path: "models", name: "models", deed: free},
	{path: "models/*", name: "models", deed: free},
	{path: "files", name: "files", deed: free},
	{path: "files/*", name: "files", deed: free},
}

// geminiVerb reads the end of the path, models/MODEL:VERB.
func geminiVerb(segments []string) (verb, model string, ok bool) {
	last := segments[len(segments)-1]
	model, verb, ok = strings.Cut(last, ":")
	if !ok || len(segments) < 2 {
		return "", "", false
	}
	return verb, model, true
}

// readGemini reads models/MODEL:VERB.
func (c *call) readGemini(verb, model string, body any) {
	c.model = model
	c.deed = byToken
	switch verb {
	case "generateContent":
		c.operation = "chat"
	case "streamGenerateContent":
		c.operation, c.stream = "chat", true
	case "countTokens":
		c.operation, c.deed = "count_tokens", free
	case "embedContent", "batchEmbedContents":
		c.operation = "embeddings"
	case "batchGenerateContent", "asyncBatchEmbedContent":
		c.operation, c.deed = "batches", unpriced
	case "predict":
		c.operation, c.deed = "images", unpriced
	case "predictLongRunning":
		c.operation, c.deed = "videos", unpriced
	default:
		return
	}
	object, ok := body.(map[string]any)
	if !ok {
		c.fail("the body is not the JSON object that the operation needs")
		return
	}
	c.readContents(object)
	if named := strings.TrimPrefix(c.text(object, "model"), "models/"); named != "" && named != model {
		c.foggy = "the body names another model than the path"
	}
	if c.operation == "embeddings" {
		c.limit, c.choices = 0, 1
	}
}

// readContents reads the body of generateContent. Google takes each name in
// camelCase and in snake_case.
func (c *call) readContents(body map[string]any) {
	c.only(body, "contents", "content", "requests", "systemInstruction", "system_instruction", "generationConfig", "generation_config", "tools", "cachedContent", "cached_content", "model")
	either := func(m map[string]any, camel, snake string) any {
		if m[camel] != nil && m[snake] != nil {
			c.fail("the body has a member twice, in two spellings")
		}
		if m[camel] != nil {
			return m[camel]
		}
		return m[snake]
	}
	for _, name := range []string{"contents", "content", "requests"} {
		c.take(body[name])
	}
	c.take(either(body, "systemInstruction", "system_instruction"))
	if either(body, "cachedContent", "cached_content") != nil {
		c.hidden = "the input goes on from what the provider keeps"
	}
	if config, ok := either(body, "generationConfig", "generation_config").(map[string]any); ok {
		limit := either(config, "maxOutputTokens", "max_output_tokens")
		c.limit = c.count(map[string]any{"maxOutputTokens": limit}, "maxOutputTokens", -1)
		choices := either(config, "candidateCount", "candidate_count")
		c.choices = max(1, c.count(map[string]any{"candidateCount": choices}, "candidateCount", 1))
		if modes := either(config, "responseModalities", "response_modalities"); modes != nil {
			c.priceless = "images and sound have prices of their own"
		}
		c.takeJSON(either(config, "responseSchema", "response_schema"))
	}
	c.offerGemini(body["tools"], either)
}

// offerGemini notes functions by name, and Google's own tools by theirs.
func (c *call) offerGemini(v any, either func(map[string]any, string, string) any) {
	list, ok := v.([]any)
	if !ok {
		if v != nil {
			c.fail("the body's tools are not a list")
		}
		return
	}
	c.takeJSON(v)
	for _, e := range list {
		tool := object(e)
		functions, _ := either(tool, "functionDeclarations", "function_declarations").([]any)
		for _, f := range functions {
			c.tools = append(c.tools, c.text(object(f), "name"))
		}
		for kind := range tool {
			if kind != "functionDeclarations" && kind != "function_declarations" {
				c.tools = append(c.tools, snake(kind))
				c.offerPaid(snake(kind), nil)
			}
		}
	}
}

// snake is a camelCase name in snake_case.
func snake(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
