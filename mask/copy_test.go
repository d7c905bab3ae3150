package mask

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgtest"
)

// messages keeps what a COPY sends, message by message.
type messages [][]byte

func (m *messages) Write(b []byte) (int, error) {
	*m = append(*m, bytes.Clone(b))
	return len(b), nil
}

// nasty are texts that COPY has to write with care.
var nasty = []string{
	"plain text", "", `\N`, `\.`, "NULL", `a\b`, `\\`, "a\tb", "a,b", "a|b;c", "line\nbreak", "cr\r\nlf", `"quoted"`, `'single'`, `""`, `"`, `a"b`,
	"\b\f\v\x01\x02\x7f", "äöü 你好 😀", " leading", "trailing ", "~tilde~", `x\`, "x", "end\n", "[redacted]", "a@b.example", "*", "e", "NULL\n\\.\n", `\x41`, "\\t\\n",
}

// TestCopy masks what a real server sends, under every option of the grammar,
// and loads it again: only masked columns differ, and they are what the
// transforms make of the values.
func TestCopy(t *testing.T) {
	db := pgtest.New(t)
	conn := db.Conn(t)
	const columns = `id int, secret text, free text, code varchar(12), n int, j jsonb, tags text[], b bytea`
	db.Exec(t, "create table src ("+columns+")", "create table dst ("+columns+")", "create table empty ("+columns+")", "create table bare ()")
	for i, s := range nasty {
		_, err := conn.Exec(t.Context(), `insert into src values ($1, $2, $2, left($2, 12), $1, jsonb_build_object('k', $2::text, 'password', $2::text), array[$2, null, $2], convert_to($2, 'UTF8'))`, i, s)
		if err != nil {
			t.Fatal(err)
		}
	}
	db.Exec(t, "insert into src (id) values (1000)", "insert into src values (1001, 'ascii only')")
	all := every(t)
	inside := NewColumns([]Rule{{Targets: []string{"*"}, Columns: []string{"src.j"}, Fields: []string{"password"}}}, "t")
	document, _ := inside.For("public", "src", "j")
	plan := Plan{nil, all["token"], nil, all["last4"], all["hash"], document, all["token"], all["redact"]}
	fields := make([]Field, len(plan))
	for i, d := range conn.PgConn().ExecParams(t.Context(), "select * from src limit 1", nil, nil, nil, nil).Read().FieldDescriptions {
		fields[i] = Field{Type: d.DataTypeOID, Modifier: d.TypeModifier}
	}
	if fields[1].Type != oidText {
		t.Fatalf("the server describes %v", fields)
	}
	force := []bool{false, true, false, false, true, false, false, false}
	everyForce := []bool{true, true, true, true, true, true, true, true}
	for name, c := range map[string]struct {
		out, in string // options of COPY TO, and of FROM where they differ
		options func(o *CopyOptions)
		format  CopyFormat
		latin   bool
		query   string // instead of the table
	}{
		"text":             {},
		"text, old syntax": {out: `delimiter '|' null '\X'`, in: `(delimiter '|', null '\X')`, options: func(o *CopyOptions) { o.Delimiter, o.Null = '|', `\X` }},
		"text, header":     {out: "(header)", options: func(o *CopyOptions) { o.Header = true }},
		"text, control":    {out: "(delimiter e'\\x01')", options: func(o *CopyOptions) { o.Delimiter = 1 }},
		"text, bell":       {out: "(delimiter e'\\b')", options: func(o *CopyOptions) { o.Delimiter = '\b' }},
		"text, quote":      {out: `(delimiter '"')`, options: func(o *CopyOptions) { o.Delimiter = '"' }},
		"text, query":      {query: "(select * from src order by id desc)"},
		"csv":              {format: CopyCSV, out: "(format csv)"},
		"csv, old syntax":  {format: CopyCSV, out: "csv header", options: func(o *CopyOptions) { o.Header = true }},
		"csv, header":      {format: CopyCSV, out: "(format csv, header)", options: func(o *CopyOptions) { o.Header = true }},
		"csv, delimiter":   {format: CopyCSV, out: "(format csv, delimiter ';')", options: func(o *CopyOptions) { o.Delimiter = ';' }},
		"csv, letter":      {format: CopyCSV, out: "(format csv, delimiter 'e')", options: func(o *CopyOptions) { o.Delimiter = 'e' }},
		"csv, null":        {format: CopyCSV, out: "(format csv, null 'x')", options: func(o *CopyOptions) { o.Null = "x" }},
		"csv, null mark":   {format: CopyCSV, out: "(format csv, null '[redacted]')", options: func(o *CopyOptions) { o.Null = "[redacted]" }},
		"csv, quote":       {format: CopyCSV, out: "(format csv, quote '''')", options: func(o *CopyOptions) { o.Quote, o.Escape = '\'', '\'' }},
		"csv, tilde":       {format: CopyCSV, out: "(format csv, quote '~', escape '\\')", options: func(o *CopyOptions) { o.Quote, o.Escape = '~', '\\' }},
		"csv, escape":      {format: CopyCSV, out: "(format csv, escape '\\')", options: func(o *CopyOptions) { o.Escape = '\\' }},
		"csv, escape a":    {format: CopyCSV, out: "(format csv, escape 'a')", options: func(o *CopyOptions) { o.Escape = 'a' }},
		"csv, force":       {format: CopyCSV, out: "(format csv, force_quote (secret, n))", in: "(format csv)", options: func(o *CopyOptions) { o.Force = force }},
		"csv, force all":   {format: CopyCSV, out: "(format csv, force_quote *, header true)", in: "(format csv, header true)", options: func(o *CopyOptions) { o.Force, o.Header = everyForce, true }},
		"csv, all":         {format: CopyCSV, out: "(format csv, force_quote *, header on, delimiter '|', null '-', quote '*', escape '#')", in: "(format csv, header on, delimiter '|', null '-', quote '*', escape '#')", options: func(o *CopyOptions) { *o = CopyOptions{CopyCSV, '|', "-", true, '*', '#', everyForce, ""} }},
		"csv, query":       {format: CopyCSV, out: "(format csv)", query: "(select * from src where id > 3)"},
		"binary":           {format: CopyBinary, out: "(format binary)"},
		"binary, query":    {format: CopyBinary, out: "(format binary)", query: "(select * from src limit 2)"},
		"binary, empty":    {format: CopyBinary, out: "(format binary)", query: "empty"},
		"text, latin1":     {out: "(encoding 'latin1')", options: func(o *CopyOptions) { o.Encoding = "latin1" }, latin: true},
		"csv, latin1":      {format: CopyCSV, out: "(format csv, encoding 'LATIN-1')", options: func(o *CopyOptions) { o.Encoding = "LATIN-1" }, latin: true},
		"csv, utf8":        {format: CopyCSV, out: "(format csv, encoding 'Utf-8')", options: func(o *CopyOptions) { o.Encoding = "Utf-8" }},
	} {
		t.Run(name, func(t *testing.T) {
			source := "src"
			if c.query != "" {
				source = c.query
			}
			if c.latin {
				source = "(select * from src where secret is null or secret !~ '[^\\x01-\\xff]')"
			}
			if c.in == "" {
				c.in = c.out
			}
			options := CopyDefaults(c.format)
			if c.options != nil {
				c.options(&options)
			}
			masked, _ := copyThrough(t, conn, "copy "+source+" to stdout "+c.out, plan, fields, options)
			db.Exec(t, "truncate dst")
			if _, err := conn.PgConn().CopyFrom(t.Context(), bytes.NewReader(masked), "copy dst from stdin "+c.in); err != nil {
				t.Fatalf("the masked rows don't load: %v\n%s", err, masked)
			}
			rows, err := conn.PgConn().Exec(t.Context(), fmt.Sprintf(`select s.*, d.* from (select * from %s x) s full join dst d using (id) order by s.id`, source)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[0].Rows {
				compare(t, plan, fields, row, c.latin)
			}
			if bytes.Contains(masked, []byte("line")) != (c.format == CopyBinary || plan[2] == nil && c.query != "empty") && c.query == "" {
				t.Error("the free column is masked")
			}
		})
	}
	t.Run("no columns", func(t *testing.T) {
		db.Exec(t, "insert into bare default values; insert into bare default values")
		for _, f := range []CopyFormat{CopyText, CopyCSV} {
			masked, n := copyThrough(t, conn, "copy bare to stdout "+[]string{"", "csv"}[f], nil, nil, CopyDefaults(f))
			if string(masked) != "\n\n" || n != 0 {
				t.Errorf("got %q", masked)
			}
		}
	})
	t.Run("types unknown", func(t *testing.T) {
		masked, _ := copyThrough(t, conn, "copy (select secret, id from src where id = 0) to stdout", Plan{all["redact"], nil}, []Field{{}, {}}, CopyDefaults(CopyText))
		if string(masked) != "\\N\t0\n" {
			t.Errorf("got %q", masked)
		}
	})
	t.Run("a mark that is a value", func(t *testing.T) {
		// NULL 'guess' must not tell in which rows the value is just that.
		masked, n := copyThrough(t, conn, "copy (select secret from src where secret in ('x', 'e') or id = 1000 order by id) to stdout (null 'x')", Plan{all["redact"]}, fields[1:2], CopyOptions{Delimiter: '\t', Null: "x"})
		if string(masked) != "[redacted]\n[redacted]\n[redacted]\n" || n != 3 {
			t.Errorf("got %q", masked)
		}
	})
	t.Run("not null", func(t *testing.T) {
		f := fields[4]
		f.NotNull = true
		masked, _ := copyThrough(t, conn, "copy (select n from src where id = 7) to stdout", Plan{all["redact"]}, []Field{f}, CopyDefaults(CopyText))
		if string(masked) != "0\n" {
			t.Errorf("got %q", masked)
		}
	})
}

// copyThrough runs a COPY TO and masks what it sends.
func copyThrough(t *testing.T, conn *pgx.Conn, sql string, plan Plan, fields []Field, o CopyOptions) (masked []byte, n int) {
	t.Helper()
	var sent messages
	if _, err := conn.PgConn().CopyTo(context.WithoutCancel(t.Context()), &sent, sql); err != nil {
		t.Fatal(err)
	}
	c, err := NewCopy(plan, fields, o)
	if err != nil {
		t.Fatal(err)
	}
	untouched, err := NewCopy(make(Plan, len(plan)), fields, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sent {
		var k int
		if masked, k, err = c.Row(masked, m); err != nil {
			t.Fatalf("%v: %q", err, m)
		}
		n += k
		if same, _, err := untouched.Row(nil, m); err != nil || !bytes.Equal(same, m) {
			t.Fatalf("without masks %q becomes %q, %v", m, same, err)
		}
	}
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	return masked, n
}

// compare looks at one row: the source's columns, then those that were loaded.
func compare(t *testing.T, plan Plan, fields []Field, row [][]byte, latin bool) {
	t.Helper()
	loaded := row[len(plan):]
	for i := range plan {
		want := row[i]
		if plan[i] != nil && want != nil {
			tr := plan[i]
			if latin && !isASCII(want) {
				tr, _ = Lookup("redact")
			}
			out, null := tr.Apply([]byte{}, fields[i], want)
			if want = out; null {
				want = nil
			}
			if !null && fields[i].Type == oidJSONB && (bytes.Contains(row[i], []byte("k")) != bytes.Contains(loaded[i], []byte("k"))) {
				t.Errorf("row %s: the document was masked whole: %s", row[0], loaded[i])
			}
		}
		if (want == nil) != (loaded[i] == nil) || !bytes.Equal(want, loaded[i]) && fields[i].Type != oidJSONB {
			t.Errorf("row %s, column %d: %q was loaded as %q, want %q", row[0], i, row[i], loaded[i], want)
		}
	}
}

func TestCopyRefuses(t *testing.T) {
	text := []Field{{Type: oidText, Modifier: -1}, {Type: oidText, Modifier: -1}}
	redact, _ := Lookup("redact")
	plan := Plan{redact, nil}
	for name, o := range map[string]CopyOptions{
		"no delimiter":       {Null: `\N`},
		"newline":            {Delimiter: '\n', Null: `\N`},
		"a letter":           {Delimiter: 'e', Null: `\N`},
		"backslash":          {Delimiter: '\\'},
		"null has delimiter": {Delimiter: '|', Null: "a|b"},
		"null has newline":   {Delimiter: '|', Null: "a\n"},
		"null is open":       {Delimiter: '\t', Null: `a\`},
		"no quote":           {Format: CopyCSV, Delimiter: ','},
		"quote is delimiter": {Format: CopyCSV, Delimiter: '"', Quote: '"', Escape: '"'},
		"null has quote":     {Format: CopyCSV, Delimiter: ',', Quote: '"', Escape: '"', Null: `"`},
		"SJIS":               {Delimiter: '\t', Encoding: "Shift_JIS"},
		"GBK":                {Format: CopyCSV, Delimiter: ',', Quote: '"', Escape: '"', Encoding: "gbk"},
		"binary header":      {Format: CopyBinary, Header: true},
		"no such format":     {Format: 3},
		"short force":        {Format: CopyCSV, Delimiter: ',', Quote: '"', Escape: '"', Force: []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewCopy(plan, text, o); err == nil {
				t.Error("there is no error")
			}
		})
	}
	if _, err := NewCopy(plan, text[:1], CopyDefaults(CopyText)); !errors.Is(err, errCopyWidth) {
		t.Errorf("got %v", err)
	}
	header := copySignature + "\x00\x00\x00\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		format CopyFormat
		rows   []string
	}{
		"one column":        {CopyText, []string{"a\n"}},
		"three columns":     {CopyText, []string{"a\tb\tc\n"}},
		"half a row":        {CopyText, []string{"a\tb"}},
		"ends in backslash": {CopyText, []string{"a\tb\\"}},
		"escaped newline":   {CopyText, []string{"a\tb\\\n"}},
		"second half":       {CopyText, []string{"a\tb\nc"}},
		"no row":            {CopyText, []string{"\n"}},
		"csv, one column":   {CopyCSV, []string{"a\n"}},
		"csv, half a row":   {CopyCSV, []string{"a,"}},
		"csv, open quote":   {CopyCSV, []string{"a,\"b\n"}},
		"csv, quote within": {CopyCSV, []string{"a,b\"c\"\n"}},
		"csv, after quote":  {CopyCSV, []string{"a,\"b\"c\n"}},
		"csv, quote at end": {CopyCSV, []string{"a,\"b\""}},
		"no header":         {CopyBinary, []string{"\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff"}},
		"two headers":       {CopyBinary, []string{header, header}},
		"half a header":     {CopyBinary, []string{header[:15]}},
		"OIDs":              {CopyBinary, []string{copySignature + "\x00\x01\x00\x00\x00\x00\x00\x00"}},
		"long extension":    {CopyBinary, []string{copySignature + "\x00\x00\x00\x00\x00\x00\x00\x01"}},
		"one field":         {CopyBinary, []string{header + "\x00\x01\xff\xff\xff\xff"}},
		"half a field":      {CopyBinary, []string{header + "\x00\x02\xff\xff\xff\xff\x00\x00\x00\x02a"}},
		"half a length":     {CopyBinary, []string{header + "\x00\x02\xff\xff\xff\xff\x00\x00"}},
		"negative length":   {CopyBinary, []string{header + "\x00\x02\xff\xff\xff\xfe\xff\xff\xff\xff"}},
		"after the trailer": {CopyBinary, []string{header + "\xff\xff\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			copying, err := NewCopy(plan, text, CopyDefaults(c.format))
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range c.rows {
				out, n, err := copying.Row([]byte("before"), []byte(row))
				if last := i == len(c.rows)-1; last != (err != nil) {
					t.Fatalf("row %q: %v", row, err)
				} else if last && (string(out) != "before" || n != 0) {
					t.Fatalf("an error, and yet %q", out)
				}
			}
		})
	}
	open, err := NewCopy(plan, text, CopyDefaults(CopyBinary))
	if err != nil {
		t.Fatal(err)
	}
	if open.End() == nil {
		t.Error("a binary copy ended without its trailer")
	}
}

