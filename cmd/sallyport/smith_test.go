//go:build smith

package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestSmith lets sqlsmith write statements over the whole catalog and sends them
// through the read-only target, as a superuser on the server: nothing is
// changed, and nothing crashes. SALLYPORT_SMITH is for how long.
func TestSmith(t *testing.T) {
	smith, err := exec.LookPath("sqlsmith")
	if err != nil {
		t.Fatal("sqlsmith is missing; on Debian and Ubuntu: apt-get install sqlsmith")
	}
	length := 10 * time.Minute
	if s := os.Getenv("SALLYPORT_SMITH"); s != "" {
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	w := newGuardWorld(t)
	before := w.fingerprint(t)
	deadline := time.Now().Add(length)
	queries, refused, failed := 0, 0, 0
	for seed := 1; time.Now().Before(deadline); seed++ {
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		out, _ := exec.CommandContext(ctx, smith, "--verbose", "--max-queries=1000", "--seed="+strconv.Itoa(seed),
			"--target="+w.dsn("read-only")+" options='-c statement_timeout=1s'").CombinedOutput()
		cancel()
		q, r, f := smithCounts(string(out))
		queries, refused, failed = queries+q, refused+r, failed+f
		if q == 0 && ctx.Err() == nil {
			t.Fatalf("sqlsmith did nothing:\n%.2000s", out)
		}
		conn, err := pgconn.Connect(t.Context(), w.dsn("free"))
		if err != nil {
			t.Fatalf("after seed %d the gateway takes no connection: %v\n%.2000s", seed, err, out)
		}
		_ = conn.Close(t.Context())
	}
	if d := differences(before, w.fingerprint(t)); d != "" {
		t.Errorf("something was changed under read-only:\n%s", d)
	}
	if strings.Contains(w.server.Log(), "was terminated by signal") {
		t.Error("the server crashed")
	}
	t.Logf("%d statements, %d ran, %d failed, at least %d of them refused by the gateway", queries, queries-failed, failed, refused)
}

// smithCounts reads sqlsmith's own marks, one for each query: a dot for one that
// ran and a letter for one that failed; and its table of errors.
func smithCounts(out string) (queries, refused, failed int) {
	_, marks, _ := strings.Cut(out, "Generating indexes...done.")
	for _, line := range strings.Split(marks, "\n") {
		if line != "" && strings.Trim(line, ".eStCR") == "" {
			queries += len(line)
			failed += len(line) - strings.Count(line, ".")
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^(\d+)\tERROR:  refused by rule`).FindAllStringSubmatch(out, -1) {
		n, _ := strconv.Atoi(m[1])
		refused += n // the last table counts all before it
	}
	return queries, refused, failed
}
