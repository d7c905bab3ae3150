package mask

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// ColumnPattern is one protected column, or many: each part takes *. Names
// compare exactly as the server holds them, that is folded to lower case
// unless they were created in quotes.
type ColumnPattern struct {
	Schema string // "*" when the rule named none
	Table  string
	Column string
	Filter string // equality, deny or allow
}

// parseColumn reads table.column or schema.table.column.
func parseColumn(s string) (ColumnPattern, error) {
	parts := strings.Split(s, ".")
	if slices.Contains(parts, "") || len(parts) < 2 || len(parts) > 3 || strings.ContainsAny(s, "\" \t\r\n") {
		return ColumnPattern{}, fmt.Errorf("%q can't match: write table.column or schema.table.column, without quotes, as the server holds the names", s)
	}
	if len(parts) == 2 {
		parts = append([]string{"*"}, parts...)
	}
	return ColumnPattern{Schema: parts[0], Table: parts[1], Column: parts[2]}, nil
}

// Columns says which columns of one target are protected, and how they are masked.
type Columns struct {
	patterns   []ColumnPattern
	transforms []*Transform // of the pattern at the same index
}

// NewColumns compiles the rules for a target; nil when none protects a column.
// Rules are taken as checked by Problems; what Problems rejects is left out.
func NewColumns(rules []Rule, target string) *Columns {
	c := &Columns{}
	for _, r := range rules {
		if !r.on(target) {
			continue
		}
		t := r.column()
		for _, s := range r.Columns {
			p, err := parseColumn(s)
			if err != nil {
				continue
			}
			if p.Filter = r.Filter; p.Filter == "" {
				p.Filter = filters[0]
			}
			c.patterns = append(c.patterns, p)
			c.transforms = append(c.transforms, t)
		}
	}
	if len(c.patterns) == 0 {
		return nil
	}
	return c
}

// For finds the transform of a column: the first matching rule's. A nil Columns
// protects nothing.
func (c *Columns) For(schema, table, column string) (*Transform, bool) {
	if c == nil {
		return nil, false
	}
	for i, p := range c.patterns {
		if policy.Match(p.Schema, schema) && policy.Match(p.Table, table) && policy.Match(p.Column, column) {
			return c.transforms[i], true
		}
	}
	return nil, false
}

// Patterns lists the protected columns in the order of their rules.
func (c *Columns) Patterns() []ColumnPattern {
	if c == nil {
		return nil
	}
	return slices.Clone(c.patterns)
}
