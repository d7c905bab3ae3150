// Package httpguard is the HTTP story: the way of one exchange from the caller
// to an upstream and back.
//
//	caller                     httpguard                              upstream
//	  | GET /openai/v1/models    |                                        |
//	  | ------------------------>| route     a clean path, its target     |
//	  |  Bearer gateway-token    | identify  token -> principal -> grant  |
//	  |                          | facts     headers without credentials, |
//	  |                          |           the body read and parsed     |
//	  |                          | admit     verdict, recorded            |
//	  |                          | inject    lend the key for this once   |
//	  |                          | forward ------------------------------>|
//	  |                          |<---------------------------------------|
//	  |                          | mask      the JSON fields of a rule    |
//	  |<-------------------------| record    what came of it              |
//
// One file each: route.go identify.go facts.go (with body.go and headers.go)
// admit.go inject.go forward.go response.go (mask) outcome.go (record)
// restore.go, which gives a session its own values back, behind the recording.
// exchange.go tells the story, server.go holds the doors, sessions.go groups
// exchanges into recordings, problem.go writes every refusal, and needs.go
// lists what the room wants from others.
//
// What a request asks of a provider is read in llm_asked.go: calls of models in
// llm.go, one file for each provider, messages to tools in mcp.go, GraphQL in
// graphql.go. What is said on a WebSocket is carried by websocket.go, and judged
// message by message in websocket_talk.go, where llm_realtime.go or graphql_talk.go
// knows the protocol.
// meter.go prices a call before it with tokens.go and prices.go,
// usage.go after it, from what meter_read.go saw pass. The one change that is
// made to a body that was judged, before the verdict, is llm_usage.go's.
//
// The laws:
//
//   - Nothing is forwarded before its verdict is recorded, and no body ends
//     before its outcome is.
//   - What was judged is what is sent: a path or header that the upstream might
//     read otherwise is refused, never cleaned up in silence.
//   - No header of the caller that could carry a credential goes upstream. Only
//     inject.go reveals a secret, into the one header the target names.
//   - Only the target's own scheme and host are ever dialled; redirects are
//     handed to the caller.
//   - A response that a mask should have read and could not is withheld whole.
package httpguard
