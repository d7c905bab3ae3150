package httpguard

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSignature has the vectors of AWS's own test suite for Signature Version 4
// (aws-sig-v4-test-suite) and the example of its General Reference.
func TestSignature(t *testing.T) {
	suite := signer{accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "service"}
	iam := suite
	iam.service = "iam"
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		signer       signer
		method, uri  string
		body         string
		headers      []string
		signature    string
		signedHeader string
	}{
		"get-vanilla":                  {suite, "GET", "/", "", nil, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "host;x-amz-date"},
		"post-vanilla":                 {suite, "POST", "/", "", nil, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", "host;x-amz-date"},
		"get-vanilla-query-order-key":  {suite, "GET", "/?Param2=value2&Param1=value1", "", nil, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", "host;x-amz-date"},
		"post-x-www-form-urlencoded":   {suite, "POST", "/", "Param1=value1", []string{"Content-Type", "application/x-www-form-urlencoded"}, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", "content-type;host;x-amz-date"},
		"General Reference, ListUsers": {iam, "GET", "/?Action=ListUsers&Version=2010-05-08", "", []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", "content-type;host;x-amz-date"},
	} {
		t.Run(name, func(t *testing.T) {
			host := "example.amazonaws.com"
			if c.signer.service == "iam" {
				host = "iam.amazonaws.com"
			}
			r, err := http.NewRequest(c.method, "https://"+host+c.uri, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			c.signer.sign(r, hexSum([]byte(c.body)), at)
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + c.signer.service + "/aws4_request, SignedHeaders=" + c.signedHeader + ", Signature=" + c.signature
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}
