package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sallyport/recorder"
)

// recorded makes two sessions, the second with texts that would drive a terminal.
func recorded(t *testing.T, dir string) {
	t.Helper()
	r, err := recorder.Open("file:" + filepath.Join(dir, "rec"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(o recorder.Opening, events ...recorder.Event) *recorder.Recording {
		rec, err := r.Begin(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := rec.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		return rec
	}
	text := "it's"
	one := write(recorder.Opening{Session: "01AAA", Protocol: recorder.Postgres, Target: "orders", Subject: "worker-1", Groups: []string{"agents"}, Address: "127.0.0.1"},
		recorder.Event{Statement: &recorder.Statement{ID: 1, Text: "select *\nfrom users where name = $1", Params: []recorder.Param{{Text: &text}}, Action: "allow"}},
		recorder.Event{Outcome: &recorder.Outcome{ID: 1, Tag: "SELECT 3", Rows: 3, Masked: 6}},
		recorder.Event{Statement: &recorder.Statement{ID: 2, Text: "drop table users", Action: "deny", Rule: "no-destructive", Message: "closed to agents", Detail: "DROP TABLE"}})
	if err := one.End(recorder.Closing{Reason: "client left"}); err != nil {
		t.Fatal(err)
	}
	write(recorder.Opening{Session: "01BBB", Protocol: recorder.HTTP, Target: "openai", Subject: "worker\x1b[2J\u202e"},
		recorder.Event{Exchange: &recorder.Exchange{ID: 1, Method: "POST", Host: "api", Path: "/v1/x", Body: strings.Repeat("é", 3000), Action: "allow", Flags: []string{"dear"}}},
		recorder.Event{Outcome: &recorder.Outcome{ID: 1, Code: "200", Body: "\x1b]0;owned\x07\r<ok>"}},
		recorder.Event{Frame: &recorder.Frame{ID: 1, From: "caller", Type: "text", Bytes: 5, Body: "hi\x1b["}},
		recorder.Event{Frame: &recorder.Frame{ID: 1, From: "caller", Type: "text", Bytes: 2, Body: "{}", Action: "deny", Rule: "small", Message: "too dear", Detail: "condition: x"}},
		recorder.Event{Frame: &recorder.Frame{ID: 1, From: "upstream", Type: "close", Bytes: 6, Code: "1000", Body: "done"}})
}

func TestSessionsList(t *testing.T) {
	file, dir := gatewayToml(t)
	out, _, err := execute(t, newSessionsCmd(), "list", "--config", file)
	if err != nil || out != "no sessions have been recorded\n" {
		t.Errorf("empty: %q, %v", out, err)
	}
	out, _, err = execute(t, newSessionsCmd(), "list", "--config", file, "--json")
	if err != nil || out != "[]\n" {
		t.Errorf("empty: %q, %v", out, err)
	}
	recorded(t, dir)
	out, _, err = execute(t, newSessionsCmd(), "list", "--config", file)
	want := regexp.MustCompile(`^STARTED +SESSION +PROTOCOL +TARGET +SUBJECT +STATEMENTS +REFUSED +STATE
20\S+ \S+Z +01BBB +http +openai +worker\\u\{1b\}\[2J\\u\{202e\} +2 +1 +\w+
20\S+ \S+Z +01AAA +postgres +orders +worker-1 +2 +1 +closed
$`)
	if err != nil || !want.MatchString(out) {
		t.Errorf("%q, %v", out, err)
	}
	out, _, err = execute(t, newSessionsCmd(), "list", "--config", file, "--json", "--limit", "1")
	var rows []map[string]any
	if err != nil || json.Unmarshal([]byte(out), &rows) != nil || len(rows) != 1 || rows[0]["session"] != "01BBB" || rows[0]["statements"] != 2.0 || rows[0]["started"] == nil {
		t.Errorf("%q, %v", out, err)
	}
}

func TestSessionsShow(t *testing.T) {
	file, dir := gatewayToml(t)
	recorded(t, dir)
	out, _, err := execute(t, newSessionsCmd(), "show", "--config", file, "01A")
	if err != nil {
		t.Fatal(err)
	}
	out = regexp.MustCompile(`\d{2}:\d{2}:\d{2}\.\d{3}`).ReplaceAllString(out, "TIME")
	out = regexp.MustCompile(`\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z`).ReplaceAllString(out, "DATE")
	if want := `session    01AAA
opened     DATE
principal  worker-1
groups     agents
target     orders (postgres)
address    127.0.0.1

#1  TIME  allow
    select *
    from users where name = $1
    $1 = 'it''s'
    = #1 SELECT 3 · 3 rows · 6 masked

#2  TIME  deny by no-destructive: closed to agents
    drop table users
    ! DROP TABLE

closed     DATE  client left
state      closed, 2 asked, 1 refused
`; out != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}

	out, _, err = execute(t, newSessionsCmd(), "show", "--config", file, "01BBB")
	if err != nil || strings.ContainsAny(out, "\x1b\x07\r\u202e") || !strings.Contains(out, "[6000 bytes; --full shows all]") || !strings.Contains(out, "[dear]") || !strings.Contains(out, `< \u{1b}]0;owned\u{7}\u{d}<ok>`) ||
		!strings.Contains(out, ` text, 5 bytes: hi\u{1b}[`) || !strings.Contains(out, " close, 6 bytes, 1000: done") ||
		!strings.Contains(out, "  deny by small: too dear\n    > #1 ") || !strings.Contains(out, " text, 2 bytes: {}\n    ! condition: x\n") {
		t.Errorf("%q, %v", out, err)
	}
	out, _, err = execute(t, newSessionsCmd(), "show", "--config", file, "01BBB", "--full")
	if err != nil || !strings.Contains(out, strings.Repeat("é", 3000)) {
		t.Errorf("--full: %d bytes, %v", len(out), err)
	}
	out, _, err = execute(t, newSessionsCmd(), "show", "--config", file, "01AAA", "--json")
	if err != nil || strings.Count(out, "\n") != 5 {
		t.Errorf("%q, %v", out, err)
	}
	for line := range strings.Lines(out) {
		var e recorder.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Kind == "" {
			t.Errorf("%q: %v", line, err)
		}
	}
	out, _, err = execute(t, newSessionsCmd(), "__complete", "show", "--config", file, "")
	if err != nil || !strings.Contains(out, "01AAA\tworker-1 to orders") {
		t.Errorf("completion: %q, %v", out, err)
	}
	for id, want := range map[string]string{"01": "2 sessions begin with 01", "02": "no such session", "../../x": "no such session"} {
		if _, _, err := execute(t, newSessionsCmd(), "show", "--config", file, id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("show %s: %v, want %q", id, err, want)
		}
	}
}
