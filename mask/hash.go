package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// mac is one HMAC-SHA-256 under the key, ready for the next value.
type mac struct {
	hash.Hash
	use [1]byte
	sum [sha256.Size]byte
}

// digest is the keyed hash of a value. Uses don't mix: the same bytes as a text
// and as a uuid have unrelated digests.
func (m *material) digest(use kind, value []byte) [sha256.Size]byte {
	h, ok := m.macs.Get().(*mac)
	if !ok {
		h = &mac{Hash: hmac.New(sha256.New, m.hash)}
	}
	h.Reset()
	h.use[0] = byte(use)
	_, _ = h.Write(h.use[:]) // a hash doesn't fail
	_, _ = h.Write(value)
	h.Sum(h.sum[:0])
	sum := h.sum
	m.macs.Put(h)
	return sum
}

// newHash makes hash: HMAC-SHA-256 of the value, in the form of its type. Text
// gets 64 hexadecimal digits, as many as fit; bytea the 32 bytes; a uuid 122
// bits of them; an integer as many bits as are positive in its type. Two values
// have the same hash by chance alone, which is to be expected among
// 2^(bits/2) of them: 180 int2, 46,000 int4.
func newHash(m *material) *Transform {
	return &Transform{
		name: "hash",
		text: func(dst, value []byte) []byte {
			sum := m.digest(kindText, value)
			return hex.AppendEncode(dst, sum[:])
		},
		typed: m.hashTyped,
		of:    setOf(kindInt2, kindInt4, kindInt8, kindUUID, kindBytea),
		// jsonb is written one way; json as it was stored.
		document: func(dst, value []byte) ([]byte, bool) {
			sum := m.digest(kindJSONB, value)
			dst = hex.AppendEncode(append(dst, opening(value)...), sum[:])
			return append(dst, closing(value)...), true
		},
	}
}

func (m *material) hashTyped(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	d := m.draft()
	defer m.done(d)
	switch k {
	case kindInt2, kindInt4, kindInt8:
		n, ok := parseInt(k, format, value)
		if !ok {
			return dst, true
		}
		d.buf = binary.BigEndian.AppendUint64(d.buf, uint64(n))
		sum := m.digest(k, d.buf)
		bits := binary.BigEndian.Uint64(sum[:]) >> (64 - k.bits() + 1)
		return appendInt(dst, k, format, int64(bits)), false
	case kindUUID:
		id, ok := parseUUID(format, value)
		if !ok {
			return dst, true
		}
		d.buf = append(d.buf, id[:]...)
		sum := m.digest(k, d.buf)
		copy(id[:], sum[:])
		id[6] = id[6]&0x0f | 0x80 // version 8, RFC 9562: "for custom formats"
		id[8] = id[8]&0x3f | 0x80
		return appendUUID(dst, format, id), false
	case kindBytea:
		var ok bool
		if d.buf, ok = appendRaw(d.buf, format, value); !ok {
			return dst, true
		}
		sum := m.digest(k, d.buf)
		return appendBytea(dst, format, sum[:]), false
	}
	return dst, true
}
