// Package console is the gateway's web page for people: its version, its
// targets and their health, and the latest sessions with what they asked and
// what was answered. It changes nothing but who is logged in.
//
//	browser                     console                          rooms below
//	  | GET /                     |
//	  | <- 401, login page -------|
//	  | POST /login (token)       |  same origin? too many tries?
//	  |                           |-- Identify(token) -------------> identity
//	  | <- 303, cookie -----------|  in group admins
//	  | GET / (cookie)            |-- Identify(token) again -------> identity
//	  |                           |-- Sessions, Latest ------------> recorder
//	  | <- page ------------------|
//
// The page runs no script and loads nothing but its own style sheet, and its
// Content-Security-Policy holds the browser to that. All it shows of sessions
// was written by strangers: html/template escapes it by context.
package console
