package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/mask"
	"sallyport/sqlguard"
	"sallyport/wire"
)

// survey compares the masks of one target with what it holds.
type survey struct {
	target  string
	rows    int // sampled of each table; 0: none
	rules   []mask.Rule
	shield  *shield
	catalog *sqlguard.Catalog
	side    *wire.Side
	find    *mask.Detectors // all there are
	columns []surveyed
	masked  int
	unread  []string // tables that could not be sampled
	notes   io.Writer
	shown   time.Time
}

// surveyed is one column.
type surveyed struct {
	schema, table, name string
	id                  uint32
	number              int16
	typ                 string // base type's name
	sampled             bool   // rows are looked for here: of a table, not of its partitions
	own                 bool   // a rule masks it, or members of it
}

func (c surveyed) String() string { return c.schema + "." + c.table + "." + c.name }

// surveyQuery lists the columns of tables, and of views for the patterns' sake.
const surveyQuery = `SELECT c.oid, n.nspname, c.relname, a.attname, a.attnum, CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END,
	(c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition)::text
	FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
	ORDER BY n.nspname, c.relname, a.attnum`

func newSurvey(ctx context.Context, j *statementJudge, b *bench, target string, rows int, notes io.Writer) (*survey, error) {
	s := &survey{target: target, rows: rows, rules: b.masks, notes: notes, shown: time.Now(), shield: b.free}
	if columns := mask.NewColumns(b.masks, target); columns != nil {
		s.shield = j.newShield(columns, b)
	}
	redact, _ := mask.Lookup("redact")
	var err error
	if s.find, err = mask.NewDetectors(mask.Detection{Detect: mask.DetectorNames(), With: redact}); err != nil {
		return nil, err
	}
	if s.catalog, err = b.catalog.since(ctx, j.sides, time.Now()); err != nil {
		return nil, fmt.Errorf("read the catalog of %s: %w", target, err)
	}
	if s.side, err = j.sides.Side(ctx, target); err != nil {
		return nil, err
	}
	if err := s.list(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the survey's connection.
func (s *survey) Close() { s.side.Close() }

// list reads the columns there are.
func (s *survey) list(ctx context.Context) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if _, err := s.side.Query(ctx, "SET default_transaction_read_only = on; SET statement_timeout = '20s'; SET row_security = on"); err != nil {
		return err
	}
	rows, err := s.side.Query(ctx, surveyQuery)
	if err != nil {
		return fmt.Errorf("list columns: %w", err)
	}
	for _, row := range rows {
		id, err := strconv.ParseUint(row[0], 10, 32)
		number, err2 := strconv.ParseInt(row[4], 10, 16)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("list columns: %w", err)
		}
		c := surveyed{schema: row[1], table: row[2], name: row[3], id: uint32(id), number: int16(number), typ: row[5], sampled: row[6] == "true"}
		if c.own = s.protects(c); c.own {
			s.masked++
		}
		s.columns = append(s.columns, c)
	}
	return nil
}

// protects reports whether a mask holds for the column, through views and
// inheritance too.
func (s *survey) protects(c surveyed) bool {
	origin, known := s.shield.guard.Origin(s.catalog, c.id, c.number)
	return known && len(origin.Protected) > 0
}

func (s *survey) run(ctx context.Context) ([]finding, error) {
	found := s.patterns()
	for done, c := range s.columns {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.progress(done, len(s.columns))
		found = append(found, s.column(ctx, c)...)
	}
	return found, nil
}

// patterns finds those that mean no column.
func (s *survey) patterns() []finding {
	var found []finding
	for _, r := range s.rules {
		for _, text := range r.Columns {
			p, isColumn := r.ColumnsOf()[text]
			if isColumn && !slices.ContainsFunc(s.columns, func(c surveyed) bool { return p.Matches(c.schema, c.table, c.name) }) {
				found = append(found, finding{Kind: "pattern", Where: text, Say: "matches no column"})
			}
		}
	}
	return found
}

