package httpguard

import (
	"fmt"

	"sallyport/mask"
	"sallyport/policy"
)

const (
	// sparedBody stands in recordings for a body that a mask holds for others.
	sparedBody = "[not recorded: a mask of this target spares the caller]"
	// unreadBody stands there for one that should have been masked and can't be.
	unreadBody = "[not recorded: a mask applies to it, and can't read it]"
)

// digests describe the bytes of a request's body, which a mask changes.
var digests = []string{"Digest", "Content-Digest", "Repr-Digest", "Content-Md5"}

// errUnmaskable marks the refusal of a body that a mask can't read: 415.
var errUnmaskable = fmt.Errorf("a mask can't read the body: %w", errEncoding)

// maskRequest makes the body what the masks leave of it. It was judged as the
// caller sent it; it is recorded and forwarded masked.
func (x *exchange) maskRequest() error {
	c := x.sides.Request.Content
	if c == nil || x.cleaned {
		return nil
	}
	if err := x.maskHead(c); err != nil {
		return err
	}
	if len(x.body) == 0 && x.rest == nil {
		x.cleaned = true
		return nil
	}
	m := readMedia(x.in.Header.Get("Content-Type"), c.ByName(), false)
	if m.whole == nil || x.rest != nil {
		return unmaskable("its content type is none that is read")
	}
	body, n, err := m.whole(c, x.body)
	if err != nil {
		return unmaskable("it is not " + m.name)
	}
	x.body, x.cleaned = body, true
	x.countMasked(n)
	if n > 0 {
		for _, name := range digests {
			x.header.Del(name)
			x.trailer.Del(name)
		}
	}
	return nil
}

// maskHead masks the query, the headers and the trailers.
func (x *exchange) maskHead(c *mask.Content) error {
	query, n, err := c.Form(nil, []byte(x.route.rawQuery))
	if err != nil {
		x.route.rawQuery = ""
		return unmaskable("its query can't be read")
	}
	x.route.rawQuery = string(query)
	x.countMasked(n + maskHeaders(c, x.header) + maskHeaders(c, x.trailer))
	return nil
}

// recordedQuery is what the recording keeps of the query.
func (x *exchange) recordedQuery() string {
	if x.sides.Request.Spared && x.route.rawQuery != "" {
		return sparedBody
	}
	return x.route.rawQuery
}

func unmaskable(why string) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Unsupported, Rule: ruleMask, Err: errUnmaskable,
		Public: "the request was not forwarded: a mask applies to its body, and " + why,
		Hint:   "send JSON or a form",
	}
}
