package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/demo"
	"sallyport/recorder"
)

// stepDeadline is how long one step of the tour may take.
const stepDeadline = 30 * time.Second

// errTour says that a step came out otherwise than it should.
var errTour = errors.New("the tour did not come out as it should")

// tour walks through what the gateway does, with real clients, and checks each
// step from both sides: what the client got and what the server received.
type tour struct {
	world     *demo.World
	at        demo.Addresses
	postgres  *client
	recording *recorder.Recorder
}

// step is one thing shown. run returns what came back, line by line, and what
// it shows; an error when it does not.
type step struct {
	title   string
	command string
	run     func(ctx context.Context) (lines []string, verdict string, err error)
}

// takeTour runs every step, goes on after one that fails, and tells by its error.
func takeTour(ctx context.Context, out io.Writer, w *demo.World, at demo.Addresses) error {
	rec, err := recorder.Open("file:" + w.Folder + "/recordings")
	if err != nil {
		return err
	}
	t := &tour{world: w, at: at, recording: rec}
	t.postgres, err = connect(ctx, w, at.Postgres)
	if err != nil {
		return fmt.Errorf("connect through the gateway: %w", err)
	}
	defer t.postgres.close(context.WithoutCancel(ctx))

	p := newTourPrinter(out)
	p.printf("The tour: every command below goes through Sallyport, with the agent's token and nothing else.\n")
	steps := append(t.postgresSteps(), t.httpSteps()...)
	steps = append(steps, t.recordingSteps()...)
	failed := 0
	for i, s := range steps {
		p.title(i+1, len(steps), s.title)
		p.command(s.command)
		limited, cancel := context.WithTimeout(ctx, stepDeadline)
		lines, verdict, err := s.run(limited)
		cancel()
		p.lines(lines)
		p.verdict(verdict, err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed++
		}
	}
	if failed > 0 {
		p.printf("\n%d of %d steps failed.\n", failed, len(steps))
		return errTour
	}
	p.printf("\nAll %d steps came out as they should.\n", len(steps))
	return nil
}
