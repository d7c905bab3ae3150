package httpguard

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"sallyport/mask"
	"sallyport/policy"
)

// kept is what a session remembers of the values that its requests had before a
// mask with `restore` put tokens in their place.
type kept struct {
	tokens mask.Tokens

	mu       sync.Mutex
	from, to mask.Sides    // as every session has them, and as this one does
	content  *mask.Content // puts the values back
}

// sides are those of the session.
func (k *kept) sides(s mask.Sides) (mask.Sides, *mask.Content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.content == nil {
		k.content = k.tokens.Restore()
	}
	if k.from != s {
		k.from, k.to = s, s.In(&k.tokens)
	}
	return k.to, k.content
}

// restore puts the values back into a response that was masked and recorded: what
// the session's requests had, and no other's. A body that is not read passes as
// it is, tokens and all.
func (x *exchange) restore(res *http.Response) {
	if x.restores == nil || x.session.kept.tokens.Empty() || !plainCoding(res.Header) ||
		res.StatusCode == http.StatusPartialContent || len(res.Header.Values("Content-Type")) > 1 {
		return
	}
	m := readMedia(res.Header.Get("Content-Type"), false, x.isList(res))
	if m.streams && m.format == mask.FormatText && x.target.kind != policy.HTTPTarget {
		m.streams, m.whole = false, wholeNoEvents
	}
	if !m.streams && m.whole == nil {
		return
	}
	for _, name := range validators {
		res.Header.Del(name)
		res.Trailer.Del(name)
	}
	if isEmpty(res) {
		if res.Request.Method == http.MethodHead {
			res.Header.Del("Content-Length")
		}
		return
	}
	if m.streams {
		res.ContentLength = -1
		res.Header.Del("Content-Length")
		res.Body = &restored{ReadCloser: res.Body, stream: mask.NewStream(m.format, x.restores, maxMasked), buffer: make([]byte, bufferSize)}
		return
	}
	x.restoreWhole(res, m)
}

// restoreWhole reads the body as far as one is read, and puts another in its place
// that ends as it did.
func (x *exchange) restoreWhole(res *http.Response, m media) {
	from := res.Body
	body, err := readAll(io.LimitReader(from, maxMasked+1), res.ContentLength, x.server.buffers)
	if err == nil && len(body) <= maxMasked {
		if out, _, unread := m.whole(x.restores, body); unread == nil {
			body = out
		}
		res.ContentLength = int64(len(body))
		res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	rest := io.Reader(from)
	if err != nil {
		rest = &broken{err}
	}
	res.Body = &restoredWhole{io.MultiReader(bytes.NewReader(body), rest), from}
}

// restoredWhole is a body that was read, and what may follow.
type restoredWhole struct {
	io.Reader
	io.Closer
}

// broken is a body that ends with an error.
type broken struct{ err error }

// Read fails.
func (b *broken) Read([]byte) (int, error) { return 0, b.err }

// restored is a body in which values are put back as it passes.
type restored struct {
	io.ReadCloser // recorded already
	stream        *mask.Stream
	buffer        []byte
	ready         []byte // what the caller gets next
	err           error  // what comes behind ready
}

// Read hands on what is settled: what may be the beginning of a token waits for
// its end.
func (r *restored) Read(p []byte) (int, error) {
	for len(r.ready) == 0 && r.err == nil {
		n, end := r.ReadCloser.Read(r.buffer)
		out, err := r.stream.Write(r.buffer[:n])
		r.ready = append(r.ready[:0], out...)
		if err == nil && errors.Is(end, io.EOF) {
			out, err = r.stream.Close()
			r.ready = append(r.ready, out...)
		}
		if r.err = end; err != nil {
			r.err = errMasking
		}
	}
	if len(r.ready) == 0 {
		return 0, r.err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// shown is what the caller sees of a message of the upstream's that was recorded:
// it with its values back, and before a close what was kept back.
func (s *socket) shown(m message) []message {
	if s.shows == nil || m.op != opText && m.op != opBinary && m.op != opClose {
		return []message{m}
	}
	var all []message
	if m.op == opClose {
		for _, e := range s.shows.End() {
			all = append(all, message{opText, e.Data})
		}
		return append(all, m)
	}
	list, err := s.shows.Event(m.payload)
	if err != nil {
		return []message{m}
	}
	for _, e := range list {
		all = append(all, message{m.op, e.Data})
	}
	return all
}
