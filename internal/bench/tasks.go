package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// task is one thing that is measured over each route.
type task struct {
	name string
	rate bool   // per second: more is better; else milliseconds
	unit string // of what the CPU time is divided by
	run  func(ctx context.Context, w *world, r *route) (value, units float64, err error)
}

// show is a value of the task with its unit.
func (t task) show(value float64) string {
	switch {
	case t.rate:
		return fmt.Sprintf("%.0f/s", value)
	case value < 10:
		return fmt.Sprintf("%.3f ms", value)
	}
	return fmt.Sprintf("%.1f ms", value)
}

// tasks are all that is measured.
func tasks(p plan) []task {
	var all []task
	for _, mode := range []string{"simple", "prepared"} {
		for _, clients := range []int{1, 8, 64} {
			t := task{
				name: fmt.Sprintf("select-only, %s, %d clients", mode, clients), rate: true, unit: "tx",
				run: pgbench("-S", "-M", mode, "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2))),
			}
			if clients == 1 { // latency
				t.name, t.rate = fmt.Sprintf("select-only, %s, 1 client, latency", mode), false
			}
			all = append(all, t)
		}
	}
	rows := strconv.Itoa(p.rows)
	return append(all,
		task{name: rows + " rows, SELECT", unit: "1000 rows", run: psql(p.rows, "select * from pgbench_accounts limit "+rows)},
		task{name: rows + " rows, COPY", unit: "1000 rows", run: psql(p.rows, "copy (select * from pgbench_accounts limit "+rows+") to stdout")},
		task{name: rows + " rows, SELECT, one column of three masked", unit: "1000 rows", run: psql(p.rows, "select id, email, note from people")},
		task{name: "a connection for each transaction", unit: "tx", run: pgbench("-S", "-C", "-c", "1")},
	)
}

var (
	tpsLine       = regexp.MustCompile(`tps = ([0-9.]+)`)
	latencyLine   = regexp.MustCompile(`latency average = ([0-9.]+) ms`)
	processedLine = regexp.MustCompile(`actually processed: ([0-9]+)`)
)

// pgbench measures transactions: their rate with many clients, else their latency.
func pgbench(args ...string) func(context.Context, *world, *route) (float64, float64, error) {
	args = append(args, "-n")
	many := !strings.Contains(strings.Join(args, " "), "-c 1 ")
	return func(ctx context.Context, w *world, r *route) (value, units float64, err error) {
		out, err := w.client(ctx, r, "pgbench", append([]string{"-T", strconv.Itoa(w.plan.seconds)}, args...)...)
		if err != nil {
			return 0, 0, fmt.Errorf("pgbench: %w: %s", err, out)
		}
		line := latencyLine
		if many {
			line = tpsLine
		}
		if units, err = figure(processedLine, out); err != nil || units == 0 { // nothing was done in time
			return 0, 0, err
		}
		value, err = figure(line, out)
		return value, units, err
	}
}

func figure(line *regexp.Regexp, out string) (float64, error) {
	found := line.FindStringSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("no %s in: %s", line, out)
	}
	return strconv.ParseFloat(found[1], 64)
}

// psql measures the milliseconds of one statement, with psql's start.
func psql(rows int, sql string) func(context.Context, *world, *route) (float64, float64, error) {
	return func(ctx context.Context, w *world, r *route) (float64, float64, error) {
		began := time.Now()
		out, err := w.client(ctx, r, "psql", "-qAtX", "-o", os.DevNull, "-c", sql)
		if err != nil {
			return 0, 0, fmt.Errorf("psql: %w: %s", err, out)
		}
		return float64(time.Since(began).Microseconds()) / 1000, float64(rows) / 1000, nil
	}
}

// cpu is the processor time that the route's proxy has used.
func (r *route) cpu() (time.Duration, error) {
	if r.pid == 0 {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(r.pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The second field, the program's name in brackets, may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%d fields in /proc/%d/stat", len(fields), r.pid)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("times in /proc/%d/stat: %s %s", r.pid, fields[11], fields[12])
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs on Linux
	return time.Duration(user+system) * tick, nil
}
