package console

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sallyport/policy"
	"sallyport/recorder"
)

// shownText is how many bytes of a statement or body a page shows.
const shownText = 4000

// target is a target's row.
type target struct {
	TargetHealth
	State string // "up", "down", "unknown": word and CSS class
	Ago   string // since it was looked at
}

func targets(list []TargetHealth, now time.Time) []target {
	var rows []target
	for _, h := range list {
		t := target{TargetHealth: h, State: "down"}
		if h.OK {
			t.State = "up"
		}
		if h.Checked.IsZero() {
			t.State = "unknown"
		} else {
			t.Ago = max(0, now.Sub(h.Checked)).Round(time.Second).String() + " ago"
		}
		rows = append(rows, t)
	}
	return rows
}

// session is a recording as a page shows it.
type session struct {
	recorder.Summary
	Asked []asked
	More  bool // there were others before
	Torn  int  // lines that could not be read
}

// asked is a statement or exchange with what came of it.
type asked struct {
	ID      int64
	Time    time.Time
	Text    string // the SQL, or method and address
	Body    string // of an exchange
	Params  []string
	Action  string // word and CSS class: "allow", "deny"
	Rule    string
	Message string
	Detail  string // what in it led to the verdict
	Flags   string
	Results []result
}

// result is one outcome.
type result struct {
	Text   string // "SELECT 3 · 3 rows · 2 masked · 1.2ms"
	Body   string
	Failed bool
}

// newSession puts each outcome to what it came of.
func newSession(s recorder.Summary, events []recorder.Event) session {
	view := session{Summary: s, More: len(events) > 0 && events[0].Seq > 1}
	at := map[int64]int{} // by ID, in view.Asked
	for _, e := range events {
		switch {
		case e.Kind == recorder.KindTorn:
			view.Torn++
		case e.Statement != nil:
			at[e.Statement.ID] = len(view.Asked)
			view.Asked = append(view.Asked, fromStatement(e))
		case e.Exchange != nil:
			at[e.Exchange.ID] = len(view.Asked)
			view.Asked = append(view.Asked, fromExchange(e))
		case e.Frame != nil && e.Frame.Action != "" && e.Frame.Action != policy.Allow.String():
			view.Asked = append(view.Asked, fromFrame(e))
		case e.Outcome != nil:
			if n, known := at[e.Outcome.ID]; known {
				view.Asked[n].Results = append(view.Asked[n].Results, fromOutcome(*e.Outcome))
			}
		}
	}
	return view
}

func fromStatement(e recorder.Event) asked {
	s := e.Statement
	a := asked{ID: s.ID, Time: e.Time, Text: brief(s.Text), Action: s.Action, Rule: s.Rule, Message: s.Message, Detail: brief(s.Detail), Flags: strings.Join(s.Flags, ", ")}
	for i, p := range s.Params {
		a.Params = append(a.Params, brief(fmt.Sprintf("$%d = %s", i+1, p)))
	}
	return a
}

func fromExchange(e recorder.Event) asked {
	x := e.Exchange
	return asked{ID: x.ID, Time: e.Time, Text: brief(x.Address()), Body: brief(x.Body), Action: x.Action, Rule: x.Rule, Message: x.Message, Detail: brief(x.Detail), Flags: strings.Join(x.Flags, ", ")}
}

// fromFrame shows a message of a WebSocket: of those only what was refused.
func fromFrame(e recorder.Event) asked {
	f := e.Frame
	return asked{ID: f.ID, Time: e.Time, Text: "a message", Body: brief(f.Body), Action: f.Action, Rule: f.Rule, Message: f.Message, Detail: brief(f.Detail), Flags: strings.Join(f.Flags, ", ")}
}

func fromOutcome(o recorder.Outcome) result {
	return result{Text: brief(o.String()), Body: brief(o.Body), Failed: o.Error != ""}
}

// brief cuts a text for the page; the recording has it whole.
func brief(s string) string {
	if len(s) <= shownText {
		return s
	}
	cut := s[:shownText]
	for len(cut) > 0 && !utf8.ValidString(cut) {
		cut = cut[:len(cut)-1]
	}
	return fmt.Sprintf("%s … [%d bytes in all]", cut, len(s))
}
