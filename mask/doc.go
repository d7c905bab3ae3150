// Package mask turns protected values into masked ones. It is pure: bytes in,
// bytes out, no clock, no network, no key.
//
//	rule.go        one [[mask]] of gateway.toml, and what is wrong with it
//	columns.go     which transform a column of a table gets
//	fields.go      which transform a member of a JSON document gets
//	json.go        the document rewritten, untouched bytes kept
//	transforms.go  the table of transforms; then redact, last4, email
//	value.go       a Postgres value masked so that it stays valid for its type
//
// To add a transform write its file and add its line to transforms.go.
package mask
