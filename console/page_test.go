package console

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/recorder"
)

const attack = `'"><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}`

// record writes a session in which every text is an attack on the page.
func (h *house) record(t *testing.T, id string, end bool) {
	t.Helper()
	rec, err := h.rec.Begin(context.Background(), recorder.Opening{
		Session: id, Protocol: recorder.Postgres, Target: "orders", Subject: "worker-1" + attack, Groups: []string{attack},
		Address: attack, User: attack, Application: attack, Credential: attack, Token: attack, Issuer: attack,
	})
	if err != nil {
		t.Fatal(err)
	}
	value := attack
	for _, e := range []recorder.Event{
		{Statement: &recorder.Statement{ID: 1, Text: "select 1 -- " + attack, Params: []recorder.Param{{Text: &value}, {}, recorder.BinaryParam([]byte{1})}, Action: "allow", Flags: []string{attack}}},
		{Outcome: &recorder.Outcome{ID: 1, Tag: "SELECT 1", Rows: 1, Masked: 2, Duration: 1200 * time.Microsecond}},
		{Statement: &recorder.Statement{ID: 2, Text: "drop table users", Action: "deny", Rule: "no-destructive", Message: attack}},
		{Exchange: &recorder.Exchange{ID: 3, Method: "POST", Host: "api", Path: "/v1/" + attack, Query: attack, Body: attack, Action: attack}},
		{Frame: &recorder.Frame{ID: 3, From: "caller", Type: "text", Body: attack, Action: "deny", Rule: "small-models", Message: attack, Detail: attack}},
		{Frame: &recorder.Frame{ID: 3, From: "caller", Type: "text", Body: "which passed", Action: "allow"}},
		{Outcome: &recorder.Outcome{ID: 3, Code: "500", Error: attack, Body: attack}},
		{Outcome: &recorder.Outcome{ID: 99, Tag: "of nothing"}},
	} {
		if err := rec.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if end {
		if err := rec.End(recorder.Closing{Reason: attack}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPagesEscapeWhatWasRecorded(t *testing.T) {
	h := build(t)
	h.record(t, "01ONE", false)
	h.record(t, "01TWO", true)
	cookie := h.in(t, "good-token")
	for _, path := range []string{"/", "/sessions/01ONE", "/sessions/01TWO"} {
		res := h.ask(t, "GET", path, "", cookie)
		page := text(t, res)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %s", path, res.Status)
		}
		for _, bad := range []string{"<script", "<img", "onerror=alert(2)>", " style=", "javascript:"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s holds %s:\n%s", path, bad, page)
			}
		}
		for _, want := range []string{"&lt;script&gt;alert(1)", "drop table users", `<b>no-destructive</b>`, `<b>small-models</b>`, `badge deny`, "SELECT 1 · 1 row · 2 masked · 1.2ms", "$2 = NULL", `$3 = &#39;\x01&#39;`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %s:\n%s", path, want, page)
			}
		}
	}
}

func TestOverview(t *testing.T) {
	h := build(t)
	cookie := h.in(t, "good-token")
	page := text(t, h.ask(t, "GET", "/", "", cookie))
	for _, want := range []string{"v1.2.3-test", ">ada<", "orders", "PostgreSQL 17.2", "5s ago", "badge up", "badge down", "dial: &lt;refused&gt;", "badge unknown", "No session has been recorded yet", `action="/logout"`} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %s:\n%s", want, page)
		}
	}
	h.record(t, "01ONE", false)
	page = text(t, h.ask(t, "GET", "/", "", cookie))
	for _, want := range []string{`href="/sessions/01ONE"`, "5 statements", "3 refused", "badge open"} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %s:\n%s", want, page)
		}
	}
}

func TestSessionPage(t *testing.T) {
	h := build(t)
	h.record(t, "01ONE", true)
	rec, err := h.rec.Begin(context.Background(), recorder.Opening{Session: "01LONG", Subject: "w", Target: "t", Protocol: recorder.HTTP})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(600) {
		if err := rec.Write(recorder.Event{Exchange: &recorder.Exchange{ID: i, Method: "GET", Path: fmt.Sprintf("/nr-%d", i), Body: strings.Repeat("é", shownText), Action: "allow"}}); err != nil {
			t.Fatal(err)
		}
	}
	cookie := h.in(t, "good-token")
	for path, want := range map[string]struct {
		status int
		says   []string
		lacks  string
	}{
		"/sessions/01ONE":     {200, []string{"badge closed", "Principal"}, "Only the end"},
		"/sessions/01LONG":    {200, []string{"Only the end of this session", "/nr-599", "/nr-100<", "[8000 bytes in all]", "600"}, "/nr-99<"},
		"/sessions/nope":      {404, []string{"no such session"}, "href=\"/sessions"},
		"/sessions/..%2f..":   {404, []string{"no such session"}, "href=\"/sessions"},
		"/sessions/%3Cscript": {404, []string{"no such session"}, "<script"},
	} {
		res := h.ask(t, "GET", path, "", cookie)
		page := text(t, res)
		if res.StatusCode != want.status || strings.Contains(page, want.lacks) {
			t.Errorf("%s: %s\n%.2000s", path, res.Status, page)
		}
		for _, says := range want.says {
			if !strings.Contains(page, says) {
				t.Errorf("%s lacks %s", path, says)
			}
		}
	}
}

func TestStyleNeedsNoLogin(t *testing.T) {
	h := build(t)
	res := h.ask(t, "GET", "/style.css", "", nil)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") || strings.Contains(text(t, res), "url(") {
		t.Errorf("%s %s", res.Status, res.Header)
	}
}
