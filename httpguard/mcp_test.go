package httpguard

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sallyport/policy"
)

// toolRules deny a tool, and another for some arguments.
func toolRules(t *testing.T) func(*Config) {
	return func(cfg *Config) {
		for name, target := range providerTargets(cfg.Targets["free"].Upstream) {
			cfg.Targets[name] = target
		}
		withRules(t,
			policy.RuleConfig{Name: "etc", Targets: []string{"mcp"}, If: `mcp.method == "tools/call" && mcp.arguments.path.startsWith("/etc")`, Then: "deny", Message: "not there"},
			policy.RuleConfig{Name: "no-delete", Targets: []string{"mcp"}, If: `mcp.tool.startsWith("delete")`, Then: "deny"},
			policy.RuleConfig{Name: "posts", Targets: []string{"mcp"}, If: `http.method == "POST" && mcp.tool == "posted"`, Then: "deny"},
			policy.RuleConfig{Name: "secrets", Targets: []string{"mcp"}, If: `mcp.method == "resources/read" && mcp.arguments.uri.startsWith("secret:")`, Then: "deny"},
		)(cfg)
	}
}

func TestMCPCalls(t *testing.T) {
	call := func(tool, arguments string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"progressToken":1}}}`, tool, arguments)
	}
	denied := func(id, rule, text string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-32003,"message":"refused by rule \"` + rule + `\"` + text
	}
	for name, c := range map[string]struct {
		method, body string
		status       int
		want         string // beginning of the body; the upstream is reached without
		headers      []string
	}{
		"allowed":           {"POST", call("read", `{"path":"/tmp/x"}`), 200, "", nil},
		"argument":          {"POST", call("read", `{"path":"/etc/passwd"}`), 200, denied("7", "etc", ": not there"), nil},
		"tool":              {"POST", call("delete_all", `{"path":"/tmp"}`), 200, denied("7", "no-delete", ""), nil},
		"text id":           {"POST", `{"jsonrpc":"2.0","id":"a\"b","method":"tools/call","params":{"name":"delete","arguments":{"path":""}}}`, 200, denied(`"a\"b"`, "no-delete", ""), nil},
		"no arguments":      {"POST", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}`, 200, denied("1", "etc", ""), nil},
		"initialize":        {"POST", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}`, 200, "", nil},
		"notification":      {"POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 200, "", nil},
		"denied, no id":     {"POST", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete","arguments":{"path":""}}}`, 403, denied("null", "no-delete", ""), nil},
		"response":          {"POST", `{"jsonrpc":"2.0","id":1,"result":{}}`, 200, "", nil},
		"resource":          {"POST", `{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"secret:x"}}`, 200, denied("2", "secrets", ""), nil},
		"batch, one denied": {"POST", `[{"jsonrpc":"2.0","id":1,"method":"ping"},` + call("delete", `{"path":""}`) + `]`, 200, "[" + denied("1", "no-delete", ""), nil},
		"batch":             {"POST", `[{"jsonrpc":"2.0","id":1,"method":"ping"},` + call("read", `{"path":""}`) + `]`, 200, "", nil},
		"empty batch":       {"POST", `[]`, 403, denied("null", "etc", ""), nil},
		"batch of texts":    {"POST", `["x"]`, 403, denied("null", "etc", ""), nil},
		"look-alike":        {"POST", `{"jsonrpc":"2.0","id":3,"method":"ping","Method":"tools/call"}`, 403, denied("null", "etc", ""), nil},
		"name look-alike":   {"POST", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"read","Name":"delete","arguments":{"path":"/tmp"}}}`, 200, denied("3", "etc", ""), nil},
		"arguments a list":  {"POST", call("read", `["/etc"]`), 200, denied("7", "etc", ""), nil},
		"no JSON":           {"POST", `hello`, 403, denied("null", "etc", ""), []string{"Content-Type", "text/plain"}},
		"no body":           {"POST", ``, 403, denied("null", "etc", ""), nil},
		"stream":            {"GET", ``, 200, "", nil},
		"end":               {"DELETE", ``, 200, "", nil},
		"bad token":         {"POST", call("read", `{"path":"/tmp"}`), 401, `{"jsonrpc":"2.0","id":null,"error":{"code":-32003,"message":"the token is not valid`, []string{"Authorization", "Bearer x"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Mcp-Session-Id", "s-1")
				_, _ = io.WriteString(w, "{}")
			})
			g := newGateway(t, p.URL, toolRules(t))
			res, body := g.do(t, c.method, "/mcp/mcp", c.body, append([]string{"Mcp-Session-Id", "s-1", "Accept", "application/json, text/event-stream"}, c.headers...)...)
			reached := 1
			if c.want != "" {
				reached = 0
			}
			if res.StatusCode != c.status || len(p.requests()) != reached || !strings.HasPrefix(body, c.want) {
				t.Errorf("status %d, upstream received %d: %s", res.StatusCode, len(p.requests()), body)
			}
			if reached == 1 && (p.requests()[0].Header.Get("Mcp-Session-Id") != "s-1" || res.Header.Get("Mcp-Session-Id") != "s-1") {
				t.Error("the session id is lost")
			}
			if reached == 0 && (res.Header.Get("X-Should-Retry") != "false" || res.Header.Get("Content-Type") != "application/json") {
				t.Errorf("headers %v", res.Header)
			}
			if o := g.journal.outcomes(); c.status != 401 && (len(o) != 1 || o[0].Code != fmt.Sprint(c.status)) {
				t.Errorf("recorded %+v", o)
			}
		})
	}
}

