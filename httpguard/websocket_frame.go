package httpguard

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"
	"unicode/utf8"

	"sallyport/mask"
)

// Opcodes: RFC 6455, section 5.2.
const (
	opContinue = 0
	opText     = 1
	opBinary   = 2
	opClose    = 8
	opPing     = 9
	opPong     = 10
)

var opNames = map[byte]string{opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}

// maxControl is how many bytes a control frame may have.
const maxControl = 125

// message is a whole message, or a control frame.
type message struct {
	op      byte
	payload []byte
}

// protocolError is a side that does not keep to RFC 6455.
type protocolError struct {
	code   uint16
	reason string
}

// Error is the reason.
func (e *protocolError) Error() string { return e.reason }

// socket is one side of a WebSocket.
type socket struct {
	name      string
	r         *bufio.Reader
	masks     bool // what is written to it is masked: it is a server
	wantsMask bool // what it sends must be masked: it is a client
	deadline  func()
	hides     *frames      // what is masked in what it sends; nil: nothing
	shows     *mask.Events // puts values back in what the other side sees of it; nil: none

	op   byte   // of the message whose fragments are read
	part []byte // its fragments so far

	mu     sync.Mutex // held while writing
	w      io.Writer
	closed bool // a close was written
}

// read gives the next message or control frame. Fragments are put together.
func (s *socket) read() (message, error) {
	for {
		fin, op, payload, err := s.readFrame()
		switch {
		case err != nil:
			return message{}, err
		case op >= opClose:
			if op == opClose && (len(payload) == 1 || len(payload) > 2 && !utf8.Valid(payload[2:])) {
				return message{}, &protocolError{1002, "a broken close"}
			}
			return message{op, payload}, nil
		case (op == opContinue) != (s.op != 0):
			return message{}, &protocolError{1002, "fragments out of order"}
		case len(s.part)+len(payload) > maxMessage:
			return message{}, &protocolError{1009, "a message is too large"}
		}
		if op != opContinue {
			s.op = op
		}
		s.part = append(s.part, payload...)
		if !fin {
			continue
		}
		m := message{s.op, s.part}
		s.op, s.part = 0, nil
		if m.op == opText && !utf8.Valid(m.payload) {
			return message{}, &protocolError{1007, "a text is not UTF-8"}
		}
		return m, nil
	}
}

func (s *socket) readFrame() (fin bool, op byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.r, head[:2]); err != nil {
		return false, 0, nil, err
	}
	fin, op = head[0]&0x80 != 0, head[0]&0x0f
	masked, length := head[1]&0x80 != 0, uint64(head[1]&0x7f)
	switch {
	case head[0]&0x70 != 0:
		return false, 0, nil, &protocolError{1002, "an extension that was not agreed on"}
	case op != opContinue && opNames[op] == "":
		return false, 0, nil, &protocolError{1002, "an unknown opcode"}
	case masked != s.wantsMask:
		return false, 0, nil, &protocolError{1002, "masked by the wrong side, or not masked"}
	case op >= opClose && (!fin || length > maxControl):
		return false, 0, nil, &protocolError{1002, "a control frame that is too long or fragmented"}
	}
	switch length {
	case 126:
		if _, err := io.ReadFull(s.r, head[:2]); err != nil {
			return false, 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(head[:]))
	case 127:
		if _, err := io.ReadFull(s.r, head[:8]); err != nil {
			return false, 0, nil, err
		}
		length = binary.BigEndian.Uint64(head[:])
	}
	if length > maxMessage {
		return false, 0, nil, &protocolError{1009, "a message is too large"}
	}
	var key [4]byte
	if masked {
		if _, err := io.ReadFull(s.r, key[:]); err != nil {
			return false, 0, nil, err
		}
	}
	if payload, err = readExactly(s.r, int(length)); err != nil {
		return false, 0, nil, err
	}
	if masked {
		unmask(payload, key)
	}
	return fin, op, payload, nil
}

// readExactly takes memory as bytes come, not as they are announced.
func readExactly(r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	out := make([]byte, 0, min(n, step))
	for len(out) < n {
		at := len(out)
		out = append(out, make([]byte, min(n-at, step))...)
		if _, err := io.ReadFull(r, out[at:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func unmask(b []byte, key [4]byte) {
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// write sends a whole message in one frame. After a close nothing more is sent.
func (s *socket) write(op byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = op == opClose
	if s.deadline != nil {
		s.deadline()
	}
	frame := []byte{0x80 | op, 0}
	switch n := len(payload); {
	case n <= maxControl:
		frame[1] = byte(n)
	case n < 1<<16:
		frame[1] = 126
		frame = binary.BigEndian.AppendUint16(frame, uint16(n))
	default:
		frame[1] = 127
		frame = binary.BigEndian.AppendUint64(frame, uint64(n))
	}
	if s.masks {
		var key [4]byte
		_, _ = rand.Read(key[:]) // never fails
		frame[1] |= 0x80
		frame = append(frame, key[:]...)
		at := len(frame)
		frame = append(frame, payload...)
		unmask(frame[at:], key)
	} else {
		frame = append(frame, payload...)
	}
	_, err := s.w.Write(frame)
	return err
}

// close sends a close frame, if none was sent.
func (s *socket) close(code uint16, reason string) {
	_ = s.write(opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...))
}
