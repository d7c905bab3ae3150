package difftest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sallyport/internal/pgtest"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// scripts are all cases, by subject.
func scripts() []script {
	return slices.Concat(simpleScripts, extendedScripts, pipelineScripts, copyScripts, sessionScripts, largeScripts)
}

// allowed are differences that a client cannot act on, each with its reason.
// They are taken out of both transcripts.
var allowed = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// The number of a session's temporary schema is the server's to give.
	{regexp.MustCompile(`pg_temp_\d+`), "pg_temp"},
	// Where masks are, an Execute is described first: of a portal that does
	// not exist the Describe complains, in the same words from another line.
	{regexp.MustCompile(`(C="34000" .*) F="postgres.c" L="\d+" R="exec_(execute_message|describe_portal_message)"`), "$1"},
	// A text that ends too early is completed by a character that no grammar
	// takes; the complaint is put back to the end, but for the line of source.
	{regexp.MustCompile(`(M="syntax error at end of input" .*) L="\d+"`), "$1"},
	// What the gateway itself says of malformed messages has no place in the
	// server's source.
	{regexp.MustCompile(`(C="08P01" M="[^"]*")( F=.*)? F="\w+.c" L="\d+" R="\w+"`), "$1"},
}

func forgiving(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		for _, a := range allowed {
			line = a.pattern.ReplaceAllString(line, a.instead)
		}
		out[i] = line
	}
	return out
}

// TestSame plays every script directly and over each gateway.
func TestSame(t *testing.T) {
	server := direct(t)
	gateways := append([]*route{plain(t), pooled(t), masked(t)}, house(t)...)
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			want := transcript(t, s, server)
			for _, line := range want {
				if strings.Contains(line, "(silence)") || strings.Contains(line, "never came") {
					t.Fatalf("the script hangs on the server itself:\n%s", strings.Join(want, "\n"))
				}
			}
			if os.Getenv("DIFFTEST_SHOW") != "" {
				t.Logf("direct:\n%s", strings.Join(want, "\n"))
			}
			for _, r := range gateways {
				if !s.on(r) {
					continue
				}
				t.Run(r.name, func(t *testing.T) {
					d := diff(forgiving(want), forgiving(transcript(t, s, r)))
					why := pending[s.name]
					if why == "" {
						why = pending[s.name+"/"+r.name]
					}
					switch {
					case d != "" && why != "":
						t.Skipf("differs, %s:\n%s", why, d)
					case d != "":
						t.Errorf("- direct, + gateway:\n%s", d)
					case why != "":
						t.Errorf("it is the same now: take it out of the pending")
					}
				})
			}
		})
	}
}

// diff shows where two transcripts part, "" if nowhere.
func diff(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	for len(want) > 0 && len(got) > 0 && want[0] == got[0] && len(want)+len(got) > 1000 {
		want, got = want[1:], got[1:]
	}
	want, got = want[:min(len(want), 500)], got[:min(len(got), 500)]
	// Longest common subsequence.
	length := make([][]int, len(want)+1)
	for i := range length {
		length[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			if want[i] == got[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var b strings.Builder
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			fmt.Fprintf(&b, "  %s\n", want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && length[i+1][j] >= length[i][j+1]:
			fmt.Fprintf(&b, "- %s\n", want[i])
			i++
		default:
			fmt.Fprintf(&b, "+ %s\n", got[j])
			j++
		}
	}
	return b.String()
}
