package httpguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sallyport/mask"
	"sallyport/policy"
)

// maxMasked is how many bytes a response may have that a mask must read whole.
const maxMasked = 16 << 20

// ruleMask is the rule of a refusal that a mask makes necessary.
const ruleMask = "(mask)"

// validators describe the bytes of a body, which a mask changes, or offer parts
// of it.
var validators = []string{"ETag", "Digest", "Content-Digest", "Repr-Digest", "Content-MD5", "Accept-Ranges", "X-Goog-Hash", "X-Checksum-Sha256", "Last-Modified"}

// rebinding are response headers that would lead the caller past the gateway,
// or hand it a credential of the upstream's. cookies.go sees to Set-Cookie.
var rebinding = []string{"Alt-Svc", "Set-Cookie2", "Strict-Transport-Security", "Public-Key-Pins"}

// respond is given the upstream's response before any of it is sent.
func (x *exchange) respond(res *http.Response) error {
	if res.StatusCode == http.StatusSwitchingProtocols {
		return &policy.Refusal{Kind: policy.Unavailable, Public: "the upstream changed the protocol"}
	}
	if len(res.Trailer) > 0 {
		res.Header.Del("Content-Length") // HTTP/2 has both, HTTP/1.1 trailers of chunks only
	}
	x.decode(res)
	if err := x.hideEchoes(res); err != nil {
		return err
	}
	x.asked.left = true
	x.asked.meter.observe(res)
	if err := x.filterTools(res); err != nil {
		return err
	}
	x.own(res.Header)
	if err := x.rewriteHosts(res); err != nil {
		return err
	}
	if err := x.maskAndRecord(res); err != nil {
		return err
	}
	x.restore(res)
	return nil
}

// maskAndRecord makes the response what is recorded of it.
func (x *exchange) maskAndRecord(res *http.Response) error {
	if x.sides.Response.Content != nil {
		return x.mask(res)
	}
	if isEmpty(res) {
		return x.outcome(res.StatusCode, "", "")
	}
	res.Body = &recorded{ReadCloser: res.Body, exchange: x, status: res.StatusCode, left: res.ContentLength}
	return nil
}

// own makes the headers those of the gateway.
func (x *exchange) own(h http.Header) {
	discard(h)
	x.relocateCookies(h)
	x.relocateHeaders(h)
	if c := x.sides.Response.Content; c != nil {
		x.countMasked(maskHeaders(c, h))
	}
	x.sign(h)
}

// discard takes out what an upstream has no say in.
func discard(h http.Header) {
	for name := range h {
		if strings.HasPrefix(fold(name), ownPrefix) || slices.Contains(rebinding, name) {
			delete(h, name)
		}
	}
}

// isEmpty reports whether a response has no body.
func isEmpty(res *http.Response) bool {
	return res.Request.Method == http.MethodHead || res.StatusCode == http.StatusNoContent ||
		res.StatusCode == http.StatusNotModified || res.ContentLength == 0
}

// mask replaces the body by its masked form. What it can't read is withheld
// whole, whatever the status.
func (x *exchange) mask(res *http.Response) error {
	for _, name := range validators {
		res.Header.Del(name)
	}
	res.Trailer = nil
	res.Header.Del("Trailer")
	if isEmpty(res) {
		res.Header.Del("Content-Length")
		return x.outcome(res.StatusCode, "", "")
	}
	media, err := x.maskable(res)
	if err != nil {
		return err
	}
	if media.streams {
		x.maskStream(res, media)
		return nil
	}
	body, err := readMaskable(res, media, x.server.buffers)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		masked, n, err := media.whole(x.sides.Response.Content, body)
		if err != nil {
			return withheld("it is not "+media.name, errJSON)
		}
		body = masked
		x.countMasked(n)
	}
	x.bytes = int64(len(body))
	if err := x.outcome(res.StatusCode, "", excerpt(body)); err != nil {
		return err
	}
	_ = res.Body.Close()
	res.Body, x.whole = io.NopCloser(bytes.NewReader(body)), true
	res.ContentLength = int64(len(body))
	res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// countMasked counts values that were masked.
func (x *exchange) countMasked(n int) {
	if n > 0 {
		x.masked += int64(n)
		x.server.metrics.masked.WithLabelValues(x.target.name).Add(float64(n))
	}
}

// errJSON stands for the parser's error, which may quote the body.
var errJSON = errors.New("not parsed")

// maskable is how a response's body can be read.
func (x *exchange) maskable(res *http.Response) (media, error) {
	switch {
	case res.StatusCode == http.StatusPartialContent:
		return media{}, withheld("it is a part of the whole", nil)
	case !plainCoding(res.Header):
		return media{}, withheld("its content coding is none that is read", nil)
	}
	if len(res.Header.Values("Content-Type")) > 1 {
		return media{}, withheld("it has more than one content type", nil)
	}
	m := readMedia(res.Header.Get("Content-Type"), x.sides.Response.ByName(), x.isList(res))
	if m.streams && m.format == mask.FormatText && x.target.kind != policy.HTTPTarget {
		m.streams, m.whole = false, wholeNoEvents
	}
	return m, nil
}

// isList reports whether a JSON array comes element by element.
func (x *exchange) isList(res *http.Response) bool {
	return x.target.provider == gemini && strings.Contains(res.Request.URL.Path, "streamGenerateContent")
}

// readMaskable reads the whole body of a response. Of one that can't be read
// only the empty form may pass.
func readMaskable(res *http.Response, m media, buffers *buffers) ([]byte, error) {
	limit := int64(maxMasked + 1)
	switch {
	case m.whole == nil && res.ContentLength > 0:
		return nil, withheldUnknown()
	case m.whole == nil:
		limit = 1
	case res.ContentLength > maxMasked:
		return nil, withheldTooLong()
	}
	body, err := readAll(io.LimitReader(res.Body, limit), res.ContentLength, buffers)
	switch {
	case err != nil:
		return nil, err
	case m.whole == nil && len(body) > 0:
		return nil, withheldUnknown()
	case len(body) > maxMasked:
		return nil, withheldTooLong()
	}
	return body, nil
}

// readAll is io.ReadAll for a length that was announced, -1 for none: what comes
// without one is gathered in memory that is lent, as long as there is room.
func readAll(r io.Reader, length int64, lent *buffers) ([]byte, error) {
	if length >= 0 {
		b := bytes.NewBuffer(make([]byte, 0, min(length, 1<<20)+bytes.MinRead))
		_, err := b.ReadFrom(r)
		return b.Bytes(), err
	}
	room := lent.Get()
	defer lent.Put(room)
	b := bytes.NewBuffer(room[:0])
	_, err := b.ReadFrom(r)
	if b.Cap() == cap(room) {
		return bytes.Clone(b.Bytes()), err
	}
	return b.Bytes(), err
}

func plainCoding(h http.Header) bool {
	for _, coding := range h.Values("Content-Encoding") {
		if c := strings.TrimSpace(coding); c != "" && !strings.EqualFold(c, "identity") {
			return false
		}
	}
	return true
}

func withheldUnknown() *policy.Refusal { return withheld("its content type is none that is read", nil) }

func withheldTooLong() *policy.Refusal {
	return withheld(fmt.Sprintf("it has more than %d bytes", maxMasked), nil)
}

func withheld(why string, err error) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Unavailable, Rule: ruleMask, Err: err,
		Public: "the response was withheld: a mask applies to it, and " + why,
		Hint:   "the masks of this target read JSON, event streams, forms and, where nothing is masked by name, text: ask for one, without compression",
	}
}
