package policy

import "time"

// Question is everything a verdict needs, and exactly what a human is shown.
type Question struct {
	Caller Caller
	Target string
	Time   time.Time
	Since  time.Time // when the session began
	SQL    *SQL      // the facts of a statement; nil for an exchange
	HTTP   *HTTP     // the facts of an exchange; nil for a statement
	LLM    *LLM      // of an exchange with a model's provider; nil for any other
	MCP    *MCP      // of one message to an MCP server; nil for any other

	// Ahead asks what would be decided of a call whose arguments are not known
	// yet: a rule that can't be evaluated then decides nothing.
	Ahead bool
}

// SQL is what sqlguard knows of one SQL text, which may hold several
// statements: lists are the union over all, booleans are true if one is.
// The cel names are those of gateway.toml's `if`.
type SQL struct {
	Verbs       []string `cel:"verbs"`       // lower case, as in the command tag's first words: "select", "drop table"
	Tables      []string `cel:"tables"`      // as written, lower-cased unless quoted: "users", "public.users"
	Columns     []string `cel:"columns"`     // "users.password" where the table is known, else "password"
	Functions   []string `cel:"functions"`   // "count", "pg_catalog.set_config"
	Statements  int64    `cel:"statements"`  // how many statements the text holds
	Destructive bool     `cel:"destructive"` // loses data or protection
	Writes      bool     `cel:"writes"`      // changes rows or more
	DDL         bool     `cel:"ddl"`         // changes definitions
	Unbounded   bool     `cel:"unbounded"`   // UPDATE or DELETE without an effective WHERE
	Protected   bool     `cel:"protected"`   // reaches a relation that holds a masked column
	Dynamic     bool     `cel:"dynamic"`     // runs SQL or code that is no statement of the text
	SideDoor    bool     `cel:"side_door"`   // reaches data otherwise than by reading its table
	Unknown     []string `cel:"unknown"`     // what will run of which nobody knows what it does: other facts may be more than they say
	Parsed      bool     `cel:"parsed"`      // false: nothing else here is known
	Text        string   `cel:"text"`        // the text itself

	Evidence []Evidence // what in the text led to the facts that are true
}

// HTTP is what httpguard knows of one request.
type HTTP struct {
	Method  string              `cel:"method"`
	Host    string              `cel:"host"`    // the upstream's
	Path    string              `cel:"path"`    // as sent upstream, cleaned: no dot segments, no doubled slashes
	Query   map[string][]string `cel:"query"`   // decoded
	Headers map[string]string   `cel:"headers"` // names in lower case, values joined by ", "; credentials left out
	Body    any                 `cel:"body"`    // the JSON body as maps, lists, strings, doubles, bools, null; null when there is none, a Fact that can't be known for one of another type
	GraphQL Fact[[]string]      `cel:"graphql"` // of a GraphQL request: "query Name" for each operation, "query.field" for each of its first fields
}

// LLM is what httpguard knows of one call of a model.
type LLM struct {
	Operation    Fact[string]   `cel:"operation"`     // "chat", "embeddings" ...
	Model        Fact[string]   `cel:"model"`         // as the request names it; "" when the operation has none
	Stream       Fact[bool]     `cel:"stream"`        // the answer comes in pieces
	InputTokens  Fact[int64]    `cel:"input_tokens"`  // counted, or estimated from above
	MaxTokens    Fact[int64]    `cel:"max_tokens"`    // the most there can be of output, over all choices
	EstimatedUSD Fact[float64]  `cel:"estimated_usd"` // the most it can cost
	Tools        Fact[[]string] `cel:"tools"`         // names of the functions offered; the type of the provider's own tools
}

// MCP is what httpguard knows of one JSON-RPC message to an MCP server.
type MCP struct {
	Method    Fact[string]         `cel:"method"`    // "tools/call"; "" for a response and for an exchange without a message
	Tool      Fact[string]         `cel:"tool"`      // the tool of tools/call
	Arguments Fact[map[string]any] `cel:"arguments"` // of tools/call and prompts/get; of any other method its params
}
