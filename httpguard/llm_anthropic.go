package httpguard

// anthropicOperations are those of Anthropic's API.
var anthropicOperations = []operation{
	{path: "messages", name: "chat", deed: byToken, read: readMessages},
	{path: "messages/count_tokens", name: "count_tokens", deed: free, read: readMessages},
	{path: "messages/batches", name: "batches", deed: byToken, read: readMessageBatch},
	{path: "messages/batches/*", name: "batches", deed: free},
	{path: "messages/batches/*/cancel", name: "batches", deed: free},
	{path: "messages/batches/*/results", name: "batches", deed: free},
	{path: "complete", name: "completions", deed: byToken, read: readComplete},
	{path: "chat/completions", name: "chat", deed: byToken, read: readChat}, // its layer for OpenAI's clients
	{path: "models", name: "models", deed: free},
	{path: "models/*", name: "models", deed: free},
	{path: "files", name: "files", deed: free},
	{path: "files/*", name: "files", deed: free},
	{path: "files/*/content", name: "files", deed: free},
}

// readMessages reads POST /v1/messages.
func readMessages(c *call, body map[string]any) {
	c.only(body, "model", "messages", "system", "stream", "max_tokens", "tools", "mcp_servers", "container")
	c.needModel(body)
	c.stream = c.flag(body, "stream", false)
	c.limit = c.count(body, "max_tokens", -1)
	c.offer(body["tools"])
	c.extra += hiddenPrompt(body["tools"])
	if body["mcp_servers"] != nil {
		c.tools = append(c.tools, "mcp")
		c.hidden = "tools that the provider calls bring input of their own"
	}
	c.take(body["system"])
	list, ok := body["messages"].([]any)
	if !ok {
		c.fail("the body has no list of messages")
		return
	}
	c.extra += perReply + perMessage*int64(len(list))
	c.take(list)
	c.caching = c.caching || body["cache_control"] != nil || holds(body["tools"], "cache_control")
}

// Tokens that Anthropic adds to the input for tools: the prompt that explains
// them, and the description of each tool of its own, both at most.
const (
	toolPrompt = 530
	perOwnTool = 735
)

// hiddenPrompt is what the tools cost besides their own text.
func hiddenPrompt(tools any) int64 {
	list, _ := tools.([]any)
	if len(list) == 0 {
		return 0
	}
	sum := int64(toolPrompt)
	for _, e := range list {
		if kind, _ := object(e)["type"].(string); kind != "" && kind != "custom" {
			sum += perOwnTool
		}
	}
	return sum
}

// holds reports whether the value has a member of that name.
func holds(v any, name string) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if holds(e, name) {
				return true
			}
		}
	case map[string]any:
		for key, e := range v {
			if key == name && e != nil || holds(e, name) {
				return true
			}
		}
	}
	return false
}

// readMessageBatch reads the requests of a batch, which must be of one model to
// be judged by it.
func readMessageBatch(c *call, body map[string]any) {
	c.only(body, "requests")
	list, ok := body["requests"].([]any)
	if !ok || len(list) == 0 {
		c.fail("the body has no list of requests")
		return
	}
	limit := int64(0)
	for i, e := range list {
		params := object(object(e)["params"])
		if params == nil {
			c.fail("the body's requests have no params")
			return
		}
		model := c.model
		readMessages(c, params)
		if c.limit < 0 || limit < 0 {
			limit = -1
		} else {
			limit += c.limit
		}
		if i > 0 && model != c.model {
			c.foggy = "the batch names several models"
		}
	}
	c.limit, c.stream = limit, false
}

// readComplete reads POST /v1/complete, the older one.
func readComplete(c *call, body map[string]any) {
	c.only(body, "model", "prompt", "stream", "max_tokens_to_sample")
	c.needModel(body)
	c.stream = c.flag(body, "stream", false)
	c.limit = c.count(body, "max_tokens_to_sample", -1)
	c.take(body["prompt"])
}
