package mask

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"sallyport/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// testKey is the same for all tests.
func testKey(t testing.TB) Key {
	t.Helper()
	key, err := NewKey([]byte("a secret for tests, and only tests"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// every is every transform there is, by name.
func every(t testing.TB) map[string]*Transform {
	t.Helper()
	all := map[string]*Transform{}
	for _, name := range Names() {
		all[name], _ = Lookup(name)
	}
	for _, name := range KeyedNames() {
		tr, err := LookupKeyed(name, testKey(t))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = tr
	}
	return all
}

// typeCases are values of each type, as SQL writes them, and the transforms
// that leave more than NULL of them.
var typeCases = []struct {
	sql    string // type
	leaves string
	values []string
}{
	{"text", "redact hash last4 email token", []string{"alice@example.com", "Grüße, 你好 мир 4111", "'\"\\\t\n{},", "x", ""}},
	{"varchar(7)", "redact hash last4 email token", []string{"hunter2", "äöüßéè!", "a"}},
	{"varchar", "redact hash last4 email token", []string{"hunter2"}},
	{"char(12)", "redact hash last4 email token", []string{"hunter2", "äöüß"}},
	{"name", "redact hash last4 email token", []string{"hunter2", strings.Repeat("ä", 31)}},
	{"citext", "redact hash last4 email token", []string{"Hunter2"}},
	{"bytea", "hash token", []string{`\xdeadbeef00ff5c`, `\x41`, `\x`}},
	{"uuid", "hash token", []string{"123e4567-e89b-42d3-a456-426614174000", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
	{"int2", "hash token", []string{"0", "-1", "7", "-9", "32767", "-32768", "12345", "99"}},
	{"int4", "hash token", []string{"0", "-1", "2147483647", "-2147483648", "1000000000", "99999"}},
	{"int8", "hash token", []string{"0", "-1", "9223372036854775807", "-9223372036854775808", "4111111111111111"}},
	{"numeric", "token", []string{"0", "0.00", "-1.50", "123456789012345678901234567890.123456789", "0.00012300", "10000", "99990000.0001", "1e-20", "1e40"}},
	{"numeric(10,2)", "token", []string{"19.99", "99999999.99", "-0.05", "100.00"}},
	{"json", "redact hash last4 email token", []string{` {"a": [1, 2.50, "x", true, null], "a": "\u00e4\n"}`, `[]`, `"alice@example.com"`, `12.5e3`, `true`, `null`}},
	{"jsonb", "redact hash last4 email token", []string{`{"a": [1, 2.50, "x", true, null], "k": {"ä": "y"}}`, `[1]`, `"text"`, `-12.5`, `false`, `null`}},
	{"inet", "token", []string{"192.168.1.77", "10.1.2.3/8", "2001:db8::1", "::ffff:192.0.2.1", "2001:db8::/64", "::"}},
	{"cidr", "token", []string{"192.168.1.0/24", "10.0.0.0/9", "2001:db8::/33", "0.0.0.0/0", "1.2.3.4/32"}},
	{"macaddr", "token", []string{"08:00:2b:01:02:03"}},
	{"macaddr8", "token", []string{"08:00:2b:01:02:03:04:05"}},
	{"hstore", "redact last4 email", []string{`"a"=>"1", "b"=>NULL`, ``}},
	{"bool", "", []string{"t"}},
	{"float4", "", []string{"1.5"}},
	{"float8", "", []string{"-1e300"}},
	{"date", "", []string{"2024-02-29"}},
	{"time", "", []string{"12:34:56.789"}},
	{"timetz", "", []string{"12:34:56+02"}},
	{"timestamp", "", []string{"2024-02-29 12:34:56"}},
	{"timestamptz", "", []string{"2024-02-29 12:34:56+00"}},
	{"interval", "", []string{"1 year 2 days 03:04:05"}},
	{"mood", "", []string{"sad"}},
	{"pair", "", []string{"(a,1)"}},
	{"int4range", "", []string{"[1,5)"}},
	{"xml", "", []string{"<a/>"}},
	{"money", "", []string{"12.34"}},
	{"point", "", []string{"(1,2)"}},
	{"tsvector", "", []string{"a b"}},
	{"bit(4)", "", []string{"1010"}},
	{`"char"`, "", []string{"x"}},
	{"text[]", "redact hash last4 email token", []string{`{}`, `{a,NULL,"b c","NULL",""}`, `{{a,b},{"c\"\\",d}}`, `[0:1]={alice@example.com,x}`, `[-1:0][2:2]={{a},{b}}`}},
	{"varchar(3)[]", "redact hash last4 email token", []string{`{abc,äöü}`}},
	{"char(3)[]", "redact hash last4 email token", []string{`{a,bcd}`}},
	{"citext[]", "redact hash last4 email token", []string{`{a,bcd}`}},
	{"json[]", "redact hash last4 email token", []string{`{"{\"a\": 1}","[2]"}`}},
	{"jsonb[]", "redact hash last4 email token", []string{`{"{\"a\": 1}","[2]",NULL}`}},
	{"int4[]", "hash token", []string{`{1,NULL,-300}`, `{{1,2},{3,4}}`}},
	{"int2[]", "hash token", []string{`{1}`}},
	{"int8[]", "hash token", []string{`{1}`}},
	{"uuid[]", "hash token", []string{`{123e4567-e89b-42d3-a456-426614174000}`}},
	{"bytea[]", "hash token", []string{`{"\\x00ff",NULL}`}},
	{"numeric[]", "token", []string{`{1.50,NULL}`}},
	{"inet[]", "token", []string{`{10.0.0.1}`}},
	{"cidr[]", "token", []string{`{10.0.0.0/8}`}},
	{"macaddr[]", "token", []string{`{08:00:2b:01:02:03}`}},
	{"bool[]", "", []string{`{t}`}},
	{"date[]", "", []string{`{2024-02-29}`}},
	{"pair[]", "", []string{`{"(a,1)"}`}},
	{"short", "redact hash last4 email token", []string{`hunter2`}},
	{"word[]", "redact hash last4 email token", []string{`{hunter2}`}},
	{"count", "hash token", []string{`12345`}},
}

func typesDB(t testing.TB) *pgx.Conn {
	t.Helper()
	db := pgtest.New(t)
	db.Exec(t, `create extension citext; create extension hstore; create type mood as enum ('sad', 'glad');
		create type pair as (a text, b int); create domain short as varchar(7); create domain word as text; create domain count as int`)
	return db.Conn(t)
}

// ask gets one value in a format, and what the server says of its type.
func ask(t testing.TB, c *pgx.Conn, sqlType, value string, format int16) (Field, []byte) {
	t.Helper()
	quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	r := c.PgConn().ExecParams(t.Context(), "select "+quoted+"::"+sqlType, nil, nil, nil, []int16{format}).Read()
	if r.Err != nil {
		t.Fatalf("%s: %v", sqlType, r.Err)
	}
	d := r.FieldDescriptions[0]
	return Field{Type: d.DataTypeOID, Modifier: d.TypeModifier, Format: format, Like: like(t, c, d.DataTypeOID)}, r.Rows[0][0]
}

// like does what the catalog's reader is to do.
func like(t testing.TB, c *pgx.Conn, oid uint32) uint32 {
	t.Helper()
	var name, kind string
	var element uint32
	err := c.QueryRow(t.Context(), `select t.typname, t.typtype::text, coalesce(nullif(e.typbasetype, 0), e.oid, 0)
		from pg_type t left join pg_type e on e.oid = t.typelem and t.typcategory = 'A' where t.oid = $1`, oid).Scan(&name, &kind, &element)
	if err != nil {
		t.Fatal(err)
	}
	if kindOf(oid) != kindOther {
		return 0
	}
	if element >= 16384 {
		element = like(t, c, element)
		if element == 0 {
			return 0
		}
	}
	return LikeOf(name, kind[0], element)
}

// give sends a value to the server as one of its type, and has it back as text:
// what is not valid for its type is refused.
func give(t testing.TB, c *pgx.Conn, f Field, value []byte) (string, error) {
	t.Helper()
	r := c.PgConn().ExecParams(t.Context(), "select $1", [][]byte{append([]byte{}, value...)}, []uint32{f.Type}, []int16{f.Format}, []int16{0}).Read()
	if r.Err != nil {
		return "", r.Err
	}
	return string(r.Rows[0][0]), nil
}

// TestTypes masks values of every type, as a real server sends them, in both
// formats, with every transform. What comes out is valid to the server, and to
// pgx; both formats say the same; NULL is left of what the table says, and of
// nothing else.
func TestTypes(t *testing.T) {
	conn := typesDB(t)
	codecs := pgtype.NewMap()
	for _, c := range typeCases {
		for _, value := range c.values {
			for name, tr := range every(t) {
				t.Run(fmt.Sprintf("%s/%s/%s", c.sql, value, name), func(t *testing.T) {
					var both [2]string
					for format := range int16(2) {
						f, sent := ask(t, conn, c.sql, value, format)
						before := bytes.Clone(sent)
						out, null := tr.Apply([]byte("dst"), f, sent)
						if !bytes.HasPrefix(out, []byte("dst")) || null && len(out) > 3 || !bytes.Equal(before, sent) {
							t.Fatalf("dst or the value was changed: %q, %q", out, sent)
						}
						if out = out[3:]; null != !strings.Contains(" "+c.leaves+" ", " "+name+" ") {
							t.Fatalf("format %d: NULL is %v; %q", format, null, out)
						}
						zero := null
						if null {
							f.NotNull = true
							if out, null = tr.Apply(nil, f, sent); null {
								continue // a type of which no value is known
							}
						}
						text, err := give(t, conn, f, out)
						if err != nil {
							t.Fatalf("format %d: the server refuses %q: %v", format, out, err)
						}
						if typ, ok := codecs.TypeForOID(f.Type); ok {
							if _, err := typ.Codec.DecodeValue(codecs, f.Type, f.Format, out); err != nil {
								t.Fatalf("format %d: pgx refuses %q: %v", format, out, err)
							}
						}
						if !zero && len(sent) >= 8 && bytes.Contains(out, sent) && value != "{}" && value != "0.0.0.0/0" {
							t.Errorf("format %d: %q leaves the value in %q", format, name, out)
						}
						both[format] = text
						again, _ := tr.Apply(nil, f, sent)
						if !bytes.Equal(again, out) {
							t.Errorf("masked twice: %q and %q", out, again)
						}
					}
					if both[0] != both[1] && !strings.HasPrefix(c.sql, "json") {
						t.Errorf("text gives %q, binary %q", both[0], both[1])
					}
				})
			}
		}
	}
}

// TestTypesMalformed feeds what is no value of its type: NULL, or something
// that is one, and no panic.
func TestTypesMalformed(t *testing.T) {
	conn := typesDB(t)
	junk := []string{
		"", "x", "-", ".", "1.", "{", "}", "{}{}", `{"a`, `{"a\`, "{a b", "[=", "[1:2]", "[x]={1}", "{{{{{{{{1}}}}}}}}", "1/2/3", "1.2.3.4.5", ":::", "1::2::3", "1.2.3.4/33",
		"12345678-1234-1234-1234-12345678901g", `\xabc`, `\9`, `\400`, "NaN", "Infinity", "99999999999999999999", "08:00:2b:01:02:0g", "08-00-2b-01-02-03", "00", "-0", `{"a":`, "nul", "\xff\xfe",
		"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x09a", strings.Repeat("\x00", 8), strings.Repeat("\x00", 12), strings.Repeat("\xff", 16), strings.Repeat("\x7f", 20),
	}
	for oid := range kinds {
		for array, element := range elements {
			if element == oid {
				malformed(t, conn, array, junk)
			}
		}
		malformed(t, conn, oid, junk)
	}
}

func malformed(t *testing.T, conn *pgx.Conn, oid uint32, junk []string) {
	for name, tr := range every(t) {
		for format := range int16(3) {
			for _, value := range junk {
				if kindOf(oid).text() && strings.Contains(value, "\x00") {
					continue // no text of a server's has one
				}
				f := Field{Type: oid, Modifier: 9, Format: format}
				out, null := tr.Apply(nil, f, []byte(value))
				if null || format == 2 {
					if !null {
						t.Errorf("%s of type %d: an unknown format gives %q", name, oid, out)
					}
					continue
				}
				if kindOf(oid) == kindHstore || kindOf(oid) == kindArray && format == 1 {
					continue // a server would not have sent the dimensions or the type
				}
				if _, err := give(t, conn, f, out); err != nil {
					t.Errorf("%s of %q as type %d in format %d gives %q: %v", name, value, oid, format, out, err)
				}
			}
		}
	}
}

// TestLikeOf is what is said of types without a fixed OID.
func TestLikeOf(t *testing.T) {
	for name, c := range map[string]struct {
		typname string
		typtype byte
		element uint32
		want    uint32
	}{
		"citext":      {"citext", 'b', 0, oidText},
		"citext[]":    {"_citext", 'b', oidText, 1009},
		"hstore":      {"hstore", 'b', 0, LikeHstore},
		"hstore[]":    {"_hstore", 'b', LikeHstore, 0},
		"enum":        {"citext", 'e', 0, 0},
		"composite":   {"citext", 'c', 0, 0},
		"composite[]": {"_x", 'b', 99999, 0},
		"int4[]":      {"_count", 'b', 23, 1007},
		"ltree":       {"ltree", 'b', 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := LikeOf(c.typname, c.typtype, c.element); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
