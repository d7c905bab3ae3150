package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/recorder"
)

// shownText is how many bytes of a text are printed without --full.
const shownText = 2000

// printSession prints a recording for people.
func printSession(to io.Writer, r *recorder.Recorder, id string, full bool) error {
	out := bufio.NewWriter(to) // keeps its first error for Flush
	p := printer{Writer: out, full: full}
	for e, err := range r.All(id) {
		if err != nil {
			_ = out.Flush()
			return err
		}
		p.event(e)
	}
	s, err := r.Summary(id)
	if err == nil {
		p.line("", fmt.Sprintf("state      %s, %d asked, %d refused", s.State, s.Statements, s.Refused))
	}
	return out.Flush()
}

// printer writes what was recorded so that a terminal does nothing but show it.
type printer struct {
	*bufio.Writer
	full bool
}

func (p printer) event(e recorder.Event) {
	at := e.Time.UTC().Format("15:04:05.000")
	switch {
	case e.Open != nil:
		p.opening(e)
	case e.Statement != nil:
		s := e.Statement
		p.asked(s.ID, at, s.Action, s.Rule, s.Message, s.Flags)
		p.text("    ", s.Text)
		for i, param := range s.Params {
			p.text("    ", fmt.Sprintf("$%d = %s", i+1, param))
		}
		p.text("    ! ", s.Detail)
	case e.Exchange != nil:
		x := e.Exchange
		p.asked(x.ID, at, x.Action, x.Rule, x.Message, x.Flags)
		p.text("    ", x.Address())
		p.text("    > ", x.Body)
		p.text("    ! ", x.Detail)
	case e.Outcome != nil:
		p.text(fmt.Sprintf("    = #%d ", e.Outcome.ID), e.Outcome.String())
		p.text("    < ", e.Outcome.Body)
	case e.Frame != nil:
		p.frame(at, e.Frame)
	case e.Close != nil:
		p.line("\n", fmt.Sprintf("closed     %s  %s", clock(e.Time), e.Close.Reason))
	default:
		p.line("\n", "(a line of the recording is torn and cannot be read)")
	}
	for _, n := range e.Notes {
		if e.Kind != recorder.KindTorn {
			p.line("", fmt.Sprintf("    (%s: %s; %d bytes came, sha256 %s)", n.Field, n.Change, n.Length, n.SHA256))
		}
	}
}

// frame prints a message of a WebSocket.
func (p printer) frame(at string, f *recorder.Frame) {
	arrow := "    > "
	if f.From == "upstream" {
		arrow = "    < "
	}
	text := fmt.Sprintf("#%d  %s  %s, %d bytes", f.ID, at, f.Type, f.Bytes)
	if f.Code != "" {
		text += ", " + f.Code
	}
	if f.Body != "" {
		text += ": " + f.Body
	}
	if f.Action != "" {
		p.asked(f.ID, at, f.Action, f.Rule, f.Message, f.Flags)
	}
	p.text(arrow, text)
	p.text("    ! ", f.Detail)
}

func (p printer) opening(e recorder.Event) {
	o := e.Open
	for _, row := range [][2]string{
		{"session", o.Session},
		{"opened", clock(e.Time)},
		{"principal", o.Subject},
		{"groups", strings.Join(o.Groups, ", ")},
		{"issuer", o.Issuer},
		{"token", o.Token},
		{"target", o.Target + " (" + o.Protocol + ")"},
		{"address", o.Address},
		{"user", o.User},
		{"client", o.Application},
		{"credential", o.Credential},
		{"version", o.SecretVersion},
	} {
		if row[1] != "" {
			p.line("", fmt.Sprintf("%-10s %s", row[0], row[1]))
		}
	}
}

// asked prints the first line of a statement or exchange: the verdict.
func (p printer) asked(id int64, at, action, rule, message string, flags []string) {
	text := fmt.Sprintf("#%d  %s  %s", id, at, action)
	if rule != "" {
		text += " by " + rule
	}
	if message != "" {
		text += ": " + message
	}
	if len(flags) > 0 {
		text += "  [" + strings.Join(flags, ", ") + "]"
	}
	p.line("\n", text)
}

// text prints a text, each of its lines after the indent.
func (p printer) text(indent, s string) {
	if s == "" {
		return
	}
	if !p.full && len(s) > shownText {
		cut := s[:shownText]
		for len(cut) > 0 && !utf8.ValidString(cut) {
			cut = cut[:len(cut)-1]
		}
		s = fmt.Sprintf("%s ... [%d bytes; --full shows all]", cut, len(s))
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
		p.line("", indent+line)
	}
}

func (p printer) line(before, s string) {
	_, _ = p.WriteString(before + oneLine(s) + "\n")
}

// oneLine spells out every character that could move the cursor, colour the
// screen or turn the direction of reading: what was recorded comes from
// strangers, and a terminal obeys.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if unprintable(r) {
			fmt.Fprintf(&out, `\u{%x}`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// unprintable leaves the tab out: it only moves on.
func unprintable(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }
