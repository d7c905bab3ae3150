package mask

import (
	"crypto/aes"
	"encoding/binary"
	"math/bits"
)

// draft is the working memory of one token, used again for the next.
type draft struct {
	symbols []uint16 // what is permuted, each below its radix
	radices []uint32
	digits  []byte // a number as text
	buf     []byte // raw bytes of a value

	chain [aes.BlockSize]byte
	block [aes.BlockSize]byte
	tweak [aes.BlockSize]byte
}

// draft takes working memory from the pool; whoever takes it puts it back.
func (m *material) draft() *draft {
	d, ok := m.drafts.Get().(*draft)
	if !ok {
		d = &draft{}
	}
	d.symbols, d.radices, d.digits, d.buf = d.symbols[:0], d.radices[:0], d.digits[:0], d.buf[:0]
	return d
}

// largeDraft is the number of bytes above which working memory isn't kept.
const largeDraft = 1 << 20

func (m *material) done(d *draft) {
	if cap(d.symbols)+cap(d.buf)+cap(d.digits) <= largeDraft {
		m.drafts.Put(d)
	}
}

// push adds a symbol to what is permuted.
func (d *draft) push(symbol, radix int) {
	d.symbols, d.radices = append(d.symbols, uint16(symbol)), append(d.radices, uint32(radix))
}

// permute replaces the symbols by others below the same radices: a keyed
// permutation of all such sequences, so that no two become the same.
//
// It is an alternating Feistel network, after FFX (Bellare, Rogaway, Spies;
// NIST SP 800-38G): each round adds to one half, symbol by symbol and modulo
// its radix, what a pseudorandom function gives for the other half. The
// function is CBC-MAC of AES-256 over inputs that all have the length their
// first block says, and the same cipher under another key, in counter mode, to
// stretch it.
//
// A sequence of one symbol has no halves: the symbol is written as two, of the
// square root's radix, and permuted until it is below its own radix again.
func (m *material) permute(d *draft) {
	switch len(d.symbols) {
	case 0:
	case 1:
		m.permuteOne(d)
	default:
		m.feistel(d, d.symbols, d.radices, useMany)
	}
}

// What the function is used for, in its first block.
const (
	useMany = 1 // a sequence of symbols
	useOne  = 2 // one symbol, written as two
)

func (m *material) permuteOne(d *draft) {
	radix := d.radices[0]
	if radix < 2 {
		return
	}
	root := uint32(2)
	for root*root < radix {
		root++
	}
	d.push(0, 0) // behind the symbol, so that nothing is allocated
	d.push(0, 0)
	symbols, radices := d.symbols[1:3], d.radices[1:3]
	x := uint32(d.symbols[0])
	for {
		symbols[0], symbols[1], radices[0], radices[1] = uint16(x/root), uint16(x%root), root, root
		m.feistel(d, symbols, radices, useOne|byte(bits.Len32(radix))<<2)
		if x = uint32(symbols[0])*root + uint32(symbols[1]); x < radix {
			break
		}
	}
	d.symbols, d.radices = d.symbols[:1], d.radices[:1]
	d.symbols[0] = uint16(x)
}

// rounds of a network over n symbols. Ten are FF1's; short sequences, where
// attacks on ten are known, get more; long ones, whose halves no one meets
// twice by chance, fewer.
func rounds(n int) int {
	switch {
	case n < 8:
		return 24
	case n < 64:
		return 10
	}
	return 6
}

func (m *material) feistel(d *draft, symbols []uint16, radices []uint32, use byte) {
	n := len(symbols)
	half := n / 2
	d.chain = [aes.BlockSize]byte{}
	d.chain[0] = use
	binary.BigEndian.PutUint64(d.chain[8:], uint64(n))
	m.mix.Encrypt(d.chain[:], d.chain[:])
	for i := 0; i < n; i += aes.BlockSize / 2 {
		for j := 0; j < aes.BlockSize/2 && i+j < n; j++ {
			d.chain[2*j] ^= byte(radices[i+j] >> 8)
			d.chain[2*j+1] ^= byte(radices[i+j])
		}
		m.mix.Encrypt(d.chain[:], d.chain[:])
	}
	d.tweak = d.chain
	for round := range rounds(n) {
		if round%2 == 0 {
			m.add(d, round, symbols[:half], radices[:half], symbols[half:])
		} else {
			m.add(d, round, symbols[half:], radices[half:], symbols[:half])
		}
	}
}

// add is one round: to gets what the function gives for from.
func (m *material) add(d *draft, round int, to []uint16, radices []uint32, from []uint16) {
	d.chain = d.tweak
	d.chain[0] ^= byte(round)
	m.mix.Encrypt(d.chain[:], d.chain[:])
	for i := 0; i < len(from); i += aes.BlockSize / 2 {
		for j := 0; j < aes.BlockSize/2 && i+j < len(from); j++ {
			d.chain[2*j] ^= byte(from[i+j] >> 8)
			d.chain[2*j+1] ^= byte(from[i+j])
		}
		m.mix.Encrypt(d.chain[:], d.chain[:])
	}
	counter := binary.BigEndian.Uint64(d.chain[8:])
	for i := range to {
		at := i % (aes.BlockSize / 4) * 4
		if at == 0 {
			binary.BigEndian.PutUint64(d.chain[8:], counter+uint64(i))
			m.expand.Encrypt(d.block[:], d.chain[:])
		}
		// 32 bits, scaled: no symbol is likelier than another by more than
		// radix in 2^32.
		random := binary.BigEndian.Uint32(d.block[at:])
		radix := radices[i]
		if radix == 0 {
			continue
		}
		add := uint32(uint64(random) * uint64(radix) >> 32)
		to[i] = uint16((uint32(to[i]) + add) % radix)
	}
}
