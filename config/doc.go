// Package config turns gateway.toml into a checked Config.
//
// Each room owns the struct of its own table; this room composes them, decodes
// strictly and checks what no room can check alone: that names refer to
// something, that files are there, that a listener off loopback has TLS.
//
//	load.go      Load: read, parse, decode, check
//	decode.go    the parsed tree into structs; an unknown key is an error
//	later.go     keys that a later version gives a meaning: an error that says so
//	locate.go    which line each key stands on
//	problems.go  every problem of the file, as file:line: message
//	check_*.go   what one table may say
//
// Nothing is repaired and nothing is ignored: a Config that Load returns means
// what the file says, or Load returns all that is wrong with the file at once.
package config
