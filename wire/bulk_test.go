package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// TestPassRun: whatever comes, in whatever pieces, goes out as it came, and every
// message is counted once.
func TestPassRun(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var in []byte
		rows, sizes := int64(0), int64(0)
		for range r.IntN(2000) {
			size := r.IntN(200)
			if r.IntN(300) == 0 {
				size = r.IntN(3 * bulkSize)
			}
			kind := byte('D')
			if r.IntN(50) == 0 {
				kind = 'Z'
			} else {
				rows, sizes = rows+1, sizes+int64(size)
			}
			in = binary.BigEndian.AppendUint32(append(in, kind), uint32(size+4))
			for range size {
				in = append(in, byte(r.Uint32()))
			}
		}
		ours, theirs := tcpPair(t)
		step := rand.New(rand.NewPCG(r.Uint64(), 0))
		go func() {
			for rest := in; len(rest) > 0; {
				n := min(len(rest), 1+step.IntN(bulkSize))
				_, _ = theirs.Write(rest[:n])
				rest = rest[n:]
			}
			_ = theirs.Close()
		}()
		var sent bytes.Buffer
		out := &outbox{conn: &sent}
		s := newStream(ours, out)
		gotRows, gotSizes := int64(0), int64(0)
		for {
			kind, size, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := s.pass(out, kind, size); err != nil {
				t.Fatal(err)
			}
			if kind != 'D' {
				continue
			}
			n, bytes, err := s.passRun(out, 'D')
			if err != nil {
				t.Fatal(err)
			}
			gotRows, gotSizes = gotRows+1+n, gotSizes+int64(size)+bytes
		}
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sent.Bytes(), in) {
			t.Fatalf("%d bytes went out, %d came in", sent.Len(), len(in))
		}
		if gotRows != rows || gotSizes != sizes {
			t.Fatalf("%d rows of %d bytes, want %d of %d", gotRows, gotSizes, rows, sizes)
		}
	}
}

// TestRunOfMalformed: a run ends before what is no message.
func TestRunOfMalformed(t *testing.T) {
	good := []byte("D\x00\x00\x00\x05a")
	for name, bad := range map[string]string{
		"too short": "D\x00\x00\x00\x03", "huge": "D\xff\xff\xff\xff", "half": "D\x00\x00\x00\x06b", "half a header": "D\x00\x00", "another": "Z\x00\x00\x00\x05I",
	} {
		ours, theirs := net.Pipe()
		go func() { _, _ = theirs.Write(append(append(bytes.Clone(good), good...), bad...)) }()
		var sent bytes.Buffer
		out := &outbox{conn: &sent}
		s := newStream(ours, out)
		if _, err := s.in.peek(1); err != nil {
			t.Fatal(err)
		}
		if n, size, err := s.passRun(out, 'D'); n != 2 || size != 2 || err != nil {
			t.Errorf("%s: %d messages of %d bytes, %v", name, n, size, err)
		}
		if err := out.flush(); err != nil || sent.Len() != 2*len(good) {
			t.Errorf("%s: %d bytes went out, %v", name, sent.Len(), err)
		}
		_ = ours.Close()
		_ = theirs.Close()
	}
}

// TestBuffersAreGivenBack: who waits holds none, and who was flushed neither.
func TestBuffersAreGivenBack(t *testing.T) {
	ours, theirs := tcpPair(t)
	out := &outbox{conn: io.Discard}
	s := newStream(ours, out)
	waits := make(chan struct{}, 100)
	s.in.wait = func() error {
		if s.in.b != nil && s.in.buffered() == 0 {
			t.Error("an empty buffer is held while waiting")
		}
		waits <- struct{}{}
		return s.flush()
	}
	done := make(chan error, 1)
	go func() {
		for {
			kind, size, err := s.next()
			if err == nil {
				err = s.pass(out, kind, size)
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	<-waits
	if _, err := theirs.Write(append([]byte("d\x00\x03\x00\x04"), make([]byte, 3<<16)...)); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if out.b != nil {
		t.Error("a flushed outbox holds a buffer")
	}
}

// tcpPair is a connection and its peer.
func tcpPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if theirs, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}
