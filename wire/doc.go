// Package wire is the PostgreSQL story: one client connection from its first
// byte to its last.
//
//	client                        wire                                    server
//	  | SSLRequest, direct TLS      | greet.go                               |
//	  | StartupMessage              |                                        |
//	  | password = gateway token    | identify.go  who asks                  |
//	  |                             | dial.go      lease, TLS, SCRAM ------->|
//	  |<- AuthenticationOk, key ----|              the server's process id,  |
//	  |                             |              our own cancel secret     |
//	  | Query, Parse -------------->| admit.go     judge, record             |
//	  |                             | relay.go     ------------------------->|
//	  |<- RowDescription, DataRow --| rows.go      mask plan, masked rows <--|
//	  | CancelRequest ------------->| cancel.go    ------------------------->|
//
// [Session.Serve] tells the story and admit is the only way a statement
// reaches the server. A refused statement is replaced by one that the server
// cannot parse, so that pipelines, transactions and Sync behave by themselves,
// and the error that comes back becomes the refusal (refuse.go).
//
// Protocol: PostgreSQL 17, protocol-flow.html and protocol-message-formats.html.
// Messages are framed, capped and validated here (frame.go); pgproto3 is the
// vocabulary for what we say ourselves, and never decodes what a peer sent.
package wire
