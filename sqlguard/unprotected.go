package sqlguard

import (
	"slices"
	"strings"
)

const maxOthers = 12 // columns that a hint names

// unprotected says which columns of a protected one's table are not protected, for a
// hint; "" where there are none.
func (sh *shield) unprotected(c Column) string {
	for _, rel := range sh.cat.find(c.Schema, c.Table) {
		var free []string
		for _, a := range rel.columns {
			if len(sh.columns[rel.oid][a.name]) == 0 {
				free = append(free, a.name)
			}
		}
		switch {
		case len(free) == 0 || !slices.ContainsFunc(rel.columns, func(a attribute) bool { return a.name == c.Name }):
			continue
		case len(free) > maxOthers:
			free = append(free[:maxOthers:maxOthers], "...")
		}
		return " The columns of " + c.Table + " that are not protected: " + strings.Join(free, ", ") + "."
	}
	return ""
}
