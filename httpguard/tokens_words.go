package httpguard

import (
	"sync"

	"github.com/tiktoken-go/tokenizer"
)

const (
	maxWord  = 32      // bytes of a word that is remembered
	maxWords = 1 << 16 // that are remembered
)

// words counts tokens by the words of a text, of which most have been counted
// before.
//
// Both vocabularies cut a text by a pattern before they look anything up, and no
// match of either has a space behind a character that is none: a space begins a
// match or follows other white space. So a text has as many tokens as its parts
// that begin at such a space.
type words struct {
	codec tokenizer.Codec
	mu    sync.RWMutex
	known map[string]uint8
}

func newWords(codec tokenizer.Codec) *words {
	return &words{codec: codec, known: map[string]uint8{}}
}

// count is how many tokens the text has.
func (w *words) count(text string) (int, error) {
	sum := 0
	var missing []string
	w.mu.RLock()
	for text != "" {
		word := text[:wordEnd(text)]
		text = text[len(word):]
		if n, ok := w.known[word]; ok {
			sum += int(n)
		} else {
			missing = append(missing, word)
		}
	}
	w.mu.RUnlock()
	for _, word := range missing {
		n, err := w.look(word)
		if err != nil {
			return 0, err
		}
		sum += n
		w.learn(word, n)
	}
	return sum, nil
}

// look counts a word with the vocabulary, a long one in pieces.
func (w *words) look(word string) (int, error) {
	sum := 0
	for word != "" {
		piece := word[:cut(word)]
		word = word[len(piece):]
		n, err := w.codec.Count(piece)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// learn remembers a word. When there are too many all are forgotten: the common
// ones are back soon.
func (w *words) learn(word string, n int) {
	if len(word) > maxWord || n > 255 {
		return
	}
	own := string([]byte(word)) // not a part of a whole body
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) >= maxWords {
		clear(w.known)
	}
	w.known[own] = uint8(n)
}

// wordEnd is where the next word begins: at a space behind a visible character
// of ASCII.
func wordEnd(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == ' ' && text[i-1] > ' ' && text[i-1] < 0x7f {
			return i
		}
	}
	return len(text)
}
