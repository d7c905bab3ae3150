package httpguard

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
)

const (
	// idleLimit is how long a WebSocket may be silent, and a large upload stall.
	idleLimit = 10 * time.Minute
	// maxMessage is how many bytes one message may have, its fragments together.
	maxMessage = 16 << 20
	// maxFrameText is how many bytes of a message the recording keeps.
	maxFrameText = 64 << 10
	// closeTimeout is how long one side may take to answer the other's close.
	closeTimeout = 5 * time.Second
	// writeTimeout is how long one message may take to be sent.
	writeTimeout = 30 * time.Second
)

// errUnrecorded ends a WebSocket whose messages can't be recorded.
var errUnrecorded = errors.New("the exchange could not be recorded")

// unreadSocket is what a rule hears that reads what a request asks, where nobody
// reads the protocol of a WebSocket: its messages come when it is judged already.
const unreadSocket = "what is said on a WebSocket of this kind is not judged"

// upgrades reports whether the exchange asks for a WebSocket.
func (x *exchange) upgrades() bool {
	return strings.EqualFold(x.in.Header.Get("Upgrade"), "websocket")
}

// checkUpgrade refuses what can't be carried: another protocol, and what is no
// handshake.
func (x *exchange) checkUpgrade() error {
	kind := x.in.Header.Get("Upgrade")
	switch {
	case kind == "", kind == "h2c":
		return nil
	case !x.upgrades():
		return &policy.Refusal{Kind: policy.Unsupported, Public: "of upgrades only WebSocket is offered"}
	}
	key, err := base64.StdEncoding.DecodeString(x.in.Header.Get("Sec-Websocket-Key"))
	if x.in.Method != http.MethodGet || x.in.ProtoMajor != 1 || err != nil || len(key) != 16 || len(x.in.Header.Values("Upgrade")) > 1 ||
		x.in.Header.Get("Sec-Websocket-Version") != "13" || x.in.ContentLength != 0 || !slices.ContainsFunc(x.in.Header.Values("Connection"), hasUpgrade) {
		return malformed("this is no WebSocket handshake: RFC 6455, section 4.1", nil)
	}
	return nil
}

func hasUpgrade(list string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "upgrade") })
}

