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
	sallyport, before, portkey, litellm string // programs; "" leaves one out
	only                                string
	rounds, rate                        int
	turn                                time.Duration
	connections                         []int
	kinds                               []string
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
	flag.StringVar(&o.before, "before", "", "another binary of sallyport, to compare a change with")
	flag.StringVar(&o.portkey, "portkey", "", "folder of npm's @portkey-ai/gateway")
	flag.StringVar(&o.litellm, "litellm", "", "the program litellm of litellm[proxy]")
	flag.StringVar(&o.only, "only", "", "gateways with this in their name, direct besides")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each gateway in a case")
	flag.IntVar(&o.rate, "rate", 200, "exchanges a second of 2k in the case that is paced, at 16 connections; 0: none")
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
	var all []*result
	for _, kind := range o.kinds {
		for _, n := range o.connections {
			all = append(all, &result{kind: kind, connections: n, by: map[string]*tally{}})
		}
	}
	if o.rate > 0 {
		all = append(all, &result{kind: "2k", connections: 16, rate: o.rate, by: map[string]*tally{}})
	}
	for _, r := range all {
		if err := r.measure(ctx, w.gateways, o); err != nil {
			return err
		}
		r.print(w.gateways)
	}
	if err := w.memory(ctx); err != nil {
		return err
	}
	goals(all)
	return nil
}

// measure lets the gateways take their turns in one case. One whose turn takes
// ten times as long as it should has no other: a stream of LiteLLM's at 64
// connections takes minutes. One that fails is left out of the case, unless it
// is what the others are compared with.
func (r *result) measure(ctx context.Context, all []*gateway, o options) error {
	done := map[string]bool{}
	for range o.rounds {
		for _, g := range all {
			if done[g.name] {
				continue
			}
			start := time.Now()
			err := r.turn(ctx, g, o.turn)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && (g.name == "direct" || g.name == "sallyport"):
				return fmt.Errorf("%s, %s, %d connections: %w", g.name, r.kind, r.connections, err)
			case err != nil:
				fmt.Fprintf(os.Stderr, "httpbench: %s failed with %s at %d connections: %v\n", g.name, r.kind, r.connections, err)
			}
			done[g.name] = err != nil || time.Since(start) > 10*o.turn
		}
	}
	return nil
}
