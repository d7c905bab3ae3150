// Package difftest asks whether a client can tell the gateway from the server:
// the same script of protocol messages is played to the server directly and
// through gateways, and every message that comes back is compared.
//
//	cases_*_test.go  the scripts, by subject
//	route_test.go    the ways to the server: direct, and gateways in front of it
//	play_test.go     plays a script over a route and writes its transcript
//	message_test.go  one message as a line of a transcript
//	startup_test.go  what is said before a session is open
//
// A transcript leaves out what must differ: process ids become the client's
// name, object ids above those of initdb are numbered as they come.
package difftest
