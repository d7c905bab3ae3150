package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"sallyport/config"
	"sallyport/recorder"
	"sallyport/store"
)

const (
	killEvery = 500 * time.Millisecond // how often a gateway looks for sessions to end
	killWait  = 10 * time.Second       // how long the command waits for the end
)

// newSessionsKillCmd is `sallyport sessions kill`.
func newSessionsKillCmd(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "kill ID",
		Short: "End an open Postgres session, whatever it is doing",
		Long: "Ask the gateway that has the session to end it, and wait until it has. Its client gets SQLSTATE 57P01 and\n" +
			"its server connection is closed. To shut its holder out as well, revoke the token.",
		Example: "  sallyport sessions kill 01M807SCZ21B1DHN1DCX0WV1EM",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeSessions(*file)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := kill(cmd.Context(), *file, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "session %s ended\n", id)
			return nil
		},
	}
}

// kill asks for the end of the session that prefix names, and waits for it.
func kill(ctx context.Context, file, prefix string) (string, error) {
	where, err := config.LoadStore(file)
	if err != nil {
		return "", err
	}
	r, err := recorder.Open(where.Recordings)
	if err != nil {
		return "", err
	}
	id, err := r.Find(prefix)
	if err != nil {
		return "", err
	}
	found, err := r.Summary(id)
	switch {
	case err != nil:
		return "", err
	case found.State != recorder.StateOpen:
		return "", fmt.Errorf("session %s is not open: it is %s", id, found.State)
	case found.Protocol != recorder.Postgres:
		return "", fmt.Errorf("session %s is %s: an exchange is over by itself; revoke its token instead", id, found.Protocol)
	}
	s, err := store.Open(ctx, where.Database)
	if err != nil {
		return "", err
	}
	defer s.Close()
	if err := s.Kill(ctx, id); err != nil {
		return "", err
	}
	return id, awaitEnd(ctx, r, id)
}

// awaitEnd waits until the session's recording has ended.
func awaitEnd(ctx context.Context, r *recorder.Recorder, id string) error {
	ctx, cancel := context.WithTimeout(ctx, killWait)
	defer cancel()
	ticker := time.NewTicker(killEvery / 5)
	defer ticker.Stop()
	for {
		if now, err := r.Summary(id); err != nil || now.State != recorder.StateOpen {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("session %s is still open: does its gateway use the same [store]?", id)
		case <-ticker.C:
		}
	}
}

// killer ends the sessions that somebody wants to end.
type killer struct {
	store *store.Store
	end   func(session string) bool
	log   zerolog.Logger
}

// Serve looks for sessions to end until ctx ends.
func (k *killer) Serve(ctx context.Context) error {
	ticker := time.NewTicker(killEvery)
	defer ticker.Stop()
	since := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		looked := time.Now()
		sessions, err := k.store.Killed(ctx, since.Add(-time.Second))
		if err != nil {
			if ctx.Err() == nil {
				k.log.Error().Err(err).Msg("sessions to end not known")
			}
			continue
		}
		since = looked
		for _, id := range sessions {
			if k.end(id) {
				k.log.Info().Str("session", id).Msg("session killed")
			}
		}
	}
}
