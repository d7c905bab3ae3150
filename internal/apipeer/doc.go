// Package apipeer is the other end of the real client libraries' tests: servers
// that speak as much of OpenAI's, Anthropic's, Gemini's and Pinecone's APIs and
// of a plain one as the libraries ask for, and that keep what came to them.
//
// What is answered depends on what the last message says: peer.go lists the
// words. Everything answered holds Address, so that a mask has something to do.
package apipeer
