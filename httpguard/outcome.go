package httpguard

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sallyport/policy"
	"sallyport/recorder"
)

// maxCopy is how many bytes of a response the recording keeps.
const maxCopy = 256 << 10

// outcome writes what came of the exchange, once, with what the recording keeps of
// the response's body.
func (x *exchange) outcome(status int, problem, copied string) error {
	if x.ended {
		return nil
	}
	x.ended = true
	took := x.server.now().Sub(x.start)
	sent, sum := x.rest.summary()
	if x.sides.Response.Spared && copied != "" {
		copied = sparedBody
	}
	err := x.session.write(recorder.Event{Outcome: &recorder.Outcome{
		ID:       x.number,
		Code:     strconv.Itoa(status),
		Error:    problem,
		Bytes:    x.bytes,
		Masked:   x.masked,
		Usage:    x.settle(status),
		Duration: took,
		Body:     copied,

		Sent: sent, SentSHA256: sum,
	}})
	if err != nil {
		return unrecorded(err)
	}
	result := "ok"
	if problem != "" {
		result = "cut"
	}
	x.server.metrics.observe(x.target, result, took)
	x.ending = ending{status, took, result}
	return nil
}

// ending is what came of an exchange; the zero one is of none that was forwarded.
type ending struct {
	status int
	took   time.Duration
	result string
}

// tell logs what came of the exchange.
func (x *exchange) tell() {
	if e := x.ending; e.result != "" {
		x.about(x.server.log.Info()).Str("method", x.in.Method).Int("status", e.status).Int64("bytes", x.bytes).Int64("masked", x.masked).Dur("took", e.took).Str("result", e.result).Msg("exchange")
	}
}

// cut reports a response that ends early because of the recording.
func (x *exchange) cut(err error) {
	x.server.metrics.observe(x.target, policy.AsRefusal(err).Kind.String(), x.server.now().Sub(x.start))
	x.about(x.server.log.Error()).Err(err).Msg("cut the response")
}

// excerpt is the beginning of a body, not cut within a character.
func excerpt(body []byte) string {
	return cutCopy(string(body[:min(len(body), maxCopy+1)]))
}

// cutCopy cuts a copy to what is kept.
func cutCopy(text string) string {
	if len(text) <= maxCopy {
		return text
	}
	end := maxCopy
	for end > maxCopy-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// recorded is the body of a response that passes as it comes. It records the
// outcome before the body's end is handed on: before the last bytes where the
// length was announced, before the end of the stream elsewhere.
type recorded struct {
	io.ReadCloser
	exchange *exchange
	status   int
	left     int64           // bytes still to come; -1 is unknown
	copy     strings.Builder // the first bytes, one more than are kept
}

// Read hands on what comes, unless the outcome can't be recorded.
func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.exchange.bytes += int64(n)
	r.copy.Write(p[:min(n, maxCopy+1-r.copy.Len())])
	if r.left >= 0 {
		r.left -= int64(n)
	}
	var failed error
	switch {
	case errors.Is(err, io.EOF) || err == nil && r.left == 0:
		failed = r.exchange.outcome(r.status, "", cutCopy(r.copy.String()))
	case errors.Is(err, errMasking):
		failed = r.exchange.outcome(r.status, errMasking.Error(), cutCopy(r.copy.String()))
	case err != nil:
		failed = r.exchange.outcome(r.status, "the upstream broke off", cutCopy(r.copy.String()))
	}
	if failed != nil {
		r.exchange.cut(failed)
		return 0, failed
	}
	return n, err
}

// Close records an outcome of a response that did not come to its end: the
// caller went away.
func (r *recorded) Close() error {
	err := r.exchange.outcome(r.status, "the caller went away", cutCopy(r.copy.String()))
	return errors.Join(err, r.ReadCloser.Close())
}
