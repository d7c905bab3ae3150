package sqlguard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Column names one column.
type Column struct{ Schema, Table, Name string }

// Catalog is what a database's own catalog said when it was loaded. It is
// immutable.
type Catalog struct {
	relations map[uint32]*relation
	ordered   []*relation            // by oid
	named     map[string][]*relation // by name, in any schema
	parents   map[uint32][]uint32    // of partitions and children
	children  map[uint32][]uint32
	sources   map[uint32][]uint32 // what the rules of a relation, views included, read
	system    map[string]function // functions of pg_catalog and information_schema, overloads merged
	user      map[string]function // all others
	internal  map[string][]string // functions of pg_catalog by the name that PostgreSQL has for what is behind them, where it is another
	code      *code
	operators map[string]bool     // names of operators that are neither PostgreSQL's own nor a known extension's
	bodies    map[string][]string // the CREATE FUNCTION of functions in SQL that are not trusted, by name

	torn    map[string]bool       // parts in which something was locked
	marks   map[string]string     // of what it was read from
	rows    map[string][][]string // that it was made of, by part
	columns map[string]bool       // names of the columns of all relations
	types   map[uint32]Type
	casts   map[string][]string // functions that others made and that cast, by the name of the type they give

	within *within // nil: it is what everybody sees
}

// relation is whatever can be selected from.
type relation struct {
	oid          uint32
	schema, name string
	kind         string // pg_class.relkind
	columns      []attribute
	definition   string   // a view's query
	calls        []string // functions that its rules, a view's included, call and that are not trusted
	unique       []int16  // columns of its unique indexes and exclusion constraints; 0 is an expression
	notifies     bool     // a trigger on it may NOTIFY
}

type attribute struct {
	number    int16
	name      string
	notNull   bool
	generated bool
	from      []int16 // a generated column: the columns it is computed from; 0 is all
	typ       uint32
	modifier  int32
}

// function is what all functions of one name have in common.
type function struct {
	set      bool // one of them returns a set
	volatile bool // one of them is volatile
	scalar   bool // all of them return one value without a name
	trusted  bool // all of them belong to a known extension
	ofRow    bool // one of them can be called as row.name
}

// Querier runs the queries of [Load]. Every value comes as text; no query asks
// for one that may be NULL.
type Querier interface {
	Query(ctx context.Context, sql string) ([][]string, error)
}

// Load reads a database's catalog. It sets the search_path of q's session to
// nothing, so that no name here or in a view's definition depends on it.
func Load(ctx context.Context, q Querier) (*Catalog, error) { return Reload(ctx, q, nil) }

