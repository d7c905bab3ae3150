package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/recorder"
)

// runPsql runs the SQL texts in one session of the real psql.
func runPsql(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: psql SQL...")
	}
	options := []string{"-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose"}
	for _, sql := range args {
		options = append(options, "-c", sql)
	}
	outcome(ts, neg, ts.Exec("psql", options...))
	keepsSecrets(ts, ts.ReadFile("stdout")+ts.ReadFile("stderr"))
}

// outcome is what a command owes its script.
func outcome(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err != nil && !neg:
		ts.Fatalf("%v", err)
	case err == nil && neg:
		ts.Fatalf("it did not fail")
	}
}

func keepsSecrets(ts *testscript.TestScript, came string) {
	if strings.Contains(came, canary) {
		ts.Fatalf("a secret came back: %s", came)
	}
}

func runExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// runHTTP sends one request, the path byte for byte as the script has it.
func runHTTP(ts *testscript.TestScript, neg bool, args []string) {
	header := http.Header{}
	if token := ts.Getenv("TOKEN"); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	for len(args) > 1 && args[0] == "-H" {
		line := args[1]
		if file, ok := strings.CutPrefix(line, "@"); ok {
			line = ts.ReadFile(file)
		}
		name, value, _ := strings.Cut(line, ":")
		header.Add(name, strings.TrimSpace(value))
		args = args[2:]
	}
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http [-H HEADER]... METHOD URL [BODY]")
	}
	origin, path := "http://"+ts.Getenv("HTTP"), args[1]
	if scheme, rest, ok := strings.Cut(path, "://"); ok {
		host, after, _ := strings.Cut(rest, "/")
		origin, path = scheme+"://"+host, "/"+after
	}
	body := ""
	if len(args) == 3 {
		body = args[2]
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(ts.ReadFile("tls.crt")))
	status, text, err := send(args[0], origin, path, header, body, trusted)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), text)
	ts.Check(err)
	keepsSecrets(ts, text)
	if status >= 400 {
		err = fmt.Errorf("HTTP status %d:\n%s", status, text)
	}
	outcome(ts, neg, err)
}

// send returns the response as text: status, headers, an empty line, body.
func send(method, origin, path string, header http.Header, body string, trusted *x509.CertPool) (status int, text string, err error) {
	request, err := http.NewRequest(method, origin, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.URL.Opaque = path
	request.Header = header
	if name := header.Get("Host"); name != "" {
		request.Host = name
	}
	client := http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: trusted}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	var out bytes.Buffer
	fmt.Fprintln(&out, res.Status)
	if err := res.Header.Write(&out); err != nil {
		return 0, "", err
	}
	fmt.Fprintln(&out)
	_, err = io.Copy(&out, res.Body)
	return res.StatusCode, strings.ReplaceAll(out.String(), "\r\n", "\n"), err
}

// runRecorded reads the recordings as an auditor does.
func runRecorded(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: recorded REGEXP")
	}
	re := regexp.MustCompile(args[0])
	var all []string
	found := func() bool {
		all = recordedLines(ts)
		for _, line := range all {
			if re.MatchString(line) {
				return true
			}
		}
		return false
	}
	if neg {
		if found() {
			ts.Fatalf("recorded %q", args[0])
		}
	} else if !eventually(found) {
		ts.Fatalf("not recorded: %q in\n%s", args[0], strings.Join(all, "\n"))
	}
}

// recordedLines is a line for each event of each session.
func recordedLines(ts *testscript.TestScript) (lines []string) {
	var sessions []recorder.Summary
	ts.Check(json.Unmarshal(showSessions(ts, "list", "--limit", "0", "--json"), &sessions))
	for _, s := range sessions {
		events := json.NewDecoder(bytes.NewReader(showSessions(ts, "show", "--json", s.Session)))
		for {
			var e recorder.Event
			err := events.Decode(&e)
			if errors.Is(err, io.EOF) {
				break
			}
			ts.Check(err)
			lines = append(lines, recordedLine(e))
		}
	}
	return lines
}

// showSessions runs `sallyport sessions` without a word in the script's log.
func showSessions(ts *testscript.TestScript, args ...string) []byte {
	cmd := exec.Command("sallyport", append([]string{"sessions"}, args...)...)
	cmd.Dir = worldOf(ts).dir
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("sallyport sessions: %v\n%s", err, out)
	}
	return out
}

func recordedLine(e recorder.Event) string {
	verdict := func(action, rule, message string, flags []string, text string) string {
		if rule != "" {
			action += " " + rule
		}
		return fmt.Sprintf("%s: %s %s| %s", action, message, strings.Join(flags, ","), text)
	}
	switch {
	case e.Open != nil:
		o := e.Open
		return fmt.Sprintf("open %s %s subject=%s token=%s user=%s credential=%s version=%s application=%s", o.Protocol, o.Target, o.Subject, o.Token, o.User, o.Credential, o.SecretVersion, o.Application)
	case e.Statement != nil:
		s := e.Statement
		return verdict(s.Action, s.Rule, s.Message, s.Flags, s.Text)
	case e.Exchange != nil:
		x := e.Exchange
		return verdict(x.Action, x.Rule, x.Message, x.Flags, x.Method+" "+x.Path+" "+x.Body)
	case e.Outcome != nil:
		o := e.Outcome
		return fmt.Sprintf("outcome %s %s rows=%d masked=%d %s %s", o.Code, o.Tag, o.Rows, o.Masked, o.Error, o.Body)
	case e.Close != nil:
		return "close " + e.Close.Reason
	}
	return "torn"
}

func runToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: token NAME ARG...")
	}
	ts.Check(ts.Exec("sallyport", append([]string{"token", "issue"}, args[1:]...)...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
	ts.Setenv(args[0]+"_ID", regexp.MustCompile(`tok_\w+`).FindString(ts.ReadFile("stderr")))
}
