package mask

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// address is an inet or cidr. It is read here, and not by net/netip, because
// this room is pure.
type address struct {
	bytes [16]byte
	size  int // 4 or 16
	bits  int // of the netmask
}

// Families of a binary inet. PostgreSQL 17, src/include/utils/inet.h.
const (
	familyV4 = 2
	familyV6 = 3
)

// parseAddress reads an inet or cidr in either format.
func parseAddress(format int16, value []byte) (a address, ok bool) {
	if format == inBinary {
		if len(value) < 4 || len(value) != 4+int(value[3]) || value[0] != familyV4 && value[0] != familyV6 {
			return a, false
		}
		a.size, a.bits = copy(a.bytes[:], value[4:]), int(value[1])
		return a, a.size == int(value[3]) && a.size == 4+12*int(value[0]-familyV4) && a.bits <= 8*a.size
	}
	host, mask, masked := bytes.Cut(value, []byte("/"))
	if bytes.IndexByte(host, ':') >= 0 {
		a.size, ok = 16, parseV6(a.bytes[:], host)
	} else {
		a.size, ok = 4, parseV4(a.bytes[:4], host)
	}
	a.bits = 8 * a.size
	if masked && ok {
		a.bits, ok = number(mask, 10, 3)
	}
	return a, ok && a.bits <= 8*a.size
}

// number reads up to most digits.
func number(digits []byte, base, most int) (n int, ok bool) {
	if len(digits) == 0 || len(digits) > most {
		return 0, false
	}
	for _, c := range digits {
		d := digitOf(c, base)
		if d < 0 {
			return 0, false
		}
		n = n*base + d
	}
	return n, true
}

func parseV4(to, host []byte) bool {
	for i := range 4 {
		part, rest, more := bytes.Cut(host, []byte("."))
		n, ok := number(part, 10, 3)
		if !ok || n > 255 || more != (i < 3) {
			return false
		}
		to[i], host = byte(n), rest
	}
	return true
}

// parseV6 reads 2001:db8::1 and ::ffff:192.0.2.1.
func parseV6(to, host []byte) bool {
	before, after, gap := bytes.Cut(host, []byte("::"))
	n, ok := parseGroups(to, before)
	if !ok || !gap {
		return ok && n == len(to)
	}
	var tail [16]byte
	k, ok := parseGroups(tail[:], after)
	if !ok || n+k > len(to)-2 {
		return false
	}
	copy(to[len(to)-k:], tail[:k])
	return true
}

// parseGroups reads groups of 16 bits, of which the last two may be an IPv4
// address, and says how many bytes they are.
func parseGroups(to, text []byte) (n int, ok bool) {
	for more := len(text) > 0; more; {
		var part []byte
		part, text, more = bytes.Cut(text, []byte(":"))
		if !more && bytes.IndexByte(part, '.') >= 0 {
			return n + 4, n+4 <= len(to) && parseV4(to[n:n+4], part)
		}
		group, ok := number(part, 16, 4)
		if !ok || n+2 > len(to) {
			return n, false
		}
		to[n], to[n+1] = byte(group>>8), byte(group)
		n += 2
	}
	return n, true
}

// appendAddress writes the address with the netmask as the value had it.
func appendAddress(dst []byte, format int16, value []byte, a address) []byte {
	if format == inBinary {
		return append(append(dst, value[:4]...), a.bytes[:a.size]...)
	}
	if a.size == 4 {
		for i, b := range a.bytes[:4] {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = strconv.AppendInt(dst, int64(b), 10)
		}
	} else {
		for i := 0; i < 16; i += 2 {
			if i > 0 {
				dst = append(dst, ':')
			}
			dst = strconv.AppendInt(dst, int64(a.bytes[i])<<8|int64(a.bytes[i+1]), 16)
		}
	}
	if at := bytes.IndexByte(value, '/'); at >= 0 {
		dst = append(dst, value[at:]...)
	}
	return dst
}

// tokenInet draws an address anew, of a cidr the network's bits alone. The
// family and the netmask stay.
func (m *material) tokenInet(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	a, ok := parseAddress(format, value)
	if !ok {
		return dst, true
	}
	drawn := 8 * a.size
	if k == kindCIDR {
		drawn = a.bits
	}
	d := m.draft()
	defer m.done(d)
	for i := 0; i < drawn; i += 8 {
		spare := max(0, 8-(drawn-i)) // low bits of the byte that stay
		d.push(int(a.bytes[i/8])>>spare, 256>>spare)
	}
	m.permute(d)
	for i, s := range d.symbols {
		spare := max(0, 8-(drawn-8*i))
		a.bytes[i] = byte(s)<<spare | a.bytes[i]&(1<<spare-1)
	}
	return appendAddress(dst, format, value, a), false
}

// tokenMAC draws every byte of a MAC address anew.
func (m *material) tokenMAC(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	size := 6
	if k == kindMACAddr8 {
		size = 8
	}
	d := m.draft()
	defer m.done(d)
	if format == inBinary {
		if len(value) != size {
			return dst, true
		}
		d.buf = append(d.buf, value...)
		m.permuteBytes(d, d.buf)
		return append(dst, d.buf...), false
	}
	if len(value) != 3*size-1 {
		return dst, true
	}
	for i := 0; i < len(value); i += 3 {
		b, ok := number(value[i:i+2], 16, 2)
		if !ok || i > 0 && value[i-1] != ':' {
			return dst, true
		}
		d.buf = append(d.buf, byte(b))
	}
	m.permuteBytes(d, d.buf)
	for i := range d.buf {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = hex.AppendEncode(dst, d.buf[i:i+1])
	}
	return dst, false
}
