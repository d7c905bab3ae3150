package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func median[T cmp.Ordered](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// print writes one case as a table.
func (r *result) print(all []*gateway) {
	direct := r.by["direct"]
	fmt.Printf("\n%s, %d connections", r.kind, r.connections)
	if r.rate > 0 {
		fmt.Printf(", %d a second in all", r.rate)
	}
	fmt.Println()
	fmt.Printf("  %-10s %9s %9s %9s %11s %9s %10s %9s %9s %6s\n", "", "p50", "p99", "first", "a second", "x direct", "CPU each", "added p50", "added p99", "turns")
	for _, g := range all {
		t := r.by[g.name]
		if t == nil {
			continue
		}
		rate := median(t.rate)
		fmt.Printf("  %-10s %9s %9s %9s %11.1f %9.3f %10s %9s %9s %6d\n", g.name, short(median(t.p50)), short(median(t.p99)), short(median(t.first)),
			rate, rate/median(direct.rate), short(median(t.cpu)), short(median(t.p50)-median(direct.p50)),
			short(median(t.p99)-median(direct.p99)), len(t.rate))
	}
	own := r.by["sallyport"]
	if own == nil {
		return
	}
	var told []string
	for _, name := range []string{"nginx", "portkey", "litellm", "before"} {
		if t := r.by[name]; t != nil {
			told = append(told, fmt.Sprintf("%s: throughput x%.1f, CPU x%.2f", name, median(own.rate)/median(t.rate), float64(median(own.cpu))/float64(max(median(t.cpu), 1))))
		}
	}
	told = append(told, fmt.Sprintf("first byte %s later than direct", short(median(own.first)-median(direct.first))))
	fmt.Println("  sallyport to " + strings.Join(told, "; "))
}

// goals sets what was measured beside what is wanted.
func goals(all []*result) {
	fmt.Printf("\n%-44s %-10s %s\n", "wanted of sallyport", "", "measured: 2k, 100k, sse, each at its connections")
	for _, goal := range []struct {
		what, bound string
		at          int // connections; 0: any
		of          func(own, other *tally) string
		other       string
	}{
		{"added p50, 16 connections", "<= 0.4 ms", 16, func(own, d *tally) string { return short(median(own.p50) - median(d.p50)) }, "direct"},
		{"added p99, 16 connections", "<= 3 ms", 16, func(own, d *tally) string { return short(median(own.p99) - median(d.p99)) }, "direct"},
		{"added to the first byte, 1 connection", "<= 1 ms", 1, func(own, d *tally) string { return short(median(own.first) - median(d.first)) }, "direct"},
		{"throughput to Portkey's", ">= 10", 0, func(own, p *tally) string { return fmt.Sprintf("%.1f", median(own.rate)/median(p.rate)) }, "portkey"},
		{"throughput to LiteLLM's", ">= 30", 0, func(own, l *tally) string { return fmt.Sprintf("%.1f", median(own.rate)/median(l.rate)) }, "litellm"},
		{"CPU to nginx's", "<= 2.5", 0, func(own, n *tally) string {
			return fmt.Sprintf("%.1f", float64(median(own.cpu))/float64(max(median(n.cpu), 1)))
		}, "nginx"},
	} {
		var told []string
		for _, r := range all {
			own, other := r.by["sallyport"], r.by[goal.other]
			if own == nil || other == nil || goal.at != 0 && goal.at != r.connections || goal.at == 0 && r.rate > 0 {
				continue
			}
			told = append(told, r.name()+" "+goal.of(own, other))
		}
		if told != nil {
			fmt.Printf("%-44s %-10s %s\n", goal.what, goal.bound, strings.Join(told, ", "))
		}
	}
}

func short(d time.Duration) string {
	switch {
	case d >= 100*time.Millisecond || d <= -100*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	case d >= 10*time.Millisecond || d <= -10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.3f ms", d.Seconds()*1e3)
}

// memory sends and fetches large bodies, sixteen at once, and tells the most
// memory Sallyport had.
func (w *world) memory(ctx context.Context) error {
	at := slices.IndexFunc(w.gateways, func(g *gateway) bool { return g.name == "sallyport" })
	if at < 0 {
		return nil
	}
	g := w.gateways[at]
	before := memoryOf(g.pid, "VmRSS")
	// The most there was is from here on: proc(5), clear_refs.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", g.pid), []byte("5"), 0); err != nil {
		return err
	}
	body := bytes.Repeat([]byte("x"), large)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		var each sync.WaitGroup
		var mu sync.Mutex
		var failed error
		for range 16 {
			each.Go(func() {
				err := w.transfer(ctx, g, method, body)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed = err
				}
			})
		}
		each.Wait()
		if failed != nil {
			return failed
		}
	}
	fmt.Printf("\n16 bodies of 20 MB up, and 16 down, at once: at most %s, %s before\n", memoryOf(g.pid, "VmHWM"), before)
	return nil
}

func (w *world) transfer(ctx context.Context, g *gateway, method string, body []byte) error {
	var in io.Reader
	if method == http.MethodPost {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(g.url, "/openai/v1/chat/completions")+"/plain/large", in)
	if err != nil {
		return err
	}
	req.Header = g.header.Clone()
	res, err := g.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || res.StatusCode != http.StatusOK || method == http.MethodGet && n != large {
		return fmt.Errorf("%s of a large body: status %d, %d bytes, %w", method, res.StatusCode, n, err)
	}
	return nil
}

// memoryOf is a line of /proc/PID/status.
func memoryOf(pid int, name string) string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
