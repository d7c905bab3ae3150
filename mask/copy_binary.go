package mask

import (
	"bytes"
	"encoding/binary"
)

// copySignature begins a binary copy.
// PostgreSQL 17, sql-copy.html, "Binary Format".
const copySignature = "PGCOPY\n\xff\r\n\x00"

// criticalFlags of the header change what follows it; none is known since
// PostgreSQL 12.
const criticalFlags = 0xffff0000

// binaryRows masks tuples: how many fields, and each behind its length.
func (c *Copy) binaryRows(dst, data []byte) ([]byte, int, error) {
	masked := 0
	if rest, ok := bytes.CutPrefix(data, []byte(copySignature)); ok && !c.begun {
		if len(rest) < 8 || binary.BigEndian.Uint32(rest)&criticalFlags != 0 {
			return dst, 0, errCopyRow
		}
		extension := uint64(binary.BigEndian.Uint32(rest[4:]))
		if extension > uint64(len(rest)-8) {
			return dst, 0, errCopyRow
		}
		size := len(copySignature) + 8 + int(extension)
		dst, data = append(dst, data[:size]...), data[size:]
		c.begun = true
	}
	for len(data) > 0 {
		if len(data) < 2 || !c.begun || c.ended {
			return dst, 0, errCopyRow
		}
		n := int(int16(binary.BigEndian.Uint16(data)))
		dst, data = append(dst, data[:2]...), data[2:]
		if n == -1 {
			c.ended = true
			continue
		}
		if n != len(c.plan) {
			return dst, 0, errCopyWidth
		}
		for column := range n {
			if len(data) < 4 {
				return dst, 0, errCopyRow
			}
			size := binary.BigEndian.Uint32(data)
			head := data[:4]
			data = data[4:]
			if size == 0xffffffff {
				dst = append(dst, head...)
				continue
			}
			if uint64(size) > uint64(len(data)) {
				return dst, 0, errCopyRow
			}
			value := data[:size]
			data = data[size:]
			if c.plan[column] == nil {
				dst = append(append(dst, head...), value...)
				continue
			}
			out, null := c.apply(column, value)
			if null {
				masked++
				dst = append(dst, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			if !c.left(column, out, value) {
				masked++
			}
			dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(out))), out...)
		}
	}
	return dst, masked, nil
}