// TestToolsList leaves out what the rules deny for all arguments, and changes no
// other byte.
func TestToolsList(t *testing.T) {
	const ask = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	list := `{"jsonrpc":"2.0", "id":1,"result":{ "tools" : [ {"name":"delete_file","inputSchema":{}} , {"name":"read" ,"n":1.50}, {"name":"posted"},{"description":"nameless"}, {"name":"delete_all"} ] ,"nextCursor":"c"}}`
	kept := `{"jsonrpc":"2.0", "id":1,"result":{ "tools" : [{"name":"read" ,"n":1.50},{"description":"nameless"}] ,"nextCursor":"c"}}`
	for name, c := range map[string]struct {
		ask, contentType, answer string
		headers                  []string
		status                   int
		want                     string
	}{
		"JSON":              {ask, "application/json", list, nil, 200, kept},
		"batch":             {"[" + ask + "]", "application/json", "[" + list + "]", nil, 200, "[" + kept + "]"},
		"stream":            {ask, "text/event-stream", "event: message\nid: 5\ndata: " + list + "\n\n", nil, 200, "event: message\nid: 5\ndata: " + kept + "\n\n"},
		"stream, lines":     {ask, "text/event-stream", "data: " + strings.Replace(list, " , ", "\r\ndata:, ", 1) + "\r\n\r\n", nil, 200, "data: " + kept + "\n\n"},
		"stream, unended":   {ask, "text/event-stream", "data: " + list, nil, 200, "data: " + kept + "\n\n"},
		"stream, untouched": {ask, "text/event-stream", ": hello\n\ndata: {\"method\":\"x\",\"params\":{\"tools\":[{\"name\":\"delete\"}]}}\r\n\r\n", nil, 200, ": hello\n\ndata: {\"method\":\"x\",\"params\":{\"tools\":[{\"name\":\"delete\"}]}}\r\n\r\n"},
		"nothing to do":     {ask, "application/json", `{"result" : {"tools":[ {"name":"read"} , {"name":"x"}]}}`, nil, 200, `{"result" : {"tools":[ {"name":"read"} , {"name":"x"}]}}`},
		"all":               {ask, "application/json", `{"result":{"tools":[ {"name":"delete"} ]}}`, nil, 200, `{"result":{"tools":[]}}`},
		"error":             {ask, "application/json", `{"error":{"code":1,"message":"x"}}`, nil, 200, `{"error":{"code":1,"message":"x"}}`},
		"not asked":         {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, "application/json", list, nil, 200, list},
		"repeated":          {ask, "application/json", `{"result":{"tools":[{"name":"delete"}],"tools":[{"name":"read","name":"delete"}]}}`, nil, 200, `{"result":{"tools":[],"tools":[]}}`},
		"no JSON":           {ask, "application/json", `{"result":`, nil, 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32003,"message":"the list of tools was withheld`},
		"compressed":        {ask, "application/json", `x`, []string{"Content-Encoding", "gzip"}, 0, `{"jsonrpc":"2.0","id":null,"error"`},
		"text":              {ask, "text/plain", list, nil, 0, `{"jsonrpc":"2.0","id":null,"error"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				for i := 0; i < len(c.headers); i += 2 {
					w.Header().Set(c.headers[i], c.headers[i+1])
				}
				_, _ = io.WriteString(w, c.answer)
			})
			g := newGateway(t, p.URL, toolRules(t))
			res, body := g.do(t, "POST", "/mcp/mcp", c.ask)
			if c.status == 200 && !strings.Contains(c.want, "-32003") && (res.StatusCode != 200 || body != c.want) || !strings.HasPrefix(body, c.want) {
				t.Errorf("status %d\n got %q\nwant %q", res.StatusCode, body, c.want)
			}
			if strings.Contains(c.want, "-32003") && res.StatusCode < 400 {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
}

func TestShapes(t *testing.T) {
	for target, want := range map[string]string{
		"openai":    `{"error":{"message":"refused by rule \"r\". use less","type":"permission_error","param":null,"code":"r"}}`,
		"azure":     `{"error":{"message":"refused by rule \"r\". use less","type":"permission_error","param":null,"code":"r"}}`,
		"anthropic": `{"type":"error","error":{"type":"permission_error","message":"refused by rule \"r\". use less"},"request_id":"id-2.1"}`,
		"gemini":    `{"error":{"code":403,"message":"refused by rule \"r\". use less","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"r","domain":"sallyport"}]}}`,
		"pinecone":  `{"type":"about:blank","title":"Forbidden","status":403,"detail":"refused by rule \"r\"","instance":"id-2.1","kind":"denied","rule":"r","hint":"use less"}`,
		"plain":     `{"type":"about:blank","title":"Forbidden","status":403,"detail":"refused by rule \"r\"","instance":"id-2.1","kind":"denied","rule":"r","hint":"use less"}`,
	} {
		p := newPeer(t, ok)
		g := newGateway(t, p.URL, func(cfg *Config) {
			cfg.Targets = providerTargets(p.URL)
			cfg.Judge = judgeFunc(func(*policy.Question) policy.Verdict { return policy.Verdict{Rule: "r", Hint: "use less"} })
		})
		res, body := g.do(t, "POST", "/"+target+"/v1/messages", "{}")
		if res.StatusCode != 403 || strings.TrimSpace(body) != want || res.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s: status %d\n got %s\nwant %s", target, res.StatusCode, body, want)
		}
	}
	for _, k := range policy.Kinds() {
		if a := answers[k]; a.anthropic == "" || a.google == "" {
			t.Errorf("%v has no answer for Anthropic's or Google's clients", k)
		}
	}
}

func TestGraphQL(t *testing.T) {
	for document, want := range map[string]string{
		`{ user { name } }`: "query query.user",
		`query Q($a: [Int!]! = {x: "}"}) @d(a: ")") { me: user(id: $a) @skip(if: true) { id } }`: "query Q query.user",
		"mutation { deleteUser(id: 1) { ok } }":                                                  "mutation mutation.deleteUser",
		"query A { a } mutation B { b c }":                                                       "mutation B mutation.b mutation.c query A query.a",
		"query A { ...F } fragment F on Query { hidden ...G } fragment G on Query { deep ...F }": "query A query.deep query.hidden",
		"query A { ... on Query { x } ... @include(if: true) { y } }":                            "query A query.x query.y",
		"# mutation { no }\nsubscription S { s(text: \"\"\"mutation { no } \\\"\"\" \"\"\") }":   "subscription S subscription.s",
		"query query { query }":      "query query query.query",
		"":                           "!",
		"{":                          "!",
		"{ a":                        "!",
		"{ a(":                       "!",
		"{ ...Missing }":             "!",
		"{ a \"":                     "!",
		"type X { a: Int }":          "!",
		strings.Repeat("{a", 10_000): "!",
	} {
		names, err := graphQLOperations(document)
		got := "!"
		if err == nil {
			got = strings.Join(sorted(names), " ")
		}
		if got != want {
			t.Errorf("%.60s: got %s, want %s", document, got, want)
		}
	}
	p := newPeer(t, ok)
	got := ""
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict { got = said(q.HTTP.GraphQL); return allow(q) })
	})
	for _, c := range []struct {
		method, path, body, want string
		headers                  []string
	}{
		{"POST", "/free/graphql", `{"query":"mutation { m }","operationName":"x"}`, "[mutation mutation.m]", nil},
		{"POST", "/free/graphql", `[{"query":"{ a }"},{"query":"{ b }"}]`, "[query query.a query.b]", nil},
		{"GET", "/free/graphql?query=%7Ba%7D", ``, "[query query.a]", nil},
		{"POST", "/free/graphql", `{"query":"nonsense"}`, "!the GraphQL document can't be read", nil},
		{"POST", "/free/graphql", `{"Query":"mutation { m }"}`, "!the GraphQL document can't be found in the request", nil},
		{"POST", "/free/graphql", `mutation { m }`, "[mutation mutation.m]", []string{"Content-Type", "application/graphql"}},
		{"POST", "/free/graphql", `x=1`, "!the GraphQL document can't be found in the request", []string{"Content-Type", "text/plain"}},
		{"POST", "/free/search", `{"query":"some words"}`, "[]", nil},
		{"POST", "/free/api", `{"query":"mutation { m }"}`, "[mutation mutation.m]", nil},
	} {
		if g.do(t, c.method, c.path, c.body, c.headers...); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.path, c.body, got, c.want)
		}
	}
}
