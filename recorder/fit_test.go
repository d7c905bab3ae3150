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
	long := strings.Repeat("a", maxText) + "é and more"
	split := strings.Repeat("a", maxText-1) + "éé"
	foreign := "caf\xe9"
	for name, c := range map[string]struct{ in, begin, end, change string }{
		"cut":              {long, "aaa", " [cut: 4194304 of 4194315 bytes]", "cut"},
		"cut in character": {split, "aaa", " [cut: 4194303 of 4194307 bytes]", "cut"},
		"not UTF-8":        {foreign, base64.StdEncoding.EncodeToString([]byte(foreign)), "", "base64"},
		"both":             {foreign + long, "Y2Fm6", "", "cut base64"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := open(t)
			rec := begin(t, r, "01A")
			s := &Statement{ID: 1, Text: c.in, Action: "allow"}
			write(t, rec,
				Event{Statement: s},
				Event{Exchange: &Exchange{ID: 2, Method: "POST", Path: "/", Body: c.in, Action: "allow"}},
				Event{Outcome: &Outcome{ID: 2, Body: c.in}})
			if s.Text != c.in {
				t.Fatal("the caller's statement was changed")
			}
			events, err := r.Events("01A")
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range []string{events[1].Statement.Text, events[2].Exchange.Body, events[3].Outcome.Body} {
				if !strings.HasPrefix(got, c.begin) || (i == 0 && !strings.HasSuffix(got, c.end)) {
					t.Errorf("%d: text %.20q ... %q", i, got, got[max(0, len(got)-40):])
				}
			}
			for i, field := range []string{"statement.text", "exchange.body", "outcome.body"} {
				want := Note{Field: field, Change: c.change, Length: int64(len(c.in)), SHA256: sum(c.in)}
				if n := events[i+1].Notes; len(n) != 1 || n[0] != want {
					t.Errorf("notes: %+v, want %+v", n, want)
				}
			}
		})
	}
}

func TestParameters(t *testing.T) {
	big, foreign, small := strings.Repeat("b", maxText-100), "\xff", "s"
	r, _ := open(t)
	rec := begin(t, r, "01A")
	write(t, rec,
		Event{Statement: &Statement{Text: "a", Action: "allow", Params: []Param{{Text: &foreign}, {}, {Text: &small}}}},
		Event{Statement: &Statement{Text: "b", Action: "allow", Params: []Param{{Text: &small}, {Text: &big}, {Text: &big}}}})
	events, err := r.Events("01A")
	if err != nil {
		t.Fatal(err)
	}
	p := events[1].Statement.Params
	if len(p) != 3 || *p[0].Binary != "ff" || p[1] != (Param{}) || *p[2].Text != "s" || len(events[1].Notes) != 0 {
		t.Errorf("foreign parameter: %+v", events[1])
	}
	p, n := events[2].Statement.Params, events[2].Notes
	if len(p) != 2 || len(n) != 1 || n[0].Field != "statement.params" || n[0].Length != int64(2*len(big)+1) {
		t.Errorf("long parameters: %d kept, %+v", len(p), n)
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
