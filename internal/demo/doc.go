// Package demo is the scratch world that `sallyport demo` and the tests put
// behind the gateway: a real PostgreSQL with a small shop in it, an upstream
// that speaks OpenAI's API and demands its key, the credential files, two
// gateway tokens and the gateway.toml that ties them together. All of it lives
// on loopback and in one temporary folder, and goes away with [World.Close].
package demo
