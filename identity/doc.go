// Package identity turns a gateway token, or a client certificate, into a principal.
//
//	[[token]] of gateway.toml    by its SHA-256, for a first try
//	`sallyport token issue`      opaque tokens in the state database, by their SHA-256, or by a proof (SCRAM)
//	a client certificate         of tls.client_ca, which the TLS of a listener has verified
//
// Nothing here keeps a token: a stolen database or gateway.toml opens nothing.
// A token has 256 random bits, so that one round of SHA-256 is enough.
//
// Whoever asks learns only what the holder of a token may know: that it has
// expired or was revoked needs the token itself; all else is one and the same
// refusal. Each question is put to the database, so a revocation holds from
// then on, whichever gateway it was made at.
package identity
