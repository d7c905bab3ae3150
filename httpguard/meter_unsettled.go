package httpguard

import "bytes"

// unsettled is what came of an answer since the provider last said what it used:
// whoever leaves before it says so has had that all the same.
type unsettled struct {
	events int64
	bytes  int64
	least  int64 // of the shortest event: what it holds besides its text
	sound  int64 // tokens
}

// add notes an event, if it holds a part of an answer.
func (u *unsettled) add(event []byte) {
	if !bytes.Contains(event, []byte(`"delta"`)) && !bytes.Contains(event, []byte(`"text"`)) && !bytes.Contains(event, []byte(`"choices"`)) {
		return
	}
	n := int64(len(event))
	if u.events == 0 || n < u.least {
		u.least = n
	}
	u.events++
	u.bytes += n
}

// addSound notes a piece of sound. A token of OpenAI's is 50 milliseconds, which as
// the API has sound unless told otherwise are 3200 bytes of Base64.
func (u *unsettled) addSound(event []byte) { u.sound += 1 + int64(len(event))/3200 }

// tokens is an estimate: a token an event, and more of them where some are
// longer than others.
func (u *unsettled) tokens() int64 {
	const each = 4 // bytes
	return u.sound + max(u.events, (u.bytes-u.events*u.least)/each)
}

// settles reports whether the answer or event says what was used.
func (a *reply) settles() bool {
	return a != nil && (a.Usage != nil || a.Metadata != nil || a.EvalCount > 0 || a.Message.settles() || a.Response.settles())
}
