package sqlguard

import (
	"slices"
	"sync"

	"sallyport/policy"
)

// code is what a database runs beyond the text of a statement: functions,
// triggers, rules, defaults. What it says is immutable; readings are kept.
type code struct {
	routines  map[string][]*routine // by name, in any schema but the system's
	operators map[string][]string   // by operator: the functions behind it, as SQL; "" for one that hides PostgreSQL's own
	triggers  map[uint32][]*fired
	rules     map[uint32][]*fired
	attached  map[uint32][]*fired     // defaults, constraints, indexes, row security
	onDDL     []*fired                // event triggers
	primary   map[uint32][]string     // the columns of primary keys
	unique    map[columnKey]bool      // alone, over rows of which none is left out
	refers    map[columnKey]columnKey // foreign keys over one column that is NOT NULL

	cascades       map[uint32][]uint32 // tables that a foreign key changes with this one
	types          map[string]bool     // PostgreSQL's own, and those of known extensions
	typesOf        map[uint32][]string // types of others in a relation
	ownOperators   map[string]bool     // PostgreSQL's own
	knownOperators map[string]bool     // of known extensions
	shadowing      map[string]bool     // others' with the name of one of PostgreSQL's own and a type that is no other's
	ownFamilies    map[string]bool     // operator families of PostgreSQL's own
	fields         map[string]bool     // columns of relations and composite types
	extensions     map[string]bool     // those that are installed
	computing      map[string][]uint32 // indexes over expressions, by name: their tables

	mu    sync.Mutex
	known map[string]policy.SQL // readings of code, by what it is
}

// routine is one function, procedure or aggregate.
type routine struct {
	id, schema, name string
	language         string
	volatile         bool
	extension        string // that it belongs to
	definition       string // as SQL; "" when it can't be read
	library          string // of a function in C
}

// of reports whether a function is in C and of one of the libraries.
func (f *routine) of(libraries []string) bool {
	return f.language == "c" && slices.Contains(libraries, f.library)
}

// fired is code that a relation brings along.
type fired struct {
	what       string // for whoever asks why
	on         event
	definition string // as SQL
}

// event is what is done to a relation.
type event int

const (
	onSelect event = 1 << iota
	onInsert
	onUpdate
	onDelete
	onTruncate
	onWrite = onInsert | onUpdate | onDelete | onTruncate
)

// columnKey is one column of one relation.
type columnKey struct {
	table     uint32
	attribute string
}

// userCode is whatever is no part of PostgreSQL itself, for p in n.
const userCode = `(n.nspname NOT IN ('pg_catalog', 'information_schema') OR p.oid >= 16384)`

