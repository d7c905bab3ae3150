package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/recorder"
)

// Sizes of values, in bytes: giga's message is nearly the longest there is.
const (
	giga = maxLarge - 1<<10
	many = 64 << 20
)

// heldAtMost fails the test when what runs allocates more than limit bytes: what
// is held can't be more.
func heldAtMost(t *testing.T, limit uint64, run func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	t.Logf("%d KiB allocated", (after.TotalAlloc-before.TotalAlloc)>>10)
	if got := after.TotalAlloc - before.TotalAlloc; got > limit && !raced {
		t.Errorf("%d bytes allocated, more than %d", got, limit)
	}
}

func int32s(n ...int) string {
	var b []byte
	for _, v := range n {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(v)))
	}
	return string(b)
}

// rowOf describes columns of text.
func rowOf(names ...string) []byte {
	body := []byte{0, byte(len(names))}
	for _, name := range names {
		body = append(body, name...)
		body = append(body, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\xff\xff\x00\x00"...)
	}
	return message('T', string(body))
}

// TestAGigabytePasses from the server: rows and COPY, with and without a mask on
// another column, in little memory.
func TestAGigabytePasses(t *testing.T) {
	for name, c := range map[string]struct {
		masked bool
		before string // what the server says first
		kind   byte
		size   int
		head   string // of the long message, before its gigabyte
		tail   string
		got    string // the head as the client gets it
		end    string
	}{
		"a row":              {false, string(rowOf("v")), 'D', many, "\x00\x01" + int32s(many), "", "\x00\x01" + int32s(many), "SELECT 1"},
		"a row, masks":       {true, string(rowOf("v")), 'D', many, "\x00\x01" + int32s(many), "", "\x00\x01" + int32s(many), "SELECT 1"},
		"a masked row":       {true, string(rowOf("secret", "v", "w")), 'D', giga, "\x00\x03" + int32s(7) + "hunter2" + int32s(giga), int32s(-1), "\x00\x03" + int32s(10) + "[redacted]" + int32s(giga), "SELECT 1"},
		"a masked NULL":      {true, string(rowOf("secret", "v")), 'D', many, "\x00\x02" + int32s(-1, many), "", "\x00\x02" + int32s(-1, many), "SELECT 1"},
		"COPY":               {false, string(message('H', "\x00\x00\x00")), 'd', many, "", "", "", "COPY 1"},
		"a notification":     {false, "", 'A', many, "\x00\x00\x00\x01c\x00", "\x00", "\x00\x00\x00\x01c\x00", "LISTEN"},
		"a row after others": {true, string(rowOf("a", "secret", "v")) + string(message('D', "\x00\x03"+int32s(1)+"a"+int32s(7)+"hunter2"+int32s(-1))), 'D', many, "\x00\x03" + int32s(1) + "a" + int32s(1) + "s" + int32s(many), "", "\x00\x03" + int32s(1) + "a" + int32s(10) + "[redacted]" + int32s(many), "SELECT 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if raced && c.size == giga {
				t.Skip("a gigabyte takes minutes under the race detector")
			}
			g := startBefore(t, peer(t, func(conn net.Conn) {
				expect(t, conn, 'Q')
				_, _ = conn.Write([]byte(c.before))
				_, _ = conn.Write(header(c.kind, len(c.head)+c.size+len(c.tail)))
				_, _ = conn.Write([]byte(c.head))
				_, _ = io.Copy(conn, nothings(c.size))
				_, _ = conn.Write([]byte(c.tail))
				if c.kind == 'd' {
					_, _ = conn.Write(message('c', ""))
				}
				_, _ = conn.Write(append(message('C', c.end+"\x00"), message('Z', "I")...))
				_, _ = io.Copy(io.Discard, conn)
			}))
			g.judge = func(string) Reading {
				r := allowed
				if c.masked {
					r.Plans = secretsPlan{}
				}
				return r
			}
			conn, _ := g.dialRaw(t)
			buffer := make([]byte, 64<<10)
			heldAtMost(t, 4<<20, func() {
				_, _ = conn.Write(message('Q', "select\x00"))
				var head [headerLen]byte
				for head[0] != 'Z' {
					if _, err := io.ReadFull(conn, head[:]); err != nil {
						t.Fatal(err)
					}
					size := int(binary.BigEndian.Uint32(head[1:])) - 4
					if size < c.size {
						_, _ = io.CopyBuffer(io.Discard, io.LimitReader(conn, int64(size)), buffer)
						continue
					}
					got := make([]byte, len(c.got))
					if _, err := io.ReadFull(conn, got); err != nil || string(got) != c.got || head[0] != c.kind || size != len(c.got)+c.size+len(c.tail) {
						t.Fatalf("%q of %d bytes begins with %q, %v", head[0], size, got, err)
					}
					for left := c.size; left > 0; {
						n, err := conn.Read(buffer[:min(left, len(buffer))])
						if err != nil || bytes.Count(buffer[:n], []byte{0}) != n {
							t.Fatalf("%d bytes before the end: %v", left, err)
						}
						left -= n
					}
					tail := make([]byte, len(c.tail))
					if _, err := io.ReadFull(conn, tail); err != nil || string(tail) != c.tail {
						t.Fatalf("it ends with %q, %v", tail, err)
					}
				}
			})
		})
	}
}

