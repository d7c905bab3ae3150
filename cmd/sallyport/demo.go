package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"sallyport/config"
	"sallyport/internal/demo"
)

// newDemoCmd is `sallyport demo`.
func newDemoCmd() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start everything on loopback with scratch data",
		Long: "Start a PostgreSQL with a small shop in it, an upstream that speaks OpenAI's API, and Sallyport in front\n" +
			"of both, on loopback and in a temporary folder. It prints what to paste and stays up until a signal.\n" +
			"With --once it takes a tour instead, and exits 0 only if every step came out as it should.",
		Example: "  sallyport demo\n  sallyport demo --once",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "take the tour and exit")
	return cmd
}

// runDemo makes the world, puts the gateway in front, and cleans up whichever
// way it ends.
func runDemo(ctx context.Context, out, errOut io.Writer, once bool) (err error) {
	var folder lateFolder
	ctx, stop := untilSignal(ctx, folder.remove)
	defer stop()

	listen := demo.Free()
	if !once {
		listen = demo.Usual(ctx)
	}
	_, _ = fmt.Fprintln(out, "Starting PostgreSQL, a model upstream and Sallyport on loopback ...")
	world, err := demo.Start(ctx, listen)
	if err != nil {
		return err
	}
	folder.set(world.Folder)
	defer func() { err = errors.Join(err, world.Close()) }()

	cfg, err := config.Load(world.Config)
	if err != nil {
		return fmt.Errorf("the demo's own gateway.toml: %w", err)
	}
	if once {
		return runTour(ctx, out, errOut, world, cfg)
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: errOut, TimeFormat: time.TimeOnly, NoColor: !newTourPrinter(errOut).colours}).
		Level(zerolog.WarnLevel).With().Timestamp().Logger()
	return serve(ctx, cfg, log, func(at addresses) { invite(out, world, listening(at)) })
}

// runTour serves for as long as the tour takes. What the gateway logs is shown
// only when something went wrong.
func runTour(ctx context.Context, out, errOut io.Writer, world *demo.World, cfg *config.Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var log bytes.Buffer
	ready, served := make(chan addresses, 1), make(chan error, 1)
	go func() {
		served <- serve(ctx, cfg, zerolog.New(zerolog.SyncWriter(&log)).With().Timestamp().Logger(), func(at addresses) { ready <- at })
	}()
	var err error
	select {
	case err = <-served:
		if err == nil {
			err = context.Cause(ctx)
		}
	case at := <-ready:
		err = takeTour(ctx, out, world, listening(at))
		cancel()
		err = errors.Join(err, <-served)
	}
	if err != nil {
		_, _ = errOut.Write(log.Bytes())
	}
	return err
}

// listening gives the addresses the shape the demo knows.
func listening(at addresses) demo.Addresses { return demo.Addresses(at) }

// invite prints the lines to paste.
func invite(out io.Writer, w *demo.World, at demo.Addresses) {
	host, port := splitAddress(at.Postgres)
	p := newTourPrinter(out)
	p.printf("\n%s\n  psql \"host=%s port=%s dbname=%s user=agent password=%s\"\n", p.paint(bold, "SQL"), host, port, demo.Database, w.Agent)
	p.printf("%s\n  curl http://%s/openai/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}'\n",
		p.paint(bold, "HTTP"), at.HTTP, w.Agent, w.Model, prompt)
	p.printf("%s\n  http://%s/   token: %s\n", p.paint(bold, "Console"), at.Console, w.Admin)
	p.printf("\nTry: SELECT * FROM users;   DROP TABLE secrets;   UPDATE orders SET status = 'new';\n")
	p.printf("Then: sallyport sessions list --config %s\n", w.Config)
	p.printf("Everything is in %s and goes away with Ctrl-C.\n", w.Folder)
}

// untilSignal ends its context at the first signal; the second one cuts: it
// runs atCut and exits. PostgreSQL ends with us, whichever way that is.
func untilSignal(ctx context.Context, atCut func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			atCut()
			os.Exit(130)
		case <-done:
		}
	})
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		ended.Wait()
		cancel()
	}
}

// lateFolder is the folder to remove, known only after the start.
type lateFolder struct {
	mu   sync.Mutex
	name string
}

func (f *lateFolder) set(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.name = name
}

func (f *lateFolder) remove() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.name != "" {
		_ = os.RemoveAll(f.name)
	}
}

// splitAddress is host and port of a listener's address.
func splitAddress(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address, ""
	}
	return host, port
}
