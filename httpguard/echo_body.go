package httpguard

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// hideEchoes takes the injected secrets out of a response: headers, trailers and
// body. A body in a coding that can't be read is withheld.
func (x *exchange) hideEchoes(res *http.Response) error {
	if x.echo == nil {
		return nil
	}
	x.echo.header(res.Header)
	if isEmpty(res) {
		return nil
	}
	if x.sides.Response.Content != nil && !plainCoding(res.Header) {
		return nil // the mask has its own say
	}
	body, err := decoded(res)
	if err != nil {
		return err
	}
	res.Body = &echoless{from: body, closer: res.Body, echo: x.echo, res: res}
	return nil
}

// decoded is the body without its content coding. We asked for none; some
// servers send one all the same.
func decoded(res *http.Response) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ",")))
	var body io.Reader
	from := res.Body
	switch coding {
	case "", "identity":
		return res.Body, nil
	case "gzip", "x-gzip":
		body = &lazy{open: func() (io.Reader, error) { return gzip.NewReader(from) }}
	case "deflate":
		body = &lazy{open: func() (io.Reader, error) { return zlib.NewReader(from) }}
	default:
		return nil, withheld("its content coding can't be read", nil)
	}
	for _, name := range append([]string{"Content-Encoding", "Content-Length"}, validators...) {
		res.Header.Del(name)
	}
	res.ContentLength = -1
	return body, nil
}

// lazy opens a reader at its first Read, which may wait for the network.
type lazy struct {
	open func() (io.Reader, error)
	from io.Reader
}

// Read decodes.
func (l *lazy) Read(p []byte) (int, error) {
	if l.from == nil {
		from, err := l.open()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF // nothing at all
			}
			return 0, err
		}
		l.from = from
	}
	return l.from.Read(p)
}

// echoless is a body without the injected secrets. It holds back no more than
// what may be the beginning of one.
type echoless struct {
	from   io.Reader
	closer io.Closer
	echo   *echo
	res    *http.Response // whose trailers come with the end
	held   []byte         // read, and not yet handed on
	ready  int            // bytes of held that are settled
	err    error          // from's
}

// Read hands on what is settled.
func (r *echoless) Read(p []byte) (int, error) {
	for r.ready == 0 && r.err == nil {
		at := len(r.held)
		r.held = append(r.held, make([]byte, max(len(p), 512))...)
		n, err := r.from.Read(r.held[at:])
		r.held, r.err = r.held[:at+n], err
		r.ready, _ = r.echo.hide(r.held, err != nil)
		if err != nil {
			r.echo.header(r.res.Trailer)
		}
	}
	n := copy(p, r.held[:r.ready])
	r.held = append(r.held[:0], r.held[n:]...)
	if r.ready -= n; r.ready == 0 && r.err != nil {
		return n, r.err
	}
	return n, nil
}

// Close closes the upstream's body.
func (r *echoless) Close() error { return r.closer.Close() }