// TestAheadOfAMaskedValue only so much is held: beyond it the session ends before
// a byte of the row has passed.
func TestAheadOfAMaskedValue(t *testing.T) {
	head := "\x00\x02" + int32s(giga-20)
	g := startBefore(t, peer(t, func(conn net.Conn) {
		expect(t, conn, 'Q')
		_, _ = conn.Write(rowOf("v", "secret"))
		_, _ = conn.Write(header('D', giga))
		_, _ = conn.Write([]byte(head))
		_, _ = io.Copy(conn, nothings(giga-len(head)))
		_, _ = io.Copy(io.Discard, conn)
	}))
	g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}} }
	conn, fe := g.dialRaw(t)
	_, _ = conn.Write(message('Q', "select\x00"))
	if e := untilClosed(t, fe); e.Code != "54000" || e.Severity != "FATAL" || !strings.Contains(e.Message, "are held") {
		t.Fatalf("got %+v", e)
	}
}

// TestAMaskedValueTellsNoLength: however long it is, and whatever stands ahead of
// it, the row passes.
func TestAMaskedValueTellsNoLength(t *testing.T) {
	before := int32s(maxHeld-4<<10) + strings.Repeat("x", maxHeld-4<<10)
	for name, c := range map[string]struct {
		length int
		want   string
	}{
		"short": {8, int32s(10) + "[redacted]"}, "too long in sum": {4 << 10, int32s(10) + "[redacted]"}, "too long": {maxHeld + 1, int32s(-1)},
	} {
		t.Run(name, func(t *testing.T) {
			g := startBefore(t, peer(t, func(conn net.Conn) {
				expect(t, conn, 'Q')
				_, _ = conn.Write(rowOf("v", "secret", "w"))
				_, _ = conn.Write(header('D', 2+len(before)+4+c.length+5))
				_, _ = io.WriteString(conn, "\x00\x03"+before+int32s(c.length))
				_, _ = io.Copy(conn, nothings(c.length))
				_, _ = io.WriteString(conn, int32s(1)+"w")
				_, _ = conn.Write(append(message('C', "SELECT 1\x00"), message('Z', "I")...))
				_, _ = io.Copy(io.Discard, conn)
			}))
			g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}} }
			conn, _ := g.dialRaw(t)
			_, _ = conn.Write(message('Q', "select\x00"))
			want := string(rowOf("v", "secret", "w")) + string(message('D', "\x00\x03"+before+c.want+int32s(1)+"w"))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
				t.Fatalf("%v, and it ends with %q", err, got[len(got)-32:])
			}
		})
	}
}