// subprotocols are those a caller offers.
func subprotocols(h http.Header) []string {
	var all []string
	for _, list := range h.Values("Sec-Websocket-Protocol") {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// offered are the subprotocols that the upstream is offered.
func (x *exchange) offered() []string {
	return slices.DeleteFunc(subprotocols(x.in.Header), func(p string) bool {
		return strings.HasPrefix(p, keyProtocol) || x.holdsToken(p)
	})
}

// upgrade makes two handshakes, one on either side, and carries messages between
// them. No extension is offered: compressed messages could not be read.
func (x *exchange) upgrade(made *http.Request) error {
	ctx, cancel := context.WithCancel(x.in.Context())
	defer cancel()
	made = made.WithContext(ctx)
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	ours := base64.StdEncoding.EncodeToString(key)
	offered := x.offered()
	made.Header.Set("Connection", "Upgrade")
	made.Header.Set("Upgrade", "websocket")
	made.Header.Set("Sec-Websocket-Version", "13")
	made.Header.Set("Sec-Websocket-Key", ours)
	if len(offered) > 0 {
		made.Header.Set("Sec-Websocket-Protocol", strings.Join(offered, ", "))
	}
	res, err := x.target.pool.RoundTrip(made)
	if err != nil {
		return x.failure(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
	case x.asked.talk != nil && res.StatusCode < http.StatusBadRequest:
		// Rules waited for messages: it answered what nobody judged as a request.
		return &policy.Refusal{Kind: policy.Unavailable, Public: "the upstream opened no WebSocket"}
	default:
		return x.answer(res)
	}
	up, ok := res.Body.(io.ReadWriteCloser)
	chosen := res.Header.Get("Sec-Websocket-Protocol")
	if !ok || !strings.EqualFold(res.Header.Get("Upgrade"), "websocket") || res.Header.Get("Sec-Websocket-Accept") != acceptOf(ours) ||
		res.Header.Get("Sec-Websocket-Extensions") != "" || chosen != "" && !slices.Contains(offered, chosen) {
		return &policy.Refusal{Kind: policy.Unavailable, Public: "the upstream's WebSocket handshake is not right"}
	}
	if !x.asked.talk.agreed(chosen) {
		return &policy.Refusal{Kind: policy.Unavailable, Public: "the upstream speaks another protocol than the one whose messages would be judged"}
	}
	conn, buffered, err := http.NewResponseController(x.out).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	x.out.begun = true
	h := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {acceptOf(x.in.Header.Get("Sec-Websocket-Key"))}}
	if chosen != "" {
		h.Set("Sec-Websocket-Protocol", chosen)
	}
	x.sign(h)
	var head strings.Builder
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(&head)
	_ = conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(conn, head.String()+"\r\n"); err != nil {
		return x.outcome(http.StatusSwitchingProtocols, "the caller went away", "")
	}
	reason := x.carry(ctx, conn, bufio.NewReader(unread(conn, buffered)), up)
	return x.outcome(http.StatusSwitchingProtocols, reason, "")
}

// answer hands on a response that is no upgrade.
func (x *exchange) answer(res *http.Response) error {
	if err := x.respond(res); err != nil {
		return err
	}
	defer res.Body.Close()
	h := x.out.Header()
	for name, values := range res.Header {
		if !slices.Contains(hopByHop, fold(name)) || name == "Content-Length" {
			h[name] = values
		}
	}
	x.out.WriteHeader(res.StatusCode)
	if _, err := io.Copy(x.out, res.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// acceptOf is the answer to a key: RFC 6455, section 4.2.2.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// carry moves messages both ways until one side closes, both are silent for too
// long, or ctx ends. It says why it ended, "" for an orderly close.
func (x *exchange) carry(ctx context.Context, conn net.Conn, from *bufio.Reader, up io.ReadWriteCloser) string {
	var mu sync.Mutex
	reason := ""
	end := func(why string) {
		mu.Lock()
		defer mu.Unlock()
		if why != "" && reason == "" {
			reason = why
		}
	}
	shut := func() { _ = conn.Close(); _ = up.Close() }
	idle := time.AfterFunc(x.target.idle, func() { end("idle"); shut() })
	defer idle.Stop()
	stop := context.AfterFunc(ctx, func() { end("the gateway shut down"); shut() })
	defer stop()

	caller := &socket{name: "caller", r: from, w: conn, masks: false, wantsMask: true, hides: newFrames(x.sides.Request)}
	upstream := &socket{name: "upstream", r: bufio.NewReader(up), w: up, masks: true, hides: newFrames(x.sides.Response)}
	if x.restores != nil {
		upstream.shows = mask.NewFrames(x.restores)
	}
	caller.deadline = func() { _ = conn.SetWriteDeadline(time.Now().Add(writeTimeout)) }
	var both sync.WaitGroup
	move := func(from, to *socket) {
		why := ""
		if err := x.safely(func() error { why = x.move(from, to, idle); return nil }); err != nil {
			x.cut(err)
			from.close(1011, "internal error")
			to.close(1011, "internal error")
			why = "internal error"
		}
		end(why)
		if why != "" {
			shut()
			return
		}
		idle.Reset(closeTimeout) // the other side has that long to answer the close
	}
	both.Go(func() { move(caller, upstream) })
	both.Go(func() { move(upstream, caller) })
	both.Wait()
	shut()
	x.asked.talk.bill(x.asked.meter)
	x.countMasked(caller.hides.count() + upstream.hides.count())
	mu.Lock() // the time may be up, or ctx over, just now
	defer mu.Unlock()
	return reason
}

// move carries messages one way, each recorded before it is sent. It ends with a
// close, or says what went wrong.
func (x *exchange) move(from, to *socket, idle *time.Timer) string {
	for {
		m, err := from.read()
		var wrong *protocolError
		switch {
		case errors.As(err, &wrong):
			from.close(wrong.code, wrong.reason)
			to.close(1001, "the other side broke the protocol")
			return from.name + ": " + wrong.reason
		case err != nil:
			to.close(1001, "the other side went away")
			return "the " + from.name + " went away"
		}
		idle.Reset(x.target.idle)
		if from.masks && x.echo != nil {
			x.echo.hide(m.payload, true)
		}
		if from.masks {
			x.asked.meter.frame(m)
		}
		if m.op == opPing && from.hides != nil {
			// What a ping holds would have to come back as it is: it stays here.
			if from.write(opPong, m.payload) != nil {
				return "the " + from.name + " went away"
			}
			continue
		}
		ruling := x.hear(from, m)
		if ruling.denies() {
			if why := x.decline(from, to, m, ruling); why != "" {
				return why
			}
			continue
		}
		if !from.masks && x.asksAlias(m.payload) {
			from.close(1008, ruleMask)
			to.close(1001, "the other side went away")
			return "the caller asked for a masked field by another name"
		}
		all, err := from.hides.mask(m)
		if err != nil {
			from.close(1008, ruleMaskFailed)
			to.close(1008, ruleMaskFailed)
			return "a mask could not read a message of the " + from.name
		}
		for _, m := range all {
			if why := x.pass(from, to, m, ruling); why != "" {
				return why
			}
		}
		if m.op == opClose {
			return ""
		}
	}
}

// pass records a message and sends it on. It says what went wrong.
func (x *exchange) pass(from, to *socket, m message, r *ruling) string {
	if why := x.note(from, to, r.on(frameOf(x.number, from, m))); why != "" {
		return why
	}
	if from.masks {
		x.bytes += int64(len(m.payload))
	}
	for _, m := range from.shown(m) {
		if err := to.write(m.op, m.payload); err != nil {
			return "the " + to.name + " went away"
		}
	}
	return ""
}

// note records a message, or ends the WebSocket.
func (x *exchange) note(from, to *socket, f *recorder.Frame) string {
	if err := x.session.write(recorder.Event{Frame: f}); err != nil {
		x.cut(unrecorded(err))
		to.close(1011, "internal error")
		from.close(1011, "internal error")
		return errUnrecorded.Error()
	}
	return ""
}

// frameOf is what the recording keeps of a message: of text the beginning, of
// anything else the length.
func frameOf(id int64, from *socket, m message) *recorder.Frame {
	f := &recorder.Frame{ID: id, From: from.name, Type: opNames[m.op], Bytes: int64(len(m.payload))}
	switch {
	case from.hides.spares() && len(m.payload) > 0:
		f.Body = sparedBody
	case m.op == opText:
		f.Body = frameText(m.payload)
	case m.op == opClose && len(m.payload) >= 2:
		f.Code = strconv.Itoa(int(m.payload[0])<<8 | int(m.payload[1]))
		f.Body = strings.ToValidUTF8(string(m.payload[2:]), "\ufffd")
	}
	return f
}

func frameText(text []byte) string {
	if len(text) > maxFrameText {
		text = append(slices.Clip(text[:maxFrameText]), " [cut]"...)
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}
