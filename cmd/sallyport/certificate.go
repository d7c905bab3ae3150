package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sallyport/config"
)

// certificate is the listeners' certificate, and the authorities of their
// clients', read anew when the files change: whoever renews them restarts
// nothing. While new files do not fit together the old ones go on.
type certificate struct {
	pair  refreshed[*tls.Certificate]
	pool  refreshed[*x509.CertPool] // its value is nil where clients have no certificates
	mu    sync.Mutex
	check time.Time // when the files were looked at
}

// refreshed is what was read from files, and when they were as they are.
type refreshed[T any] struct {
	files []string
	read  func(files []string) (T, error)
	what  string // for the log
	log   zerolog.Logger
	value T
	stamp []time.Time // modification times that value, or the last failure, was read at
}

// certificateAge is how long the files are not looked at again.
const certificateAge = time.Second

// openCertificate reads the files for the first time.
func openCertificate(cfg config.TLS, log zerolog.Logger) (*certificate, error) {
	c := &certificate{
		pair: refreshed[*tls.Certificate]{files: []string{cfg.Cert, cfg.Key}, read: readPair, what: "certificate", log: log},
		pool: refreshed[*x509.CertPool]{read: readPool, what: "client authorities", log: log},
	}
	if cfg.ClientCA != "" {
		c.pool.files = []string{cfg.ClientCA}
	}
	if err := errors.Join(c.pair.open(), c.pool.open()); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return c, nil
}

func readPair(files []string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(files[0], files[1])
	return &pair, err
}

func readPool(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	pem, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", files[0])
	}
	return pool, nil
}

// open reads for the first time.
func (w *refreshed[T]) open() (err error) {
	w.stamp, _ = w.stamps()
	w.value, err = w.read(w.files)
	return err
}

// renew reads the files if they have changed.
func (w *refreshed[T]) renew() {
	stamp, err := w.stamps()
	if err != nil || slices.Equal(stamp, w.stamp) {
		return
	}
	w.stamp = stamp
	value, err := w.read(w.files)
	if err != nil {
		w.log.Error().Err(err).Msgf("changed %s not taken; the old one goes on", w.what)
		return
	}
	w.value = value
	w.log.Info().Msgf("%s read anew", w.what)
}

func (w *refreshed[T]) stamps() (stamp []time.Time, err error) {
	for _, name := range w.files {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		stamp = append(stamp, info.ModTime())
	}
	return stamp, nil
}

// current is what there is as of now.
func (c *certificate) current() (*tls.Certificate, *x509.CertPool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.check) >= certificateAge {
		c.check = now
		c.pair.renew()
		c.pool.renew()
	}
	return c.pair.value, c.pool.value
}

// config is the TLS of a listener for the protocols.
func (c *certificate) config(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, _ := c.current()
			return pair, nil
		},
	}
}

// forClients is the TLS of a listener whose clients may show a certificate: it
// must be of one of the authorities then, as they are now. Nothing of an earlier
// connection stands in for it.
func (c *certificate) forClients(protocols ...string) *tls.Config {
	base := c.config(protocols...)
	if _, pool := c.current(); pool == nil {
		return base
	}
	base.SessionTicketsDisabled = true
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		pair, pool := c.current()
		return &tls.Config{
			MinVersion: base.MinVersion, NextProtos: protocols, Certificates: []tls.Certificate{*pair},
			ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool, SessionTicketsDisabled: true,
		}, nil
	}
	return base
}
