package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

const canary = "hunter2-canary"

// TestNothingPrintsIt nests a Text every way a struct can hold one and prints
// it every way a program prints.
func TestNothingPrintsIt(t *testing.T) {
	type inner struct{ pass Text }
	type outer struct {
		Pass Text
		in   inner
		ptr  *Text
		list []Text
		m    map[string]Text
	}
	s := New(canary)
	v := outer{Pass: s, in: inner{s}, ptr: &s, list: []Text{s}, m: map[string]Text{"k": s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb, v)
		fmt.Fprintf(&out, verb, &v)
		fmt.Fprintf(&out, verb, s)
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	log := zerolog.New(&out)
	log.Info().Interface("v", v).Any("s", s).Stringer("t", s).Msg("")
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v, "s", s)
	text, _ := s.MarshalText()
	out.Write(text)
	if strings.Contains(out.String(), canary) {
		t.Fatalf("a printer showed the secret:\n%s", out.String())
	}
	if s.Reveal() != canary {
		t.Fatal("Reveal lost the text")
	}
}

func TestZeroIsEmpty(t *testing.T) {
	if !(Text{}).Empty() || (Text{}).Reveal() != "" || New("x").Empty() {
		t.Fatal("zero Text is not empty, or a full one is")
	}
}

func TestCompares(t *testing.T) {
	s := New(canary)
	for text, want := range map[string]struct{ is, in bool }{
		canary: {true, true}, "Bearer " + canary + ",": {false, true}, canary[1:]: {}, "": {}, "other": {},
	} {
		if s.Is(text) != want.is || s.In(text) != want.in {
			t.Errorf("%q: is %v, in %v", text, s.Is(text), s.In(text))
		}
	}
	if (Text{}).Is("") || (Text{}).In("") || (Text{}).In("x") || New("").In("x") {
		t.Error("nothing is something")
	}
}
