package wire

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"sallyport/policy"
)

// known is a password in place of a token.
type known struct {
	salt     []byte
	password string
}

func (k known) Salt() []byte    { return k.salt }
func (k known) Iterations() int { return 4096 }

func (k known) Prove(message string, proof []byte) ([]byte, policy.Principal, error) {
	salted, err := pbkdf2.Key(sha256.New, k.password, k.salt, 4096, 32)
	if err != nil {
		return nil, policy.Principal{}, err
	}
	key := hash(salted, "Client Key")
	stored := sha256.Sum256(key)
	want := make([]byte, 32)
	subtle.XORBytes(want, key, hash(stored[:], message))
	if !hmac.Equal(want, proof) {
		return nil, policy.Principal{}, &policy.Refusal{Kind: policy.Unauthenticated, Public: "wrong"}
	}
	return hash(hash(salted, "Server Key"), message), policy.Principal{Subject: "w"}, nil
}

func hash(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(message))
	return h.Sum(nil)
}

// pencil is the password of RFC 7677's example, section 3.
func pencil(t *testing.T) known {
	t.Helper()
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	return known{salt, "pencil"}
}

const (
	rfcFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	rfcNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	rfcFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)

func TestScramVector(t *testing.T) {
	l := newScramLogin(pencil(t), false, nil)
	l.nonce = rfcNonce
	challenge, err := l.challenge([]byte(rfcFirst))
	if want := "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"; err != nil || challenge != want {
		t.Fatalf("%s, %v", challenge, err)
	}
	final, who, err := l.finish([]byte(rfcFinal))
	if err != nil || final != "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" || who.Subject != "w" {
		t.Fatalf("%s, %v, %v", final, who, err)
	}
}

