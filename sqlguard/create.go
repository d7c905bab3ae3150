package sqlguard

import "fmt"

// createAs works out CREATE TABLE AS, CREATE MATERIALIZED VIEW and SELECT INTO:
// what is free may be copied.
func (a *analyst) createAs(m *ctasStmt) {
	q, ok := unwrap(m.Query).(*selectStmt)
	if !ok {
		a.misunderstood("CREATE TABLE AS of that form")
		return
	}
	a.copied(a.query(q, nil, nil), m.Into.GetRel().GetRelname())
}

// createView works out CREATE VIEW.
func (a *analyst) createView(m *viewStmt) {
	q, ok := unwrap(m.Query).(*selectStmt)
	if !ok {
		a.misunderstood("CREATE VIEW of that form")
		return
	}
	a.copied(a.query(q, nil, nil), m.View.GetRelname())
}

// copied refuses columns that would be protected no more.
func (a *analyst) copied(columns []column, to string) {
	for _, c := range columns {
		for _, d := range c.deps {
			a.refuse(denied(fmt.Sprintf("protected column %q of table %q cannot be copied to %q", d.column.Name, d.column.Table, to),
				"There it would not be protected.", "Leave the column out."+a.sh.unprotected(d.column)))
		}
	}
}
