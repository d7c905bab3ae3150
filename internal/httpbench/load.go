package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tally is what one gateway did in one case, turn by turn.
type tally struct {
	p50, p99, first []time.Duration
	rate            []float64       // exchanges a second
	cpu             []time.Duration // of one exchange
}

// result is one case.
type result struct {
	kind        string
	connections int
	rate        int // exchanges a second of all connections together; 0: as many as there can be
	by          map[string]*tally
}

func (r *result) name() string {
	if r.rate > 0 {
		return fmt.Sprintf("%s@%d/s", r.kind, r.rate)
	}
	return fmt.Sprintf("%s@%d", r.kind, r.connections)
}

func requestBody(kind string) []byte {
	body, _ := json.Marshal(map[string]any{
		"model": modelName, "stream": kind == "sse", "max_tokens": 500,
		"messages": []any{map[string]any{"role": "user", "content": text(sizes[kind])}},
	})
	return body
}

// turn lets all connections ask one gateway for a while.
func (r *result) turn(ctx context.Context, g *gateway, length time.Duration) error {
	body := requestBody(r.kind)
	if _, _, err := g.ask(ctx, r.kind, body); err != nil { // warm, and right
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var all, firsts []time.Duration
	var failed error
	before, start := cpuOf(g.pid), time.Now()
	end := start.Add(length)
	var each sync.WaitGroup
	for at := range r.connections {
		each.Go(func() {
			var mine, first []time.Duration
			due := start
			if r.rate > 0 {
				due = start.Add(time.Duration(at) * time.Second / time.Duration(r.rate))
			}
			for time.Now().Before(end) {
				// What the exchange before it took too long counts, as it does for who
				// waits; what the timer is late does not.
				late := max(time.Since(due), 0)
				if r.rate == 0 {
					late = 0
				} else if late == 0 {
					time.Sleep(time.Until(due))
				}
				due = due.Add(time.Duration(r.connections) * time.Second / time.Duration(max(r.rate, 1)))
				took, toFirst, err := g.ask(ctx, r.kind, body)
				took, toFirst = took+late, toFirst+late
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					cancel()
					return
				}
				mine, first = append(mine, took), append(first, toFirst)
			}
			mu.Lock()
			defer mu.Unlock()
			all, firsts = append(all, mine...), append(firsts, first...)
		})
	}
	each.Wait()
	took, used := time.Since(start), cpuOf(g.pid)-before
	if failed != nil {
		return failed
	}
	slices.Sort(all)
	slices.Sort(firsts)
	t := r.by[g.name]
	if t == nil {
		t = &tally{}
		r.by[g.name] = t
	}
	t.p50, t.p99 = append(t.p50, all[len(all)/2]), append(t.p99, all[len(all)*99/100])
	t.first = append(t.first, firsts[len(firsts)/2])
	t.rate = append(t.rate, float64(len(all))/took.Seconds())
	t.cpu = append(t.cpu, used/time.Duration(len(all)))
	return nil
}

// ask makes one exchange: how long it took, and how long until the first bytes
// of the body.
func (g *gateway) ask(ctx context.Context, kind string, body []byte) (took, first time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	for name, values := range g.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	res, err := g.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, 32<<10)
	if _, err := in.Peek(1); err != nil {
		return 0, 0, fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	first = time.Since(start)
	tail := &lastBytes{}
	n, err := io.Copy(tail, in)
	took = time.Since(start)
	switch {
	case err != nil:
		return 0, 0, err
	case res.StatusCode != http.StatusOK:
		return 0, 0, fmt.Errorf("status %d: %s", res.StatusCode, tail.b)
	case kind == "sse" && !bytes.Contains(tail.b, []byte("[DONE]")), kind != "sse" && int(n) < sizes[kind]:
		return 0, 0, fmt.Errorf("%d bytes that end in %q", n, tail.b)
	}
	return took, first, nil
}

// lastBytes keeps the end of what is written.
type lastBytes struct{ b []byte }

func (l *lastBytes) Write(p []byte) (int, error) {
	l.b = append(l.b, p[max(0, len(p)-100):]...)
	l.b = l.b[max(0, len(l.b)-100):]
	return len(p), nil
}

// cpuOf is what a process and all that descend from it have used.
func cpuOf(pid int) time.Duration {
	parents, used := map[int]int{}, map[int]time.Duration{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')'):]), " ")
		f := strings.Fields(rest) // from the state on: proc(5)
		if len(f) < 15 {
			continue
		}
		parents[id], _ = strconv.Atoi(f[1])
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		used[id] = time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
	}
	sum := time.Duration(0)
	for id := range used {
		for at := id; at > 1; at = parents[at] {
			if at == pid {
				sum += used[id]
				break
			}
		}
	}
	return sum
}
