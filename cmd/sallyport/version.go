package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the Makefile with -ldflags -X; a plain go build leaves them empty.
var (
	version string // v1.2.3, or git describe's words
	commit  string
	built   string // RFC 3339
)

// newVersionCmd is `sallyport version`.
func newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print what this binary is",
		Example: "  sallyport version",
		Args:    cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "sallyport %s\n", buildVersion())
			for _, line := range [][2]string{{"commit", orUnknown(commit)}, {"built", orUnknown(built)}, {"go", runtime.Version()}, {"platform", runtime.GOOS + "/" + runtime.GOARCH}} {
				fmt.Fprintf(cmd.OutOrStdout(), "%-9s %s\n", line[0], line[1])
			}
		},
	}
}

// buildVersion is the version, as well as it is known.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
