package httpguard

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"sallyport/mask"
	"sallyport/policy"
)

// ruleMaskFailed is the rule of the error that ends a stream which masks can't
// read.
const ruleMaskFailed = "masking_failed"

// errMasking stands for what went wrong with a stream, which may quote it.
var errMasking = errors.New("a mask could not read the response")

// maskStream puts the masked form of a stream in place of its body.
func (x *exchange) maskStream(res *http.Response, m media) {
	from := &masked{
		ReadCloser: res.Body, exchange: x, format: m.format,
		stream: mask.NewStream(m.format, x.sides.Response.Content, maxMasked),
		buffer: make([]byte, bufferSize),
	}
	if m.format == mask.FormatText {
		from.check = &textCheck{}
	}
	res.ContentLength = -1
	res.Header.Del("Content-Length")
	res.Body = &recorded{ReadCloser: from, exchange: x, status: res.StatusCode, left: -1}
}

// masked is a body that is masked as it passes.
type masked struct {
	io.ReadCloser // the upstream's
	exchange      *exchange
	format        mask.Format
	stream        *mask.Stream
	check         *textCheck // of a text, nil for any other
	counted       int        // of the stream's masked values
	buffer        []byte
	ready         []byte // what the caller gets next
	err           error  // what comes behind ready
}

// Read hands on what can be sent. What was kept back when the upstream breaks
// off stays here: it may be a part of a value.
func (m *masked) Read(p []byte) (int, error) {
	for len(m.ready) == 0 && m.err == nil {
		n, err := m.ReadCloser.Read(m.buffer)
		m.take(m.buffer[:n], err)
	}
	if len(m.ready) == 0 {
		return 0, m.err
	}
	n := copy(p, m.ready)
	m.ready = m.ready[n:]
	return n, nil
}

// take masks the next bytes of the upstream's.
func (m *masked) take(p []byte, end error) {
	m.ready = nil
	err := m.readText(p, end)
	if err == nil && len(p) > 0 {
		m.ready, err = m.stream.Write(p) // good until the next one
	}
	if err == nil && errors.Is(end, io.EOF) {
		first := bytes.Clone(m.ready)
		m.ready, err = m.stream.Close()
		m.ready = append(first, m.ready...)
	}
	m.exchange.countMasked(m.stream.Masked() - m.counted)
	m.counted = m.stream.Masked()
	m.err = end
	if err != nil {
		m.ready = append(bytes.Clone(m.ready), m.farewell()...)
		m.err = errMasking
	}
}

// readText checks that a text is one.
func (m *masked) readText(p []byte, end error) error {
	switch {
	case m.check == nil:
		return nil
	case errors.Is(end, io.EOF):
		return m.check.end(p)
	}
	return m.check.next(p)
}

// farewell is the event that tells why the stream ends here; nothing in formats
// that have no place for it.
func (m *masked) farewell() []byte {
	if m.format != mask.FormatSSE {
		return nil
	}
	text, err := json.Marshal(m.exchange.shapeFor(&policy.Refusal{
		Kind: policy.Unavailable, Rule: ruleMaskFailed,
		Public: "the response was cut: a mask applies to it, and could not read what came (" + ruleMaskFailed + ")",
	}).body)
	if err != nil {
		return nil
	}
	return bytes.Join([][]byte{[]byte("event: error\ndata: "), text, []byte("\n\n")}, nil)
}
