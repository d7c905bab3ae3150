package httpguard

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
)

// differences is everything that is asked.
var differences = append([]difference{
	{name: "nothing", ask: simply("GET", "/")},
	{name: "a text", ask: simply("GET", "/?bytes=100")},
	{name: "a long body", ask: simply("GET", "/?bytes=300000")},
	{name: "pieces", ask: simply("GET", "/?pieces=5")},
	{name: "a length that is told", ask: simply("GET", "/?bytes=10&length=10")},
	{name: "HEAD", ask: simply("HEAD", "/?length=10")},
	{name: "HEAD of pieces", ask: simply("HEAD", "/?pieces=2")},
	{name: "HEAD of nothing", ask: simply("HEAD", "/")},
	{name: "HEAD of a file", ask: simply("HEAD", "/file")},
	{name: "OPTIONS", ask: simply("OPTIONS", "/", "Origin", "https://example.com")},
	{name: "a method of WebDAV", ask: simply("PROPFIND", "/", "Depth", "1")},
	{name: "a method nobody knows", ask: with("BREW", "/", "coffee")},

	// Conditions and ranges.
	{name: "file", ask: simply("GET", "/file")},
	{name: "unchanged by tag", ask: simply("GET", "/file", "If-None-Match", `"one"`)},
	{name: "unchanged by date", ask: simply("GET", "/file", "If-Modified-Since", "Tue, 14 Nov 2023 22:13:20 GMT")},
	{name: "precondition fails", ask: simply("GET", "/file", "If-Match", `"two"`)},
	{name: "unchanged HEAD", ask: simply("HEAD", "/file", "If-None-Match", `"one"`)},
	{name: "a range", ask: simply("GET", "/file", "Range", "bytes=10-19")},
	{name: "the end", ask: simply("GET", "/file", "Range", "bytes=-5")},
	{name: "two ranges", ask: simply("GET", "/file", "Range", "bytes=0-1,4-5"), but: []string{
		"header Content-Type: multipart/byteranges", "body ", // the boundary is another each time
	}},
	{name: "beyond the end", ask: simply("GET", "/file", "Range", "bytes=200-")},
	{name: "a range if it is the same", ask: simply("GET", "/file", "Range", "bytes=0-3", "If-Range", `"two"`)},

	// Headers.
	{name: "values", ask: simply("GET", "/?h-X-List=a&h-X-List=b&h-X-Empty=&h-Vary=Origin&h-Vary=Accept&h-Cache-Control=no-store")},
	{name: "names as they come", ask: simply("GET", "/?h-X-A.b_c~1=odd")},
	{name: "not ASCII", ask: simply("GET", "/?h-X-Text=caf%c3%a9", "X-Text", "caf\xe9")},
	{name: "a long value", ask: simply("GET", "/?h-X-Long="+strings.Repeat("v", 6000), "X-Long", strings.Repeat("w", 6000))},
	{name: "of the caller", ask: simply("GET", "/", "X-List", "a", "X-List", "b", "X-Empty", "", "Accept", "text/html", "Accept-Language", "de, en;q=0.5", "Traceparent", "00-1-2-01")},
	{name: "no agent", ask: simply("GET", "/", "User-Agent", "")},
	{name: "a type of its own", ask: simply("GET", "/?bytes=3&h-Content-Type=application/x-strange%3Bv=1")},
	{name: "no type", ask: simply("GET", "/?bytes=3&h-Content-Type=")},
	{name: "try again", ask: simply("GET", "/?status=429&h-Retry-After=7&h-X-Ratelimit-Remaining=0")},
	{name: "hop by hop", ask: simply("GET", "/?h-Keep-Alive=timeout%3D5"), but: []string{"header Keep-Alive"}},

	// Addresses.
	{name: "escapes", ask: simply("GET", "/a%20b/%e2%82%ac/c+d;e=1,f@g:h")},
	{name: "an odd query", ask: simply("GET", "/?a=%25zz&b&&=d&a=%00&%20=+")},
	{name: "an empty query", ask: simply("GET", "/x?")},
	{name: "a long address", ask: simply("GET", "/"+strings.Repeat("p/", 1500)+"?"+strings.Repeat("q=1&", 500))},

	// Bodies of requests.
	{name: "a form", ask: with("POST", "/", "a=1&b=2", "Content-Type", "application/x-www-form-urlencoded")},
	{name: "JSON as it is written", ask: with("PUT", "/", "{ \"b\" : 1.0,\n\"a\":\"\\u00e9\" }", "Content-Type", "application/json")},
	{name: "no body", ask: with("POST", "/", "")},
	{name: "GET with a body", ask: with("GET", "/", "body")},
	{name: "DELETE with a body", ask: with("DELETE", "/", "body")},
	{name: "a body of unknown length", ask: func(t *testing.T, a *asking) {
		a.do(t, "POST", "/", io.MultiReader(strings.NewReader("one "), strings.NewReader("two")))
	}, but: []string{"200 OK", "Content-Length: 7"}}, // behind chunks the connection ends: docs/http.md; it is forwarded when all of it is there
	{name: "5 MB", ask: with("POST", "/", strings.Repeat("x", 5<<20), "Content-Type", "application/octet-stream"), but: []string{"Expect"}}, // a large one is not sent to who does not want it
	{name: "trailers of the request", ask: func(t *testing.T, a *asking) {
		req := a.request(t, "POST", "/", io.NopCloser(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Sum": {"7"}}
		a.send(t, req)
	}, but: []string{"200 OK"}},
	{name: "a body that breaks off", ask: func(t *testing.T, a *asking) {
		a.do(t, "POST", "/", io.MultiReader(strings.NewReader("one "), brokenOff{}))
	}, but: []string{"POST ", "Content-Type", "User-Agent", "Accept-Encoding", "body 4"}}, // nothing is forwarded before all of it came

	// Expect.
	{name: "100-continue", ask: with("POST", "/", "body", "Expect", "100-continue"), but: []string{
		"Expect", "early 100", // the gateway has the body when it forwards
	}},
	{name: "100-continue refused", ask: with("POST", "/?unread", "body", "Expect", "100-continue"), but: []string{
		"early 100", "417 ", "header Connection", // and its connection need not end
	}},

	// Early answers and late headers.
	{name: "103", ask: simply("GET", "/?early=103&bytes=3")},
	{name: "103 twice and 102", ask: simply("GET", "/?early=103,102,103&bytes=3")},
	{name: "trailers", ask: simply("GET", "/?trailer&pieces=2")},
	{name: "trailers without a body", ask: simply("GET", "/?trailer")},

	// Ends.
	{name: "the upstream breaks off", ask: simply("GET", "/?pieces=2&abort")},
	{name: "it breaks off before its length", ask: simply("GET", "/?length=100&bytes=5&abort")},
	{name: "it breaks off at once", ask: simply("GET", "/?length=100&abort"), but: []string{
		"fails before the answer", "200 OK", "header ", "body ", "the body breaks off", // one of both: an answer of which nothing came is none
	}},
	{name: "close", ask: simply("GET", "/?bytes=3&h-Connection=close"), but: []string{"200 OK", "header Connection"}}, // it was the upstream's connection

	// Redirects.
	{name: "client follows", ask: follow("POST", 307)},
	{name: "client follows with GET", ask: follow("POST", 303)},
	{name: "client follows with its method", ask: follow("GET", 308)},

	// Compression that Go's client asks for by itself, and hides.
	{name: "gzip", ask: func(t *testing.T, a *asking) {
		res, err := a.transport.RoundTrip(a.request(t, "GET", "/gzip", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		a.note("%s %q %v", res.Status, body, err)
	}, but: []string{"Accept-Encoding"}}, // the gateway asks for none

	{name: "one connection", ask: func(t *testing.T, a *asking) {
		a.transport.CloseIdleConnections()
		for i, path := range []string{"/?bytes=10", "/?pieces=3", "/?status=204", "/?status=404&bytes=5", "/file", "/?bytes=100000"} {
			method := []string{"GET", "HEAD", "POST"}[i%3]
			req := a.request(t, method, path, strings.NewReader(strings.Repeat("b", i%3/2*10)))
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				GotConn: func(c httptrace.GotConnInfo) { a.note("again %v", c.Reused) },
			}))
			a.send(t, req)
		}
	}},
}, statuses()...)

// statuses are answers with each status that may stand in one.
func statuses() []difference {
	var all []difference
	for _, n := range []int{200, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 304, 305, 400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 422, 425, 428, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 599, 600, 999} {
		all = append(all, difference{name: fmt.Sprint(n), ask: func(t *testing.T, a *asking) {
			more := ""
			if n != 204 && n != 304 {
				more = "&bytes=6"
			}
			a.do(t, "GET", fmt.Sprintf("/?status=%d%s", n, more), nil)
			a.do(t, "POST", fmt.Sprintf("/?status=%d", n), strings.NewReader("x"))
		}})
	}
	return all
}

// follow lets Go's client follow a redirect.
func follow(method string, status int) func(*testing.T, *asking) {
	return func(t *testing.T, a *asking) {
		client := &http.Client{Transport: a.transport}
		res, err := client.Do(a.request(t, method, fmt.Sprintf("/moved?status=%d", status), strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		a.note("%s %s %q %v", res.Request.Method, res.Request.URL, body, err)
	}
}

// brokenOff is a body that breaks off.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, errBroken }
