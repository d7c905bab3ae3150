package httpguard

// openAIOperations are those of OpenAI, and of the servers that speak its API.
// The first whose path ends the request's is meant.
var openAIOperations = []operation{
	{path: "chat/completions", name: "chat", deed: byToken, read: readChat},
	{path: "api/chat", name: "chat", deed: byToken, read: readOllama},            // Ollama's own
	{path: "api/generate", name: "completions", deed: byToken, read: readOllama}, // the same
	{path: "completions", name: "completions", deed: byToken, read: readCompletion},
	{path: "responses", name: "responses", deed: byToken, read: readResponse},
	{path: "responses/input_tokens", name: "count_tokens", deed: free, read: readResponse},
	{path: "responses/compact", name: "responses", deed: byToken, read: readResponse},
	{path: "responses/*", name: "responses", deed: free},
	{path: "responses/*/cancel", name: "responses", deed: free},
	{path: "embeddings", name: "embeddings", deed: byToken, read: readEmbedding},
	{path: "api/embed", name: "embeddings", deed: byToken, read: readEmbedding},
	{path: "api/embeddings", name: "embeddings", deed: byToken, read: readEmbedding},
	{path: "moderations", name: "moderations", deed: free, read: readModeration},
	{path: "images/generations", name: "images", deed: byImage, read: readImage},
	{path: "images/edits", name: "images", deed: byImage, model: true},
	{path: "images/variations", name: "images", deed: byImage, model: true},
	{path: "audio/speech", name: "audio", deed: byLetter, read: readSpeech},
	{path: "audio/transcriptions", name: "audio", deed: byDuration, model: true},
	{path: "audio/translations", name: "audio", deed: byDuration, model: true},
	{path: "files", name: "files", deed: free},
	{path: "files/*", name: "files", deed: free},
	{path: "files/*/content", name: "files", deed: free},
	{path: "uploads", name: "files", deed: free},
	{path: "uploads/*/*", name: "files", deed: free},
	{path: "batches", name: "batches", model: true},
	{path: "batches/*", name: "batches", deed: free},
	{path: "batches/*/cancel", name: "batches", deed: free},
	{path: "models", name: "models", deed: free},
	{path: "models/*", name: "models", deed: free},
	{path: "api/tags", name: "models", deed: free},
	{path: "realtime", name: "realtime"},
	{path: "realtime/*", name: "realtime", model: true},
}

