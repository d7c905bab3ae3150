package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// maskedTypes are types, a value of each, and the transforms that leave more of it
// than NULL: docs/masking.md says the same.
var maskedTypes = []struct{ sql, value, leaves string }{
	{"text", "alice.CANARY@example.com", "redact hash last4 email token"},
	{"varchar", "alice.CANARY@example.com", "redact hash last4 email token"},
	{"varchar(9)", "CANARY123", "redact hash last4 email token"},
	{"char(12)", "CANARY12345", "redact hash last4 email token"},
	{"name", "CANARY12345", "redact hash last4 email token"},
	{"citext", "alice.CANARY@example.com", "redact hash last4 email token"},
	{"bytea", `\x43414e415259ff00`, "hash token"},
	{"uuid", "123e4567-e89b-42d3-a456-426614174000", "hash token"},
	{"int2", "12345", "hash token"},
	{"int4", "-1234567890", "hash token"},
	{"int8", "4111111111111111", "hash token"},
	{"numeric", "12345678901234567890.123456789", "token"},
	{"numeric(10,2)", "12345678.99", "token"},
	{"float4", "1234.5", ""},
	{"float8", "1234567890.125", ""},
	{"bool", "t", ""},
	{"date", "1971-03-04", ""},
	{"time", "12:34:56.789", ""},
	{"timetz", "12:34:56.789+02", ""},
	{"timestamp", "1971-03-04 12:34:56.789", ""},
	{"timestamptz", "1971-03-04 12:34:56.789+00", ""},
	{"interval", "7 years 5 days 03:04:05", ""},
	{"json", `{"k": "CANARY-json", "n": [12345678, true]}`, "redact hash last4 email token"},
	{"jsonb", `{"k": "CANARY-jsonb", "n": [12345678, true]}`, "redact hash last4 email token"},
	{"hstore", `"k"=>"CANARY-hstore"`, "redact last4 email"},
	{"inet", "10.21.32.43/24", "token"},
	{"cidr", "10.21.32.0/24", "token"},
	{"macaddr", "08:00:2b:01:02:03", "token"},
	{"mood", "glad", ""},
	{"pair", "(CANARYpair,12345)", ""},
	{"xml", "<a>CANARY</a>", ""},
	{"int4range", "[12345,54321)", ""},
	{"text[]", `{CANARY-one,NULL,"CANARY,two"}`, "redact hash last4 email token"},
	{"varchar(9)[]", `{CANARY123,CANARY456}`, "redact hash last4 email token"},
	{"citext[]", `{CANARY-one,CANARY-two}`, "redact hash last4 email token"},
	{"int4[]", `{123456,NULL,654321}`, "hash token"},
	{"int8[]", `{{1234567890123,2},{3,4}}`, "hash token"},
	{"uuid[]", `{123e4567-e89b-42d3-a456-426614174000}`, "hash token"},
	{"numeric[]", `{12345678.50,NULL}`, "token"},
	{"bytea[]", `{"\\x43414e415259"}`, "hash token"},
	{"jsonb[]", `{"{\"k\": \"CANARY-a\"}",NULL}`, "redact hash last4 email token"},
	{"json[]", `{"{\"k\": \"CANARY-a\"}"}`, "redact hash last4 email token"},
	{"inet[]", `{10.21.32.43}`, "token"},
	{"bool[]", `{t,f}`, ""},
	{"date[]", `{1971-03-04}`, ""},
	{"hstore[]", `{"\"k\"=>\"CANARY\""}`, ""},
	{"mood[]", `{glad}`, ""},
	{"pair[]", `{"(CANARYpair,12345)"}`, ""},
	{"short", "CANARY123", "redact hash last4 email token"},
	{"shorter", "CANARY123", "redact hash last4 email token"},
	{"word", "CANARYword", "redact hash last4 email token"},
	{"insensitive", "CANARYword", "redact hash last4 email token"},
	{"several", `{CANARYa,CANARYb}`, "redact hash last4 email token"},
	{"counted", "1234567", "hash token"},
	{"documented", `{"k": "CANARY-doc"}`, "redact hash last4 email token"},
	{"paired", "(CANARYpair,12345)", ""},
	{"word[]", `{CANARYword}`, "redact hash last4 email token"},
	{"counted[]", `{1234567}`, "hash token"},
	{"insensitive[]", `{CANARYword}`, "redact hash last4 email token"},
}

const typesSchema = `CREATE EXTENSION citext; CREATE EXTENSION hstore;
	CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (a text, b int);
	CREATE DOMAIN short AS varchar(9); CREATE DOMAIN shorter AS short; CREATE DOMAIN word AS text; CREATE DOMAIN insensitive AS citext;
	CREATE DOMAIN several AS text[]; CREATE DOMAIN counted AS int; CREATE DOMAIN documented AS jsonb; CREATE DOMAIN paired AS pair;
`