// TestALongRowThatIsMalformed ends the session.
func TestALongRowThatIsMalformed(t *testing.T) {
	const long = 2 * growStep
	for name, c := range map[string]struct{ head, tail string }{
		"too few columns":      {"\x00\x01" + int32s(long), ""},
		"a length of -2":       {"\x00\x02" + int32s(-2, long), ""},
		"beyond the end":       {"\x00\x02" + int32s(1) + "s" + int32s(long+1), ""},
		"more at the end":      {"\x00\x02" + int32s(1) + "s" + int32s(long), "x"},
		"the masked, too long": {"\x00\x02" + int32s(2*long), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := startBefore(t, peer(t, func(conn net.Conn) {
				expect(t, conn, 'Q')
				_, _ = conn.Write(rowOf("secret", "v"))
				_, _ = conn.Write(header('D', len(c.head)+long+len(c.tail)))
				_, _ = conn.Write([]byte(c.head))
				_, _ = io.Copy(conn, nothings(long))
				_, _ = conn.Write([]byte(c.tail))
				_, _ = conn.Write(append(message('C', "SELECT 1\x00"), message('Z', "I")...))
				_, _ = io.Copy(io.Discard, conn)
			}))
			g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}} }
			conn, _ := g.dialRaw(t)
			_, _ = conn.Write(message('Q', "select\x00"))
			all, _ := io.ReadAll(conn)
			if bytes.HasSuffix(all, message('Z', "I")) {
				t.Fatal("the session goes on")
			}
		})
	}
}

// TestAGigabyteOfParameter streams to the server, as do CopyData of one.
func TestAGigabyteOfParameter(t *testing.T) {
	for name, c := range map[string]struct {
		size       int
		head, tail string
	}{
		"Bind, one value": {many, "B" + int32s(4+2+2+2+4+many+2) + "\x00\x00\x00\x00\x00\x01" + int32s(many), "\x00\x00"},
		"Bind, of three": {
			giga, "B" + int32s(4+4+6+2+4+3+4+4+giga+2+2) + "po\x00\x00\x00\x02\x00\x01\x00\x00\x00\x03" + int32s(3) + "abc" + int32s(-1, giga), "\x00\x01\x00\x01",
		},
		"CopyData": {many, "d" + int32s(4+many), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if raced && c.size == giga {
				t.Skip("a gigabyte takes minutes under the race detector")
			}
			done := make(chan struct{})
			sent := c.head[:5]
			g := startBefore(t, peer(t, func(conn net.Conn) {
				defer close(done)
				got := make([]byte, len(c.head))
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != c.head {
					t.Errorf("the message begins with %q, %v", got, err)
				}
				buffer := make([]byte, 64<<10)
				for left := c.size; left > 0; {
					n, err := conn.Read(buffer[:min(left, len(buffer))])
					if err != nil {
						t.Errorf("%d bytes before the end: %v", left, err)
						return
					}
					left -= n
				}
				tail := make([]byte, len(c.tail))
				if _, err := io.ReadFull(conn, tail); err != nil || string(tail) != c.tail {
					t.Errorf("it ends with %q, %v", tail, err)
				}
				expect(t, conn, 'S')
				if sent[0] == 'B' {
					_, _ = conn.Write(message('2', ""))
				}
				_, _ = conn.Write(message('Z', "I"))
				expect(t, conn, 'X')
			}))
			conn, _ := g.dialRaw(t)
			heldAtMost(t, 8<<20, func() {
				_, _ = conn.Write([]byte(c.head))
				if _, err := io.CopyBuffer(struct{ io.Writer }{conn}, nothings(c.size), make([]byte, 64<<10)); err != nil {
					t.Error(err)
				}
				_, _ = conn.Write(append([]byte(c.tail), message('S', "")...))
				if sent[0] == 'B' {
					expect(t, conn, '2')
				}
				expect(t, conn, 'Z')
			})
			_ = conn.Close()
			<-done
		})
	}
}

