package main

import (
	"github.com/spf13/cobra"

	"sallyport/sqlguard"
)

// parseWorker is the hidden command that sqlguard's workers run.
const parseWorker = "parse-worker"

// newParseWorkerCmd is what a worker process of the SQL parser is: a statement
// that crashes the parser crashes this process and no gateway.
func newParseWorkerCmd() *cobra.Command {
	return &cobra.Command{
		Use:    parseWorker,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sqlguard.ServeWorker(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
