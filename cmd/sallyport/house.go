package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/console"
	"sallyport/credential"
	"sallyport/httpguard"
	"sallyport/identity"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/store"
	"sallyport/wire"
)

// house is the rooms of DESIGN section 3, put together: skills first, then the
// stories that need them.
type house struct {
	log      zerolog.Logger
	tls      *certificate // nil: the listeners are plain
	registry *prometheus.Registry
	store    *store.Store
	recorder *recorder.Recorder
	judge    *statementJudge
	wire     *wire.Server
	http     *httpguard.Server
	console  http.Handler
	health   *health
}

// openHouse makes every room of a checked configuration. It listens on nothing
// and logs in nowhere.
func openHouse(ctx context.Context, cfg *config.Config, log zerolog.Logger) (_ *house, err error) {
	h := &house{log: log, registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	h.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	if cfg.TLS.Cert != "" {
		if h.tls, err = openCertificate(cfg.TLS, log); err != nil {
			return nil, err
		}
	}

	if h.store, err = store.Open(ctx, cfg.Store.Database); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if h.recorder, err = recorder.Open(cfg.Store.Recordings); err != nil {
		return nil, err
	}
	if err = h.recorder.Ready(); err != nil {
		return nil, err
	}
	if err = h.recorder.Register(h.registry); err != nil {
		return nil, err
	}
	who := identity.New(cfg.Tokens, identity.NewIssued(h.store), time.Now)
	lender, err := credential.New(cfg.Vault, cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err = lender.Register(h.registry); err != nil {
		return nil, err
	}
	rules, wrong := policy.NewRules(cfg.Rules, cfg.Kinds())
	if len(wrong) > 0 {
		return nil, fmt.Errorf("rules: %w", wrong[0])
	}
	grants := policy.NewGrants(cfg.Grants)

	masks, err := withMaskKeys(ctx, cfg.Masks, lender)
	if err != nil {
		return nil, err
	}
	if h.judge, err = newStatementJudge(cfg, masks, rules, log); err != nil {
		return nil, err
	}
	var secured *tls.Config
	if h.tls != nil {
		secured = h.tls.forClients()
	}
	h.wire, err = wire.New(wire.Config{
		Targets: cfg.Postgres, TLS: secured, OAuth: cfg.OAuth, NewID: newID, Now: time.Now, Log: log, Registry: h.registry,
		Needs: wire.Needs{Identifier: who, Scram: who, Access: grants, Lender: lender, Judge: h.judge, Journal: wireJournal{h.recorder}},
	})
	if err != nil {
		return nil, err
	}
	h.judge.sides = h.wire
	h.http, err = httpguard.New(httpguard.Config{
		Targets: cfg.HTTP, Proxy: cfg.Proxy, Masks: masks, Identifier: who, Access: grants, Lender: lender, Judge: rules,
		Journal: httpJournal{h.recorder}, Log: log, NewID: newID, Now: time.Now, Registerer: h.registry,
	})
	if err != nil {
		return nil, err
	}
	h.health = newHealth(cfg, h.wire)
	h.console = console.New(console.Config{
		Version: buildVersion(), Listen: cfg.Listen.Console, Identifier: who, Sessions: h.recorder,
		Health: h.health.Targets, Log: log, Now: time.Now,
	})
	return h, nil
}

// close ends what outlives its listener.
func (h *house) close() {
	var errs []error
	if h.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		errs = append(errs, h.http.Close(ctx))
	}
	if h.judge != nil {
		errs = append(errs, h.judge.Close())
	}
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		h.log.Error().Err(err).Msg("not closed in order")
	}
}

// metrics serves /metrics, /healthz and /readyz.
func (h *house) metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := errors.Join(h.recorder.Ready(), h.store.DB().PingContext(r.Context())); err != nil {
			h.log.Error().Err(err).Msg("not ready")
			http.Error(w, "not ready: the gateway's log says why", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

// buildInfo is a metric that is always 1 and says in its labels what runs.
func buildInfo() prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "sallyport", Name: "build_info", Help: "1, with the build in its labels.",
		ConstLabels: prometheus.Labels{"version": buildVersion(), "commit": orUnknown(commit)},
	})
	g.Set(1)
	return g
}

// newID is a new session's or exchange's id: ULIDs sort by time.
func newID() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }

// wireJournal and httpJournal hand the recorder to the stories.
type (
	wireJournal struct{ *recorder.Recorder }
	httpJournal struct{ *recorder.Recorder }
)

func (j wireJournal) Begin(ctx context.Context, o recorder.Opening) (wire.Recording, error) {
	return begun(j.Recorder.Begin(ctx, o))
}

func (j httpJournal) Begin(ctx context.Context, o recorder.Opening) (httpguard.Recording, error) {
	return begun(j.Recorder.Begin(ctx, o))
}

// begun keeps a failed Begin from becoming an interface that is not nil.
func begun(r *recorder.Recording, err error) (wire.Recording, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}
