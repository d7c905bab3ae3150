package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	sallyport, portkey, litellm string // programs; "" leaves one out
	only                        string
	rounds                      int
	turn                        time.Duration
	connections                 []int
	kinds                       []string
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "upstream" {
		if err := serveUpstream(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var o options
	var connections, kinds string
	flag.StringVar(&o.sallyport, "sallyport", "", "the binary")
	flag.StringVar(&o.portkey, "portkey", "", "folder of npm's @portkey-ai/gateway")
	flag.StringVar(&o.litellm, "litellm", "", "the program litellm of litellm[proxy]")
	flag.StringVar(&o.only, "only", "", "gateways with this in their name, direct besides")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each gateway in a case")
	flag.DurationVar(&o.turn, "turn", 1200*time.Millisecond, "how long a turn is")
	flag.StringVar(&connections, "connections", "1,16,64", "connections")
	flag.StringVar(&kinds, "kinds", "2k,100k,sse", "answers: 2k, 100k, sse")
	flag.Parse()
	for s := range strings.SplitSeq(connections, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fmt.Fprintln(os.Stderr, "httpbench: -connections wants numbers")
			os.Exit(2)
		}
		o.connections = append(o.connections, n)
	}
	o.kinds = strings.Split(kinds, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "httpbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "httpbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := &world{dir: dir}
	defer w.stop()
	if err := w.start(ctx, o); err != nil {
		return err
	}
	for _, kind := range o.kinds {
		for _, n := range o.connections {
			r := &result{kind: kind, connections: n, by: map[string]*tally{}}
			for range o.rounds {
				for _, g := range w.gateways {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					if err := r.turn(ctx, g, o.turn); err != nil {
						return fmt.Errorf("%s, %s, %d connections: %w", g.name, kind, n, err)
					}
				}
			}
			r.print(w.gateways)
		}
	}
	return w.memory(ctx)
}