// TestALongBindThatIsMalformed ends the session, and the server never gets a
// whole message of it.
func TestALongBindThatIsMalformed(t *testing.T) {
	const long = 2 * growStep
	formats := "\xff\xff" + strings.Repeat("\x00\x01", 0xffff)
	for name, c := range map[string]struct {
		head  string
		tail  string
		began bool // the server has seen the beginning
	}{
		"no end of the name":      {strings.Repeat("p", maxSmall+1), "\x00\x00\x00\x00", false},
		"too many formats":        {"\x00\x00\xff\xff", "", true},
		"formats beyond":          {"\x00\x00" + formats[:100], "", true},
		"a value of -2":           {"\x00\x00\x00\x00\x00\x02" + int32s(-2), "\x00\x00", true},
		"a value beyond":          {"\x00\x00\x00\x00\x00\x01" + int32s(long+100), "\x00\x00", true},
		"fewer values":            {"\x00\x00\x00\x00\x00\x02" + int32s(long), "\x00\x00", true},
		"more at the end":         {"\x00\x00\x00\x00\x00\x01" + int32s(long), "\x00\x00x", true},
		"result formats missing":  {"\x00\x00\x00\x00\x00\x01" + int32s(long), "\x00\x01", true},
		"five bytes short of all": {"\x00\x00\x00\x00\x00\x01" + int32s(long), "\x00\x00\x00\x00\x00\x00\x00", true},
	} {
		t.Run(name, func(t *testing.T) {
			body := c.head + string(make([]byte, long)) + c.tail
			received := make(chan []byte, 1)
			g := startBefore(t, peer(t, func(conn net.Conn) {
				all, _ := io.ReadAll(conn)
				received <- all
			}))
			conn, fe := g.dialRaw(t)
			go func() { _, _ = conn.Write(message('B', body)) }()
			if e := untilClosed(t, fe); e.Code != "08P01" || e.Severity != "FATAL" {
				t.Errorf("got %s %s %s", e.Severity, e.Code, e.Message)
			}
			if got := <-received; len(got) >= headerLen+len(body) || !c.began && len(got) > 5 {
				t.Errorf("the server received %d bytes of a message of %d", len(got), headerLen+len(body))
			}
		})
	}
}

// TestAClientThatDiesInALongMessage: what the server has begun to read is never
// completed, not by the gateway's goodbye either.
func TestAClientThatDiesInALongMessage(t *testing.T) {
	for name, head := range map[string]string{
		"Bind":     "B" + int32s(4+6+4+2*growStep+2) + "\x00\x00\x00\x00\x00\x01" + int32s(2*growStep),
		"CopyData": "d" + int32s(4+2*growStep),
	} {
		t.Run(name, func(t *testing.T) {
			received := make(chan []byte, 1)
			g := startBefore(t, peer(t, func(conn net.Conn) {
				all, _ := io.ReadAll(conn)
				received <- all
			}))
			conn, _ := g.dialRaw(t)
			sent := append([]byte(head), make([]byte, 2*growStep-4)...) // some bytes too few
			_, _ = conn.Write(sent)
			_ = conn.Close()
			if got := <-received; len(got) > len(sent) {
				t.Errorf("the server received %d bytes, the client sent %d", len(got), len(sent))
			}
		})
	}
}

// TestLongValuesAreRecordedInPart, with their length and hash.
func TestLongValuesAreRecordedInPart(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "default_query_exec_mode=exec")
	big := bytes.Repeat([]byte("0123456789abcdef"), 2<<20) // 32 MiB, and twice as much in hex
	var length int
	if err := conn.QueryRow(t.Context(), "select length($1::bytea) + length($2::text) + $3", big, "short", 1).Scan(&length); err != nil || length != len(big)+6 {
		t.Fatalf("%d, %v", length, err)
	}
	var back []byte
	if err := conn.QueryRow(t.Context(), "select $1::bytea", pgx.QueryResultFormats{1}, big).Scan(&back); err != nil || !bytes.Equal(back, big) {
		t.Fatalf("%d bytes came back, %v", len(back), err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.recorded {
		if e.Statement == nil || len(e.Statement.Params) < 3 {
			continue
		}
		want := recorder.Note{Field: "statement.params.1", Change: "cut", Length: e.Notes[0].Length, SHA256: e.Notes[0].SHA256}
		if len(e.Notes) < 1 || e.Notes[0] != want || e.Notes[0].Length < int64(len(big)) || len(want.SHA256) != 64 {
			t.Fatalf("noted: %+v", e.Notes)
		}
		return
	}
	t.Fatal("no statement with values was recorded")
}

// TestWhatASessionKeepsIsBounded: prepared statements, portals, and what waits.
func TestWhatASessionKeepsIsBounded(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "").PgConn()
	text := "select 1 -- " + strings.Repeat("x", 15<<20)
	var err error
	for i := 0; err == nil && i < 10; i++ {
		_, err = conn.Prepare(context.Background(), strings.Repeat("p", i+1), text, nil)
	}
	if code(err) != "54000" {
		t.Fatalf("ten statements of 15 MiB: %v", err)
	}
	if err := conn.Deallocate(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Prepare(t.Context(), "again", "select 1", nil); err != nil {
		t.Fatalf("after the refusal: %v", err)
	}
}
