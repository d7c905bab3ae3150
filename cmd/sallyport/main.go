// Command sallyport is the gateway and its tools.
//
//	serve     the gateway
//	check     is gateway.toml right?
//	explain   what a statement would do
//	policy    expected verdicts, for CI
//	demo      everything on loopback with scratch data
//	token     issued gateway tokens
//	sessions  what was recorded
//	ca        the authority of the forward proxy
//	version   what this binary is
//
// Each command is a file of its own; house.go puts the rooms together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sallyport/config"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program: the exit code is 1 for whatever failed, but for what has
// one of its own.
//
// Errors go to stderr, one per line, without a usage text behind them: the
// config's are file:line: message, which editors and CI can follow.
func run(args []string, out, errOut io.Writer) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	var problems config.Errors
	if errors.As(err, &problems) {
		fmt.Fprintln(errOut, problems)
	} else {
		fmt.Fprintln(errOut, "sallyport:", err)
	}
	var own exitError
	if errors.As(err, &own) {
		return own.code
	}
	return 1
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "A gateway between AI agents and what they reach",
		Long: "Sallyport stands between AI agents and the databases and APIs they reach. The agent holds a short-lived\n" +
			"gateway token; Sallyport holds the real credential, judges every statement and request, masks what comes\n" +
			"back and records all of it. It fails closed.",
		Version:       buildVersion(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newServeCmd(), newCheckCmd(), newDemoCmd(), newExplainCmd(), newPolicyCmd(), newMasksCmd(),
		newTokenCmd(), newSessionsCmd(), newCACmd(), newVersionCmd(),
		newParseWorkerCmd(),
	)
	return root
}
