package httpguard

import (
	"encoding/json"
	"math"
	"strings"
)

// maxCount bounds what a body may say of tokens and choices.
const maxCount = 1 << 40

// strict refuses members that differ from known ones in case alone: some
// servers read them as the same, and take the last.
func strict(body map[string]any, names ...string) bool {
	for key := range body {
		for _, name := range names {
			if key != name && strings.EqualFold(key, name) {
				return false
			}
		}
	}
	return true
}

// only fails a call whose body has a look-alike of a member that is read.
func (c *call) only(body map[string]any, names ...string) {
	if !strict(body, names...) {
		c.fail("the body has a member whose name differs from a known one in case alone")
	}
}

// text is a member that is a string or absent.
func (c *call) text(body map[string]any, name string) string {
	switch v := body[name].(type) {
	case nil:
		return ""
	case string:
		return v
	}
	c.fail("the body's " + name + " is not a text")
	return ""
}

// flag is a member that is true, false or absent.
func (c *call) flag(body map[string]any, name string, absent bool) bool {
	switch v := body[name].(type) {
	case nil:
		return absent
	case bool:
		return v
	}
	c.fail("the body's " + name + " is neither true nor false")
	return true
}

// count is a member that is a whole number or absent.
func (c *call) count(body map[string]any, name string, absent int64) int64 {
	switch v := body[name].(type) {
	case nil:
		return absent
	case float64:
		if v == math.Trunc(v) && v >= 0 && v <= maxCount {
			return int64(v)
		}
	}
	c.fail("the body's " + name + " is not a count")
	return absent
}

// needModel reads the one model of the body.
func (c *call) needModel(body map[string]any) {
	if c.model = c.text(body, "model"); c.model == "" {
		c.foggy = "the body names no model"
	}
	if body["models"] != nil || body["fallbacks"] != nil {
		c.foggy = "the body names several models"
	}
}

// object is a value that is an object or nothing.
func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// take counts a value as input: every text in it, and what stands for other
// things. What it can't count hides the input.
func (c *call) take(v any) {
	switch v := v.(type) {
	case string:
		c.texts = append(c.texts, v)
	case []any:
		for _, e := range v {
			c.take(e)
		}
	case map[string]any:
		if c.takePart(v) {
			return
		}
		for key, e := range v {
			if key != "type" && key != "role" && key != "cache_control" {
				c.take(e)
			} else if key == "cache_control" && e != nil {
				c.caching = true
			}
		}
	case float64, bool:
		c.extra += 2
	}
}

// takePart counts the parts of a message that are no text, by their type or by
// Gemini's members.
func (c *call) takePart(part map[string]any) bool {
	kind, _ := part["type"].(string)
	if source := object(part["source"]); kind == "document" && source["type"] == "text" {
		return false
	}
	switch kind {
	case "image", "image_url", "input_image":
		c.images++
		c.caching = c.caching || part["cache_control"] != nil
		return true
	case "file", "input_file", "document", "input_audio", "audio", "video", "video_url", "container_upload", "item_reference":
		c.hidden = "the input holds a file, sound or a reference"
		return true
	}
	for _, name := range []string{"inlineData", "inline_data"} {
		if data := object(part[name]); data != nil {
			mime, _ := data["mimeType"].(string)
			if mime == "" {
				mime, _ = data["mime_type"].(string)
			}
			if !strings.HasPrefix(mime, "image/") {
				c.hidden = "the input holds a file or sound"
			}
			c.images++
			return true
		}
	}
	if part["fileData"] != nil || part["file_data"] != nil {
		c.hidden = "the input holds a file"
		return true
	}
	return false
}

// takeJSON counts a value as the JSON it is, names of members included.
func (c *call) takeJSON(v any) {
	if v == nil {
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		c.hidden = "the input can't be written out"
		return
	}
	c.texts = append(c.texts, string(text))
}

// offer notes the tools of OpenAI's and Anthropic's bodies: functions by name,
// the provider's own by type. The provider's own cost besides tokens.
func (c *call) offer(v any) {
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
		if tool == nil {
			c.fail("the body's tools are not all objects")
			return
		}
		kind := c.text(tool, "type")
		name := c.text(tool, "name")
		if f := object(tool["function"]); f != nil {
			name = c.text(f, "name")
		}
		switch kind {
		case "", "function", "custom":
			if f := object(tool["custom"]); f != nil {
				name = c.text(f, "name")
			}
			c.tools = append(c.tools, name)
		default:
			c.tools = append(c.tools, kind)
			if name != "" && name != kind {
				c.tools = append(c.tools, name)
			}
			c.offerPaid(kind, tool)
		}
	}
}

// paidTool reports whether a tool costs besides the tokens it makes. What the
// caller itself runs does not, and what fetches pages.
func paidTool(kind string) bool {
	for _, own := range []string{"bash", "text_editor", "computer", "memory", "local_shell", "apply_patch", "tool_search", "mcp", "web_fetch", "url_context"} {
		if kind == own || strings.HasPrefix(kind, own+"_") {
			return false
		}
	}
	return true
}
