package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is the listeners' certificate, read anew when its files change:
// whoever renews it restarts nothing. While the new files do not fit together
// the old pair goes on.
type certificate struct {
	cert, key string // files
	log       zerolog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   [2]time.Time // modification times that pair, or the last failure, was read at
	checked time.Time
}

// certificateAge is how long the files are not looked at again.
const certificateAge = time.Second

// openCertificate reads the pair for the first time.
func openCertificate(cert, key string, log zerolog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	c.stamp, _ = c.stamps()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	c.pair = &pair
	return c, nil
}

// config is the TLS of a listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// current is the pair as of now.
func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateAge {
		c.checked = now
		c.renew()
	}
	return c.pair
}

// renew reads the files if they have changed.
func (c *certificate) renew() {
	stamp, err := c.stamps()
	if err != nil || stamp == c.stamp {
		return
	}
	c.stamp = stamp
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.log.Error().Err(err).Msg("changed certificate not taken; the old one goes on")
		return
	}
	c.pair = &pair
	c.log.Info().Msg("certificate read anew")
}

func (c *certificate) stamps() (stamp [2]time.Time, err error) {
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return stamp, err
		}
		stamp[i] = info.ModTime()
	}
	return stamp, nil
}
