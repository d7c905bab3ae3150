package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v: %v, want %v", c.values, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	r := &result{
		task:   task{name: "reading", unit: "tx"},
		values: map[string][]float64{direct: {1, 3, 2}, sallyport: {4, 4, 5}},
		work:   map[string]spent{sallyport: {time.Second, 10_000}},
	}
	out := report(nil, []*result{r})
	for _, want := range []string{
		"| reading | 2.000 ms | | 4.000 ms | 0.50 | | | 100 µs/tx |", // a route that was not there stays empty
		"reading, added: Sallyport 2.000 ms.",
	} {
		if !strings.Contains(strings.ReplaceAll(out, "|  |", "| |"), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	r.task.rate = true
	if out := report(nil, []*result{r}); !strings.Contains(out, "| 2.00 |") {
		t.Errorf("a rate of twice direct's in\n%s", out)
	}
}

func TestFigures(t *testing.T) {
	const out = "number of transactions actually processed: 1200\nlatency average = 0.062 ms\ntps = 16123.5 (without initial connection time)\n"
	for _, c := range []struct {
		line *regexp.Regexp
		want float64
	}{{tpsLine, 16123.5}, {latencyLine, 0.062}, {processedLine, 1200}} {
		if got, err := figure(c.line, out); err != nil || got != c.want {
			t.Errorf("%s: %v, %v, want %v", c.line, got, err, c.want)
		}
	}
	if _, err := figure(tpsLine, "pgbench: error"); err == nil {
		t.Error("a figure out of nothing")
	}
}
