package httpguard

import (
	"bytes"
	"context"
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"

	"sallyport/credential"
	"sallyport/policy"
)

const bufferSize = 32 << 10 // bytes

// forward sends the exchange to the target's upstream and its response to the
// caller. It panics with http.ErrAbortHandler when a response that has begun
// must be cut.
func (x *exchange) forward(lease *credential.Lease) error {
	made := &http.Request{Method: x.in.Method, URL: x.route.url(x.target, x.route.rawQuery), Header: x.header.Clone()}
	made.Host = made.URL.Host
	if made.URL.RawQuery == "" {
		made.URL.ForceQuery = x.in.URL.ForceQuery
	}
	body, err := x.inject(made, x.body, lease)
	if err != nil {
		return err
	}
	if x.upgrades() {
		return x.upgrade(made)
	}
	var failed error
	in := *x.in
	in.Header = http.Header{} // rewrite takes nothing of it: nothing need be copied
	var proxy *httputil.ReverseProxy
	proxy = &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) { x.rewrite(pr.Out, made, body) },
		ModifyResponse: func(res *http.Response) error {
			err := x.respond(res)
			if x.whole {
				proxy.FlushInterval = 0 // nothing more is waited for
			}
			return err
		},
		ErrorHandler:  func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
		Transport:     x.target.pool,
		FlushInterval: -1, // at once: events of a stream must not wait
		BufferPool:    x.server.buffers,
		ErrorLog:      stdlog.New(proxyLog{x}, "", 0),
	}
	proxy.ServeHTTP(x.out, &in)
	if x.whole && failed == nil {
		_ = http.NewResponseController(x.out).Flush()
	}
	return x.failure(failed)
}

// rewrite makes the request that goes upstream. Nothing of the caller's is in
// it that was not judged.
func (x *exchange) rewrite(out, made *http.Request, body []byte) {
	out.URL, out.Host, out.Header = made.URL, made.Host, made.Header
	out.Trailer = x.trailers()
	out.TransferEncoding = nil
	out.ContentLength = int64(len(body))
	out.Body, out.GetBody = nil, nil
	if takesTrailers(x.in.Header) {
		out.Header.Set("Te", "trailers")
	}
	switch {
	case x.rest != nil:
		out.ContentLength = x.in.ContentLength
		out.GetBody = func() (io.ReadCloser, error) { return &reopened{Reader: x.rest}, nil }
		out.Header.Set("Expect", "100-continue") // who refuses it need not receive it
	case len(body) > 0:
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		if len(out.Trailer) > 0 {
			out.ContentLength = -1 // HTTP/1.1 has trailers of chunks only
		}
	}
	if out.GetBody != nil {
		out.Body, _ = out.GetBody() // these can't fail
	}
}

// takesTrailers reports whether the caller said TE: trailers, which gRPC's
// servers want to be told.
func takesTrailers(h http.Header) bool {
	for _, list := range h.Values("Te") {
		for one := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(one), "trailers") {
				return true
			}
		}
	}
	return false
}

// failure sorts what went wrong between the gateway and the upstream.
func (x *exchange) failure(err error) error {
	var refusal *policy.Refusal
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return err
	case x.in.Context().Err() != nil:
		return &policy.Refusal{Kind: policy.Idle, Public: "the caller went away", Err: context.Cause(x.in.Context())}
	case errors.As(err, &network) && network.Timeout():
		return &policy.Refusal{Kind: policy.Timeout, Public: "the upstream did not answer in time", Err: err}
	}
	return &policy.Refusal{Kind: policy.Unavailable, Public: "the upstream could not be reached", Err: err}
}

// buffers lends the memory that responses are copied through.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

// Get is httputil.BufferPool's.
func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferSize]byte)[:] }

// Put is httputil.BufferPool's.
func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
