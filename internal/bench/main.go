// Command bench measures the gateway beside a direct connection and PgBouncer:
// the same work over each route in turn, round by round, so that what else the
// machine does falls on all of them. It prints a Markdown table of medians.
//
//	go run ./internal/bench -rounds 5 -seconds 3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"sallyport/internal/pgserver"
)

// plan is what is measured, and for how long.
type plan struct {
	rounds  int
	seconds int // of one run of pgbench
	scale   int // of pgbench's tables: 100,000 rows each
	rows    int // of a bulk read
	only    string
	binary  string // the gateway; "" builds it
}

func main() {
	var p plan
	flag.IntVar(&p.rounds, "rounds", 5, "how often each route is measured")
	flag.IntVar(&p.seconds, "seconds", 3, "seconds of one run of pgbench")
	flag.IntVar(&p.scale, "scale", 10, "scale of pgbench's tables")
	flag.IntVar(&p.rows, "rows", 500_000, "rows of a bulk read")
	flag.StringVar(&p.only, "only", "", "measure only what has this in its name: \"simple\", \"64\", \"COPY\"")
	flag.StringVar(&p.binary, "gateway", "", "the gateway's program; built when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) error {
	dir, err := os.MkdirTemp("", "sallyport-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := pgserver.Start(ctx, pgserver.Options{Settings: map[string]string{
		"shared_buffers": "256MB", "autovacuum": "off", "max_wal_size": "4GB",
	}})
	if err != nil {
		return err
	}
	defer server.Stop()
	w := &world{server: server, dir: dir, plan: p}
	defer w.stop()
	if err := w.fill(ctx); err != nil {
		return err
	}
	if err := w.open(ctx); err != nil {
		return err
	}
	began, before := time.Now(), load()
	results, err := w.measure(ctx)
	if err != nil {
		return err
	}
	fmt.Println()
	fmt.Println(report(w.routes, results))
	fmt.Printf("%s\n\nRounds: %d, %d s each; %s; load average %s before, %s after.\n",
		machine(ctx, w), p.rounds, p.seconds, time.Since(began).Round(time.Second), before, load())
	return nil
}

// measure runs every task over every route, as many rounds as asked for. Each
// round begins with another route.
func (w *world) measure(ctx context.Context) ([]*result, error) {
	var results []*result
	for _, t := range tasks(w.plan) {
		if strings.Contains(t.name, w.plan.only) {
			results = append(results, &result{task: t, values: map[string][]float64{}, work: map[string]spent{}})
		}
	}
	for round := range w.plan.rounds {
		for _, r := range results {
			for i := range w.routes {
				rt := w.routes[(i+round)%len(w.routes)]
				before, err := rt.cpu()
				if err != nil {
					return nil, err
				}
				value, units, err := r.task.run(ctx, w, rt)
				if err != nil {
					return nil, fmt.Errorf("%s over %s: %w", r.task.name, rt.name, err)
				}
				after, err := rt.cpu()
				if err != nil {
					return nil, err
				}
				r.values[rt.name] = append(r.values[rt.name], value)
				s := r.work[rt.name]
				r.work[rt.name] = spent{s.cpu + after - before, s.units + units}
				fmt.Fprintf(os.Stderr, "%d/%d %s, %s: %s\n", round+1, w.plan.rounds, r.task.name, rt.name, r.task.show(value))
			}
		}
	}
	return results, nil
}
