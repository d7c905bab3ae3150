package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sallyport/config"
	"sallyport/recorder"
)

// completed is how many sessions the shell's completion offers.
const completed = 50

// newSessionsCmd is `sallyport sessions`: what was recorded, and is still open.
func newSessionsCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List and show recorded sessions, and end open ones",
		Long: `List and show recorded sessions, also those that are still open.

A session is one Postgres connection, or the HTTP exchanges of one principal
with one target that belong together.`,
		Args: cobra.NoArgs,
	}
	file := cmd.PersistentFlags().String("config", "gateway.toml", "the gateway's configuration")
	cmd.AddCommand(newSessionsListCmd(file), newSessionsShowCmd(file), newSessionsKillCmd(file))
	return cmd
}

func newSessionsListCmd(file *string) *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the latest sessions, the newest first",
		Example: "  sallyport sessions list --limit 50\n  sallyport sessions list --json | jq -r '.[] | select(.refused > 0) | .session'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := openRecordings(*file)
			if err != nil {
				return err
			}
			list, err := r.Sessions(limit)
			if err != nil {
				return err
			}
			return printSessions(cmd.OutOrStdout(), list, asJSON)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many; 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return cmd
}

func newSessionsShowCmd(file *string) *cobra.Command {
	var asJSON, full bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show what a session did, in order",
		Long: `Show what a session did, in order: each statement or exchange with its
verdict, the rule that gave it, and what came of it.

The beginning of an ID is enough where it fits one session only.`,
		Example: "  sallyport sessions show 01JQ8Z\n  sallyport sessions show 01JQ8Z --json | jq -r 'select(.statement.action == \"deny\") | .statement.text'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := openRecordings(*file)
			if err != nil {
				return err
			}
			id, err := r.Find(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printEvents(cmd.OutOrStdout(), r, id)
			}
			return printSession(cmd.OutOrStdout(), r, id, full)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeSessions(*file)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the events, one JSON object a line")
	cmd.Flags().BoolVar(&full, "full", false, "do not cut long texts and bodies")
	return cmd
}

// openRecordings opens what the configuration names.
func openRecordings(file string) (*recorder.Recorder, error) {
	s, err := config.LoadStore(file)
	if err != nil {
		return nil, err
	}
	return recorder.Open(s.Recordings)
}

// completeSessions offers the latest sessions to the shell.
func completeSessions(file string) ([]cobra.Completion, cobra.ShellCompDirective) {
	r, err := openRecordings(file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := r.Sessions(completed)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []cobra.Completion
	for _, s := range list {
		ids = append(ids, cobra.CompletionWithDesc(s.Session, oneLine(fmt.Sprintf("%s to %s, %s", s.Subject, s.Target, clock(s.Started)))))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// printSessions prints a table, or JSON for programs.
func printSessions(out io.Writer, list []recorder.Summary, asJSON bool) error {
	if asJSON {
		return writeJSON(out, append([]recorder.Summary{}, list...)) // an empty list, not null
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no sessions have been recorded")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "STARTED\tSESSION\tPROTOCOL\tTARGET\tSUBJECT\tSTATEMENTS\tREFUSED\tSTATE") // a tabwriter keeps its error for Flush
	for _, s := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", clock(s.Started), oneLine(s.Session), oneLine(s.Protocol), oneLine(s.Target), oneLine(s.Subject), s.Statements, s.Refused, s.State)
	}
	return w.Flush()
}

// printEvents prints a recording as it is stored, and "torn" events for what
// could not be read.
func printEvents(out io.Writer, r *recorder.Recorder, id string) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for e, err := range r.All(id) {
		if err != nil {
			return err
		}
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
