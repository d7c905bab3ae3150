package policy

import "time"

// Question is everything a verdict needs, and exactly what a human is shown.
type Question struct {
	Caller Caller
	Target string
	Time   time.Time
	SQL    *SQL  // the facts of a statement; nil for an exchange
	HTTP   *HTTP // the facts of an exchange; nil for a statement
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
	Parsed      bool     `cel:"parsed"`      // false: nothing else here is known
	Text        string   `cel:"text"`        // the text itself
}

// HTTP is what httpguard knows of one request.
type HTTP struct {
	Method  string              `cel:"method"`
	Host    string              `cel:"host"`    // the upstream's
	Path    string              `cel:"path"`    // as sent upstream, cleaned: no dot segments, no doubled slashes
	Query   map[string][]string `cel:"query"`   // decoded
	Headers map[string]string   `cel:"headers"` // names in lower case, values joined by ", "; credentials left out
	Body    any                 `cel:"body"`    // the JSON body as maps, lists, strings, doubles, bools, null; null when there is none
}
