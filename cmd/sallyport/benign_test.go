package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/pgtest"
)

// benignCase is what one line "-- title [tag] ..." of testdata/masks/benign
// begins: statements that end with a semicolon at the end of a line, each with
// the lines --$ (parameters) and --< (data of COPY) behind it.
//
// Tags: refused, refused=deny (in that mode), masks=COLUMN,... (besides the cells
// that hold a canary), err (a direct connection has an error as well), notx (in no
// transaction of the test's), simple (by the simple protocol alone).
type benignCase struct {
	file, title string
	line        int
	tags        []string
	steps       []benignStep
}

type benignStep struct {
	sql    string
	params [][]byte
	data   string
}

var (
	benignTag    = regexp.MustCompile(`\[([^\]]*)\]`)
	oidTypes     = []uint32{26, 24, 2202, 2203, 2204, 2205, 2206, 4089, 4096} // oid, regproc to regtype, regnamespace, regrole
	testDatabase = regexp.MustCompile(`^t[0-9]+$`)                            // as pgtest calls them
)

// benignCases reads a file of them.
func benignCases(t *testing.T, file string) (cases []*benignCase) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sql := ""
	for i, line := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(line, "-- ") && sql == "" {
			c := &benignCase{file: filepath.Base(file), title: line[3:], line: i + 1}
			for _, m := range benignTag.FindAllStringSubmatch(line, -1) {
				c.tags = append(c.tags, m[1])
			}
			cases = append(cases, c)
			continue
		}
		if len(cases) == 0 {
			continue
		}
		c := cases[len(cases)-1]
		switch {
		case sql == "" && strings.HasPrefix(line, "--$"):
			step := &c.steps[len(c.steps)-1]
			for _, p := range strings.Split(line[3:], "|") {
				step.params = append(step.params, []byte(strings.TrimSpace(p)))
			}
		case sql == "" && strings.HasPrefix(line, "--<"):
			c.steps[len(c.steps)-1].data += line[3:] + "\n"
		case sql != "" || line != "":
			sql += line + "\n"
			if strings.HasSuffix(line, ";") && strings.Count(sql, "$$")%2 == 0 {
				c.steps = append(c.steps, benignStep{sql: strings.TrimSuffix(strings.TrimSpace(sql), ";")})
				sql = ""
			}
		}
	}
	return cases
}

func (c *benignCase) has(tag string) bool { return slices.Contains(c.tags, tag) }

// masked are the columns that may be masked whatever is in them; "*" is all.
func (c *benignCase) masked(column string) bool {
	return slices.ContainsFunc(c.tags, func(tag string) bool {
		names, ok := strings.CutPrefix(tag, "masks=")
		return ok && (names == "*" || slices.Contains(strings.Split(names, ","), column))
	})
}

// benignAnswer is what came of one statement.
type benignAnswer struct {
	results []*pgconn.Result
	copied  []byte
	err     *pgconn.PgError
}

// run runs the statements of a case in a transaction that is rolled back.
func (c *benignCase) run(ctx context.Context, t *testing.T, conn *pgconn.PgConn, format int16) (answers []benignAnswer) {
	t.Helper()
	begins := strings.HasPrefix(strings.ToUpper(c.steps[0].sql), "BEGIN")
	if !c.has("notx") && !begins {
		if _, err := conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range c.steps {
		answers = append(answers, s.run(ctx, t, conn, format))
	}
	if conn.TxStatus() != 'I' {
		if _, err := conn.Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(ctx, "DEALLOCATE ALL").ReadAll(); err != nil {
		t.Fatal(err)
	}
	return answers
}

func (s benignStep) run(ctx context.Context, t *testing.T, conn *pgconn.PgConn, format int16) (a benignAnswer) {
	t.Helper()
	var err error
	switch {
	case strings.HasPrefix(s.sql, "COPY") && strings.Contains(s.sql, "TO STDOUT"):
		var b bytes.Buffer
		_, err = conn.CopyTo(ctx, &b, s.sql)
		a.copied = b.Bytes()
	case strings.HasPrefix(s.sql, "COPY"):
		_, err = conn.CopyFrom(ctx, strings.NewReader(s.data), s.sql)
	case format < 0 && s.params == nil:
		a.results, err = conn.Exec(ctx, s.sql).ReadAll()
	default:
		r := conn.ExecParams(ctx, s.sql, s.params, nil, nil, []int16{max(format, 0)}).Read()
		a.results, err = []*pgconn.Result{r}, r.Err
	}
	if err != nil && !errors.As(err, &a.err) {
		t.Fatalf("%s: %v", s.sql, err)
	}
	return a
}

// TestBenign runs every statement of testdata/masks/benign on a database
// directly, and on another of the same schema through a gateway that masks, under
// filter = "equality" and "deny": all that is not said to be refused runs, and
// whatever is not masked is as it is directly.
func TestBenign(t *testing.T) {
	schema := masksData(t, "benign/schema.sql")
	files, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "masks", "benign", "*.sql"))
	for _, mode := range []string{"equality", "deny"} {
		t.Run(mode, func(t *testing.T) {
			w := newMaskedWorld(t, schema, strings.ReplaceAll(masksData(t, "benign/masks.toml"), "FILTER", mode))
			other := pgtest.New(t)
			other.Exec(t, schema)
			direct := other.Conn(t).PgConn()
			gate, n := w.connect(t).PgConn(), 0
			for _, file := range files {
				if filepath.Base(file) == "schema.sql" {
					continue
				}
				defines := filepath.Base(file) == "definitions.sql" // the catalog is read anew after each: one way does
				if defines && mode == "deny" {
					continue
				}
				for i, c := range benignCases(t, file) {
					formats := []int16{-1, int16(i % 2)}
					switch {
					case c.has("simple"):
						formats = formats[:1]
					case defines, mode == "deny": // by either protocol
						formats = formats[i%2:][:1]
					}
					for _, format := range formats {
						n += len(c.steps)
						want := c.run(t.Context(), t, direct, format)
						got := c.run(t.Context(), t, gate, format)
						if why := c.compare(mode, want, got); why != "" {
							t.Errorf("%s:%d: %s, format %d: %s", c.file, c.line, c.title, format, why)
						}
						if s := shown(w.seen.take()); s != "" {
							t.Errorf("%s:%d: %s, format %d: shows %q", c.file, c.line, c.title, format, s)
						}
					}
				}
			}
			t.Logf("%d statements", n)
		})
	}
}

