package mask

// newToken makes token: another value of the same shape, always the same one
// for the same value and key, so that joins and groups of masked values line
// up. Different values have different tokens; see docs/masking.md for where
// that can't be.
func newToken(m *material) *Transform {
	return &Transform{
		name:     "token",
		text:     m.tokenText,
		typed:    m.tokenTyped,
		of:       setOf(kindInt2, kindInt4, kindInt8, kindNumeric, kindUUID, kindBytea, kindInet, kindCIDR, kindMACAddr, kindMACAddr8),
		number:   m.tokenNumber,
		document: m.tokenDocument,
	}
}

func (m *material) tokenTyped(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	switch k {
	case kindInt2, kindInt4, kindInt8:
		return m.tokenInt(dst, k, format, value)
	case kindNumeric:
		return m.tokenNumeric(dst, format, value)
	case kindUUID:
		return m.tokenUUID(dst, format, value)
	case kindBytea:
		return m.tokenBytea(dst, format, value)
	case kindInet, kindCIDR:
		return m.tokenInet(dst, k, format, value)
	case kindMACAddr, kindMACAddr8:
		return m.tokenMAC(dst, k, format, value)
	}
	return dst, true
}

// tokenUUID draws every hexadecimal digit anew but the version and the variant.
func (m *material) tokenUUID(dst []byte, format int16, value []byte) ([]byte, bool) {
	id, ok := parseUUID(format, value)
	if !ok {
		return dst, true
	}
	d := m.draft()
	defer m.done(d)
	// RFC 9562: the version is the high half of byte 6, and the variant the
	// one to three highest bits of byte 8.
	variant, free := id[8]&0xc0, 64
	if variant >= 0xc0 {
		variant, free = id[8]&0xe0, 32
	}
	for i, b := range id {
		switch i {
		case 6:
			d.push(int(b&0x0f), 16)
		case 8:
			d.push(int(b)&(free-1), free)
		default:
			d.push(int(b), 256)
		}
	}
	m.permute(d)
	for i, s := range d.symbols {
		switch i {
		case 6:
			id[i] = id[i]&0xf0 | byte(s)
		case 8:
			id[i] = variant | byte(s)
		default:
			id[i] = byte(s)
		}
	}
	return appendUUID(dst, format, id), false
}

// tokenBytea draws every byte anew.
func (m *material) tokenBytea(dst []byte, format int16, value []byte) ([]byte, bool) {
	d := m.draft()
	defer m.done(d)
	var ok bool
	if d.buf, ok = appendRaw(d.buf, format, value); !ok {
		return dst, true
	}
	m.permuteBytes(d, d.buf)
	return appendBytea(dst, format, d.buf), false
}

// permuteBytes permutes b, in which every byte is a symbol of its own.
func (m *material) permuteBytes(d *draft, b []byte) {
	for _, c := range b {
		d.push(int(c), 256)
	}
	m.permute(d)
	for i, s := range d.symbols {
		b[i] = byte(s)
	}
}
