// Package mask turns protected values into masked ones. It is pure: bytes in,
// bytes out, no clock, no network. A key is given to it by whoever fetched it.
//
//	rule.go        one [[mask]] of gateway.toml, and what is wrong with it
//	columns.go     which transform a column of a table gets
//	fields.go      which transform a member of a JSON document gets
//	json.go        the document rewritten, untouched bytes kept
//	pgjson.go      documents in columns, and what is taken out of them
//	transforms.go  the table of transforms; then redact, last4, email, and by
//	               a key (key.go) hash and token; permute.go is token's cipher
//	tokens.go      what the tokens of a session stand for; restore.go puts it back
//	value.go       a Postgres value masked so that it stays valid for its type;
//	               types_kinds.go lists the types, the rest of types_ reads them
//	copy.go        rows of COPY, then copy_text.go and copy_binary.go
//
// To add a transform write its file and add its line to transforms.go.
// docs/masking.md says what becomes of a value, type by type.
package mask