// column looks at one column.
func (s *survey) column(ctx context.Context, c surveyed) []finding {
	var found []finding
	if !c.own && c.sampled && mask.Delicate(c.name) {
		found = append(found, finding{Kind: "name", Where: c.String(), Say: "its name looks sensitive, and it has no mask"})
	}
	document := c.typ == "json" || c.typ == "jsonb"
	fields := s.fields(c)
	texts := document || slices.Contains([]string{"text", "varchar", "bpchar", "name", "citext", "_text", "_varchar", "hstore", "xml"}, c.typ)
	if s.rows == 0 || !c.sampled || !texts || c.own && len(fields) == 0 && !s.looked(c) {
		return found
	}
	values, ok := s.sample(ctx, c)
	if !ok {
		if table := c.schema + "." + c.table; !slices.Contains(s.unread, table) {
			s.unread = append(s.unread, table)
		}
		return found
	}
	if len(values) == 0 {
		return found
	}
	for _, f := range fields {
		if document && !slices.ContainsFunc(values, func(v []byte) bool { return f.rule.Finds(f.name, v) }) {
			found = append(found, finding{Kind: "field", Where: c.String() + " " + f.name, Sampled: len(values), Say: "no document of " + strconv.Itoa(len(values)) + " sampled has it"})
		}
	}
	return append(found, s.contents(c, values)...)
}

type surveyedField struct {
	rule mask.Rule
	name string
}

// fields are those that rules name in the column's documents.
func (s *survey) fields(c surveyed) (fields []surveyedField) {
	for _, r := range s.rules {
		for _, p := range r.ColumnsOf() {
			if !p.Matches(c.schema, c.table, c.name) {
				continue
			}
			for _, name := range r.Fields {
				fields = append(fields, surveyedField{r, name})
			}
			break
		}
	}
	return fields
}

// looked reports whether the column's mask only looks for values.
func (s *survey) looked(c surveyed) bool {
	t, ok := s.shield.columns.For(c.schema, c.table, c.name)
	return ok && t.Scans()
}

// contents looks into sampled values as the masks leave them.
func (s *survey) contents(c surveyed, values [][]byte) []finding {
	t, _ := s.shield.columns.For(c.schema, c.table, c.name)
	t = s.shield.columns.Every(t)
	field := mask.Field{Name: c.name, Type: 25, Modifier: -1}
	if c.typ == "json" || c.typ == "jsonb" {
		field.Type = 114
	}
	kinds, paths := map[string]int{}, map[string]int{}
	for _, v := range values {
		if t != nil {
			out, null := t.Apply(nil, field, v)
			if null {
				continue
			}
			v = out
		}
		for _, kind := range s.find.Kinds(v, c.name) {
			kinds[kind]++
		}
		for _, path := range mask.DelicatePaths(v) {
			if !s.fielded(c, path) {
				paths[path]++
			}
		}
	}
	var found []finding
	for _, kind := range sortedKeys(kinds) {
		found = append(found, finding{
			Kind: "content", Where: c.String(), Looks: kind, Found: kinds[kind], Sampled: len(values),
			Say: fmt.Sprintf("%d of %d values sampled look like %s, and no mask finds them", kinds[kind], len(values), kind),
		})
	}
	for _, path := range sortedKeys(paths) {
		found = append(found, finding{
			Kind: "path", Where: c.String() + " " + path, Found: paths[path], Sampled: len(values),
			Say: fmt.Sprintf("its name looks sensitive in %d of %d documents sampled, and it has no mask", paths[path], len(values)),
		})
	}
	return found
}

// fielded reports whether a mask of the column names a member.
func (s *survey) fielded(c surveyed, path string) bool {
	t, ok := s.shield.columns.For(c.schema, c.table, c.name)
	if !ok || !t.Inside() {
		return false
	}
	part := t.At(strings.Split(strings.TrimPrefix(path, "$."), "."), false)
	return part != nil && !part.Inside()
}

// sample gives some values of a column.
func (s *survey) sample(ctx context.Context, c surveyed) ([][]byte, bool) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	rows, err := s.side.Query(ctx, fmt.Sprintf("SELECT pg_catalog.left(%[1]s::pg_catalog.text, 65536) FROM %[2]s.%[3]s WHERE %[1]s IS NOT NULL LIMIT %[4]d",
		quoteName(c.name), quoteName(c.schema), quoteName(c.table), s.rows))
	if err != nil {
		return nil, false
	}
	var values [][]byte
	for _, row := range rows {
		if row[0] != "" {
			values = append(values, []byte(row[0]))
		}
	}
	return values, true
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
