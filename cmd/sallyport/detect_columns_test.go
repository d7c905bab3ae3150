package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const detectSchema = `
	CREATE EXTENSION hstore;
	CREATE TYPE contact AS (n int, word text, more text[]);
	CREATE DOMAIN words AS varchar(40);
	CREATE TABLE notes (
		id int PRIMARY KEY, body text, short varchar(30), padded char(40), fixed words, list text[], grid text[],
		doc jsonb, raw json, docs jsonb[], who contact, whose contact[], pairs hstore, page xml, name name, card bigint, search tsvector);
	INSERT INTO notes VALUES (1, 'write to canary@example.com, or call', 'canary@example.com', 'canary@example.com', 'a canary@example.com b',
		'{x,canary@example.com,"a \"quoted\" canary@example.com"}', '{{a,canary@example.com},{NULL,b}}',
		'{"to": "canary@example.com", "n": 1, "deep": [{"x": "mail canary@example.com"}]}', '{"to":  "canary\u0040example.com"}',
		array['"canary@example.com"', '{"a": 1}']::jsonb[], row(1, 'canary@example.com', '{canary@example.com}'), array[row(2, 'to canary@example.com', NULL)::contact],
		'"mail"=>"canary@example.com"', '<a href="mailto:canary@example.com"/>', 'canary@example.com', 4111111111111111, to_tsvector('simple', 'canary@example.com'));
	INSERT INTO notes VALUES (2, 'nothing here', 'x', 'y', 'z', '{a,"b c",NULL,"\\"}', '{}', '{"a":  1}', '{"a":   1}', '{}', row(1, 'two words', '{"a b"}'), '{}', '', '<a/>', 'n', 1, '');
	INSERT INTO notes (id) VALUES (3);
	CREATE TABLE plain AS TABLE notes;`