// TestScramAgainstAnotherClient takes a client of another make.
func TestScramAgainstAnotherClient(t *testing.T) {
	binding := scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: []byte("the certificate")}
	other := scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: []byte("of somebody between")}
	for name, c := range map[string]struct {
		talk     func(*scram.Client) *scram.ClientConversation
		plus     bool
		binding  []byte
		password string
		want     string
	}{
		"plain":                           {(*scram.Client).NewConversation, false, nil, "pencil", ""},
		"plain, where binding is offered": {(*scram.Client).NewConversation, false, binding.Data, "pencil", ""},
		"could bind, nothing offered":     {(*scram.Client).NewConversationAdvertisingChannelBinding, false, nil, "pencil", ""},
		"talked out of binding":           {(*scram.Client).NewConversationAdvertisingChannelBinding, false, binding.Data, "pencil", "negotiation error"},
		"bound":                           {func(c *scram.Client) *scram.ClientConversation { return c.NewConversationWithChannelBinding(binding) }, true, binding.Data, "pencil", ""},
		"bound to another":                {func(c *scram.Client) *scram.ClientConversation { return c.NewConversationWithChannelBinding(other) }, true, binding.Data, "pencil", "binding check failed"},
		"wrong":                           {(*scram.Client).NewConversation, false, nil, "pen", "wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := scram.SHA256.NewClient("", c.password, "")
			if err != nil {
				t.Fatal(err)
			}
			conversation := c.talk(client)
			l := newScramLogin(pencil(t), c.plus, c.binding)
			first, err := conversation.Step("")
			if err != nil {
				t.Fatal(err)
			}
			challenge, err := l.challenge([]byte(first))
			if err == nil {
				var last, final string
				if last, err = conversation.Step(challenge); err != nil {
					t.Fatal(err)
				}
				if final, _, err = l.finish([]byte(last)); err == nil {
					if _, err := conversation.Step(final); err != nil || !conversation.Valid() {
						t.Fatalf("the client does not believe %s: %v", final, err)
					}
				}
			}
			var r *policy.Refusal
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (!errors.As(err, &r) || r.Kind != policy.Unauthenticated || !strings.Contains(r.Public, c.want)):
				t.Fatalf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestScramRefusesMessages(t *testing.T) {
	for _, c := range []struct {
		plus       bool
		first, end string
		want       string
	}{
		{false, "", "", "malformed"},
		{false, "n", "", "malformed"},
		{false, "n,", "", "malformed"},
		{false, "x,,n=,r=a", "", "malformed"},
		{false, "n,,", "", "malformed"},
		{false, "n,,n=", "", "malformed"},
		{false, "n,,n=,r=", "", "malformed"},
		{false, "n,,n=,r=a b", "", "malformed"},
		{false, "n,,n=,r=é", "", "malformed"},
		{false, "n,,r=a,n=", "", "malformed"},
		{false, "n,,n=,r=a\x00", "", "malformed"},
		{false, "n,,m=x,n=,r=a", "", "unsupported SCRAM extension"},
		{false, "n,a=other,n=,r=a", "", "authorization identity"},
		{false, "p=tls-server-end-point,,n=,r=a", "", "malformed"},
		{true, "n,,n=,r=a", "", "malformed"},
		{true, "y,,n=,r=a", "", "negotiation error"},
		{true, "p=tls-unique,,n=,r=a", "", "unsupported SCRAM channel-binding type"},
		{false, rfcFirst, "", "malformed"},
		{false, rfcFirst, "c=biws,r=x,p=", "malformed"},
		{false, rfcFirst, strings.Replace(rfcFinal, "biws", "eSws", 1), "binding check failed"},
		{false, rfcFirst, strings.Replace(rfcFinal, "biws", "biws=", 1), "binding check failed"},
		{false, rfcFirst, strings.Replace(rfcFinal, "k0,", "k1,", 1), "malformed"},
		{false, rfcFirst, strings.Replace(rfcFinal, "p=dHz", "p=dHx", 1), "wrong"},
		{false, rfcFirst, strings.TrimSuffix(rfcFinal, "="), "malformed"},
		{false, rfcFirst, rfcFinal[:strings.Index(rfcFinal, ",p=")] + ",p=AAAA", "malformed"},
		{false, rfcFirst, rfcFinal + ",x=y", "malformed"},
		{false, rfcFirst, strings.Replace(rfcFinal, "c=biws,", "", 1), "malformed"},
	} {
		var binding []byte
		if c.plus {
			binding = []byte("the certificate")
		}
		l := newScramLogin(pencil(t), c.plus, binding)
		l.nonce = rfcNonce
		_, err := l.challenge([]byte(c.first))
		if c.end != "" || c.first == rfcFirst {
			if err != nil {
				t.Errorf("%q: %v", c.first, err)
			}
			_, _, err = l.finish([]byte(c.end))
		}
		var r *policy.Refusal
		if !errors.As(err, &r) || !strings.Contains(r.Public, c.want) {
			t.Errorf("%q, %q: %v, want %s", c.first, c.end, err, c.want)
		}
	}
}

// FuzzScramLogin: whatever a client says, there is no panic, and who does not
// know the password proves nothing.
func FuzzScramLogin(f *testing.F) {
	f.Add(rfcFirst, rfcFinal, false, false)
	f.Add("y,,n=,r=abc", "c=eSws,r=abc"+rfcNonce+",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", false, false)
	f.Add("p=tls-server-end-point,,n=,r=abc", "c=cD10bHM=,r=abc"+rfcNonce+",p=AAAA", true, true)
	f.Fuzz(func(t *testing.T, first, last string, plus, bound bool) {
		var binding []byte
		if bound || plus {
			binding = []byte("the certificate")
		}
		salt := []byte("0123456789abcdef")
		l := newScramLogin(known{salt, "not pencil"}, plus, binding)
		l.nonce = rfcNonce
		challenge, err := l.challenge([]byte(first))
		if err != nil {
			if !isRefusal(err) {
				t.Fatal(err)
			}
			return
		}
		if !strings.HasPrefix(challenge, "r=") || !strings.Contains(challenge, rfcNonce+",s=") {
			t.Fatalf("challenge %q", challenge)
		}
		if _, who, err := l.finish([]byte(last)); !isRefusal(err) || who.Subject != "" {
			t.Fatalf("proved to be %v: %v", who, err)
		}
	})
}

// FuzzBearer: no panic, and what is taken for a token is in the message.
func FuzzBearer(f *testing.F) {
	f.Add([]byte("n,,\x01auth=Bearer spt_x\x01\x01"))
	f.Add([]byte("y,,\x01host=h\x01port=1\x01auth=\x01\x01"))
	f.Add([]byte("n,a=x,\x01auth=bearer  a.b.c==\x01\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		token, err := parseBearer(message)
		switch {
		case err != nil && (!isRefusal(err) || !token.Empty()):
			t.Fatal(err)
		case err == nil && !token.Empty() && !strings.Contains(string(message), " "+token.Reveal()+"\x01"):
			t.Fatalf("took %q from %q", token.Reveal(), message)
		}
	})
}

func TestParseBearer(t *testing.T) {
	for message, want := range map[string]string{
		"n,,\x01auth=Bearer a.b-c_~+/==\x01\x01":            "a.b-c_~+/==",
		"y,,\x01auth=bearer x\x01\x01":                      "x",
		"n,,\x01host=h\x01auth=BEARER  x\x01k=\x01\x01":     "x",
		"n,,\x01auth=\x01\x01":                              "",
		"n,,\x01auth=Bearer x\x01":                          "malformed",
		"n,,\x01auth=Bearer x":                              "malformed",
		"n,,\x01auth=Bearer x\x01\x01\x01":                  "malformed",
		"n,,\x01auth=Bearer x\x01\x01more":                  "malformed",
		"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01":     "malformed",
		"n,,\x01auth=\x01auth=Bearer y\x01\x01":             "malformed",
		"n,,\x01auth=Bearer \x01\x01":                       "malformed",
		"n,,\x01auth=Bearer =\x01\x01":                      "malformed",
		"n,,\x01auth=Bearer x y\x01\x01":                    "malformed",
		"n,,\x01auth=Bearer x\x00\x01\x01":                  "malformed",
		"n,,\x01auth=Basic x\x01\x01":                       "malformed",
		"n,,\x01host=h\x01\x01":                             "malformed",
		"n,,\x01\x01":                                       "malformed",
		"n,,\x01":                                           "malformed",
		"n,,":                                               "malformed",
		"n,":                                                "malformed",
		"":                                                  "malformed",
		"n,,auth=Bearer x\x01\x01":                          "malformed",
		"x,,\x01auth=Bearer x\x01\x01":                      "malformed",
		"n,a=u,\x01auth=Bearer x\x01\x01":                   "authorization identity",
		"p=tls-server-end-point,,\x01auth=Bearer x\x01\x01": "no channel binding",
	} {
		token, err := parseBearer([]byte(message))
		if err != nil {
			if !strings.Contains(err.Error(), want) || want == "" || !token.Empty() {
				t.Errorf("%q: %v, want %q", message, err, want)
			}
		} else if token.Reveal() != want {
			t.Errorf("%q: %q, want %q", message, token.Reveal(), want)
		}
	}
}