// codeParts is what Load asks of code, in order: see loading.
var codeParts = []struct {
	what, of, query string
	width           int
	add             func(c *code, row []string) error
}{
	{"routines", "proc namespace language ext aggregate type viewed", `SELECT p.oid, n.nspname, p.proname, l.lanname, (p.provolatile = 'v')::text, coalesce(x.extname, ''),
		CASE WHEN x.extname IS NOT NULL OR l.lanname NOT IN ('sql', 'plpgsql', 'internal') THEN ''
			WHEN p.oid IN ` + overLocked("pg_proc") + ` THEN '` + lockedAway + `'
			WHEN p.prokind IN ('f', 'p') AND l.lanname <> 'internal' THEN pg_catalog.pg_get_functiondef(p.oid)
			WHEN p.prokind = 'a' THEN (SELECT 'SELECT ' || pg_catalog.string_agg(
				pg_catalog.quote_ident(fn.nspname) || '.' || pg_catalog.quote_ident(f.proname) || '()', ', ')
				FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
					a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggserialfn, a.aggdeserialfn)
				JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace WHERE a.aggfnoid = p.oid)
			WHEN p.prokind IN ('f', 'w') AND l.lanname = 'internal' THEN 'SELECT ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT
				'pg_catalog.' || pg_catalog.quote_ident(b.proname) || '()', ', ') FROM pg_catalog.pg_proc b
				WHERE b.oid < 16384 AND b.prolang = p.prolang AND b.prosrc = p.prosrc), 'pg_catalog.' || pg_catalog.quote_ident(p.prosrc) || '()')
			ELSE '' END, CASE WHEN l.lanname = 'c' THEN coalesce(p.probin::pg_catalog.text, '') ELSE '' END
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
		LEFT JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid WHERE ` + userCode, 8, addRoutine},
	{"operators' functions", "operator proc namespace ext", `SELECT o.oprname, CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_operator s
		WHERE s.oprname = o.oprname AND s.oprleft = o.oprleft AND s.oprright = o.oprright
		  AND s.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
			WHERE e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND e.objid = o.oid AND e.deptype = 'e'))
		THEN '' ELSE 'SELECT ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '()' END
		FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE ` + userCode, 2, addOperatorCode},
	{"triggers", "trigger proc namespace class_v", `SELECT t.tgrelid, t.tgname, t.tgtype, CASE WHEN t.tgqual IS NOT NULL AND t.tgrelid IN ` + lockedTables + `
			THEN '` + lockedAway + `' ELSE pg_catalog.pg_get_triggerdef(t.oid) END
		FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`, 4, addTrigger},
	{"actions of rules", "rewrite viewed proc namespace", `SELECT r.ev_class, r.rulename, r.ev_type, CASE WHEN r.oid IN ` + overLocked("pg_rewrite") + `
			THEN '` + lockedAway + `' ELSE pg_catalog.pg_get_ruledef(r.oid) END
		FROM pg_catalog.pg_rewrite r WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D'`, 4, addRule},
	{"attached functions", "attrdef constraint policy index proc namespace", `SELECT t.oid, d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass,
		'SELECT ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '()'
		FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.oid = d.objid
		LEFT JOIN pg_catalog.pg_constraint c ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = d.objid
		LEFT JOIN pg_catalog.pg_policy y ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND y.oid = d.objid
		LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.indexrelid = d.objid
		JOIN pg_catalog.pg_class t ON t.oid IN (a.adrelid, c.conrelid, y.polrelid, i.indrelid)
		WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND ` + userCode, 3, addAttached},
	{"event triggers", "event_trigger proc namespace", `SELECT e.evtname, 'SELECT ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '()'
		FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE e.evtenabled <> 'D'`, 2, addEventTrigger},
	{"keys", "index attribute", `SELECT i.indrelid, a.attname FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL`, 2, addUnique},
	{"references", "constraint attribute", `SELECT c.conrelid, a.attname, c.confrelid, b.attname FROM pg_catalog.pg_constraint c
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
		WHERE c.contype = 'f' AND pg_catalog.cardinality(c.conkey) = 1 AND a.attnotnull`, 4, addReference},
	{"primary keys", "index attribute", `SELECT i.indrelid, a.attname FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary`, 2, addPrimary},
	{"cascades", "constraint", `SELECT DISTINCT c.confrelid, c.conrelid FROM pg_catalog.pg_constraint c
		WHERE c.contype = 'f' AND (c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))`, 2, addCascade},
	{"types", "type ext", `SELECT DISTINCT t.typname FROM pg_catalog.pg_type t
		WHERE t.typtype <> 'c' AND t.typelem = 0 AND (t.oid < 16384 OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
			JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
			  AND e.objid = t.oid AND e.deptype = 'e' AND x.extname IN ` + known + `))
		   OR t.typname IN ('name', 'point', 'box', 'lseg', 'line', 'int2vector', 'oidvector')`, 1, addType},
	{"types in use", "attribute class types", `WITH RECURSIVE used(rel, typ) AS (
		SELECT a.attrelid, a.atttypid FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
		WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384 AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
		UNION SELECT u.rel, y.typ FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.typ, LATERAL (
			SELECT t.typbasetype AS typ UNION ALL SELECT t.typelem
			UNION ALL SELECT b.atttypid FROM pg_catalog.pg_attribute b WHERE b.attrelid = t.typrelid AND b.attnum > 0) y
		WHERE y.typ >= 16384)
		SELECT u.rel, t.typname FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.typ`, 2, addTypeOf},
	{"names of operators", "operator type ext", `SELECT o.oprname, (o.oid < 16384)::text, EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
			JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid WHERE e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
			  AND e.objid = o.oid AND e.deptype = 'e' AND x.extname IN ` + known + `)::text,
		EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid IN (o.oprleft, o.oprright) AND (t.oid < 16384 OR t.typtype = 'd'))::text
		FROM pg_catalog.pg_operator o`, 4, addOperatorName},
	{"operator families", "opfamily", `SELECT f.opfname FROM pg_catalog.pg_opfamily f WHERE f.oid < 16384`, 1, addFamily},
	{"fields", "attribute class", `SELECT DISTINCT a.attname FROM pg_catalog.pg_attribute a
		JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'c' AND NOT a.attisdropped`, 1, addField},
	{"extensions", "ext", `SELECT x.extname FROM pg_catalog.pg_extension x`, 1, addExtension},
	{"indexes over expressions", "class index", `SELECT c.relname, i.indrelid FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indexprs IS NOT NULL`, 2, addComputing},
}

