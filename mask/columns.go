package mask

import (
	"fmt"
	"slices"
	"strings"
	"sync"

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
	// Within is what masks the documents of the column where only members of
	// them are protected; nil for the whole of it.
	Within *Transform
	Looked bool // something is looked for in the column
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

// everyColumn stands in a rule with detectors for every text that comes back.
const everyColumn = "*"

// Columns says which columns of one target are protected, and how they are masked.
type Columns struct {
	patterns   []ColumnPattern
	transforms []*Transform // of the pattern at the same index
	looks      []look
	every      *Transform // what is looked for in every text; nil: nothing

	mu   sync.Mutex
	made map[string]*Transform // of columns in which something is looked for
}

// look is what a rule looks for in a column.
type look struct {
	ColumnPattern
	found Detection
}

// NewColumns compiles the rules for a target; nil when none protects a column.
// Rules are taken as checked by Problems; what Problems rejects is left out.
func NewColumns(rules []Rule, target string) *Columns {
	c := &Columns{made: map[string]*Transform{}}
	var every []Detection
	for _, r := range rules {
		if !r.on(target) || len(r.Columns) == 0 {
			continue
		}
		t := r.column()
		for _, s := range r.Columns {
			if s == everyColumn && len(r.Detect) > 0 {
				every = append(every, Detection{r.Detect, r.transform()})
				continue
			}
			p, err := parseColumn(s)
			switch {
			case err != nil:
			case len(r.Detect) > 0:
				if p.Filter = r.Filter; p.Filter == "" {
					p.Filter = "allow" // what is found is protected, not the text around it
				}
				p.Looked = true
				c.looks = append(c.looks, look{p, Detection{r.Detect, r.transform()}})
			default:
				if p.Filter = r.Filter; p.Filter == "" {
					p.Filter = filters[0]
				}
				if t.Inside() {
					p.Within = t
				}
				c.patterns = append(c.patterns, p)
				c.transforms = append(c.transforms, t)
			}
		}
	}
	// A detector that nobody knows was rejected by Problems.
	d, _ := NewDetectors(every...)
	c.every = newScanTransform(d)
	if len(c.patterns)+len(c.looks) == 0 && c.every == nil {
		return nil
	}
	return c
}

// For finds the transform of a column: the first matching rule's, and what is
// looked for in what that leaves. A nil Columns protects nothing.
func (c *Columns) For(schema, table, column string) (*Transform, bool) {
	if c == nil {
		return nil, false
	}
	var first *Transform
	for i, p := range c.patterns {
		if p.matches(schema, table, column) {
			first = c.transforms[i]
			break
		}
	}
	if len(c.looks) == 0 {
		return first, first != nil
	}
	return c.looked(first, schema, table, column)
}

// looked is first, and then what is looked for in the column. The same rules
// give the same transform each time.
func (c *Columns) looked(first *Transform, schema, table, column string) (*Transform, bool) {
	key := []byte(fmt.Sprintf("%p", first))
	var found []Detection
	for i, l := range c.looks {
		if l.matches(schema, table, column) {
			key, found = fmt.Appendf(key, " %d", i), append(found, l.found)
		}
	}
	if len(found) == 0 {
		return first, first != nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.made[string(key)]
	if t == nil {
		d, err := NewDetectors(found...)
		if t = newScanTransform(d); err != nil || t == nil {
			return transforms["redact"], true
		}
		t = t.after(first)
		c.made[string(key)] = t
	}
	return t, true
}

// Every is the transform of a text that comes back, given the one it has
// already; both may be nil.
func (c *Columns) Every(first *Transform) *Transform {
	if c == nil || c.every == nil {
		return first
	}
	return c.every.after(first)
}

// matches reports whether the pattern means the column.
func (p ColumnPattern) matches(schema, table, column string) bool {
	return policy.Match(p.Schema, schema) && policy.Match(p.Table, table) && policy.Match(p.Column, column)
}

// Patterns lists the protected columns: those that are masked in the order of
// their rules, then those in which something is looked for.
func (c *Columns) Patterns() []ColumnPattern {
	if c == nil {
		return nil
	}
	all := slices.Clone(c.patterns)
	for _, l := range c.looks {
		all = append(all, l.ColumnPattern)
	}
	return all
}
