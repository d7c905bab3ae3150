package httpguard

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tiktoken-go/tokenizer"
)

// TestCount has the counts of OpenAI's own tiktoken, from its documentation.
func TestCount(t *testing.T) {
	tokens := &tokenizers{}
	for name, c := range map[string]struct {
		model, text string
		want        int64
	}{
		"readme":         {"gpt-4", "tiktoken is great!", 6},
		"words":          {"gpt-4o", "hello world", 2},
		"Japanese":       {"gpt-4", "お誕生日おめでとう", 9},
		"Japanese, 4o":   {"gpt-4o", "お誕生日おめでとう", 8},
		"sum":            {"gpt-3.5-turbo", "2 + 2 = 4", 7},
		"long word":      {"gpt-4", "antidisestablishmentarianism", 6},
		"embedding":      {"text-embedding-3-large", "tiktoken is great!", 6},
		"tuned":          {"ft:gpt-4o:acme", "hello world", 2},
		"elsewhere":      {"openai/gpt-4o", "hello world", 2},
		"nothing":        {"gpt-4o", "", 0},
		"estimated":      {"claude-sonnet-4-5", "hello world", 4},
		"estimated, one": {"llama", "a", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tokens.count(c.model, []string{c.text}); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	if got := tokens.count("gpt-4o", []string{strings.Repeat("x", maxCounted+1)}); got != estimate(maxCounted+1) {
		t.Errorf("a long text counts %d", got)
	}
}

// TestCookbook is the example of OpenAI's cookbook, "How to count tokens", with
// the numbers that the API gave for it.
func TestCookbook(t *testing.T) {
	var messages []any
	add := func(role, name, content string) {
		m := map[string]any{"role": role, "content": content}
		if name != "" {
			m["name"] = name
		}
		messages = append(messages, m)
	}
	add("system", "", "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.")
	add("system", "example_user", "New synergies will help drive top-line growth.")
	add("system", "example_assistant", "Things working well together will increase revenue.")
	add("system", "example_user", "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.")
	add("system", "example_assistant", "Let's talk later when we're less busy about how to do better.")
	add("user", "", "This late pivot means we don't have time to boil the ocean for the client deliverable.")
	for model, want := range map[string]int64{"gpt-3.5-turbo": 129, "gpt-4-0613": 129, "gpt-4o": 124, "gpt-4o-mini": 124} {
		c := &call{}
		readChat(c, map[string]any{"model": model, "messages": messages})
		m := &meter{ledger: &ledger{}, call: c}
		if got, err := m.inputTokens(); got != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", model, got, err, want)
		}
	}
}

// TestCountPieces cuts a text without changing its count, but for the worse.
func TestCountPieces(t *testing.T) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var b strings.Builder
		for range random.IntN(3000) {
			b.WriteString([]string{"a", "word", " ", "  ", "\n", "é", "漢", "9", "!", " the", "\u00a0"}[random.IntN(11)])
		}
		whole, err := codec.Count(b.String())
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := countAll(newWords(codec), []string{b.String()}); !ok || got < int64(whole) || got > int64(whole)+int64(b.Len()/maxPiece)*3 {
			t.Errorf("%d in pieces, %d whole, of %d bytes", got, whole, b.Len())
		}
	}
}

// TestCountIsBounded holds for the texts that a tokenizer likes least.
func TestCountIsBounded(t *testing.T) {
	tokens := &tokenizers{}
	tokens.forModel("gpt-4o")
	for _, unit := range []string{"a", " ", "\n", "!", "é", "漢", "\u00a0", "aB1!"} {
		text := strings.Repeat(unit, maxCounted/len(unit))
		start := time.Now()
		tokens.count("gpt-4o", []string{text})
		if took := time.Since(start); took > 2*time.Minute { // no figure: work that multiplies would take hours
			t.Errorf("%q hung for %v", unit, took)
		}
	}
}
