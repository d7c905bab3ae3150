package mask

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxTokens and maxTokenBytes are how much one session remembers, twice: what
	// was used last, and what was before that.
	maxTokens     = 4096
	maxTokenBytes = 512 << 10
	// maxToken is how many bytes a token has that is remembered.
	maxToken = 4 << 10
	// minToken is how many letters and digits it has, and minDigits how many it has
	// when all of them are digits: a shorter one stands in texts by chance.
	minToken  = 4
	minDigits = 6
)

// Tokens remembers, for one session, which values the tokens stand for that its
// requests were given in their place, so that the answers can be given the values
// back. It knows no other session's. What was not used for long is forgotten
// when there is too much; its tokens stay tokens then. Many may use it at once.
type Tokens struct {
	mu         sync.Mutex
	young, old map[string]string // values by token; "" where several have it
	size       int               // bytes in young
	sorted     *tokenIndex       // of both; nil: not made since the last change
}

// tokenIndex is what is looked for, in order.
type tokenIndex struct{ tokens []string }

// Format prints no value.
func (*Tokens) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// add notes what a token stands for.
func (t *Tokens) add(token, value []byte) {
	if len(value) == 0 || len(token) > maxToken || len(value) > maxToken || !recognizable(token) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.young[string(token)]
	if !known {
		before, known = t.old[string(token)]
	} else if before == string(value) || before == "" {
		return
	}
	now := string(value)
	if known && before != now {
		now = "" // two keys gave two values one token: nobody knows which it was
	}
	if t.young == nil || len(t.young) >= maxTokens || t.size+len(token)+len(now) > maxTokenBytes {
		t.young, t.old, t.size = map[string]string{}, t.young, 0
		t.sorted = nil
	}
	t.young[string(token)] = now
	t.size += len(token) + len(now)
	if !known || before != now {
		t.sorted = nil
	}
}

// recognizable reports whether a token is long enough to be no other word.
func recognizable(token []byte) bool {
	letters, digits := 0, 0
	for len(token) > 0 {
		r, size := utf8.DecodeRune(token)
		token = token[size:]
		switch {
		case r < utf8.RuneSelf && isDigit(byte(r)):
			digits++
		case r >= utf8.RuneSelf || isLetter(byte(r)):
			letters++
		}
	}
	return letters+digits >= minToken && (letters > 0 || digits >= minDigits)
}

// value is what a token stands for.
func (t *Tokens) value(token []byte) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.young[string(token)]
	if !ok {
		v = t.old[string(token)]
	}
	return v, v != ""
}

// Empty reports whether there is nothing to restore.
func (t *Tokens) Empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.young)+len(t.old) == 0
}

// index is the tokens as they are now.
func (t *Tokens) index() *tokenIndex {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sorted != nil {
		return t.sorted
	}
	x := &tokenIndex{}
	for token, v := range t.young {
		if v != "" {
			x.tokens = append(x.tokens, token)
		}
	}
	for token, v := range t.old {
		if _, newer := t.young[token]; v != "" && !newer {
			x.tokens = append(x.tokens, token)
		}
	}
	slices.Sort(x.tokens)
	t.sorted = x
	return x
}

// number is the number that a number stands for, where that is one.
func (t *Tokens) number(token []byte) (string, bool) {
	if t == nil {
		return "", false
	}
	v, ok := t.value(token)
	raw := jsontext.Value(v)
	return v, ok && raw.Kind() == jsontext.KindNumber && raw.IsValid() && strings.TrimSpace(v) == v
}
