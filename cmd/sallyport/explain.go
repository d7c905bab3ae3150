package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sallyport/config"
	"sallyport/policy"
)

// newExplainCmd is `sallyport explain`.
func newExplainCmd() *cobra.Command {
	var path, subject, target string
	var groups []string
	var asJSON, offline bool
	cmd := &cobra.Command{
		Use:   "explain 'SQL'",
		Short: "Say what a statement would do, and what would be decided of it",
		Long: "Judge a statement as the gateway would: its facts, the rule that decides, what is unknown and why, and on a\n" +
			"target with masks which column of a result depends on which protected column. Nothing is run and nothing\n" +
			"recorded. The target's catalog is asked where the answer depends on it, unless --offline is given.",
		Example: "  sallyport explain --as worker-1 --groups agents --target orders 'DELETE FROM users'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			d, err := newDesk(cfg, !offline)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			a, err := d.ask(cmd.Context(), policy.Principal{Subject: subject, Groups: groups, Issuer: "gateway.toml"}, target, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				return e.Encode(a)
			}
			colours := false
			if f, ok := cmd.OutOrStdout().(*os.File); ok {
				colours = term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
			}
			explainText(marker{cmd.OutOrStdout(), colours}, a, subject, target, args[0])
			return nil
		},
	}
	configFlag(cmd, &path)
	f := cmd.Flags()
	f.StringVar(&subject, "as", "", "the subject who asks")
	f.StringSliceVar(&groups, "groups", nil, "the groups the subject is in")
	f.StringVar(&target, "target", "", "the Postgres target")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&offline, "offline", false, "do not connect to the target: what only its catalog tells is unknown")
	for _, name := range []string{"as", "target"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// explainText prints an answer for people.
func explainText(m marker, a *answer, subject, target, sql string) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(m.w, "%-12s %s\n", name, printable(text))
		}
	}
	line("verdict", a.Action)
	rule := a.Rule
	if rule == "" && a.Action == "allow" {
		rule = "none decides: what no rule decides is allowed"
	}
	line("rule", rule)
	line("message", a.Message)
	line("detail", a.Detail)
	line("hint", a.Hint)
	line("flags", strings.Join(a.Flags, ", "))
	if !a.Granted {
		line("grant", fmt.Sprintf("none: %s does not reach %s at all", subject, target))
	}
	if f := a.Facts; f != nil {
		line("verbs", strings.Join(f.Verbs, ", "))
		line("tables", strings.Join(f.Tables, ", "))
		line("columns", strings.Join(f.Columns, ", "))
		line("functions", strings.Join(f.Functions, ", "))
		var is []string
		for _, x := range []struct {
			on   bool
			name string
		}{
			{f.Writes, "writes"},
			{f.DDL, "ddl"},
			{f.Destructive, "destructive"},
			{f.Unbounded, "unbounded"},
			{f.Protected, "protected"},
			{f.Dynamic, "dynamic"},
			{f.SideDoor, "side door"},
		} {
			if x.on {
				is = append(is, x.name)
			}
		}
		if len(is) == 0 {
			is = []string{"only reads"}
		}
		line("facts", strings.Join(is, ", "))
		for _, u := range f.Unknown {
			line("unknown", u)
		}
	}
	for _, r := range a.Results {
		if r.Free {
			line("result", r.Statement+": reaches nothing that is protected")
		}
		for _, o := range r.Outputs {
			switch {
			case len(o.Protected) == 0:
				line("column", o.Name+": free")
			case o.Plain:
				line("column", o.Name+": is "+strings.Join(o.Protected, ", ")+", masked with "+o.Masked)
			default:
				line("column", o.Name+": is computed from "+strings.Join(o.Protected, ", ")+", masked whole")
			}
		}
	}
	m.print(sql, a.Marks)
}
