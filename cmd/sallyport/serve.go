package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"sallyport/config"
)

// drainTime is how long busy sessions may go on after the first signal.
const drainTime = 30 * time.Second

// newServeCmd is `sallyport serve`.
func newServeCmd() *cobra.Command {
	var path, level, format string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: "Run the gateway that gateway.toml describes, until a signal. The first SIGTERM or SIGINT drains: nobody\n" +
			"is let in, sessions end when they are idle. A second one, or 30 seconds, cuts.",
		Example: "  sallyport serve --config gateway.toml\n  sallyport serve --config gateway.toml --log-format console --log-level debug",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			log, err := newLog(cmd.ErrOrStderr(), level, format)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg, log, func(addresses) {})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&format, "log-format", "", "json or console (default: console on a terminal, else json)")
	_ = cmd.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"json", "console"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// newLog is the gateway's log: JSON lines, or text for a person at a terminal.
func newLog(w io.Writer, level, format string) (zerolog.Logger, error) {
	at, err := zerolog.ParseLevel(level)
	if err != nil || at < zerolog.DebugLevel || at > zerolog.ErrorLevel {
		return zerolog.Nop(), fmt.Errorf("--log-level %q: want debug, info, warn or error", level)
	}
	if format == "" {
		format = "json"
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			format = "console"
		}
	}
	switch format {
	case "json":
	case "console":
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}
	default:
		return zerolog.Nop(), fmt.Errorf("--log-format %q: want json or console", format)
	}
	return zerolog.New(zerolog.SyncWriter(w)).Level(at).With().Timestamp().Logger(), nil
}

// addresses are where the listeners are, "" for one that is off.
type addresses struct {
	Postgres, HTTP, Console, Metrics string
}

// serve runs the gateway until ctx ends or a signal drains it. ready is called
// once all listeners are open.
func serve(ctx context.Context, cfg *config.Config, log zerolog.Logger, ready func(addresses)) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	h, err := openHouse(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer h.close()
	l, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer l.close()
	at := l.addresses()
	log.Info().Str("version", buildVersion()).Str("postgres", at.Postgres).Str("http", at.HTTP).
		Str("console", at.Console).Str("metrics", at.Metrics).Msg("listening")
	ready(at)

	g, gctx := errgroup.WithContext(ctx)
	// Draining begins when gctx ends, by a signal or a fault, and lasts until cut.
	cut, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	context.AfterFunc(gctx, func() {
		stop() // a second signal is for cutWhen
		cutWhen(cut, end, drainTime)
	})
	if l.postgres != nil {
		g.Go(func() error { return h.wire.Serve(gctx, cut, l.postgres) })
	}
	for _, s := range []struct {
		ln      net.Listener
		handler http.Handler
		tls     *tls.Config
	}{{l.http, h.http, h.httpTLS(true)}, {l.console, h.console, h.httpTLS(false)}, {l.metrics, h.metrics(), nil}} {
		if s.ln == nil {
			continue
		}
		ln := s.ln
		if s.tls != nil {
			ln = tls.NewListener(ln, s.tls)
		}
		g.Go(func() error { return serveHTTP(gctx, cut, ln, s.handler, log) })
	}
	g.Go(func() error {
		// Connections that were taken over, tunnels say, are not the listener's to drain.
		<-gctx.Done()
		if err := h.http.Close(cut); err != nil {
			log.Warn().Err(err).Msg("exchanges were cut")
		}
		return nil
	})
	g.Go(func() error { return h.health.Serve(gctx) })
	g.Go(func() error { return (&killer{h.store, h.wire.Kill, log}).Serve(gctx) })
	err = g.Wait()
	end()
	return err
}

// httpTLS is the TLS of an HTTP listener, nil for none; clients says whether its
// clients' certificates mean something there. A browser asks its user for one
// where they do.
func (h *house) httpTLS(clients bool) *tls.Config {
	switch {
	case h.tls == nil:
		return nil
	case clients:
		return h.tls.forClients("h2", "http/1.1")
	}
	return h.tls.config("h2", "http/1.1")
}

// cutWhen ends what drains: at the second signal, or after a while.
func cutWhen(cut context.Context, end func(), after time.Duration) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(again)
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-again:
	case <-timer.C:
	case <-cut.Done():
	}
	end()
}

// serveHTTP serves until ctx ends, then lets exchanges finish until cut.
func serveHTTP(ctx, cut context.Context, ln net.Listener, handler http.Handler, log zerolog.Logger) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	srv := &http.Server{
		Handler: handler, Protocols: protocols,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog:    stdlog.New(warnings{log.With().Str("listener", ln.Addr().String()).Logger()}, "", 0),
		BaseContext: func(net.Listener) context.Context { return cut },
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		err := srv.Shutdown(cut)
		if err != nil {
			err = srv.Close()
		}
		stopped <- err
	})
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return <-stopped
}

// warnings gives what net/http says of its connections a level.
type warnings struct{ log zerolog.Logger }

func (w warnings) Write(line []byte) (int, error) {
	w.log.Warn().Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}

// listeners are the open listeners, nil for one that is off.
type listeners struct{ postgres, http, console, metrics net.Listener }

// listen opens all listeners or none.
func listen(cfg config.Listen) (*listeners, error) {
	l := &listeners{}
	for _, one := range []struct {
		key, address string
		ln           *net.Listener
	}{
		{"postgres", cfg.Postgres, &l.postgres},
		{"http", cfg.HTTP, &l.http},
		{"console", cfg.Console, &l.console},
		{"metrics", cfg.Metrics, &l.metrics},
	} {
		if one.address == "" {
			continue
		}
		ln, err := net.Listen("tcp", one.address)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("listen.%s: %w", one.key, err)
		}
		*one.ln = ln
	}
	return l, nil
}

func (l *listeners) all() []net.Listener {
	return []net.Listener{l.postgres, l.http, l.console, l.metrics}
}

func (l *listeners) close() {
	for _, ln := range l.all() {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

func (l *listeners) addresses() addresses {
	at := func(ln net.Listener) string {
		if ln == nil {
			return ""
		}
		return ln.Addr().String()
	}
	return addresses{at(l.postgres), at(l.http), at(l.console), at(l.metrics)}
}
