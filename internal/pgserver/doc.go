// Package pgserver starts a scratch PostgreSQL on loopback: a real server in a
// folder of its own, gone without a trace when it is stopped or its parent dies.
//
//	find.go      where the binaries are
//	download.go  the fallback: an embedded PostgreSQL from Maven Central
//	cluster.go   initdb and the settings
//	account.go   who it runs as: PostgreSQL refuses to be root
//	tls.go       a certificate authority of one certificate
//	server.go    Start, wait until it answers, Stop
//
// It serves the tests (through pgtest) and `sallyport demo`. Nothing in it is
// meant to keep data: fsync is off.
package pgserver
