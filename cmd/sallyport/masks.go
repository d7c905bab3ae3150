package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sallyport/config"
)

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

// exitFound is the exit code of a check that found something.
const exitFound = 2

// newMasksCmd is `sallyport masks`.
func newMasksCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "masks",
		Short: "Compare masks with what the databases hold",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMasksCheckCmd())
	return cmd
}

func newMasksCheckCmd() *cobra.Command {
	var path, target string
	var rows int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find patterns that match nothing, and columns that look sensitive and have no mask",
		Long: "Compare the masks of a Postgres target with its live catalog and a sample of its rows: column patterns that match\n" +
			"nothing, fields that no sampled document has, and columns and members of documents without a mask whose names or\n" +
			"contents look sensitive. It only reads, over a connection of its own with the target's credential, and prints names\n" +
			"and counts, never a value.\n\n" +
			"The exit code is 0 when nothing was found, 2 when something was, and 1 when the check could not be made.",
		Example: "  sallyport masks check --config gateway.toml --target orders",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if rows < 0 {
				return errors.New("--rows must not be negative")
			}
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			d, err := newDesk(cfg, true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			b := d.judge.benches[target]
			if b == nil {
				return fmt.Errorf("no Postgres target %q", target)
			}
			s, err := newSurvey(cmd.Context(), d.judge, b, target, rows, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer s.Close()
			found, err := s.run(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.print(cmd.OutOrStdout(), found, asJSON); err != nil {
				return err
			}
			if len(found) > 0 {
				return exitError{fmt.Errorf("%s to look at", plural(len(found), "thing")), exitFound}
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	f := cmd.Flags()
	f.StringVar(&target, "target", "", "the Postgres target")
	f.IntVar(&rows, "rows", 200, "how many rows of each table are looked into; 0 looks at names alone")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("target")
	return cmd
}

// finding is one thing that a check found.
type finding struct {
	Kind    string `json:"kind"` // pattern, field, name, content, path
	Where   string `json:"where"`
	Looks   string `json:"looks,omitempty"`   // like what: a detector's name
	Found   int    `json:"found,omitempty"`   // in so many of the values sampled
	Sampled int    `json:"sampled,omitempty"` // values
	Say     string `json:"say"`
}

// print writes what was found, for people or as JSON.
func (s *survey) print(w io.Writer, found []finding, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if found == nil {
			found = []finding{}
		}
		return e.Encode(struct {
			Target   string    `json:"target"`
			Columns  int       `json:"columns"`
			Masked   int       `json:"masked"`
			Unread   []string  `json:"unread,omitempty"`
			Findings []finding `json:"findings"`
		}{s.target, len(s.columns), s.masked, s.unread, found})
	}
	for _, f := range found {
		fmt.Fprintf(w, "%-8s %s: %s\n", f.Kind, f.Where, f.Say)
	}
	for _, table := range s.unread {
		fmt.Fprintf(w, "%-8s %s: its rows could not be read\n", "unread", table)
	}
	_, err := fmt.Fprintf(w, "%s: %s, %d masked; %s found\n", s.target, plural(len(s.columns), "column"), s.masked, plural(len(found), "thing"))
	return err
}

// progressEvery is how often a check that takes long says how far it is.
const progressEvery = 5 * time.Second

// progress says how far a long check is.
func (s *survey) progress(done, all int) {
	if now := time.Now(); now.Sub(s.shown) > progressEvery {
		s.shown = now
		fmt.Fprintf(s.notes, "%s: %d of %s\n", s.target, done, plural(all, "column"))
	}
}

// withTimeout bounds one query of a check.
func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Minute)
}
