package httpguard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/policy"
)

// maxBegin is how many bytes of a large body the recording gets.
const maxBegin = 64 << 10

// tooLargeToJudge is what a rule hears that reads the body of a large request.
const tooLargeToJudge = "the body is too large to be judged"

// upload is a request's body that does not fit into what is judged. It is sent
// as it comes; the outcome says how long it was and its hash. A rule that reads
// http.body denies it.
type upload struct {
	begin    []byte // the first bytes, for the recording
	exchange *exchange

	mu   sync.Mutex
	from io.Reader // what was read already, then the caller's body
	hash hash.Hash
	sent int64
	end  bool // all of it was read
}

// newUpload goes on where reading for the judge stopped.
func newUpload(x *exchange, read []byte) *upload {
	return &upload{
		begin: bytes.Clone(read[:min(len(read), maxBegin)]), exchange: x, hash: sha256.New(),
		from: io.MultiReader(bytes.NewReader(read), x.in.Body),
	}
}

// Read reads on. A caller that sends nothing for a while loses the connection.
func (u *upload) Read(p []byte) (int, error) {
	u.exchange.expect(time.Now().Add(u.exchange.target.idle))
	u.mu.Lock()
	defer u.mu.Unlock()
	n, err := u.from.Read(p)
	_, _ = u.hash.Write(p[:n])
	u.sent += int64(n)
	if errors.Is(err, io.EOF) {
		u.end = true
		u.exchange.expect(time.Time{})
	}
	return n, err
}

// summary is how many bytes were sent, and their SHA-256 if they were all.
func (u *upload) summary() (int64, string) {
	if u == nil {
		return 0, ""
	}
	if !u.mu.TryLock() {
		return 0, "" // it waits for the caller, whose upstream has answered already
	}
	defer u.mu.Unlock()
	if !u.end {
		return u.sent, ""
	}
	return u.sent, hex.EncodeToString(u.hash.Sum(nil))
}

// recordedBody is what the recording keeps of the request's body.
func (x *exchange) recordedBody() []byte {
	if x.sides.Request.Spared && (x.rest != nil || len(x.body) > 0) {
		return []byte(sparedBody)
	}
	if x.maskRequest() != nil {
		return []byte(unreadBody) // refused in any case
	}
	if x.rest == nil {
		return x.body
	}
	return fmt.Appendf(slices.Clip(x.rest.begin), " [the first %d bytes: the outcome has the length and the SHA-256 of all]", len(x.rest.begin))
}

// streams reports whether a body that is too large to be judged may pass
// unjudged: never where the body says what a call of a model or a tool is. A
// file for a model's provider is none of these.
func (x *exchange) streams() bool {
	if x.sides.Request.Content != nil {
		return false // a mask needs the whole
	}
	switch x.target.kind {
	case policy.HTTPTarget:
		return true
	case policy.LLMTarget:
		kind, _, err := mediaType(x.in.Header.Get("Content-Type"))
		file := strings.HasSuffix(x.route.path, "/files") || policy.Match("*/uploads/*/parts", x.route.path)
		return err == nil && kind == "multipart/form-data" && file && x.in.Method == http.MethodPost
	}
	return false
}

// trailers are the caller's, as far as they may go upstream. They have come when
// the body was read, and were judged as headers are.
func (x *exchange) trailers() http.Header {
	if x.rest != nil {
		return nil // unknown when it was judged
	}
	return x.trailer
}

// readTrailers checks what came behind the body. A trailer that repeats a header
// is refused: some servers take the later one.
func (x *exchange) readTrailers() error {
	for name, values := range x.in.Trailer {
		folded := fold(name)
		switch {
		case len(values) == 0:
		case slices.Contains(rereading, folded) || x.in.Header.Values(name) != nil:
			return malformed("the trailer "+name+" would change the request after it was judged", nil)
		case slices.Contains(hopByHop, folded), isCredential(folded), slices.ContainsFunc(values, x.holdsToken),
			x.target.keyed && slices.Contains(x.target.inject.headers(), folded):
		default:
			if x.trailer == nil {
				x.trailer = http.Header{}
			}
			x.trailer[name] = slices.Clone(values)
		}
	}
	return nil
}
