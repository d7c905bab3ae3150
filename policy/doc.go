// Package policy holds the nouns every room shares and the rules over them.
//
//	Principal, Caller   who asks
//	Question            everything a verdict needs
//	Verdict             allow or deny, and the rule that said so
//	Refusal             what the client of a denied question gets
//	Rules, Grants       gateway.toml's [[rule]] and [[grant]], compiled
//
// It fails closed by construction: the zero [Action] denies, a rule that
// cannot be evaluated denies, and a principal without a grant reaches nothing.
package policy
