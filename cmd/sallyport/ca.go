package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sallyport/httpguard"
)

// newCACmd is `sallyport ca`: the authority of the forward proxy.
func newCACmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Make the certificate authority of the forward proxy",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newCAInitCmd())
	return cmd
}

func newCAInitCmd() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:   "init --out DIR [--name NAME]",
		Short: "Make ca.crt and ca.key",
		Long: `Make an authority for [proxy]: ca.crt, which the callers must trust, and ca.key, which only the gateway
may read. Who has ca.key can stand for any host to those who trust ca.crt. Files that are there already stay.`,
		Example: "  sallyport ca init --out /etc/sallyport\n  HTTPS_PROXY=http://agent:$TOKEN@127.0.0.1:8080 SSL_CERT_FILE=/etc/sallyport/ca.crt python agent.py",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return errors.New("--out is required: the folder for ca.crt and ca.key")
			}
			cert, key, err := httpguard.NewAuthority(name, time.Now())
			if err != nil {
				return fmt.Errorf("make the authority: %w", err)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			certFile, keyFile := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
			if _, err := os.Lstat(certFile); err == nil {
				return fmt.Errorf("%s is there already", certFile)
			}
			if err := writeNew(keyFile, key, 0o600); err != nil {
				return err
			}
			if err := writeNew(certFile, cert, 0o644); err != nil {
				return errors.Join(err, os.Remove(keyFile))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "[proxy]\nca_cert = %q\nca_key  = %q\n", certFile, keyFile)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "out", "", "the folder to write to")
	cmd.Flags().StringVar(&name, "name", "Sallyport proxy", "the authority's name, as callers see it")
	return cmd
}

// writeNew writes a file that must not be there yet.
func writeNew(file string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
