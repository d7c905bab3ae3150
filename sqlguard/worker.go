package sqlguard

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"sallyport/policy"
)

const (
	workers     = 4
	share       = 2                // of the workers, for one caller at a time
	parseLimit  = 5 * time.Second  // for one text, then the worker is killed
	queueLimit  = 5 * time.Second  // for a free worker
	retireAfter = 30 * time.Second // of work, then the worker is replaced
	cpuLimit    = 120              // seconds of a worker's life: ends one whose gateway died
	memoryLimit = 2 << 30          // bytes of address space beyond those at start
	maxTree     = 256 << 20        // bytes of one answer
	niceness    = 10
)

// Answers of a worker: a byte, a length, and so many bytes.
const (
	answerTree   = 0 // the tree
	answerSyntax = 1 // a position of four bytes, then the message
	answerFailed = 2 // the message
)

// ServeWorker parses texts from in until it ends: each is a length of four bytes
// and the text. It limits the memory and the processor time of the whole
// process, which must serve nothing else.
func ServeWorker(in io.Reader, out io.Writer) error {
	if err := limitSelf(); err != nil {
		return err
	}
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	for {
		text, err := readFrame(r, maxText)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read statement: %w", err)
		}
		kind, body := answer(string(text))
		if err := w.WriteByte(kind); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		if err := writeFrame(w, body); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
}

func answer(text string) (byte, []byte) {
	tree, err := parseToBytes(text)
	var syntax *syntaxError
	switch {
	case errors.As(err, &syntax):
		return answerSyntax, append(binary.BigEndian.AppendUint32(nil, uint32(syntax.position)), syntax.message...)
	case err != nil:
		return answerFailed, []byte(err.Error())
	}
	return answerTree, tree
}

func limitSelf() error {
	var pages, rest uint64
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return fmt.Errorf("read own size: %w", err)
	}
	if _, err := fmt.Sscan(string(statm), &pages, &rest); err != nil {
		return fmt.Errorf("read own size: %w", err)
	}
	size := pages*uint64(os.Getpagesize()) + memoryLimit
	for _, l := range []struct {
		what int
		max  uint64
	}{{syscall.RLIMIT_AS, size}, {syscall.RLIMIT_CPU, cpuLimit}, {syscall.RLIMIT_CORE, 0}} {
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: l.max, Max: l.max}); err != nil {
			return fmt.Errorf("limit worker: %w", err)
		}
	}
	return stepBack()
}

// stepBack leaves the processors to whoever else wants them: the gateway, whose
// other sessions do not wait for these texts. Threads to come do as these.
func stepBack() error {
	threads, err := os.ReadDir("/proc/self/task")
	if errors.Is(err, fs.ErrNotExist) { // no Linux: it competes as everybody does
		return nil
	}
	if err != nil {
		return fmt.Errorf("list own threads: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return fmt.Errorf("list own threads: %w", err)
		}
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("lower worker's priority: %w", err)
		}
	}
	return nil
}

func readFrame(r io.Reader, most uint32) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > most {
		return nil, fmt.Errorf("frame of %d bytes", n)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

func writeFrame(w io.Writer, body []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body)))); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// pool holds the workers; a nil slot is one that has to be started.
type pool struct {
	command []string
	slots   chan *worker
	turns   *turns
}

func newPool(command []string) *pool {
	p := &pool{command: command, slots: make(chan *worker, workers), turns: newTurns(share)}
	for range workers {
		p.slots <- nil
	}
	return p
}

// close waits for the texts in work, then ends the workers.
func (p *pool) close() {
	for range workers {
		if w := <-p.slots; w != nil {
			w.end()
		}
	}
}

// parse has a worker parse who's text.
func (p *pool) parse(who, text string) ([]byte, error) {
	wait := time.NewTimer(queueLimit)
	defer wait.Stop()
	if !p.turns.take(who, wait.C) {
		return nil, busy()
	}
	defer p.turns.giveBack(who)
	var w *worker
	select {
	case w = <-p.slots:
	case <-wait.C:
		return nil, busy()
	}
	var err error
	if w == nil {
		if w, err = startWorker(p.command); err != nil {
			p.slots <- nil
			return nil, &policy.Refusal{Kind: policy.Internal, Public: "internal error", Err: err}
		}
	}
	tree, err := w.parse(text)
	if w.dead || w.worked > retireAfter {
		w.end()
		w = nil
	}
	p.slots <- w
	return tree, err
}

func busy() *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Busy, Public: "too many long statements are waiting to be judged",
		Hint: "try again",
	}
}

type worker struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	worked time.Duration
	dead   bool
}

func startWorker(command []string) (*worker, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = []string{} // no secret of ours is for the parser
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start parse worker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start parse worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start parse worker: %w", err)
	}
	return &worker{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// parse asks the worker. A worker that dies or takes too long is dead, and so
// is the statement.
func (w *worker) parse(text string) ([]byte, error) {
	began := time.Now()
	kill := time.AfterFunc(parseLimit, func() { _ = w.cmd.Process.Kill() })
	kind, body, err := w.exchange(text)
	w.dead = !kill.Stop() || err != nil
	w.worked += time.Since(began)
	switch {
	case err != nil:
		return nil, fmt.Errorf("parse worker: %w", err)
	case kind == answerTree:
		return body, nil
	case kind == answerSyntax && len(body) >= 4:
		return nil, &syntaxError{string(body[4:]), int(binary.BigEndian.Uint32(body))}
	}
	w.dead = true
	return nil, fmt.Errorf("parse worker: answer %d: %.200s", kind, body)
}

func (w *worker) exchange(text string) (kind byte, body []byte, err error) {
	if err = writeFrame(w.in, []byte(text)); err != nil {
		return 0, nil, err
	}
	if kind, err = w.out.ReadByte(); err != nil {
		return 0, nil, err
	}
	body, err = readFrame(w.out, maxTree)
	return kind, body, err
}

// end waits until the worker is gone.
func (w *worker) end() {
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait() // killed: the error says so
}
