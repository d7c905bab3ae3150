package sqlguard

import (
	"errors"
	"syscall"

	"sallyport/policy"
)

// Parser parses SQL texts: short ones in this process, long ones in worker
// processes, since the C parser overflows its stack on long chains such as
// 1+1+1+... and a process cannot survive that.
type Parser struct {
	inProcess int // bytes that are safe on a thread's stack
	pool      *pool
	who       string // whose texts: nobody has all the workers
}

// NewParser makes a parser. worker is the command that runs [ServeWorker], for
// instance this program and a hidden argument; without one long statements are
// refused. Processes are started when first needed.
func NewParser(worker []string) *Parser {
	p := &Parser{inProcess: safeLength()}
	if len(worker) > 0 {
		p.pool = newPool(worker)
	}
	return p
}

// of is the parser for one caller's texts.
func (p *Parser) of(who string) *Parser {
	mine := *p
	mine.who = who
	return &mine
}

// Close ends the workers.
func (p *Parser) Close() error {
	if p.pool != nil {
		p.pool.close()
	}
	return nil
}

// safeLength is how many bytes of text cannot overflow a thread's stack: the
// worst found costs 173 bytes of stack for each, and we allow 512. glibc takes
// a thread's stack size from the limit, and 2 MiB when there is none.
func safeLength() int {
	const perByte, most = 512, 16 << 10
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		return 0
	}
	if limit.Cur > 1<<40 {
		limit.Cur = 2 << 20
	}
	return min(most, int(limit.Cur/perByte))
}

// parse gives the tree of a text, or why there is none.
func (p *Parser) parse(text string) (*parseResult, *policy.Refusal) {
	if r := prelex(text); r != nil {
		return nil, r
	}
	run := parseToBytes
	if len(text) > p.inProcess {
		if p.pool == nil {
			return nil, &policy.Refusal{
				Kind: policy.TooLarge, Public: "statement is too long to be judged",
				Hint: "send it in parts, or use COPY for bulk data",
			}
		}
		run = func(text string) ([]byte, error) { return p.pool.parse(p.who, text) }
	}
	tree, err := run(text)
	var syntax *syntaxError
	for n := 0; n < maxNewer && errors.As(err, &syntax); n++ {
		older, ok := withoutNewer(text, syntax.position)
		if !ok {
			break
		}
		text = older
		tree, err = run(text)
	}
	var refusal *policy.Refusal
	switch {
	case errors.As(err, &syntax):
		return nil, &policy.Refusal{
			Kind: policy.Unparsed, Public: syntax.message, Position: syntax.position,
			Hint: "the gateway reads SQL by PostgreSQL 16's grammar",
		}
	case errors.As(err, &refusal):
		return nil, refusal
	case err != nil:
		return nil, &policy.Refusal{Kind: policy.TooComplex, Public: tooComplex, Hint: "send it in parts", Err: err}
	}
	result, err := decode(tree)
	if err != nil {
		return nil, &policy.Refusal{Kind: policy.TooComplex, Public: tooComplex, Hint: "send it in parts", Err: err}
	}
	return result, nil
}
