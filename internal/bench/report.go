package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what was seen of one task.
type result struct {
	task   task
	values map[string][]float64 // by route
	work   map[string]spent
}

// spent is a proxy's processor time, and on how much work.
type spent struct {
	cpu   time.Duration
	units float64
}

// report is the table. A ratio above 1 is better, whatever is measured.
func report(routes []*route, results []*result) string {
	var out strings.Builder
	fmt.Fprintln(&out, "| | direct | PgBouncer | Sallyport | Sallyport to direct | Sallyport to PgBouncer | CPU of PgBouncer | CPU of Sallyport |")
	fmt.Fprintln(&out, "|---|---|---|---|---|---|---|---|")
	for _, r := range results {
		fmt.Fprintf(&out, "| %s |", r.task.name)
		for _, name := range []string{direct, pgbouncer, sallyport} {
			if len(r.values[name]) == 0 {
				fmt.Fprint(&out, " |")
				continue
			}
			fmt.Fprintf(&out, " %s |", r.task.show(median(r.values[name])))
		}
		for _, other := range []string{direct, pgbouncer} {
			fmt.Fprintf(&out, " %s |", r.ratio(sallyport, other))
		}
		for _, name := range []string{pgbouncer, sallyport} {
			if s := r.work[name]; s.units > 0 {
				fmt.Fprintf(&out, " %.0f µs/%s |", float64(s.cpu.Microseconds())/s.units, r.task.unit)
			} else {
				fmt.Fprint(&out, " |")
			}
		}
		fmt.Fprintln(&out)
	}
	for _, r := range results {
		if r.task.rate || r.task.unit != "tx" {
			continue
		}
		here := median(r.values[direct])
		fmt.Fprintf(&out, "\n%s, added: ", r.task.name)
		if len(r.values[pgbouncer]) > 0 {
			fmt.Fprintf(&out, "PgBouncer %.3f ms, ", median(r.values[pgbouncer])-here)
		}
		fmt.Fprintf(&out, "Sallyport %.3f ms.\n", median(r.values[sallyport])-here)
	}
	return out.String()
}

// ratio compares two routes by their medians.
func (r *result) ratio(name, other string) string {
	if len(r.values[name]) == 0 || len(r.values[other]) == 0 {
		return ""
	}
	a, b := median(r.values[name]), median(r.values[other])
	if !r.task.rate {
		a, b = b, a
	}
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

// median is 0 of nothing.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	switch n := len(s); {
	case n == 0:
		return 0
	case n%2 == 1:
		return s[n/2]
	default:
		return (s[n/2-1] + s[n/2]) / 2
	}
}

// machine says on what was measured.
func machine(ctx context.Context, w *world) string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	said := []string{fmt.Sprintf("Machine: %s, %d cores, %s", model, runtime.NumCPU(), runtime.Version())}
	for _, c := range [][]string{{w.server.BinDir + "/postgres", "--version"}, {"pgbouncer", "--version"}} {
		if out, err := exec.CommandContext(ctx, c[0], c[1:]...).Output(); err == nil {
			line, _, _ := bytes.Cut(out, []byte("\n"))
			said = append(said, string(line))
		}
	}
	return strings.Join(said, "; ")
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
