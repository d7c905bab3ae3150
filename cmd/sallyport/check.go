package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sallyport/config"
)

// newCheckCmd is `sallyport check`.
func newCheckCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate gateway.toml and exit",
		Long: "Read gateway.toml as serve does and say all that is wrong with it, each as file:line: message, with\n" +
			"exit code 1. Nothing is listened on, fetched or connected to.",
		Example: "  sallyport check --config gateway.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: %s, %s, %s, %s\n", path,
				plural(len(cfg.Postgres)+len(cfg.HTTP), "target"), plural(len(cfg.Grants), "grant"),
				plural(len(cfg.Rules), "rule"), plural(len(cfg.Masks), "mask"))
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// configFlag adds --config.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "gateway.toml", "the gateway's configuration")
	_ = cmd.MarkFlagFilename("config", "toml")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
