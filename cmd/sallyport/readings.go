package main

import (
	"container/list"
	"sync"
	"sync/atomic"

	"sallyport/sqlguard"
	"sallyport/wire"
)

// readings remembers what the guard made of texts, or of all texts of one shape,
// so that a text seen before is not parsed again. It is bounded by bytes, and
// forgets what was used longest ago. Safe for concurrent use.
type readings struct {
	mu      sync.Mutex
	catalog *sqlguard.Catalog // of all that is remembered: an older one is let go
	bytes   int
	used    *list.List // of *remembered, the latest first
	known   map[string]*list.Element
}

// remembered is one reading, and immutable but for the verdict.
type remembered struct {
	key     string
	reading sqlguard.Reading
	shaped  bool // the key is a shape, and the reading that of another text of it
	// verdict is what the rules say, where that depends on nothing else and lets
	// the text pass. Nil: they are to be asked.
	verdict atomic.Pointer[wire.Reading]
}

const (
	readingsBytes = 32 << 20 // of texts and what is known of them, about
	readingLong   = 64 << 10 // a longer text is not remembered
	readingWeight = 8        // bytes of a reading for each byte of its text, about
	readingBase   = 1 << 10
)

func newReadings() *readings {
	return &readings{used: list.New(), known: map[string]*list.Element{}}
}

// get is the reading of a text against a catalog; nil when it is not remembered.
func (r *readings) get(text string, cat *sqlguard.Catalog) *remembered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.use(r.known[text], cat)
}

// getShape is get for a shape.
func (r *readings) getShape(shape []byte, cat *sqlguard.Catalog) *remembered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.use(r.known[string(shape)], cat)
}

func (r *readings) use(e *list.Element, cat *sqlguard.Catalog) *remembered {
	if e == nil || cat != r.catalog {
		return nil
	}
	r.used.MoveToFront(e)
	return e.Value.(*remembered)
}

// put remembers a reading, and forgets those against another catalog.
func (r *readings) put(known *remembered, cat *sqlguard.Catalog) {
	if len(known.key) > readingLong {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if cat != r.catalog {
		r.catalog, r.bytes = cat, 0
		r.used.Init()
		clear(r.known)
	}
	if e, ok := r.known[known.key]; ok {
		e.Value = known
		r.used.MoveToFront(e)
		return
	}
	r.known[known.key] = r.used.PushFront(known)
	r.bytes += weight(known.key)
	for r.bytes > readingsBytes {
		e := r.used.Back()
		old := r.used.Remove(e).(*remembered).key
		delete(r.known, old)
		r.bytes -= weight(old)
	}
}

func weight(text string) int { return readingBase + readingWeight*len(text) }
