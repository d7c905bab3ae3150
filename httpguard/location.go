package httpguard

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// locating are response headers that hold one address.
var locating = []string{"Location", "Content-Location", "Azure-Asyncoperation", "Operation-Location"}

// relocateHeaders makes the addresses in headers lead through the gateway.
func (x *exchange) relocateHeaders(h http.Header) {
	for _, name := range locating {
		if at := h.Get(name); at != "" {
			h.Set(name, x.relocate(at))
		}
	}
	for i, list := range h["Link"] {
		h["Link"][i] = x.relocateLinks(list)
	}
	if refresh := h.Get("Refresh"); refresh != "" {
		wait, at, ok := strings.Cut(refresh, ";")
		name, address, is := strings.Cut(strings.TrimSpace(at), "=")
		if ok && is && strings.EqualFold(strings.TrimSpace(name), "url") {
			h.Set("Refresh", wait+"; url="+x.relocate(strings.Trim(strings.TrimSpace(address), `"'`)))
		}
	}
}

// relocateLinks rewrites each <address> of a Link header: RFC 8288.
func (x *exchange) relocateLinks(list string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(list, "<")
		address, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			b.WriteString(list)
			return b.String()
		}
		b.WriteString(before + "<" + x.relocate(strings.TrimSpace(address)) + ">")
		list = after
	}
}

// relocate turns an address at the upstream's own origin into the gateway's.
// One elsewhere, or outside of the target's base path, is made absolute. A
// proxy's caller uses the upstream's own addresses: nothing changes for it.
func (x *exchange) relocate(location string) string {
	if x.route.door == byProxy {
		return location
	}
	u, err := x.route.url(x.target, "").Parse(location)
	if err != nil {
		return location
	}
	prefix, rest, ok := x.target.front(u, x.route.door)
	if !ok {
		return u.String()
	}
	at := prefix + rest
	if at == "" {
		at = "/"
	}
	if u.RawQuery != "" {
		at += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		at += "#" + u.EscapedFragment()
	}
	return at
}

// front gives the path at the gateway for an address of the target's.
func (t *target) front(u *url.URL, d door) (prefix, rest string, ok bool) {
	if d == byPath {
		prefix = "/" + t.name
	}
	if u.User != nil || u.Scheme != t.upstream.Scheme {
		return "", "", false
	}
	for _, up := range t.upstreams {
		rest, under := strings.CutPrefix(u.EscapedPath(), up.EscapedPath())
		if u.Host == up.Host && under && (rest == "" || rest[0] == '/') {
			return prefix, rest, true
		}
	}
	if t.dataHosts != nil && t.isDataHost(u.Host) {
		return prefix, dataHostMark + u.Host + u.EscapedPath(), true
	}
	return "", "", false
}

// maxDescription is how many bytes the description of an index may have.
const maxDescription = 4 << 20

// rewriteHosts makes the hosts in Pinecone's descriptions of indexes addresses
// of the gateway's: clients use them for everything but the descriptions.
func (x *exchange) rewriteHosts(res *http.Response) error {
	described := strings.HasPrefix(x.route.path, "/indexes") || strings.HasPrefix(x.route.path, "/collections")
	if x.target.provider != pinecone || x.route.door == byProxy || x.route.host != "" || !described || isEmpty(res) || !isJSON(res.Header.Get("Content-Type")) {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDescription+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxDescription || !plainCoding(res.Header):
		return withheld("the addresses in it can't be rewritten", nil)
	}
	out := x.replaceHosts(body)
	res.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(out), res.Body}
	res.ContentLength = int64(len(out))
	res.Header.Set("Content-Length", strconv.Itoa(len(out)))
	return nil
}

// replaceHosts rewrites each string member "host" or "private_host" that is a data host; every
// other byte stays. What is not JSON is left to fail at the caller.
func (x *exchange) replaceHosts(body []byte) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	var out []byte
	done := int64(0)
	for {
		kind, length := dec.StackIndex(dec.StackDepth())
		named := kind == jsontext.KindBeginObject && length%2 == 1
		token, err := dec.ReadToken()
		if err != nil {
			return append(out, body[done:]...)
		}
		if !named || token.Kind() != jsontext.KindString || !namesHost(string(dec.StackPointer())) || !x.target.isDataHost(token.String()) {
			continue
		}
		host := token.String()
		end := dec.InputOffset()
		start := int64(bytes.LastIndexByte(body[:end-1], '"')) // a host has no escapes
		quoted, err := jsontext.AppendQuote(nil, x.gateway()+dataHostMark+host)
		if err != nil {
			continue
		}
		out = append(append(out, body[done:start]...), quoted...)
		done = end
	}
}

// namesHost reports whether the member at the pointer is one that holds the
// host of an index: the second is for clients in the same private network.
func namesHost(pointer string) bool {
	return strings.HasSuffix(pointer, "/host") || strings.HasSuffix(pointer, "/private_host")
}

// gateway is the address by which the caller reached the target.
func (x *exchange) gateway() string {
	at := "http://" + x.in.Host
	if x.in.TLS != nil {
		at = "https://" + x.in.Host
	}
	if x.route.door == byPath {
		at += "/" + x.target.name
	}
	return at
}