// writeCopy writes rows as PostgreSQL does, by another road than the code's;
// nil is NULL.
func writeCopy(rows [][]*string, o CopyOptions) string {
	var b strings.Builder
	for _, row := range rows {
		for i, v := range row {
			if i > 0 {
				b.WriteByte(o.Delimiter)
			}
			switch {
			case v == nil:
				b.WriteString(o.Null)
			case o.Format == CopyText:
				special := strings.NewReplacer("\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\v", `\v`, `\`, `\\`, string(rune(o.Delimiter)), `\`+string(rune(o.Delimiter)))
				b.WriteString(special.Replace(*v))
			case *v == o.Null || *v == `\.` || strings.ContainsAny(*v, string([]rune{rune(o.Delimiter), rune(o.Quote), '\n', '\r'})):
				q, e := string(rune(o.Quote)), string(rune(o.Escape))
				inner := strings.ReplaceAll(*v, e, e+e)
				if q != e {
					inner = strings.ReplaceAll(inner, q, e+q)
				}
				b.WriteString(q + inner + q)
			default:
				b.WriteString(*v)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func FuzzCopy(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, "b", s, byte('\t'), `\N`, byte('"'), byte('"'), false)
		f.Add("b", s, "c", byte(','), "", byte('"'), byte('\\'), true)
	}
	redact, _ := Lookup("redact")
	f.Fuzz(func(t *testing.T, a, b, c string, delimiter byte, null string, quote, escape byte, csv bool) {
		o := CopyOptions{Delimiter: delimiter, Null: null}
		if csv {
			o.Format, o.Quote, o.Escape = CopyCSV, quote, escape
		}
		fields := make([]Field, 3)
		for i := range fields {
			fields[i] = Field{Type: oidText, Modifier: -1}
		}
		masking, err := NewCopy(Plan{nil, redact, nil}, fields, o)
		if err != nil || strings.ContainsRune(a+b+c, 0) {
			return
		}
		if csv && (escape == delimiter || escape == '\n' || escape == '\r') {
			return // a server may take it; nobody can read it
		}
		mark := redacted
		rows := [][]*string{{&a, &b, &c}, {&c, nil, &b}, {nil, &a, nil}}
		want := [][]*string{{&a, &mark, &c}, {&c, nil, &b}, {nil, &mark, nil}}
		if !csv && !masking.certain {
			want[1][1] = &mark
		}
		if null == "" && !csv {
			for i := range rows {
				if v := rows[i][1]; v != nil && *v == "" {
					want[i][1] = nil
				}
			}
		}
		out, _, err := masking.Row(nil, []byte(writeCopy(rows, o)))
		if err != nil {
			t.Fatalf("%v: %q", err, writeCopy(rows, o))
		}
		if string(out) != writeCopy(want, o) {
			t.Fatalf("%q becomes\n%q, want\n%q", writeCopy(rows, o), out, writeCopy(want, o))
		}
	})
}

func FuzzCopyRows(f *testing.F) {
	f.Add([]byte("a\tb\n"), uint8(0))
	f.Add([]byte("a,\"b\"\n"), uint8(1))
	f.Add([]byte(copySignature+"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01a\xff\xff\xff\xff\xff\xff"), uint8(2))
	redact, _ := Lookup("redact")
	fields := []Field{{Type: oidText, Modifier: -1}, {Type: oidText, Modifier: -1}}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		for _, plan := range []Plan{{nil, nil}, {redact, redact}} {
			c, err := NewCopy(plan, fields, CopyDefaults(CopyFormat(format%3)))
			if err != nil {
				t.Fatal(err)
			}
			out, n, err := c.Row(nil, data)
			if err != nil {
				if len(out) > 0 || n > 0 {
					t.Fatal("an error, and yet output")
				}
				continue
			}
			if plan[0] == nil && !bytes.Equal(out, data) {
				t.Fatalf("without masks %q becomes %q", data, out)
			}
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	redact, _ := Lookup("redact")
	plan, fields := make(Plan, 10), make([]Field, 10)
	for i := range fields {
		fields[i] = Field{Type: oidText, Modifier: -1}
	}
	plan[3] = redact
	for name, c := range map[string]struct {
		format CopyFormat
		row    string
	}{
		"text": {CopyText, strings.Repeat("some value\t", 9) + "last\n"},
		"csv":  {CopyCSV, strings.Repeat("\"some, value\",", 9) + "last\n"},
	} {
		b.Run(name, func(b *testing.B) {
			copying, err := NewCopy(plan, fields, CopyDefaults(c.format))
			if err != nil {
				b.Fatal(err)
			}
			row, dst := []byte(c.row), make([]byte, 0, 1024)
			b.ReportAllocs()
			b.SetBytes(int64(len(row)))
			for b.Loop() {
				if dst, _, err = copying.Row(dst[:0], row); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
