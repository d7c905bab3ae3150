package wire

import (
	"bytes"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"sallyport/mask"
)

// fed is a stream of which the bytes have all come.
func fed(t *testing.T, in []byte) *stream {
	client, peer := net.Pipe()
	go func() { _, _ = peer.Write(in); _ = peer.Close() }()
	t.Cleanup(func() { _ = client.Close() })
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	return newStream(client, &outbox{conn: io.Discard})
}

// FuzzBind: a Bind that streams is taken apart as one that is held, and what
// passes is what came.
func FuzzBind(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("p\x00s\x00\x00\x01\x00\x01\x00\x02\x00\x00\x00\x01x\xff\xff\xff\xff\x00\x01\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x01\xff\xff\xff\xfe\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p := parts{b: in}
		held := &portal{name: string(p.text()), source: string(p.text())}
		formats := p.formats()
		count := int(p.int16()) & 0xffff
		for i := 0; i < count && !p.bad; i++ {
			v, null := p.value()
			b := boundValue{binary: formats.of(i)}
			if !null {
				b.value, b.size = append([]byte{}, v...), len(v)
			}
			held.params = append(held.params, b)
		}
		p.formats()
		good := p.done()

		b := &body{fed(t, in), len(in)}
		var passed bytes.Buffer
		o, fs, head, n, err := readBindHead(b)
		if err == nil {
			passed.Write(head)
			err = passValues(b, &passed, o, fs, n)
		}
		if (err == nil) != good {
			t.Fatalf("held: good %t; streamed: %v", good, err)
		}
		if !bytes.HasPrefix(in, passed.Bytes()) || good && passed.Len() != len(in) {
			t.Fatalf("%q passed of %q", passed.Bytes(), in)
		}
		if good && (o.name != held.name || o.source != held.source || len(o.params) != len(held.params) || len(o.params) > 0 && !reflect.DeepEqual(o.params, held.params)) {
			t.Fatalf("held %+v, streamed %+v", held, o)
		}
	})
}

// FuzzLongRow: a row that streams is masked as one that is held.
func FuzzLongRow(f *testing.F) {
	f.Add([]byte("\x00\x02\x00\x00\x00\x01x\xff\xff\xff\xff"), 2, uint8(1))
	f.Add([]byte("\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01y\x00\x00\x00\x02ab"), 3, uint8(2))
	f.Add([]byte("\x00\x01\xff\xff\xff\xfe"), 1, uint8(0))
	redact, _ := mask.Lookup("redact")
	f.Fuzz(func(t *testing.T, in []byte, columns int, masked uint8) {
		if columns < 0 || columns > 8 {
			return
		}
		fields, plan := make([]mask.Field, columns), make(mask.Plan, columns)
		for i := range fields {
			fields[i] = mask.Field{Type: 25, Modifier: -1}
			if masked>>i&1 == 1 {
				plan[i] = redact
			}
		}
		carry := func(long bool) (string, *awaited, error) {
			var out bytes.Buffer
			s := &Session{out: &outbox{conn: &out}, up: &upstream{in: fed(t, in)}}
			a := &awaited{}
			var err error
			if long {
				err = s.maskedLongRow(a, plan, fields, len(in))
			} else {
				err = s.maskedRow(a, plan, fields, len(in))
			}
			_ = s.out.flush()
			return out.String(), a, err
		}
		held, a, err := carry(false)
		streamed, b, longErr := carry(true)
		if (err == nil) != (longErr == nil) {
			t.Fatalf("held: %v; streamed: %v", err, longErr)
		}
		if err == nil && (held != streamed || a.masked != b.masked || a.bytes != b.bytes) {
			t.Fatalf("held %q, streamed %q", held, streamed)
		}
	})
}
