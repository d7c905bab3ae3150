package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// protectedTexts lists all protected values of testdata/masks/schema.sql as texts.
const protectedTexts = `SELECT v FROM (
	SELECT unnest(ARRAY[email, password, api_key]) FROM users
	UNION SELECT unnest(ARRAY[ssn, card::text, phone, profile ->> 'password', profile #>> '{prefs,codes,0}']) FROM customers
	UNION SELECT unnest(secrets) FROM vault UNION SELECT unnest(ARRAY[encode(seed, 'escape'), (cred).secret, pairs -> 'k', token::text]) FROM vault
	UNION SELECT device FROM events UNION SELECT password FROM legacy.users) s (v) WHERE length(v) > 7`

// canaries finds parts of protected values: eight bytes that stand in one, or
// twelve where they could be part of some hash, whatever their case.
type canaries struct {
	eight  map[[8]byte]bool
	twelve map[[12]byte]bool
}

func canariesOf(t *testing.T, worlds ...*maskedWorld) *canaries {
	k := &canaries{map[[8]byte]bool{}, map[[12]byte]bool{}}
	for _, w := range worlds {
		rows, err := w.db.Conn(t).Query(context.Background(), protectedTexts)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var v string
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			if v == "same-value" { // the client says that itself
				continue
			}
			v, _, _ = strings.Cut(v, "@")
			k.add([]byte(v))
			mirrored := []byte(v)
			slices.Reverse(mirrored)
			k.add(mirrored)
			k.add([]byte(hex.EncodeToString([]byte(v))))
			for i := range 3 { // wherever it begins in what is encoded
				encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + v))
				k.add([]byte(encoded[(i*8+5)/6 : len(encoded)-2]))
			}
			if plain := strings.ReplaceAll(v, "-", ""); len(plain) == 32 {
				raw, _ := hex.DecodeString(plain)
				k.add(raw)
			}
			if n, err := parseCard(v); err == nil {
				k.add(binary.BigEndian.AppendUint64(nil, n))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func parseCard(v string) (n uint64, err error) {
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

func isHex(b []byte) bool {
	return bytes.IndexFunc(b, func(c rune) bool { return !strings.ContainsRune("0123456789abcdef-", c) }) < 0
}

func (k *canaries) add(v []byte) {
	v = lowered(v)
	for i := 0; i+8 <= len(v); i++ {
		if !isHex(v[i : i+8]) {
			k.eight[[8]byte(v[i:])] = true
		} else if i+12 <= len(v) {
			k.twelve[[12]byte(v[i:])] = true
		}
	}
}

// lowered makes the letters of ASCII small, and leaves all other bytes.
func lowered(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] += 'a' - 'A'
		}
	}
	return out
}

// in gives what b shows of one; empty for nothing.
func (k *canaries) in(b []byte) string {
	lower := lowered(b)
	for i := 0; i+8 <= len(lower); i++ {
		if k.eight[[8]byte(lower[i:])] || i+12 <= len(lower) && k.twelve[[12]byte(lower[i:])] {
			return string(lower[max(i-30, 0):min(i+30, len(lower))])
		}
	}
	return ""
}