// readChat reads POST /chat/completions.
func readChat(c *call, body map[string]any) {
	c.only(body, "model", "models", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", "tools", "functions")
	c.needModel(body)
	c.stream, c.usable = c.flag(body, "stream", false), true
	c.limit = max(c.count(body, "max_tokens", -1), c.count(body, "max_completion_tokens", -1))
	c.choices = max(1, c.count(body, "n", 1), c.count(body, "best_of", 1))
	c.dear = c.text(body, "service_tier") == "priority"
	c.offer(body["tools"])
	c.offer(body["functions"])
	if body["web_search_options"] != nil {
		c.tools = append(c.tools, toolSearch)
		c.use(toolSearch, max(1, c.choices))
	}
	if body["audio"] != nil {
		c.priceless = "sound has a price of its own"
	}
	c.takeJSON(body["response_format"])
	c.takeMessages(body["messages"])
}

// Tokens around messages, as OpenAI's cookbook counts them for every model
// since gpt-3.5-turbo-0613.
const (
	perMessage = 3 // its frame
	perName    = 1
	perReply   = 3 // the frame of the answer to come
)

// takeMessages counts chat messages.
func (c *call) takeMessages(v any) {
	list, ok := v.([]any)
	if !ok {
		c.fail("the body has no list of messages")
		return
	}
	c.extra += perReply
	for _, e := range list {
		message := object(e)
		if message == nil {
			c.fail("the body's messages are not all objects")
			return
		}
		c.extra += perMessage
		for name, value := range message {
			switch name {
			case "role":
				c.take(value)
			case "name":
				c.extra += perName
				c.take(value)
			case "content":
				c.take(value)
			default:
				c.takeJSON(value)
			}
		}
	}
}

// readOllama reads Ollama's own chat and generate, which stream unless told not to.
func readOllama(c *call, body map[string]any) {
	c.only(body, "model", "messages", "prompt", "system", "stream", "options", "tools")
	c.needModel(body)
	c.stream = c.flag(body, "stream", true)
	if options := object(body["options"]); options != nil && options["num_predict"] != nil {
		if n, ok := options["num_predict"].(float64); ok && n >= 0 {
			c.limit = c.count(options, "num_predict", -1)
		}
	}
	c.offer(body["tools"])
	if body["messages"] != nil {
		c.takeMessages(body["messages"])
	}
	c.take(body["prompt"])
	c.take(body["system"])
}

// readCompletion reads POST /completions, the older one.
func readCompletion(c *call, body map[string]any) {
	c.only(body, "model", "models", "prompt", "stream", "stream_options", "max_tokens", "n", "best_of", "suffix")
	c.needModel(body)
	c.stream, c.usable = c.flag(body, "stream", false), true
	c.limit = c.count(body, "max_tokens", 16) // OpenAI's default
	c.choices = max(1, c.count(body, "n", 1), c.count(body, "best_of", 1))
	c.takeInput(body["prompt"])
	c.take(body["suffix"])
}

// takeInput counts a text, a list of texts, or tokens counted already. Of
// several, each is answered.
func (c *call) takeInput(v any) {
	list, ok := v.([]any)
	if !ok {
		if _, ok := v.(string); !ok && v != nil {
			c.fail("the body's input is neither text nor list")
		}
		c.take(v)
		return
	}
	answers := int64(0)
	for _, e := range list {
		switch e := e.(type) {
		case string:
			c.take(e)
			answers++
		case float64:
			c.extra++
		case []any:
			c.extra += int64(len(e))
			answers++
		default:
			c.take(e)
			answers++
		}
	}
	if answers > 1 && c.choices <= maxCount {
		c.choices *= answers
	}
}

// readResponse reads POST /responses.
func readResponse(c *call, body map[string]any) {
	c.only(body, "model", "models", "input", "instructions", "stream", "max_output_tokens", "tools", "previous_response_id", "conversation", "prompt", "background")
	c.needModel(body)
	c.stream = c.flag(body, "stream", false)
	c.limit = c.count(body, "max_output_tokens", -1)
	c.dear = c.text(body, "service_tier") == "priority"
	c.offer(body["tools"])
	if most := c.count(body, "max_tool_calls", -1); most >= 0 {
		for name := range c.uses {
			c.uses[name] = most
		}
	}
	c.takeJSON(body["text"])
	c.take(body["instructions"])
	c.extra += perReply
	if list, ok := body["input"].([]any); ok {
		c.extra += perMessage * int64(len(list))
	} else {
		c.extra += perMessage
	}
	c.take(body["input"])
	for _, name := range []string{"previous_response_id", "conversation", "prompt"} {
		if body[name] != nil {
			c.hidden = "the input goes on from what the provider keeps"
		}
	}
	if body["model"] == nil && body["prompt"] != nil {
		c.foggy = "the prompt that the provider keeps names the model"
	}
}

// readEmbedding reads POST /embeddings. It has no output that is paid.
func readEmbedding(c *call, body map[string]any) {
	c.only(body, "model", "models", "input", "prompt")
	c.needModel(body)
	c.takeInput(body["input"])
	c.take(body["prompt"])
	c.limit, c.choices = 0, 1
}

// readModeration reads POST /moderations.
func readModeration(c *call, body map[string]any) {
	c.only(body, "model", "input")
	c.model = c.text(body, "model")
	c.take(body["input"])
	c.limit = 0
}

// readImage reads POST /images/generations.
func readImage(c *call, body map[string]any) {
	c.only(body, "model", "prompt", "n", "stream")
	c.needModel(body)
	c.stream = c.flag(body, "stream", false)
	c.made = max(1, c.count(body, "n", 1))
	c.take(body["prompt"])
	c.limit = 0
}

// readSpeech reads POST /audio/speech.
func readSpeech(c *call, body map[string]any) {
	c.only(body, "model", "input", "instructions")
	c.needModel(body)
	c.take(body["input"])
	c.take(body["instructions"])
	for _, t := range c.texts {
		c.made += int64(len([]rune(t)))
	}
	c.limit = 0
}