// TestDetectEverywhere looks into all that comes back, by any way: the address
// is masked wherever it stands, what is beside it stays, and rows in which nothing
// is found are those of a direct connection.
func TestDetectEverywhere(t *testing.T) {
	w := newMaskedWorld(t, detectSchema, "[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"*\"]\ndetect = [\"email\", \"payment-card\"]\n")
	conn, direct := w.connect(t), w.db.Conn(t)
	for _, sql := range []string{
		"SELECT * FROM notes",
		"SELECT body || '', lower(body), left(body, 30), n.body::varchar FROM notes n",
		"SELECT row_to_json(n), n, array[n] FROM notes n",
		"SELECT array_agg(body), string_agg(short, ','), json_agg(doc), (array_agg(who))[1] FROM notes",
		"SELECT doc -> 'to', doc ->> 'to', doc #>> '{deep,0,x}' FROM notes",
		"WITH w AS (SELECT unnest(list) AS u FROM notes) TABLE w",
		"VALUES ('canary@example.com'), ('x')",
		"SELECT 'canary@' || 'example.com'",
		"SELECT page, xmlelement(name a, body), search FROM notes",
	} {
		for _, format := range []int16{0, 1} {
			w.seen.take()
			got := rowsIn(t, conn.PgConn(), sql, format)
			if b := w.seen.take(); bytes.Contains(bytes.ToLower(b), []byte("canary")) {
				t.Errorf("%s in format %d shows it: %q", sql, format, b)
			}
			want := rowsIn(t, direct.PgConn(), sql, format)
			if len(got) != len(want) {
				t.Fatalf("%s: %d rows, directly %d", sql, len(got), len(want))
			}
			for i := range got {
				if !strings.Contains(strings.ToLower(want[i]), "canary") && got[i] != want[i] {
					t.Errorf("%s in format %d: %q, directly %q", sql, format, got[i], want[i])
				}
			}
		}
	}
	var body, short, padded, fixed string
	var list []string
	var doc map[string]any
	var n int64
	if err := conn.QueryRow(t.Context(), "SELECT body, short, padded, fixed, list, doc, card FROM notes WHERE id = 1").Scan(&body, &short, &padded, &fixed, &list, &doc, &n); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(body, "|", short, "|", len(padded), "|", fixed, "|", list, "|", doc, "|", n)
	want := `write to [redacted], or call|[redacted]|40|a [redacted] b|[x [redacted] a "quoted" [redacted]]|map[deep:[map[x:mail [redacted]]] n:1 to:[redacted]]|4111111111111111`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, sql := range []string{"COPY notes TO STDOUT", "COPY notes TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)", "COPY notes TO STDOUT BINARY", "COPY (SELECT id, body || '' FROM notes) TO STDOUT CSV", "COPY (SELECT who, whose, doc FROM notes) TO STDOUT BINARY"} {
		var masked, plain bytes.Buffer
		if _, err := conn.PgConn().CopyTo(t.Context(), &masked, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if bytes.Contains(masked.Bytes(), []byte("canary")) {
			t.Errorf("%s shows it: %q", sql, masked.String())
		}
		none := strings.NewReplacer("FROM notes", "FROM notes WHERE id > 1", "COPY notes", "COPY (SELECT * FROM notes WHERE id > 1)").Replace(sql)
		masked.Reset()
		if _, err := conn.PgConn().CopyTo(t.Context(), &masked, none); err != nil {
			t.Fatalf("%s: %v", none, err)
		}
		if _, err := direct.PgConn().CopyTo(t.Context(), &plain, none); err != nil || !bytes.Equal(masked.Bytes(), plain.Bytes()) {
			t.Errorf("%s: %q, directly %q, %v", none, masked.String(), plain.String(), err)
		}
	}
	// A dump of it can be loaded again.
	var rows bytes.Buffer
	for _, format := range []string{"text", "csv", "binary"} {
		rows.Reset()
		if _, err := conn.PgConn().CopyTo(t.Context(), &rows, "COPY notes TO STDOUT (FORMAT "+format+")"); err != nil {
			t.Fatal(err)
		}
		if tag, err := direct.PgConn().CopyFrom(t.Context(), &rows, "COPY plain FROM STDIN (FORMAT "+format+")"); err != nil || tag.RowsAffected() != 3 {
			t.Errorf("%s: %s, %v", format, tag, err)
		}
	}
	w.seen.take()
	for _, sql := range []string{
		"SELECT body::int FROM notes", "SELECT ('canary@' || 'example.com')::int", "DO $$ BEGIN RAISE NOTICE 'to canary@%', 'example.com'; RAISE EXCEPTION 'no' USING DETAIL = 'canary@' || 'example.com', HINT = 'ask canary@' || 'example.com'; END $$",
	} {
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err == nil {
			t.Errorf("%s did not fail", sql)
		}
	}
	if _, err := conn.Exec(t.Context(), "LISTEN c"); err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Exec(t.Context(), "NOTIFY c, 'from canary@example.com'"); err != nil {
		t.Fatal(err)
	}
	if note, err := conn.WaitForNotification(t.Context()); err != nil || note.Payload != "from [redacted]" {
		t.Errorf("got %+v, %v", note, err)
	}
	if b := w.seen.take(); bytes.Contains(b, []byte("canary@")) && bytes.Contains(b, []byte("canary@example")) {
		t.Errorf("an error or a notice shows it: %q", b)
	}
}

// TestDetectInColumns looks into the columns named: what is found in them leaves
// by no way, and whatever else they hold can be read where it stands whole.
func TestDetectInColumns(t *testing.T) {
	w := newMaskedWorld(t, detectSchema, `
[[mask]]
targets = ["orders"]
columns = ["notes.body", "notes.doc", "notes.who"]
detect = ["email"]
with = "email"
[[mask]]
targets = ["orders"]
columns = ["notes.doc"]
fields = ["n"]
`)
	conn := w.connect(t)
	for sql, want := range map[string]string{
		"SELECT body FROM notes ORDER BY id":                                                           "write to c***@e***.com, or call\nnothing here\nNULL",
		"SELECT coalesce(body, short) FROM notes WHERE body LIKE '%call'":                              "write to c***@e***.com, or call",
		"SELECT array[body] FROM notes WHERE id = 1":                                                   `{"write to c***@e***.com, or call"}`,
		"SELECT to_json(body) FROM notes WHERE id = 1":                                                 `"write to c***@e***.com, or call"`,
		"SELECT (SELECT max(body) FROM notes)":                                                         "write to c***@e***.com, or call",
		"SELECT CASE WHEN id = 1 THEN body END FROM notes WHERE id = 1":                                "write to c***@e***.com, or call",
		"SELECT left(body, 15) FROM notes WHERE id = 1":                                                "[redacted]",
		"SELECT body || 'x' FROM notes WHERE id = 1":                                                   "[redacted]",
		"SELECT reverse(body) FROM notes WHERE id = 2":                                                 "[redacted]",
		"SELECT doc FROM notes WHERE id = 1":                                                           `{"n": "[redacted]", "to": "c***@e***.com", "deep": [{"x": "mail c***@e***.com"}]}`,
		"SELECT who FROM notes WHERE id = 1":                                                           "(1,c***@e***.com,{c***@e***.com})",
		"SELECT short FROM notes WHERE id = 1":                                                         "canary@example.com",
		"SELECT b FROM (SELECT body AS b FROM notes UNION ALL SELECT name FROM notes) s WHERE b > 'w'": "write to c***@e***.com, or call",
	} {
		if got := strings.Join(rowsIn(t, conn.PgConn(), sql, 0), "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", sql, got, want)
		}
	}
	for _, sql := range []string{"INSERT INTO plain (id, short) SELECT 9, body FROM notes", "CREATE TABLE z AS SELECT body FROM notes"} {
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// rowsIn gives the rows of a query in a format, as lines.
func rowsIn(t *testing.T, conn *pgconn.PgConn, sql string, format int16) []string {
	t.Helper()
	result := conn.ExecParams(t.Context(), sql, nil, nil, nil, []int16{format}).Read()
	if result.Err != nil {
		t.Fatalf("%s: %v", sql, result.Err)
	}
	var lines []string
	for _, row := range result.Rows {
		var values []string
		for _, v := range row {
			if v == nil {
				v = []byte("NULL")
			}
			values = append(values, string(v))
		}
		lines = append(lines, strings.Join(values, "|"))
	}
	return lines
}
