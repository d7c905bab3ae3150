// Package credential lends the real credentials of targets, one lease for one
// session.
//
//	session             lender                    provider (file, env, vault)
//	   | Login(ref) ------>| ------- fetch ------------>|   now, not from a cache
//	   |<------- Lease ----| <------ fields, version ---|
//	   |                   |  (dynamic credentials: the lease is kept alive)
//	   | Release --------->| ------- revoke ----------->|
//
//	refs.go        gateway.toml's references: vault://PATH#FIELD, file://PATH#FIELD, env://NAME
//	providers.go   the table of schemes: a new provider is one file and one line
//	lender.go      Login and Key, the deadline, the refusal
//	lease.go       what is lent, and how it is given back
//	material.go    what a provider found: a text, or an object of fields
//	file.go  env.go  vault.go (with vault_config.go, vault_lease.go, vault_error.go)
//
// Nothing is cached: each new connection fetches anew, so that a rotated secret
// is seen by the next one. A credential that cannot be fetched is a refusal, and
// neither its text nor its cause holds a byte of any secret: errors of parsers
// and answers of servers, which can quote, are never passed on.
package credential
