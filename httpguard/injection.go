package httpguard

import (
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"
)

// Where a secret is put.
const (
	inHeader    = iota
	inQuery     // a parameter
	inBody      // a member of a JSON object or a field of a form
	inSignature // nowhere: the request is signed with it
)

// injection is a target's inject line: what carries the secret, and how.
type injection struct {
	kind          int
	name          string // of the header, parameter or member
	before, after string // the secret
	basic         bool   // before, secret and after are encoded as Basic wants it
	login         bool   // before and after may hold {username}
	service       string // of inSignature
	region        string // of inSignature; "" is the credential's
}

const (
	placeholder = "{secret}"   // stands for the secret in an inject line
	userHolder  = "{username}" // stands for the credential's user name
)

// wantInject is the grammar of an inject line.
const wantInject = `want "Header: value {secret}", "query NAME={secret}", "body NAME={secret}" or "aws-sigv4 service=NAME [region=NAME]"`

// parseInjection reads an inject line:
//
//	Header: value {secret}
//	Authorization: Basic NAME:{secret}        encoded in Base64; NAME may be {username}
//	query NAME={secret}
//	body NAME={secret}
//	aws-sigv4 service=NAME [region=NAME]
func parseInjection(s string) (injection, error) {
	word, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "query", "body":
		name, value, ok := strings.Cut(rest, "=")
		if !ok || name == "" || strings.ContainsAny(name, " &\"\\") || !isHeaderValue(name) {
			return injection{}, errors.New(wantInject)
		}
		out, err := splitValue(value)
		out.kind, out.name = inQuery, name
		if word == "body" {
			out.kind = inBody
		}
		return out, err
	case "aws-sigv4":
		return parseSignature(rest)
	}
	name, value, ok := strings.Cut(s, ":")
	if !ok || !isHeaderName(name) {
		return injection{}, errors.New(wantInject)
	}
	value = strings.TrimSpace(value)
	pair, basic := strings.CutPrefix(value, "Basic ")
	if basic = basic && strings.EqualFold(name, "Authorization") && strings.Contains(pair, ":"); basic {
		value = pair
	}
	out, err := splitValue(value)
	switch {
	case err != nil:
		return injection{}, err
	case slices.Contains(hopByHop, fold(name)):
		return injection{}, fmt.Errorf("the header %s is not an end-to-end header", name)
	}
	out.basic, out.name = basic, textproto.CanonicalMIMEHeaderKey(name)
	return out, nil
}

// splitValue takes a value apart at its placeholder.
func splitValue(value string) (injection, error) {
	before, after, found := strings.Cut(value, placeholder)
	switch {
	case !found || strings.Contains(after, placeholder):
		return injection{}, fmt.Errorf("the value must hold %s once", placeholder)
	case !isHeaderValue(value):
		return injection{}, errors.New("the value has a control character")
	}
	return injection{before: before, after: after, login: strings.Contains(before+after, userHolder)}, nil
}

func parseSignature(rest string) (injection, error) {
	out := injection{kind: inSignature}
	for word := range strings.FieldsSeq(rest) {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case ok && value != "" && key == "service" && out.service == "":
			out.service = value
		case ok && value != "" && key == "region" && out.region == "":
			out.region = value
		default:
			return injection{}, errors.New(wantInject)
		}
	}
	if out.service == "" {
		return injection{}, errors.New(wantInject)
	}
	return out, nil
}

// fillLogin is the value with the user name in it.
func fillLogin(i injection, username, key string) string {
	return strings.ReplaceAll(i.before, userHolder, username) + key + strings.ReplaceAll(i.after, userHolder, username)
}

// headers are those the injection writes, folded: none of the caller's goes there.
func (i injection) headers() []string {
	switch i.kind {
	case inHeader:
		return []string{fold(i.name)}
	case inSignature:
		return []string{"authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "date"}
	}
	return nil
}

func isHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r > 0x7f || !isAlphanumeric(byte(r)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
