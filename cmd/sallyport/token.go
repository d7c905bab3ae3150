package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sallyport/config"
	"sallyport/identity"
	"sallyport/store"
)

// newTokenCmd is `sallyport token`: gateway tokens that this gateway issues.
func newTokenCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Issue, list and revoke gateway tokens",
		Long: `Issue, list and revoke gateway tokens.

A gateway token is what an agent holds instead of the real credentials. The
state database keeps only a hash and a verifier of a token, so a lost one cannot be shown
again: revoke it and issue another. A running gateway sees a change at once.`,
		Args: cobra.NoArgs,
	}
	file := cmd.PersistentFlags().String("config", "gateway.toml", "the gateway's configuration")
	cmd.AddCommand(newTokenIssueCmd(file), newTokenListCmd(file), newTokenRevokeCmd(file))
	return cmd
}

func newTokenIssueCmd(file *string) *cobra.Command {
	var subject string
	var groups []string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "issue --subject NAME [--group NAME]... [--ttl 24h]",
		Short: "Make a token and print it, this once",
		Long: `Make a token. It alone is printed on standard output; its id and the rest go to standard error. With the id as
user name a Postgres client logs in by SCRAM: the token never leaves it.`,
		Example: `  export PGPASSWORD=$(sallyport token issue --subject worker-1 --group agents --ttl 8h)
  psql "host=127.0.0.1 port=6432 dbname=orders user=agent"
  psql "host=127.0.0.1 port=6432 dbname=orders user=tok_4kXv0Gm2QpZ"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withIssued(cmd.Context(), *file, func(ctx context.Context, issued *identity.Issued) error {
				token, info, err := issued.Issue(ctx, subject, groups, ttl)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), token.Reveal()); err != nil {
					return errors.Join(fmt.Errorf("print token: %w", err), issued.Revoke(ctx, info.ID))
				}
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "id       %s\nsubject  %s\ngroups   %s\nexpires  %s\nThe token is not shown again. To end it: sallyport token revoke %s\n",
					info.ID, info.Subject, orDash(strings.Join(info.Groups, ", ")), clock(info.Expires), info.ID)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&subject, "subject", "", "who holds the token (required)")
	cmd.Flags().StringArrayVar(&groups, "group", nil, "a group the holder is in; may be repeated")
	cmd.Flags().DurationVar(&ttl, "ttl", 24*time.Hour, "how long the token holds")
	_ = cmd.MarkFlagRequired("subject") // fails only for a flag that is not there
	return cmd
}

func newTokenListCmd(file *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the issued tokens, the latest first",
		Long:    "List the issued tokens, the latest first. Fixed ones, [[token]] in the configuration, are not among them.",
		Example: "  sallyport token list\n  sallyport token list --json | jq -r '.[] | select(.state == \"active\") | .id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withIssued(cmd.Context(), *file, func(ctx context.Context, issued *identity.Issued) error {
				list, err := issued.List(ctx)
				if err != nil {
					return err
				}
				return printTokens(cmd.OutOrStdout(), list, time.Now(), asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return cmd
}

func newTokenRevokeCmd(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a token for good",
		Long:    "End a token for good, by its id. It opens no new session from now on; sessions it opened before go on.",
		Example: "  sallyport token revoke tok_4kXv0Gm2QpZ",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withIssued(cmd.Context(), *file, func(ctx context.Context, issued *identity.Issued) error {
				if err := issued.Revoke(ctx, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%s is revoked\n", args[0])
				return err
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var ids []cobra.Completion
			err := withIssued(cmd.Context(), *file, func(ctx context.Context, issued *identity.Issued) error {
				list, err := issued.List(ctx)
				for _, t := range list {
					if t.State(time.Now()) == identity.StateActive {
						ids = append(ids, cobra.CompletionWithDesc(t.ID, t.Subject))
					}
				}
				return err
			})
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
	}
}

// withIssued opens the configured database for as long as do takes.
func withIssued(ctx context.Context, file string, do func(context.Context, *identity.Issued) error) (err error) {
	where, err := config.LoadStore(file)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, where.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(ctx, identity.NewIssued(s))
}

// printTokens prints a table, or JSON for programs.
func printTokens(out io.Writer, list []identity.TokenInfo, now time.Time, asJSON bool) error {
	if asJSON {
		type row struct {
			identity.TokenInfo
			State string `json:"state"`
		}
		rows := make([]row, 0, len(list))
		for _, t := range list {
			rows = append(rows, row{t, t.State(now)})
		}
		return writeJSON(out, rows)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no tokens have been issued")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tSUBJECT\tGROUPS\tCREATED\tEXPIRES\tSTATE") // a tabwriter keeps its error for Flush
	for _, t := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Subject, orDash(strings.Join(t.Groups, ",")), clock(t.Created), clock(t.Expires), t.State(now))
	}
	return w.Flush()
}

// writeJSON prints v for people and programs alike.
func writeJSON[T any](out io.Writer, v T) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// clock is how every command prints a time.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
