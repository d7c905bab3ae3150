package sqlguard

import "strings"

// wholesale adds what table_to_xml and its like run: a SELECT over the relation
// that they are told, or over every one of a schema or of the database, and so
// the functions that a view among them calls.
func (r *reader) wholesale(m *funcCall, name string) {
	of, isXML := strings.CutSuffix(strings.TrimSuffix(name, "_and_xmlschema"), "_to_xml")
	if !isXML || of != "table" && of != "schema" && of != "database" {
		return
	}
	if r.cat == nil || r.cat.code == nil {
		r.wants = true
		r.unknown("function %s: there is no catalog to find in what it reads", name)
		return
	}
	said, isConstant := "", false
	if len(m.Args) > 0 {
		said, isConstant = constantText(m.Args[0])
	}
	switch {
	case of == "database":
		r.opensSchema("")
	case !isConstant:
		r.unknown("function %s: what it reads is not a constant", name)
	case of == "schema":
		r.opensSchema(strings.Trim(said, `"`))
	default:
		schema, table := qualified(strings.Split(strings.ReplaceAll(said, `"`, ""), "."))
		found := r.cat.find(strings.ToLower(schema), strings.ToLower(table))
		found = append(found, r.cat.find(schema, table)...)
		if len(found) == 0 && !isSystem(schema) {
			r.unknown("function %s: the catalog does not hold what it reads", name)
		}
		for _, rel := range found {
			r.opensRelation(rel, onSelect)
		}
	}
}

// opensSchema opens every relation of a schema; of all of them for "".
func (r *reader) opensSchema(schema string) {
	for _, rel := range r.cat.ordered {
		if !isSystem(rel.schema) && (schema == "" || rel.schema == schema) {
			r.opensRelation(rel, onSelect)
		}
	}
}
