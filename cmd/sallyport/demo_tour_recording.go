package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sallyport/recorder"
)

// recordingSteps read back what the gateway wrote of all the steps before.
func (t *tour) recordingSteps() []step {
	return []step{
		{"the recording of the Postgres session", "sallyport sessions show ID", t.recorded(recorder.Postgres)},
		{"the recording of the exchanges", "sallyport sessions show ID", t.recorded(recorder.HTTP)},
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

// recorded finds the protocol's sessions, prints them as `sallyport sessions
// show` does, and wants each step in them, in order, with its verdict.
func (t *tour) recorded(protocol string) func(context.Context) ([]string, string, error) {
	return func(context.Context) ([]string, string, error) {
		ids, err := t.sessions(protocol)
		if err != nil {
			return nil, "", err
		}
		var page strings.Builder
		var events []recorder.Event
		for _, id := range ids {
			if err := printSession(&page, t.recording, id, false); err != nil {
				return nil, "", err
			}
			of, err := t.recording.Events(id)
			if err != nil {
				return nil, "", err
			}
			events = append(events, of...)
		}
		lines := strings.Split(strings.TrimRight(page.String(), "\n"), "\n")
		next, list := 0, wanted[protocol]
		for _, e := range events {
			text, action, rule := judged(e)
			if next == len(list) || !strings.Contains(text, list[next].text) {
				continue
			}
			if action != list[next].action || list[next].rule != "" && rule != list[next].rule {
				return lines, "", fmt.Errorf("%q is recorded as %s by %q", text, action, rule)
			}
			next++
		}
		if next < len(list) {
			return lines, "", fmt.Errorf("%q is not in the recording", list[next].text)
		}
		return lines, plural(len(list), "step") + " found, in order, each with its verdict", nil
	}
}

// sessions are the ids of the protocol's sessions, oldest first.
func (t *tour) sessions(protocol string) ([]string, error) {
	all, err := t.recording.Sessions(0)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range slices.Backward(all) {
		if s.Protocol != protocol {
			continue
		}
		if s.Subject != "worker-1" {
			return nil, fmt.Errorf("session %s is recorded as %q's", s.Session, s.Subject)
		}
		ids = append(ids, s.Session)
	}
	if len(ids) == 0 {
		return nil, errors.New("there is none")
	}
	return ids, nil
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
	return nil, fmt.Sprintf("%s searched for %s, none found", plural(files, "file"), plural(len(secrets), "secret")), err
}
