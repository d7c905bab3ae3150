package httpguard

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer"
)

const (
	// maxCounted is how many bytes of text are counted; what is longer is
	// estimated whole.
	maxCounted = 256 << 10
	// maxPiece is how many bytes without a space the tokenizer gets at once: it
	// takes the square of that in time. A text cut in two has no fewer tokens.
	maxPiece = 512
)

// Tokens of a text that is not counted: a token of a common language has 3.5
// bytes at least on average, and a fifth is added to be on the safe side.
const (
	bytesPerToken10 = 35 // tenths
	safety10        = 12 // tenths
)

// Tokens that stand for one image, from above: 4o-mini counts 8 tiles of 5,667
// and 2,833 once, the other models below 5,000 at full detail.
const (
	perImage      = 5_000
	perImage4Mini = 48_169
)

// tokenizers are OpenAI's two vocabularies, each read when it is first needed.
type tokenizers struct {
	o200k, cl100k struct {
		once  sync.Once
		words *words
	}
}

// forModel is the tokenizer of an OpenAI model, nil for any other. A name that
// only begins as one is that model's.
func (t *tokenizers) forModel(model string) *words {
	model = plainModel(model)
	base, pick := tokenizer.Encoding(""), &t.o200k
	for _, m := range []struct {
		prefix   string
		encoding tokenizer.Encoding
	}{
		{"gpt-4o", tokenizer.O200kBase},
		{"gpt-4.1", tokenizer.O200kBase},
		{"gpt-4.5", tokenizer.O200kBase},
		{"gpt-5", tokenizer.O200kBase},
		{"chatgpt-4o", tokenizer.O200kBase},
		{"gpt-oss", tokenizer.O200kBase},
		{"o1", tokenizer.O200kBase},
		{"o3", tokenizer.O200kBase},
		{"o4", tokenizer.O200kBase},
		{"codex-mini", tokenizer.O200kBase},
		{"gpt-4", tokenizer.Cl100kBase},
		{"gpt-3.5", tokenizer.Cl100kBase},
		{"gpt-35", tokenizer.Cl100kBase},
		{"text-embedding-", tokenizer.Cl100kBase},
	} {
		if strings.HasPrefix(model, m.prefix) {
			base = m.encoding
			break
		}
	}
	switch base {
	case tokenizer.Cl100kBase:
		pick = &t.cl100k
	case tokenizer.O200kBase:
	default:
		return nil
	}
	pick.once.Do(func() {
		if codec, err := tokenizer.Get(base); err == nil {
			pick.words = newWords(codec)
		}
	})
	return pick.words
}

// count is how many tokens the texts have: counted for an OpenAI model, else
// estimated.
func (t *tokenizers) count(model string, texts []string) int64 {
	total := 0
	for _, s := range texts {
		total += len(s)
	}
	if total <= maxCounted {
		if w := t.forModel(model); w != nil {
			if n, ok := countAll(w, texts); ok {
				return n
			}
		}
	}
	return estimate(total)
}

func countAll(w *words, texts []string) (int64, bool) {
	sum := int64(0)
	for _, s := range texts {
		n, err := w.count(s)
		if err != nil {
			return 0, false
		}
		sum += int64(n)
	}
	return sum, true
}

// cut is where the first piece of the text ends: at its end, or where it has
// gone on for too long without a space before a letter.
func cut(s string) int {
	last := 0
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' && i+1 < len(s) && (s[i+1]|0x20 >= 'a' && s[i+1]|0x20 <= 'z') {
			last = i
		}
		if i-last >= maxPiece {
			for i > last+1 && !utf8.RuneStart(s[i]) {
				i--
			}
			return i
		}
	}
	return len(s)
}

// estimate is the stated approximation: bytes through 3.5, and a fifth more.
func estimate(bytes int) int64 {
	return (int64(bytes)*safety10 + bytesPerToken10 - 1) / bytesPerToken10
}

// imageTokens is what one image of the input counts.
func imageTokens(model string) int64 {
	if strings.HasPrefix(plainModel(model), "gpt-4o-mini") {
		return perImage4Mini
	}
	return perImage
}

// plainModel is the name without who offers it: "openai/gpt-5", "models/gemini",
// and without the mark of a tuned one.
func plainModel(model string) string {
	model = model[strings.LastIndexByte(model, '/')+1:]
	if tuned, ok := strings.CutPrefix(model, "ft:"); ok {
		model, _, _ = strings.Cut(tuned, ":")
	}
	return strings.ToLower(model)
}