// compare says in what the answers differ that should not; "" in nothing.
func (c *benignCase) compare(mode string, want, got []benignAnswer) string {
	for i, a := range got {
		refused := a.err != nil && (a.err.Code == "42501" || a.err.Code == "0A000")
		switch code := codeOf(want[i].err); {
		case refused && code != a.err.Code && (c.has("refused") || c.has("refused="+mode)):
			return ""
		case codeOf(a.err) != code:
			return fmt.Sprintf("step %d: %v, directly %v", i+1, a.err, want[i].err)
		case code != "" && !c.has("err"):
			return fmt.Sprintf("step %d: directly an error: %v", i+1, want[i].err)
		}
		if why := c.compareStep(want[i], a); why != "" {
			return fmt.Sprintf("step %d: %s", i+1, why)
		}
	}
	if c.has("refused") || c.has("refused="+mode) {
		return "is not refused"
	}
	return ""
}

func codeOf(err *pgconn.PgError) string {
	if err == nil {
		return ""
	}
	return err.Code
}

func (c *benignCase) compareStep(want, got benignAnswer) string {
	if len(want.results) != len(got.results) {
		return fmt.Sprintf("%d results, directly %d", len(got.results), len(want.results))
	}
	for i, a := range want.results {
		b := got.results[i]
		if a.CommandTag.String() != b.CommandTag.String() || len(a.Rows) != len(b.Rows) || len(a.FieldDescriptions) != len(b.FieldDescriptions) {
			return fmt.Sprintf("%s, directly %s", b.CommandTag, a.CommandTag)
		}
		for j, f := range a.FieldDescriptions {
			if g := b.FieldDescriptions[j]; f.Name != g.Name || f.DataTypeOID != g.DataTypeOID && f.DataTypeOID < 16384 || f.Format != g.Format {
				return fmt.Sprintf("column %+v, directly %+v", g, f)
			}
			for r := range a.Rows {
				x, y := a.Rows[r][j], b.Rows[r][j]
				if (x == nil) == (y == nil) && bytes.Equal(x, y) || c.masked(f.Name) || ofDatabase(f, x, y) || holdsCanary(f, x) {
					continue
				}
				return fmt.Sprintf("row %d, column %s: %q, directly %q", r+1, f.Name, y, x)
			}
		}
	}
	return c.compareCopied(want.copied, got.copied)
}

// ofDatabase reports whether two values differ for they are of two databases: an
// oid, or a name of the database.
func ofDatabase(f pgconn.FieldDescription, x, y []byte) bool {
	return x != nil && y != nil && (slices.Contains(oidTypes, f.DataTypeOID) || testDatabase.Match(x) && testDatabase.Match(y))
}

// holdsCanary reports whether a value shows a canary in its format.
func holdsCanary(f pgconn.FieldDescription, value []byte) bool {
	if f.Format == 1 && f.DataTypeOID == 20 && len(value) == 8 {
		value = []byte(strconv.FormatInt(int64(binary.BigEndian.Uint64(value)), 10))
	}
	return f.DataTypeOID == 2950 || shown(value) != ""
}

func (c *benignCase) compareCopied(want, got []byte) string {
	if c.masked("*") {
		return ""
	}
	a, b := strings.FieldsFunc(string(want), benignSeparator), strings.FieldsFunc(string(got), benignSeparator)
	if len(a) != len(b) {
		return fmt.Sprintf("%d values copied, directly %d", len(b), len(a))
	}
	for i := range a {
		if a[i] != b[i] && shown([]byte(a[i])) == "" {
			return fmt.Sprintf("%q copied, directly %q", b[i], a[i])
		}
	}
	return ""
}

func benignSeparator(r rune) bool { return r == '\t' || r == '\n' || r == ',' }
