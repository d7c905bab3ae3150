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
	"sync"
	"time"

	"sallyport/credential"
	"sallyport/policy"
)

const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 10 * time.Minute // a model may think that long before its first byte
	idleTimeout   = 90 * time.Second // of an unused connection to an upstream
	idlePerHost   = 64               // unused connections to one upstream
	bufferSize    = 32 << 10         // bytes
)

// newTransport dials what Rewrite names and nothing else: no proxy of the
// environment, no redirect, no decompression behind our back.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 nil,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   idlePerHost,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
}

// forward sends the exchange to the target's upstream and its response to the
// caller. It panics with http.ErrAbortHandler when a response that has begun
// must be cut.
func (x *exchange) forward(lease *credential.Lease) error {
	header := x.header.Clone()
	if x.target.keyed {
		if err := x.target.inject.into(header, lease.Secret); err != nil {
			return err
		}
	}
	var failed error
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { x.rewrite(pr.Out, header) },
		ModifyResponse: x.respond,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
		Transport:      x.server.transport,
		FlushInterval:  -1, // at once: events of a stream must not wait
		BufferPool:     x.server.buffers,
		ErrorLog:       stdlog.New(x.log, "", 0),
	}
	proxy.ServeHTTP(x.out, x.in)
	return x.failure(failed)
}

// rewrite makes the request that goes upstream. Nothing of the caller's is in
// it that was not judged.
func (x *exchange) rewrite(out *http.Request, header http.Header) {
	out.URL = x.route.url(x.target, x.in.URL.RawQuery)
	out.URL.ForceQuery = x.in.URL.ForceQuery
	out.Host = x.target.upstream.Host
	out.Header = header
	out.Trailer = nil
	out.TransferEncoding = nil
	out.ContentLength = int64(len(x.body))
	out.Body, out.GetBody = nil, nil
	if len(x.body) > 0 {
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.body)), nil }
		out.Body = io.NopCloser(bytes.NewReader(x.body))
	}
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
