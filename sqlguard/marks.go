package sqlguard

import (
	"context"
	"fmt"
	"strings"
)

// A mark stands for the state of one of PostgreSQL's own tables, or a part of
// it: it is made of the transactions that wrote its rows, so that no change
// leaves it as it was. To read all marks costs some ten milliseconds; what is
// read anew is what they say has changed.

// marked are the marks: of which rows each is made.
var marked = []struct{ name, of, where string }{
	{"class", "pg_class", "oid >= 16384"},
	{"class0", "pg_class", "oid < 16384"},
	{"class_v", "pg_class", "oid >= 16384 AND (relkind IN ('v', 'm') OR relhastriggers)"},
	{"attribute", "pg_attribute", "attrelid >= 16384"},
	{"attribute0", "pg_attribute", "attrelid < 16384"},
	{"proc", "pg_proc", "oid >= 16384"},
	{"proc0", "pg_proc", "oid < 16384"},
	{"types", "pg_type", "oid >= 16384"},
	{"type", "pg_type", "oid >= 16384 AND typtype <> 'c' AND typelem = 0"},
	{"attrdef", "pg_attrdef", "true"},
	{"constraint", "pg_constraint", "true"},
	{"index", "pg_index", "true"},
	{"inherits", "pg_inherits", "true"},
	{"rewrite", "pg_rewrite", "oid >= 16384"},
	{"trigger", "pg_trigger", "true"},
	{"event_trigger", "pg_event_trigger", "true"},
	{"policy", "pg_policy", "true"},
	{"operator", "pg_operator", "true"},
	{"opfamily", "pg_opfamily", "true"},
	{"cast", "pg_cast", "true"},
	{"namespace", "pg_namespace", "true"},
	{"aggregate", "pg_aggregate", "true"},
	{"language", "pg_language", "true"},
	{"ext", "pg_depend", "deptype = 'e'"},
	// What rules, views and functions name: their texts change with its names.
	{"viewed", "pg_class", "oid IN (SELECT refobjid FROM named)"},
	{"viewed", "pg_attribute", "attrelid IN (SELECT refobjid FROM named)"},
	{"viewed", "pg_rewrite", "oid >= 16384"},
}

// marksQuery asks for all of them.
func marksQuery() string {
	var parts []string
	for _, m := range marked {
		parts = append(parts, fmt.Sprintf("SELECT '%s', pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashint8extended(t.xmin::text::int8, 0)), 0) FROM pg_catalog.%s t WHERE %s", m.name, m.of, m.where))
	}
	return `WITH named AS MATERIALIZED (SELECT DISTINCT refobjid FROM pg_catalog.pg_depend
		WHERE classid IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
		  AND refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass) ` + strings.Join(parts, " UNION ALL ")
}

// loadMarks reads the marks.
func loadMarks(ctx context.Context, q Querier) (map[string]string, error) {
	// To compile a query takes a hundred times as long as to run it.
	if _, err := q.Query(ctx, `SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('jit', 'off', false)`); err != nil {
		return nil, fmt.Errorf("load catalog: settings: %w", err)
	}
	rows, err := q.Query(ctx, marksQuery())
	if err != nil {
		return nil, fmt.Errorf("load catalog: marks: %w", err)
	}
	marks := map[string]string{}
	for _, row := range rows {
		if len(row) != 3 {
			return nil, fmt.Errorf("load catalog: marks: %d columns where 3 were asked for", len(row))
		}
		marks[row[0]] += " " + row[1] + " " + row[2]
	}
	return marks, nil
}