// Reload is Load where the catalog was read before: what has not changed since
// is not read again. It gives old itself where nothing has.
func Reload(ctx context.Context, q Querier, old *Catalog) (*Catalog, error) {
	marks, err := loadMarks(ctx, q)
	if err != nil {
		return nil, err
	}
	if old != nil && len(old.torn) == 0 && len(marks) > 0 && maps.Equal(marks, old.marks) {
		return old, nil
	}
	c := &Catalog{
		marks: marks, torn: map[string]bool{}, rows: map[string][][]string{},
		relations: map[uint32]*relation{}, named: map[string][]*relation{}, columns: map[string]bool{},
		parents: map[uint32][]uint32{}, children: map[uint32][]uint32{}, sources: map[uint32][]uint32{},
		system: map[string]function{}, user: map[string]function{}, internal: map[string][]string{}, operators: map[string]bool{},
		bodies: map[string][]string{}, casts: map[string][]string{}, types: map[uint32]Type{},
	}
	for _, part := range loading {
		err := c.load(ctx, q, old, part.what, part.query, part.of, part.width, func(row []string) error { return part.add(c, row) })
		if err != nil {
			return nil, err
		}
	}
	c.code = newCode()
	for _, part := range codeParts {
		err := c.load(ctx, q, old, part.what, part.query, part.of, part.width, func(row []string) error { return part.add(c.code, row) })
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// load reads one part, or takes it from old where none of what it is made of
// has changed.
func (c *Catalog) load(ctx context.Context, q Querier, old *Catalog, what, query, of string, width int, add func(row []string) error) error {
	rows, err := [][]string(nil), error(nil)
	if old != nil && !old.torn[what] && c.unchanged(old, of) {
		rows = old.rows[what]
	} else if rows, err = q.Query(ctx, query); err != nil {
		return fmt.Errorf("load catalog: %s: %w", what, err)
	}
	c.rows[what] = rows
	for _, row := range rows {
		if len(row) != width {
			return fmt.Errorf("load catalog: %s: %d columns where %d were asked for", what, len(row), width)
		}
		if err := add(row); err != nil {
			return fmt.Errorf("load catalog: %s: %w", what, err)
		}
		if slices.Contains(row, lockedAway) {
			c.torn[what] = true
		}
	}
	return nil
}

// unchanged reports whether all that a part is made of is as it was.
func (c *Catalog) unchanged(old *Catalog, of string) bool {
	for _, name := range strings.Fields(of) {
		if mark, ok := c.marks[name]; !ok || mark != old.marks[name] {
			return false
		}
	}
	return of != ""
}

// known lists the extensions whose functions are as harmless as PostgreSQL's own.
const known = `('uuid-ossp', 'pgcrypto', 'pg_trgm', 'citext', 'unaccent', 'hstore', 'fuzzystrmatch', 'ltree', 'intarray', ` +
	`'btree_gin', 'btree_gist', 'cube', 'earthdistance', 'isn', 'seg', 'vector', 'postgis')`

// schemaOf is a function's schema; what is no part of PostgreSQL itself counts
// for the user's, wherever it stands.
const schemaOf = `CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') AND p.oid >= 16384 THEN 'public' ELSE n.nspname END`

const relationsWhere = `SELECT c.oid, n.nspname, c.relname, c.relkind
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND `

const columnsWhere = `SELECT a.attrelid, a.attnum, a.attname, a.attnotnull::text, (a.attgenerated <> '')::text,
		CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
		WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND `

const functionsOf = `SELECT ` + schemaOf + `, p.proname, bool_or(p.proretset)::text, bool_or(p.provolatile = 'v')::text,
		bool_and(p.proargmodes IS NULL AND t.typtype <> 'c' AND t.typname <> 'record')::text,
		bool_and(EXISTS (SELECT 1 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
			WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid
			  AND e.deptype = 'e' AND x.extname IN ` + known + `))::text,
		bool_or(coalesce(a.typtype IN ('c', 'p'), false))::text
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		JOIN pg_catalog.pg_type t ON t.oid = p.prorettype LEFT JOIN pg_catalog.pg_type a ON a.oid = p.proargtypes[0]
		WHERE p.oid `

// loading is everything Load asks, in order, and the marks of what it is read
// from: those of which a change may change the answer.
var loading = []struct {
	what, of, query string
	width           int
	add             func(c *Catalog, row []string) error
}{
	{"types that were made", "types", typesQuery, 6, addOwnType}, // before the columns, which are of them
	{"PostgreSQL's relations", "class0 namespace", relationsWhere + `c.oid < 16384 ORDER BY c.oid`, 4, addRelation},
	{"relations", "class namespace", relationsWhere + `c.oid >= 16384 ORDER BY c.oid`, 4, addRelation},
	{"PostgreSQL's columns", "attribute0 class0", columnsWhere + `a.attrelid < 16384 ORDER BY a.attrelid, a.attnum`, 7, addColumn},
	{"columns", "attribute class type", columnsWhere + `a.attrelid >= 16384 ORDER BY a.attrelid, a.attnum`, 7, addColumn},
	{"generated columns", "attrdef attribute proc", `SELECT DISTINCT d.adrelid, d.adnum, p.refobjsubid
		FROM pg_catalog.pg_attrdef d
		JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
		JOIN pg_catalog.pg_depend p ON p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = d.adrelid AND p.refobjsubid <> d.adnum
		 AND (p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.objid = d.oid
		   OR p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = d.adrelid AND p.objsubid = d.adnum)
		UNION SELECT d.adrelid, d.adnum, 0
		FROM pg_catalog.pg_attrdef d
		JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
		JOIN pg_catalog.pg_depend p ON p.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.refobjid >= 16384
		 AND (p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.objid = d.oid
		   OR p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = d.adrelid AND p.objsubid = d.adnum)`, 3, addGenerated},
	{"unique indexes", "index", `SELECT DISTINCT i.indrelid, k.n
		FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) AS k(n)
		WHERE i.indisunique OR i.indisexclusion`, 2, addUniqueColumn},
	{"notifying triggers", "trigger proc", `SELECT DISTINCT t.tgrelid FROM pg_catalog.pg_trigger t
		JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal AND p.prosrc ILIKE '%notify%'`, 1, addNotifier},
	{"view definitions", "viewed proc type operator namespace class_v", `SELECT c.oid, CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.oid IN ` + overLocked("pg_rewrite") + `)
			THEN '` + lockedAway + `' ELSE coalesce(pg_catalog.pg_get_viewdef(c.oid), '') END
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')`, 2, addDefinition},
	{"rules", "rewrite", `SELECT DISTINCT r.ev_class, d.refobjid
		FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.objid = r.oid
		WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
		  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class`, 2, addSource},
	{"functions in rules", "rewrite proc namespace ext", `SELECT DISTINCT r.ev_class, p.proname
		FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.objid = r.oid
		JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
		  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		  AND ` + userCode + `
		  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
			WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid
			  AND e.deptype = 'e' AND x.extname IN ` + known + `)`, 2, addCall},
	{"inheritance", "inherits", `SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i`, 2, addChild},
	{"PostgreSQL's functions", "proc0 namespace", functionsOf + `< 16384 GROUP BY 1, 2`, 7, addFunction},
	{"what is behind them", "proc0 language", `SELECT DISTINCT p.prosrc, p.proname FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		WHERE l.lanname = 'internal' AND p.oid < 16384 AND p.prosrc <> p.proname::pg_catalog.text`, 2, addInternal},
	{"functions", "proc namespace ext type", functionsOf + `>= 16384 GROUP BY 1, 2`, 7, addFunction},
	{"operators", "operator namespace ext", `SELECT DISTINCT o.oprname FROM pg_catalog.pg_operator o
		JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE (n.nspname <> 'pg_catalog' OR o.oid >= 16384)
		AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
			WHERE e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND e.objid = o.oid
			  AND e.deptype = 'e' AND x.extname IN ` + known + `)`, 1, addOperator},
	{"functions in SQL", "proc namespace ext language type viewed", `SELECT p.proname, CASE WHEN p.oid IN ` + overLocked("pg_proc") + ` THEN '` + lockedAway + `' ELSE pg_catalog.pg_get_functiondef(p.oid) END
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		WHERE l.lanname = 'sql' AND p.prokind = 'f' AND ` + userCode + `
		  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc q JOIN pg_catalog.pg_namespace m ON m.oid = q.pronamespace
			JOIN pg_catalog.pg_language k ON k.oid = q.prolang
			WHERE q.proname = p.proname AND (m.nspname NOT IN ('pg_catalog', 'information_schema') OR q.oid >= 16384) AND (k.lanname <> 'sql' OR q.prokind <> 'f'))
		  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
			WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid
			  AND e.deptype = 'e' AND x.extname IN ` + known + `)`, 2, addBody},
	{"casts", "cast proc type ext namespace", `SELECT DISTINCT t.typname, p.proname FROM pg_catalog.pg_cast c
		JOIN pg_catalog.pg_type t ON t.oid = c.casttarget JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE (n.nspname <> 'pg_catalog' OR p.oid >= 16384)
		  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
			WHERE e.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND e.objid = c.oid
			  AND e.deptype = 'e' AND x.extname IN ` + known + `)`, 2, addCast},
}

func addRelation(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if err != nil {
		return err
	}
	r := &relation{oid: id, schema: row[1], name: row[2], kind: row[3]}
	c.relations[id] = r
	c.ordered = append(c.ordered, r)
	c.named[r.name] = append(c.named[r.name], r)
	return nil
}

func addColumn(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(row[1], 10, 16)
	if err != nil {
		return err
	}
	// A relation made between two of the queries is not known yet.
	c.columns[row[2]] = true
	if r := c.relations[id]; r != nil {
		typ, err := oid(row[5])
		if err != nil {
			return err
		}
		modifier, err := strconv.ParseInt(row[6], 10, 32)
		if err != nil {
			return err
		}
		typ, resolved := c.baseOf(typ, int32(modifier))
		r.columns = append(r.columns, attribute{
			number: int16(number), name: row[2], notNull: row[3] == "true",
			generated: row[4] == "true", typ: typ, modifier: resolved,
		})
	}
	return nil
}

// addGenerated notes of which column a generated one is made.
func addGenerated(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(row[1], 10, 16)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(row[2], 10, 16)
	if err != nil {
		return err
	}
	if r := c.relations[id]; r != nil {
		for i := range r.columns {
			if r.columns[i].number == int16(number) {
				r.columns[i].from = append(r.columns[i].from, int16(from))
			}
		}
	}
	return nil
}

func addUniqueColumn(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(row[1], 10, 16)
	if r := c.relations[id]; r != nil {
		r.unique = append(r.unique, int16(number))
	}
	return err
}

func addNotifier(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if r := c.relations[id]; r != nil {
		r.notifies = true
	}
	return err
}

func addBody(c *Catalog, row []string) error {
	c.bodies[row[0]] = append(c.bodies[row[0]], row[1])
	return nil
}

func addCast(c *Catalog, row []string) error {
	c.casts[row[0]] = append(c.casts[row[0]], row[1])
	return nil
}

func addDefinition(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if r := c.relations[id]; r != nil {
		r.definition = row[1]
	}
	return err
}

func addCall(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if r := c.relations[id]; r != nil {
		r.calls = append(r.calls, row[1])
	}
	return err
}

func addSource(c *Catalog, row []string) error {
	view, source, err := oids(row)
	c.sources[view] = append(c.sources[view], source)
	return err
}

func addChild(c *Catalog, row []string) error {
	child, parent, err := oids(row)
	c.parents[child] = append(c.parents[child], parent)
	c.children[parent] = append(c.children[parent], child)
	return err
}

func addFunction(c *Catalog, row []string) error {
	f := function{row[2] == "true", row[3] == "true", row[4] == "true", row[5] == "true", row[6] == "true"}
	if row[0] == "pg_catalog" || row[0] == "information_schema" {
		c.system[row[1]] = merge(c.system, row[1], f)
	} else {
		c.user[row[1]] = merge(c.user, row[1], f)
	}
	return nil
}

func addInternal(c *Catalog, row []string) error {
	c.internal[row[0]] = append(c.internal[row[0]], row[1])
	return nil
}

// merge joins f with what is known of the functions of the same name.
func merge(m map[string]function, name string, f function) function {
	g, ok := m[name]
	if !ok {
		return f
	}
	return function{f.set || g.set, f.volatile || g.volatile, f.scalar && g.scalar, f.trusted && g.trusted, f.ofRow || g.ofRow}
}

func addOperator(c *Catalog, row []string) error {
	c.operators[row[0]] = true
	return nil
}

func oid(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

func oids(row []string) (a, b uint32, err error) {
	if a, err = oid(row[0]); err != nil {
		return 0, 0, err
	}
	b, err = oid(row[1])
	return a, b, err
}

// Origin names the column that the server reports as (table, attribute) in
// RowDescription. It knows no protection: see [Guard.Origin].
func (c *Catalog) Origin(table uint32, attribute int16) (Column, bool) {
	r := c.relation(table)
	if r == nil {
		return Column{}, false
	}
	for _, a := range r.columns {
		if a.number == attribute {
			return Column{r.schema, r.name, a.name}, true
		}
	}
	return Column{}, false
}

func (c *Catalog) relation(id uint32) *relation {
	if c == nil {
		return nil
	}
	return c.relations[id]
}

// find lists every relation that a name could mean.
func (c *Catalog) find(schema, name string) []*relation {
	if c == nil {
		return nil
	}
	all := c.named[name]
	if schema == "" {
		return all
	}
	var found []*relation
	for _, r := range all {
		// pg_temp is whichever temporary schema is the session's own.
		if r.schema == schema || schema == "pg_temp" && len(r.schema) > 8 && r.schema[:8] == "pg_temp_" {
			found = append(found, r)
		}
	}
	return found
}
