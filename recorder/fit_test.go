package recorder

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func TestLongAndForeignTextIsKeptWithANote(t *testing.T) {
	const limit = 100
	long := strings.Repeat("a", limit) + "é and more"
	foreign := "caf\xe9"
	for name, c := range map[string]struct{ in, want, change string }{
		"fits":             {strings.Repeat("a", limit), strings.Repeat("a", limit), ""},
		"cut":              {long, long[:limit] + " [cut: 100 of 111 bytes]", "cut"},
		"cut in character": {long[1:], long[1:limit] + " [cut: 99 of 110 bytes]", "cut"},
		"not UTF-8":        {foreign, "Y2Fm6Q==", "base64"},
		"both":             {foreign + long, base64.StdEncoding.EncodeToString([]byte((foreign + long)[:limit])), "cut base64"},
	} {
		t.Run(name, func(t *testing.T) {
			statement := &Statement{Text: c.in}
			events := []Event{{Statement: statement}, {Exchange: &Exchange{Body: c.in}}, {Outcome: &Outcome{Body: c.in}}, {Open: &Opening{User: c.in}}}
			for i := range events {
				fit(&events[i], limit)
			}
			if statement.Text != c.in {
				t.Fatal("the caller's statement was changed")
			}
			for i, got := range []string{events[0].Statement.Text, events[1].Exchange.Body, events[2].Outcome.Body, events[3].Open.User} {
				if got != c.want {
					t.Errorf("%d: %q, want %q", i, got, c.want)
				}
			}
			for i, field := range []string{"statement.text", "exchange.body", "outcome.body", "open.user"} {
				n := events[i].Notes
				if c.change == "" && len(n) == 0 {
					continue
				}
				want := Note{Field: field, Change: c.change, Length: int64(len(c.in)), SHA256: sum(c.in)}
				if len(n) != 1 || n[0] != want {
					t.Errorf("notes: %+v, want %+v", n, want)
				}
			}
		})
	}
}

func TestParameters(t *testing.T) {
	const limit = 100
	big, foreign, small := strings.Repeat("b", limit-40), "\xff", "s"
	e := Event{Statement: &Statement{Text: "a", Params: []Param{{Text: &foreign}, {}, {Text: &small}}}}
	fit(&e, limit)
	if p := e.Statement.Params; len(p) != 3 || *p[0].Binary != "ff" || p[1] != (Param{}) || *p[2].Text != "s" || len(e.Notes) != 0 {
		t.Errorf("foreign parameter: %+v", e)
	}
	e = Event{Statement: &Statement{Text: "b", Params: []Param{{Text: &small}, {Text: &big}, {Text: &big}}}}
	fit(&e, limit)
	if p, n := e.Statement.Params, e.Notes; len(p) != 2 || len(n) != 1 || n[0].Field != "statement.params" || n[0].Length != int64(2*len(big)+1) {
		t.Errorf("long parameters: %d kept, %+v", len(p), n)
	}
}

// TestNothingIsTooLargeToBeRecorded writes the worst there is: text whose every
// byte takes six in JSON, far beyond the limit.
func TestNothingIsTooLargeToBeRecorded(t *testing.T) {
	r, _ := open(t)
	rec := begin(t, r, "01A")
	write(t, rec, allowed(1, strings.Repeat("\x01", 3*maxText)), allowed(2, "select 2"))
	events, err := r.Events("01A")
	if err != nil || len(events) != 3 || events[1].Notes[0].Length != 3*maxText || events[2].Statement.Text != "select 2" {
		t.Fatalf("%d events, %v", len(events), err)
	}
}

func TestTextAndBinaryParam(t *testing.T) {
	if TextParam(nil) != (Param{}) || BinaryParam(nil) != (Param{}) {
		t.Error("nil is not NULL")
	}
	if p := TextParam([]byte{}); p.Text == nil || *p.Text != "" {
		t.Error("empty text is NULL")
	}
	if p := BinaryParam([]byte{}); p.Binary == nil || *p.Binary != "" {
		t.Error("empty binary is NULL")
	}
}
