package main

import (
	"container/list"
	"sync"

	"sallyport/sqlguard"
)

// readings remembers what the guard made of texts, so that a text seen before
// is not parsed again. It is bounded by bytes, and forgets what was used longest
// ago. Safe for concurrent use.
type readings struct {
	mu      sync.Mutex
	catalog *sqlguard.Catalog // of all that is remembered: an older one is let go
	bytes   int
	used    *list.List // of *remembered, the latest first
	known   map[string]*list.Element
}

// remembered is one reading.
type remembered struct {
	text    string
	reading sqlguard.Reading
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

// get is the reading of a text against a catalog, if it is remembered.
func (r *readings) get(text string, cat *sqlguard.Catalog) (sqlguard.Reading, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.known[text]
	if !ok || cat != r.catalog {
		return sqlguard.Reading{}, false
	}
	r.used.MoveToFront(e)
	return e.Value.(*remembered).reading, true
}

// put remembers a reading, and forgets those against another catalog.
func (r *readings) put(text string, cat *sqlguard.Catalog, reading sqlguard.Reading) {
	if len(text) > readingLong {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if cat != r.catalog {
		r.catalog, r.bytes = cat, 0
		r.used.Init()
		clear(r.known)
	}
	if e, ok := r.known[text]; ok {
		e.Value = &remembered{text, reading}
		r.used.MoveToFront(e)
		return
	}
	r.known[text] = r.used.PushFront(&remembered{text, reading})
	r.bytes += weight(text)
	for r.bytes > readingsBytes {
		e := r.used.Back()
		old := r.used.Remove(e).(*remembered).text
		delete(r.known, old)
		r.bytes -= weight(old)
	}
}

func weight(text string) int { return readingBase + readingWeight*len(text) }
