package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sallyport/recorder"
)

// recordingSteps read back what the gateway wrote of all the steps before.
func (t *tour) recordingSteps() []step {
	return []step{
		{"the recording of the Postgres session", "sallyport sessions show", t.recorded(recorder.Postgres)},
		{"the recording of the exchanges", "sallyport sessions show", t.recorded(recorder.HTTP)},
		{"no secret is in any recording", "grep -r SECRETS recordings", t.noSecrets},
	}
}

// wanted are the statements and exchanges that must stand in the recordings,
// by a part of their text, with the verdict.
var wanted = map[string][]struct{ text, action, rule string }{
	recorder.Postgres: {
		{selectUsers, "allow", ""},
		{selectUser, "allow", ""},
		{selectOrders, "allow", ""},
		{guessPassword, "deny", ""},
		{dropSecrets, "deny", "no-destructive"},
		{updateAll, "deny", "where-required"},
		{updateOne, "allow", ""},
	},
	recorder.HTTP: {
		{`"demo-1"`, "allow", ""},
		{`"stream":true`, "allow", ""},
		{`"dear-1"`, "deny", "known-models"},
	},
}

// recorded finds the protocol's session and wants each step in it, in order,
// with its verdict.
func (t *tour) recorded(protocol string) func(context.Context) ([]string, string, error) {
	return func(context.Context) ([]string, string, error) {
		events, err := t.events(protocol)
		if err != nil {
			return nil, "", err
		}
		var lines []string
		next := 0
		list := wanted[protocol]
		for _, e := range events {
			lines = append(lines, eventLine(e)...)
			text, action, rule := judged(e)
			if next < len(list) && strings.Contains(text, list[next].text) {
				if action != list[next].action || list[next].rule != "" && rule != list[next].rule {
					return lines, "", fmt.Errorf("%q is recorded as %s by %q", text, action, rule)
				}
				next++
			}
		}
		if next < len(list) {
			return lines, "", fmt.Errorf("%q is not in the recording", list[next].text)
		}
		return lines, fmt.Sprintf("%s, each verdict before its outcome", count(len(events), "event")), nil
	}
}

// events are those of the protocol's sessions, in order.
func (t *tour) events(protocol string) ([]recorder.Event, error) {
	sessions, err := t.recording.Sessions(0)
	if err != nil {
		return nil, err
	}
	var all []recorder.Event
	for _, s := range sessions {
		if s.Protocol != protocol {
			continue
		}
		if s.Subject != "worker-1" {
			return nil, fmt.Errorf("session %s is recorded as %q's", s.Session, s.Subject)
		}
		events, err := t.recording.Events(s.Session)
		if err != nil {
			return nil, err
		}
		all = append(events, all...) // sessions come newest first
	}
	if len(all) == 0 {
		return nil, errors.New("there is none")
	}
	return all, nil
}

// judged takes text, action and rule out of a statement or exchange.
func judged(e recorder.Event) (text, action, rule string) {
	switch {
	case e.Statement != nil:
		return e.Statement.Text, e.Statement.Action, e.Statement.Rule
	case e.Exchange != nil:
		return e.Exchange.Body, e.Exchange.Action, e.Exchange.Rule
	}
	return "", "", ""
}

// eventLine shows one event as the tour does, on one line or none.
func eventLine(e recorder.Event) []string {
	switch {
	case e.Open != nil:
		return []string{fmt.Sprintf("%3d  open       %s -> %s", e.Seq, e.Open.Subject, e.Open.Target)}
	case e.Statement != nil:
		return []string{fmt.Sprintf("%3d  statement  %-5s %s%s", e.Seq, e.Statement.Action, e.Statement.Text, by(e.Statement.Rule))}
	case e.Exchange != nil:
		return []string{fmt.Sprintf("%3d  exchange   %-5s %s %s%s", e.Seq, e.Exchange.Action, e.Exchange.Method, e.Exchange.Path, by(e.Exchange.Rule))}
	case e.Outcome != nil:
		line := fmt.Sprintf("%3d  outcome    %s", e.Seq, strings.TrimSpace(e.Outcome.Tag+" "+e.Outcome.Code))
		if e.Outcome.Masked > 0 {
			line += fmt.Sprintf(", %d masked", e.Outcome.Masked)
		}
		return []string{line}
	case e.Close != nil:
		return []string{fmt.Sprintf("%3d  close      %s", e.Seq, e.Close.Reason)}
	}
	return nil
}

func by(rule string) string {
	if rule == "" {
		return ""
	}
	return "  (" + rule + ")"
}

// noSecrets reads every byte of the recordings.
func (t *tour) noSecrets(ctx context.Context) ([]string, string, error) {
	secrets := map[string]string{
		"the agent's token": t.world.Agent, "the admin's token": t.world.Admin,
		"the database password": t.world.Password, "the upstream's key": t.world.Key,
	}
	// Parameterless selects of protected columns: what they hold must not be recorded either.
	held, err := t.postgres.direct.Query(ctx, `SELECT 'a protected value of users', password FROM users
		UNION ALL SELECT 'a protected value of secrets', value FROM secrets`)
	if err != nil {
		return nil, "", err
	}
	for held.Next() {
		var what, value string
		if err := held.Scan(&what, &value); err != nil {
			held.Close()
			return nil, "", err
		}
		secrets[what+" ("+fmt.Sprint(len(secrets))+")"] = value
	}
	if err := held.Err(); err != nil {
		return nil, "", err
	}
	files := 0
	err = filepath.WalkDir(filepath.Join(t.world.Folder, "recordings"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for what, secret := range secrets {
			if strings.Contains(string(text), secret) {
				return fmt.Errorf("%s is in %s", what, filepath.Base(name))
			}
		}
		return nil
	})
	if err == nil && files == 0 {
		err = errors.New("there is no recording")
	}
	return nil, fmt.Sprintf("%s searched for %s, none found", count(files, "file"), count(len(secrets), "secret")), err
}
