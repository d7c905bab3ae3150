package httpguard

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is how many bytes a decoder of zstd keeps: what RFC 9659 lets a
// server ask for.
const maxWindow = 8 << 20

// decode takes a response's content coding off. The gateway asks for none; some
// servers send one all the same. One that is not known stays, and whoever must
// read the body withholds it.
func (x *exchange) decode(res *http.Response) {
	if isEmpty(res) || plainCoding(res.Header) || !x.reads() || res.StatusCode == http.StatusPartialContent {
		return
	}
	from := res.Body
	open := decoderOf(strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ","))))
	if open == nil {
		return
	}
	for _, name := range append([]string{"Content-Encoding", "Content-Length"}, validators...) {
		res.Header.Del(name)
	}
	res.ContentLength = -1
	res.Body = &lazy{upstream: from, open: func() (io.Reader, error) { return open(from) }}
}

// reads reports whether the gateway looks into the exchange's response.
func (x *exchange) reads() bool {
	return x.echo != nil || x.sides.Response.Content != nil || x.asked.meter != nil || x.target.provider != ""
}

// decoderOf is the decoder of a content coding; nil for one that is not known.
func decoderOf(coding string) func(io.Reader) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		return func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	case "br":
		return func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }
	case "zstd":
		return func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		}
	}
	return nil
}

// lazy opens a decoder at its first Read, which may wait for the network.
type lazy struct {
	upstream io.ReadCloser
	open     func() (io.Reader, error)
	from     io.Reader
}

// Read decodes.
func (l *lazy) Read(p []byte) (int, error) {
	if l.from == nil {
		from, err := l.open()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF // nothing at all
			}
			return 0, undecoded(err)
		}
		l.from = from
	}
	n, err := l.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = undecoded(err)
	}
	return n, err
}

// undecoded is what is said of bytes that are not what their coding says.
func undecoded(err error) error {
	return withheld("its content coding can't be read", err)
}

// Close ends the decoder, and closes the upstream's body.
func (l *lazy) Close() error {
	if d, ok := l.from.(*zstd.Decoder); ok {
		d.Close()
	}
	return l.upstream.Close()
}
