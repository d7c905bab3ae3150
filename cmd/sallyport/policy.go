package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"sallyport/config"
	"sallyport/policy"
)

// policyTests is one file of expected verdicts.
type policyTests struct {
	Config  string       `toml:"config"` // of the gateway; relative to the file
	As      string       `toml:"as"`     // who asks, where a case does not say
	Groups  []string     `toml:"groups"`
	Target  string       `toml:"target"`
	Connect bool         `toml:"connect"` // ask the targets' catalogs
	Cases   []policyCase `toml:"case"`
}

// policyCase is one statement and what is expected of it.
type policyCase struct {
	Name   string   `toml:"name"`
	SQL    string   `toml:"sql"`
	As     string   `toml:"as"`
	Groups []string `toml:"groups"`
	Target string   `toml:"target"`
	Expect string   `toml:"expect"` // allow or deny
	Rule   string   `toml:"rule"`   // the rule that decides; "" is any
	Flags  []string `toml:"flags"`  // at least these
}

// newPolicyCmd is `sallyport policy`.
func newPolicyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Test rules against expected verdicts",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyTestCmd())
	return cmd
}

func newPolicyTestCmd() *cobra.Command {
	var connect bool
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Judge the statements of files and compare the verdicts with those expected",
		Long: "Each file names a gateway.toml and lists statements with the verdict expected of each, and the rule. Nothing\n" +
			"is run. What is not as expected is printed; the exit code is 1 if anything is. docs/packs.md describes the files.",
		Example: "  sallyport policy test policy/*.toml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			var all, failed int
			for _, file := range files {
				n, bad, err := testPolicy(cmd, file, connect)
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				all, failed = all+n, failed+bad
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d as expected, %d not\n", plural(all, "statement"), all-failed, failed)
			if failed > 0 {
				return fmt.Errorf("%s not as expected", plural(failed, "verdict"))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, "ask the targets' catalogs: views, functions and triggers are looked into")
	return cmd
}

// testPolicy judges the cases of one file.
func testPolicy(cmd *cobra.Command, file string, connect bool) (n, failed int, err error) {
	var tests policyTests
	meta, err := toml.DecodeFile(file, &tests)
	if err != nil {
		return 0, 0, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return 0, 0, fmt.Errorf("unknown key %q", unknown[0].String())
	}
	if len(tests.Cases) == 0 {
		return 0, 0, errors.New("no [[case]]")
	}
	path := tests.Config
	if path == "" {
		path = "gateway.toml"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	cfg, err := config.Load(path)
	if err != nil {
		return 0, 0, err
	}
	d, err := newDesk(cfg, connect || tests.Connect)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	shown := time.Now()
	for i, c := range tests.Cases {
		c.inherit(&tests)
		wrong, err := c.run(cmd, d)
		if err != nil {
			return 0, 0, fmt.Errorf("case %d: %w", i+1, err)
		}
		if wrong != "" {
			failed++
			fmt.Fprintf(cmd.OutOrStdout(), "FAIL %s: %s\n     %s\n", file, c.title(i), wrong)
		}
		if time.Since(shown) > 5*time.Second {
			shown = time.Now()
			progress(cmd.ErrOrStderr(), file, i+1, len(tests.Cases))
		}
	}
	return len(tests.Cases), failed, nil
}

func progress(w io.Writer, file string, done, all int) {
	fmt.Fprintf(w, "%s: %d of %d\n", file, done, all)
}

func (c *policyCase) inherit(tests *policyTests) {
	if c.As == "" {
		c.As = tests.As
	}
	if c.Groups == nil {
		c.Groups = tests.Groups
	}
	if c.Target == "" {
		c.Target = tests.Target
	}
}

func (c *policyCase) title(i int) string {
	if c.Name != "" {
		return c.Name
	}
	return fmt.Sprintf("case %d: %.80s", i+1, c.SQL)
}

// run says what is not as expected; "" is nothing.
func (c *policyCase) run(cmd *cobra.Command, d *desk) (string, error) {
	if c.Expect != "allow" && c.Expect != "deny" {
		return "", fmt.Errorf("expect must be allow or deny, is %q", c.Expect)
	}
	a, err := d.ask(cmd.Context(), policy.Principal{Subject: c.As, Groups: c.Groups, Issuer: "gateway.toml"}, c.Target, c.SQL)
	if err != nil {
		return "", err
	}
	by := ""
	if a.Rule != "" {
		by = fmt.Sprintf(" by %q", a.Rule)
	}
	switch {
	case a.Action != c.Expect:
		return fmt.Sprintf("got %s%s, want %s: %s %s", a.Action, by, c.Expect, a.Message, a.Detail), nil
	case c.Rule != "" && a.Rule != c.Rule:
		return fmt.Sprintf("got %s%s, want it by %q", a.Action, by, c.Rule), nil
	}
	for _, want := range c.Flags {
		if !slices.Contains(a.Flags, want) {
			return fmt.Sprintf("not flagged by %q", want), nil
		}
	}
	return "", nil
}
