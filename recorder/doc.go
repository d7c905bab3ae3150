// Package recorder keeps what every session did: who came, each statement and
// exchange with its verdict, what came of it, and how it ended.
//
// A session is one file of JSON lines, DIR/v1/YYYY-MM-DD/SESSION.jsonl, written
// by the one gateway that carries the session and only ever appended to:
//
//	Begin   {"kind":"open", ...}        who, from where, to which target
//	Write   {"kind":"statement", ...}   before it runs: the verdict is in it
//	Write   {"kind":"outcome", ...}     after it ran
//	End     {"kind":"close", ...}
//
// What cannot be recorded does not run. So [Recording.Write] returns only when
// the whole line is with the operating system, in one write, and after the
// first failure the recording refuses everything: a caller that obeys its
// errors can do nothing unseen.
//
// Reading forgives what writing does not. A crash leaves at most one torn line
// at the end; it is shown as an event of kind [KindTorn] and costs no other.
// Any number of processes may read, and several may write, the same folder.
package recorder
