package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// body is one message's body, of which next read the header, read piece by
// piece: what is too long to be held is checked as it passes. A length in it
// that reaches beyond it is an error.
type body struct {
	in   *stream
	left int // bytes that were not read yet
}

// errBeyond says that a length inside a message reaches beyond it.
type errBeyond struct{}

func (errBeyond) Error() string { return "a length reaches beyond its message" }

// take reads n bytes, at most bufferSize; valid until the next read.
func (b *body) take(n int) ([]byte, error) {
	if n > b.left {
		return nil, errBeyond{}
	}
	p, err := b.in.need(n)
	if err != nil {
		return nil, unexpected(err)
	}
	b.left -= n
	return p, b.in.in.discard(n)
}

func (b *body) int16() (int, error) {
	p, err := b.take(2)
	if err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(p)), nil
}

// length reads the length of a value; -1 is NULL, and no other is negative.
func (b *body) length() (int, error) {
	p, err := b.take(4)
	if err != nil {
		return 0, err
	}
	n := int(int32(binary.BigEndian.Uint32(p)))
	if n < -1 || n > b.left {
		return 0, errBeyond{}
	}
	return n, nil
}

// hold appends n bytes to dst. The length was claimed by the peer: memory grows
// with the bytes that come.
func (b *body) hold(dst []byte, n int) ([]byte, error) {
	if n > b.left {
		return dst, errBeyond{}
	}
	for n > 0 {
		p, err := b.some(n)
		if err != nil {
			return dst, err
		}
		dst = append(dst, p...)
		if err := b.read(len(p)); err != nil {
			return dst, err
		}
		n -= len(p)
	}
	return dst, nil
}

// name reads up to a zero byte, of at most limit bytes.
func (b *body) name(limit int) (string, error) {
	var name []byte
	for {
		p, err := b.take(1)
		switch {
		case err != nil:
			return "", err
		case p[0] == 0:
			return string(name), nil
		case len(name) == limit:
			return "", errBeyond{}
		}
		name = append(name, p[0])
	}
}

// pass gives n bytes to w as they come.
func (b *body) pass(w io.Writer, n int) error {
	if n > b.left {
		return errBeyond{}
	}
	for n > 0 {
		p, err := b.some(n)
		if err != nil {
			return err
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		if err := b.read(len(p)); err != nil {
			return err
		}
		n -= len(p)
	}
	return nil
}

// drop reads n bytes and keeps none.
func (b *body) drop(n int) error {
	for n > 0 {
		p, err := b.some(n)
		if err != nil {
			return err
		}
		n -= len(p)
		if err := b.read(len(p)); err != nil {
			return err
		}
	}
	return nil
}

// some waits for bytes, at most n, and leaves them unread.
func (b *body) some(n int) ([]byte, error) {
	if b.in.in.buffered() == 0 {
		if _, err := b.in.need(1); err != nil {
			return nil, unexpected(err)
		}
	}
	p := b.in.in.unread()
	return p[:min(n, len(p))], nil
}

func (b *body) read(n int) error {
	b.left -= n
	return b.in.in.discard(n)
}

// sample keeps the beginning of what is written to it, and its hash.
type sample struct {
	kept  []byte
	room  int // how much more may be kept
	size  int
	whole interface {
		io.Writer
		Sum(b []byte) []byte
	}
}

func newSample(room int) *sample { return &sample{room: room, whole: sha256.New(), kept: []byte{}} }

func (s *sample) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.kept = append(s.kept, p[:n]...)
	s.room -= n
	s.size += len(p)
	return s.whole.Write(p)
}

// sum is the hash of all that was written, "" where all of it is kept.
func (s *sample) sum() string {
	if len(s.kept) == s.size {
		return ""
	}
	return hex.EncodeToString(s.whole.Sum(nil))
}

// tooLong is what ends a session in which one message would have to be held.
func tooLong(what string) error {
	return tooLarge(fmt.Sprintf("%s of more than the %d bytes that are held", what, maxHeld), "")
}
