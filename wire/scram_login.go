package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"sallyport/policy"
)

// Of a login by SCRAM.
const (
	bindingType = "tls-server-end-point" // RFC 5929, section 4
	nonceBytes  = 18                     // of ours, as the server's
)

// scramLogin is our side of a client's login by SCRAM-SHA-256: what the
// messages say. That the proof is right is the Scram's to say.
// RFC 5802, section 5; PostgreSQL 17, sasl-authentication.html#SASL-SCRAM-SHA-256.
type scramLogin struct {
	token   Scram
	plus    bool   // the client chose the mechanism that is bound to the channel
	binding []byte // of the channel; nil: there is none, and none was offered
	nonce   string // ours

	header string // gs2-header, to be repeated by the client
	bare   string // client-first-message-bare
	first  string // server-first-message
	both   string // the client's nonce and ours
}

func newScramLogin(token Scram, plus bool, binding []byte) *scramLogin {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return &scramLogin{token: token, plus: plus, binding: binding, nonce: base64.StdEncoding.EncodeToString(nonce)}
}

// challenge reads the client-first-message and answers it.
func (l *scramLogin) challenge(message []byte) (answer string, err error) {
	// A zero byte would end the message early for a reader in C.
	if bytes.IndexByte(message, 0) >= 0 {
		return "", malformedScram("it holds a zero byte")
	}
	text := string(message)
	flag, rest, ok := strings.Cut(text, ",")
	if !ok {
		return "", malformedScram("it has no header")
	}
	if err := l.checkFlag(flag); err != nil {
		return "", err
	}
	identity, bare, ok := strings.Cut(rest, ",")
	switch {
	case !ok:
		return "", malformedScram("it has no header")
	case identity != "":
		return "", unsupported("the client uses an authorization identity, which is not supported", "")
	}
	l.header, l.bare = text[:len(text)-len(bare)], bare
	user, rest, _ := strings.Cut(bare, ",")
	switch {
	case strings.HasPrefix(user, "m="):
		return "", unsupported("the client requires an unsupported SCRAM extension", "")
	case !strings.HasPrefix(user, "n="): // the name itself is that of the StartupMessage
		return "", malformedScram("it has no user name")
	}
	nonce, _, _ := strings.Cut(rest, ",")
	nonce, ok = strings.CutPrefix(nonce, "r=")
	if !ok || nonce == "" || strings.ContainsFunc(nonce, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return "", malformedScram("it has no printable nonce")
	}
	l.both = nonce + l.nonce
	l.first = "r=" + l.both + ",s=" + base64.StdEncoding.EncodeToString(l.token.Salt()) + ",i=" + strconv.Itoa(l.token.Iterations())
	return l.first, nil
}

// checkFlag holds what the client says of channel binding against what was
// offered and chosen: it must not have been talked out of it.
// RFC 5802, section 6.
func (l *scramLogin) checkFlag(flag string) error {
	name, bound := strings.CutPrefix(flag, "p=")
	switch {
	case !bound && flag != "n" && flag != "y":
		return malformedScram(fmt.Sprintf("unexpected channel-binding flag %.10q", flag))
	case flag == "y" && l.binding != nil:
		return asServer("28000", &policy.Refusal{
			Kind: policy.Unauthenticated, Public: "SCRAM channel binding negotiation error",
			Detail: "The client supports SCRAM channel binding but thinks the server does not. However, this server does support channel binding.",
		})
	case l.plus && !bound:
		return malformedScram("the client selected " + scramSHA256Plus + ", but the message does not include channel binding")
	case !l.plus && bound:
		return malformedScram("the client selected " + scramSHA256 + " without channel binding, but the message includes it")
	case bound && name != bindingType:
		return unsupported(fmt.Sprintf("unsupported SCRAM channel-binding type %.40q", name), "It must be "+bindingType+".")
	}
	return nil
}

// finish reads the client-final-message, and returns who it proves to be
// there and what proves us to the client.
func (l *scramLogin) finish(message []byte) (answer string, who policy.Principal, err error) {
	text := string(message)
	at := strings.LastIndex(text, ",p=")
	if at < 0 {
		return "", who, malformedScram("it has no proof")
	}
	without, proof := text[:at], text[at+len(",p="):]
	channel, rest, _ := strings.Cut(without, ",")
	nonce, _, _ := strings.Cut(rest, ",")
	channel, isChannel := strings.CutPrefix(channel, "c=")
	nonce, isNonce := strings.CutPrefix(nonce, "r=")
	want := []byte(l.header)
	if l.plus {
		want = append(want, l.binding...)
	}
	switch {
	case !isChannel || !isNonce:
		return "", who, malformedScram("it has no channel binding or no nonce")
	case channel != base64.StdEncoding.EncodeToString(want):
		return "", who, asServer("28000", &policy.Refusal{Kind: policy.Unauthenticated, Public: "SCRAM channel binding check failed"})
	case nonce != l.both:
		return "", who, malformedScram("nonce does not match")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(proof)
	if err != nil || len(raw) != 32 {
		return "", who, malformedScram("malformed proof")
	}
	signature, who, err := l.token.Prove(l.bare+","+l.first+","+without, raw)
	if err != nil {
		return "", who, err
	}
	return "v=" + base64.StdEncoding.EncodeToString(signature), who, nil
}

func malformedScram(what string) *policy.Refusal {
	r := malformed("malformed SCRAM message")
	r.Detail = what
	return r
}
