package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// CopyOut says how COPY ... TO STDOUT writes which columns: nobody describes
// them, so that lineage alone decides.
type CopyOut struct {
	Columns []Output
	// ByWidth has them by how many they are, where the table's name could mean
	// several: the server says how many it writes.
	ByWidth map[int][]Output
	Format  string // text, csv or binary
	// As the statement gives them; empty where it does not, Null by HasNull.
	Delimiter, Null, Quote, Escape string
	HasNull                        bool
	ForceQuote                     []string // columns by name
	ForceAll                       bool     // FORCE_QUOTE *
	Header                         bool
	Encoding                       string // empty is the session's
}

// copyOut works out COPY ... TO STDOUT.
func (a *analyst) copyOut(m *copyStmt) *CopyOut {
	out := &CopyOut{Format: "text"}
	var columns []column
	switch q := unwrap(m.Query).(type) {
	case nil:
		columns = a.copyTable(m)
	case *selectStmt:
		columns = a.query(q, nil, nil)
	case *insertStmt, *updateStmt, *deleteStmt:
		columns = a.change(q, nil, nil)
	default:
		a.misunderstood("COPY of that form")
	}
	a.tooWide(columns)
	out.Columns = outputsFrom(columns)
	if m.Query == nil && len(m.Attlist) == 0 && !a.moved {
		out.ByWidth = a.byWidth(m.Relation)
	}
	for _, n := range m.Options {
		d, ok := unwrap(n).(*defElem)
		if !ok || !out.option(d) {
			a.misunderstood("COPY with that option")
		}
	}
	return out
}

// copyAll describes a COPY ... TO STDOUT that reaches nothing protected: how it
// writes, and the columns of a table as far as the catalog knows them. Nil for
// anything else.
func (sh *shield) copyAll(m proto.Message) *CopyOut {
	c, ok := m.(*copyStmt)
	if !ok || c.IsFrom || c.IsProgram || c.Filename != "" {
		return nil
	}
	out := &CopyOut{Format: "text"}
	for _, n := range c.Options {
		d, ok := unwrap(n).(*defElem)
		if !ok || !out.option(d) {
			return nil
		}
	}
	if found := sh.cat.find(c.Relation.GetSchemaname(), c.Relation.GetRelname()); len(found) == 1 {
		a := &analyst{sh: sh}
		if columns := a.copyTable(c); a.refusal == nil {
			out.Columns = outputsFrom(columns)
		}
	}
	return out
}

// Of gives the columns of a COPY of which the server says how many they are.
func (c *CopyOut) Of(many int) []Output {
	if columns, ok := c.ByWidth[many]; ok {
		return columns
	}
	return c.Columns
}

// byWidth gives the columns of each table that a name could mean, those of
// equally many as one; nil where it can mean only one.
func (a *analyst) byWidth(v *rangeVar) map[int][]Output {
	found := a.sh.cat.find(v.GetSchemaname(), v.GetRelname())
	if len(found) < 2 {
		return nil
	}
	wide := map[int][]column{}
	for _, rel := range found {
		columns := stored(a.sh.columnsOf(rel, a.depth))
		if other, ok := wide[len(columns)]; ok {
			columns = abreast(other, columns)
		}
		wide[len(columns)] = columns
	}
	out := map[int][]Output{}
	for width, columns := range wide {
		out[width] = outputsFrom(columns)
	}
	return out
}

// abreast joins the columns of two relations by their places: each depends on
// what it does in either.
func abreast(a, b []column) []column {
	joined := slices.Clone(a)
	for i, c := range b {
		c.name = joined[i].name // so that overlay finds it
		joined[i] = overlay(joined[i:i+1], []column{c})[0]
	}
	return joined
}

// stored are the columns that are not generated.
func stored(columns []column) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.generated })
}

// copyTable gives the columns of COPY table TO: those listed, or all that are
// not generated.
func (a *analyst) copyTable(m *copyStmt) []column {
	rel := a.relation(m.Relation)
	if len(m.Attlist) == 0 {
		return stored(rel.star())
	}
	var columns []column
	for _, n := range m.Attlist {
		v, ok := rel.field(text(n))
		if !ok {
			a.refuse(noColumn(fmt.Sprintf("column \"%s\" of relation \"%s\" does not exist", text(n), m.Relation.GetRelname()), -1))
			return nil
		}
		columns = append(columns, column{name: text(n), value: v})
	}
	return columns
}

// option takes one option; false when it is not known.
func (c *CopyOut) option(d *defElem) bool {
	value := text(d.Arg)
	switch d.Defname {
	case "format":
		c.Format = value
		return value == "text" || value == "csv" || value == "binary"
	case "delimiter":
		c.Delimiter = value
	case "null":
		c.Null, c.HasNull = value, true
	case "quote":
		c.Quote = value
	case "escape":
		c.Escape = value
	case "header":
		switch strings.ToLower(value) {
		case "", "true", "on", "1":
			c.Header = true
		case "false", "off", "0":
			c.Header = false
		default:
			return false
		}
	case "encoding":
		c.Encoding = value
	case "force_quote":
		if l, ok := unwrap(d.Arg).(*list); ok {
			c.ForceQuote = names(l.Items)
			return true
		}
		_, c.ForceAll = unwrap(d.Arg).(*aStar)
		return c.ForceAll
	case "freeze", "force_null", "force_not_null", "on_error", "log_verbosity":
	default:
		return false
	}
	return true
}