func newCode() *code {
	return &code{
		routines: map[string][]*routine{}, operators: map[string][]string{}, triggers: map[uint32][]*fired{},
		rules: map[uint32][]*fired{}, attached: map[uint32][]*fired{}, unique: map[columnKey]bool{}, primary: map[uint32][]string{}, extensions: map[string]bool{}, refers: map[columnKey]columnKey{},
		cascades: map[uint32][]uint32{}, types: map[string]bool{}, typesOf: map[uint32][]string{},
		ownOperators: map[string]bool{}, knownOperators: map[string]bool{}, shadowing: map[string]bool{},
		ownFamilies: map[string]bool{}, fields: map[string]bool{}, computing: map[string][]uint32{},
		known: map[string]policy.SQL{},
	}
}

func addRoutine(c *code, row []string) error {
	r := &routine{row[0], row[1], row[2], row[3], row[4] == "true", row[5], row[6], row[7]}
	c.routines[r.name] = append(c.routines[r.name], r)
	return nil
}

func addOperatorCode(c *code, row []string) error {
	if !slices.Contains(c.operators[row[0]], row[1]) {
		c.operators[row[0]] = append(c.operators[row[0]], row[1])
	}
	return nil
}

// addTrigger reads pg_trigger.tgtype: bits 2 to 5 are INSERT, DELETE, UPDATE
// and TRUNCATE.
func addTrigger(c *code, row []string) error {
	table, kind, err := oids([]string{row[0], row[2]})
	f := &fired{what: "trigger " + row[1], definition: row[3]}
	for bit, e := range map[uint32]event{4: onInsert, 8: onDelete, 16: onUpdate, 32: onTruncate} {
		if kind&bit != 0 {
			f.on |= e
		}
	}
	c.triggers[table] = append(c.triggers[table], f)
	return err
}

func addRule(c *code, row []string) error {
	table, err := oid(row[0])
	on, ok := map[string]event{"2": onUpdate, "3": onInsert, "4": onDelete}[row[2]]
	if !ok {
		on = onWrite
	}
	c.rules[table] = append(c.rules[table], &fired{"rule " + row[1], on, row[3]})
	return err
}

func addAttached(c *code, row []string) error {
	table, err := oid(row[0])
	f := &fired{"a function of the table", onWrite, row[2]}
	if row[1] == "t" || row[1] == "true" {
		f.what, f.on = "a function of a policy", onWrite|onSelect
	}
	c.attached[table] = append(c.attached[table], f)
	return err
}

func addEventTrigger(c *code, row []string) error {
	c.onDDL = append(c.onDDL, &fired{"event trigger " + row[0], onWrite, row[1]})
	return nil
}

func addUnique(c *code, row []string) error {
	table, err := oid(row[0])
	c.unique[columnKey{table, row[1]}] = true
	return err
}

func addPrimary(c *code, row []string) error {
	table, err := oid(row[0])
	c.primary[table] = append(c.primary[table], row[1])
	return err
}

func addExtension(c *code, row []string) error {
	c.extensions[row[0]] = true
	return nil
}

func addComputing(c *code, row []string) error {
	table, err := oid(row[1])
	c.computing[row[0]] = append(c.computing[row[0]], table)
	return err
}

func addReference(c *code, row []string) error {
	from, to, err := oids([]string{row[0], row[2]})
	c.refers[columnKey{from, row[1]}] = columnKey{to, row[3]}
	return err
}

func addCascade(c *code, row []string) error {
	from, to, err := oids(row)
	c.cascades[from] = append(c.cascades[from], to)
	return err
}

func addType(c *code, row []string) error {
	c.types[row[0]] = true
	return nil
}

func addTypeOf(c *code, row []string) error {
	table, err := oid(row[0])
	c.typesOf[table] = append(c.typesOf[table], row[1])
	return err
}

func addOperatorName(c *code, row []string) error {
	switch name := row[0]; {
	case row[1] == "true":
		c.ownOperators[name] = true
	case row[2] == "true":
		c.knownOperators[name] = true
	case row[3] == "true":
		c.shadowing[name] = true
	}
	return nil
}

func addFamily(c *code, row []string) error {
	c.ownFamilies[row[0]] = true
	return nil
}

func addField(c *code, row []string) error {
	c.fields[row[0]] = true
	return nil
}

// reading gives what is known of a piece of code.
func (c *code) reading(key string) (policy.SQL, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	facts, ok := c.known[key]
	return facts, ok
}

func (c *code) keep(key string, facts policy.SQL) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[key] = facts
}
