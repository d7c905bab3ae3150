package httpguard

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer"
)

// TestWords counts by words as the vocabularies count whole texts, from memory
// as well.
func TestWords(t *testing.T) {
	parts := []string{
		" ", "  ", "\n", "\r\n", "\t", "a", "It's", " we'll", "42", "3.14", "1234567", "é", "日本", "\u00a0", "\u3000", "...", ", ", "/", "\\",
		"HTTPServer", "x_y", "🙂", "'S", "\x00", " \n ", "{\"a\": 1}", "%20",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []tokenizer.Encoding{tokenizer.O200kBase, tokenizer.Cl100kBase} {
		codec, err := tokenizer.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		w := newWords(codec)
		for range 3000 {
			var b strings.Builder
			for range random.IntN(12) {
				b.WriteString(parts[random.IntN(len(parts))])
			}
			text := b.String()
			want, err := codec.Count(text)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got, err := w.count(text); err != nil || got != want {
					t.Fatalf("%s: %q: %d, %v, want %d", name, text, got, err, want)
				}
			}
		}
	}
}

func BenchmarkWords(b *testing.B) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		b.Fatal(err)
	}
	w := newWords(codec)
	text := strings.Repeat("The gateway stands between the agents and what they reach. ", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.count(text)
	}
}
