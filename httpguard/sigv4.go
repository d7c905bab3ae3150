package httpguard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// signer signs requests as AWS Signature Version 4 wants it: AWS General
// Reference, "Create a signed AWS API request".
type signer struct {
	accessKey, secretKey, sessionToken string
	region, service                    string
}

const (
	algorithm       = "AWS4-HMAC-SHA256"
	amzTime         = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD" // S3 takes it over TLS
)

// unsignedHeaders may change on the way, so that no signature covers them.
var unsignedHeaders = []string{"authorization", "user-agent", "connection", "expect", "te", "accept-encoding", "x-amzn-trace-id", "transfer-encoding"}

// sign writes the headers of the signature. payload is the hex SHA-256 of the body.
func (s signer) sign(r *http.Request, payload string, now time.Time) {
	r.Header.Set("X-Amz-Date", now.Format(amzTime))
	if s.service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	if s.sessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.sessionToken)
	}
	names, canonical := s.canonical(r, payload)
	scope := now.Format("20060102") + "/" + s.region + "/" + s.service + "/aws4_request"
	text := algorithm + "\n" + now.Format(amzTime) + "\n" + scope + "\n" + hexSum([]byte(canonical))
	key := []byte("AWS4" + s.secretKey)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	if r.URL.RawQuery != "" {
		r.URL.RawQuery = canonicalQuery(r.URL.RawQuery) // sent as it was signed
	}
	r.Header.Set("Authorization", algorithm+" Credential="+s.accessKey+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(key, text)))
}

// canonical is the request in the form that is hashed, and the names of its
// signed headers.
func (s signer) canonical(r *http.Request, payload string) (names, text string) {
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if slices.Contains(unsignedHeaders, name) {
			continue
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		headers[name] = strings.Join(trimmed, ",")
	}
	var list []string
	for name := range headers {
		list = append(list, name)
	}
	slices.Sort(list)
	var b strings.Builder
	b.WriteString(r.Method + "\n" + s.canonicalPath(r.URL) + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range list {
		b.WriteString(name + ":" + headers[name] + "\n")
	}
	names = strings.Join(list, ";")
	b.WriteString("\n" + names + "\n" + payload)
	return names, b.String()
}

// canonicalPath escapes the path as it is sent once more, but for S3.
func (s signer) canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if s.service == "s3" {
		return path
	}
	segments := strings.Split(path, "/")
	for i, one := range segments {
		segments[i] = awsEscape(one)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts the parameters and escapes them the one way.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	type pair struct{ name, value string }
	var all []pair
	for one := range strings.SplitSeq(raw, "&") {
		if one == "" {
			continue
		}
		name, value, _ := strings.Cut(one, "=")
		all = append(all, pair{reescape(name), reescape(value)})
	}
	slices.SortStableFunc(all, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.name + "=" + p.value
	}
	return strings.Join(out, "&")
}

// reescape writes an escaped text with AWS's escapes. The query was parsed
// before, so that it can be decoded.
func reescape(s string) string {
	text, err := url.QueryUnescape(s)
	if err != nil {
		return awsEscape(s)
	}
	return awsEscape(text)
}

// awsEscape escapes everything but unreserved characters.
func awsEscape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		}
	}
	return b.String()
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
