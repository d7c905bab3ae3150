package httpguard

import (
	"io"
	"net/http"
)

// hideEchoes takes the injected secrets out of a response: headers, trailers and
// body. A body in a coding that can't be read is withheld.
func (x *exchange) hideEchoes(res *http.Response) error {
	if x.echo == nil {
		return nil
	}
	x.echo.header(res.Header)
	switch {
	case isEmpty(res):
		return nil
	case !plainCoding(res.Header) && x.sides.Response.Content != nil:
		return nil // the mask has its own say
	case !plainCoding(res.Header):
		return withheld("its content coding can't be read", nil)
	}
	res.Body = &echoless{from: res.Body, closer: res.Body, echo: x.echo, res: res}
	return nil
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