// TestMaskedTypes reads a column of each type with each transform through the
// gateway, as text and in binary, as rows and as COPY. What comes is what the
// documentation says, valid to pgx and to the server, which casts it, the same in
// both formats, and never the value.
func TestMaskedTypes(t *testing.T) {
	transforms := []string{"redact", "null", "hash", "last4", "email", "token"}
	var schema, masks strings.Builder
	schema.WriteString(typesSchema)
	for _, with := range transforms {
		columns, values := make([]string, len(maskedTypes)), make([]string, len(maskedTypes))
		for i, c := range maskedTypes {
			columns[i] = fmt.Sprintf("c%d %s", i, c.sql)
			values[i] = "'" + strings.ReplaceAll(c.value, "'", "''") + "'"
		}
		fmt.Fprintf(&schema, "CREATE TABLE m_%s (id int, %s); INSERT INTO m_%[1]s VALUES (1, %[3]s); INSERT INTO m_%[1]s (id) VALUES (2);\n", with, strings.Join(columns, ", "), strings.Join(values, ", "))
		key := ""
		if with == "hash" || with == "token" {
			key = "key = \"file://mask.key\"\n"
		}
		fmt.Fprintf(&masks, "[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"m_%s.c*\"]\nwith = %q\n%s", with, with, key)
	}
	w := newMaskedWorld(t, schema.String(), masks.String())
	gate, direct := w.connect(t).PgConn(), w.db.Conn(t)
	codecs := pgtype.NewMap()
	for _, with := range transforms {
		var rows [2]*pgconn.Result
		for format := range int16(2) {
			r := gate.ExecParams(t.Context(), "SELECT * FROM m_"+with+" ORDER BY id", nil, nil, nil, []int16{format}).Read()
			if r.Err != nil || len(r.Rows) != 2 {
				t.Fatalf("%s, format %d: %v", with, format, r.Err)
			}
			rows[format] = r
			for i, v := range r.Rows[1][1:] {
				if v != nil {
					t.Errorf("%s, %s: NULL became %q", with, maskedTypes[i].sql, v)
				}
			}
		}
		for i, c := range maskedTypes {
			t.Run(with+"/"+c.sql, func(t *testing.T) {
				var both [2]string
				for format, r := range rows {
					v, d := r.Rows[0][i+1], r.FieldDescriptions[i+1]
					if leaves := strings.Contains(" "+c.leaves+" ", " "+with+" "); leaves != (v != nil) {
						t.Fatalf("format %d: got %q, want a value: %v", format, v, leaves)
					}
					if v == nil {
						continue
					}
					if typ, ok := codecs.TypeForOID(d.DataTypeOID); ok {
						if _, err := typ.Codec.DecodeValue(codecs, d.DataTypeOID, int16(format), v); err != nil {
							t.Errorf("format %d: pgx refuses %q: %v", format, v, err)
						}
					}
					given := direct.PgConn().ExecParams(t.Context(), "SELECT $1::text, $1::"+c.sql+"::text, $1::"+c.sql+"::text = '"+strings.ReplaceAll(c.value, "'", "''")+"'::"+c.sql+"::text",
						[][]byte{v}, []uint32{d.DataTypeOID}, []int16{int16(format)}, nil).Read()
					if given.Err != nil {
						t.Fatalf("format %d: the server refuses %q: %v", format, v, given.Err)
					}
					both[format] = string(given.Rows[0][0])
					if string(given.Rows[0][2]) != "f" {
						t.Errorf("format %d: it is the value: %q", format, v)
					}
					if !strings.HasSuffix(c.sql, "[]") && string(given.Rows[0][0]) != string(given.Rows[0][1]) && !strings.HasPrefix(c.sql, "char") {
						t.Errorf("format %d: the cast changes %q to %q", format, given.Rows[0][0], given.Rows[0][1])
					}
				}
				if both[0] != both[1] && !strings.HasPrefix(c.sql, "json") {
					t.Errorf("text gives %q, binary %q", both[0], both[1])
				}
			})
		}
		// A dump of it restores, into columns that are NOT NULL too where a zero is known.
		for _, options := range []string{"", " (FORMAT csv)", " (FORMAT binary)"} {
			var dump bytes.Buffer
			if _, err := gate.CopyTo(t.Context(), &dump, "COPY m_"+with+" TO STDOUT"+options); err != nil {
				t.Fatalf("%s%s: %v", with, options, err)
			}
			if _, err := direct.Exec(t.Context(), "CREATE TABLE again (LIKE m_"+with+")"); err != nil {
				t.Fatal(err)
			}
			if _, err := direct.PgConn().CopyFrom(t.Context(), &dump, "COPY again FROM STDIN"+options); err != nil {
				t.Errorf("%s%s: %v", with, options, err)
			}
			for i, c := range maskedTypes {
				if !strings.Contains(" "+c.leaves+" ", " "+with+" ") {
					continue
				}
				var full, same bool
				q := fmt.Sprintf("SELECT a.c%d IS NOT NULL, a.c%[1]d::text = m.c%[1]d::text FROM again a JOIN m_%s m USING (id) WHERE id = 1", i, with)
				if err := direct.QueryRow(t.Context(), q).Scan(&full, &same); err != nil || !full || same {
					t.Errorf("%s%s, %s: restored %v, the value %v, %v", with, options, c.sql, full, same, err)
				}
			}
			if _, err := direct.Exec(t.Context(), "DROP TABLE again"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if b := w.seen.take(); bytes.Contains(bytes.ToUpper(b), []byte("CANARY")) {
		t.Errorf("it came: %q", shown(b))
	}
}
