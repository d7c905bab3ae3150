package sqlguard

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/pgtest"
)

// TestMain lets the test binary serve as its own parse worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "parse-worker" {
		if err := ServeWorker(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

// schema is the catalog of the vectors, in a shorthand:
//
//	OID KIND SCHEMA.NAME column column! ...   (! is NOT NULL)
const schema = `
100 r public.users id! name email password api_key is_admin tags data
101 r public.orders id! user_id total note
102 r public.secrets id! value
103 p public.events id! day payload
104 r public.events_2024 id! day payload
105 v public.v_users id password shout
106 v public.v_orders id total
107 v public.v_unread id
108 m public.m_users id password
109 r public.accounts id iban
110 r archive.accounts id iban closed
111 v public.v_odd a b
112 r public.log line
113 r public.ledger id amount
114 r archive.ledger id amount
115 v public.v_stats s
116 v public.v_deep who
117 r public.members id! iban login
200 v pg_catalog.pg_stats tablename most_common_vals
201 r pg_catalog.pg_class oid relname
202 v pg_catalog.pg_settings name setting
203 v pg_catalog.pg_stat_activity pid query
`

var definitions = map[string]string{
	"105": "SELECT users.id, users.password, upper(users.email) AS shout FROM public.users",
	"106": "SELECT orders.id, orders.total FROM public.orders",
	"107": "SELECT public.unread() AS id",
	"108": "SELECT u.id, u.password FROM public.users u WHERE (u.password ~~ 'a%'::text)",
	"111": "SELECT x.a, x.b FROM public.users, XMLTABLE('/a' PASSING users.data COLUMNS a text, b text) x",
	"115": "SELECT pg_stats.most_common_vals AS s FROM pg_stats",
	"116": "SELECT v_users.password AS who FROM public.v_users",
}

// rules: which relation's rule reads which.
var rules = [][]string{{"105", "100"}, {"106", "101"}, {"108", "100"}, {"111", "100"}, {"112", "100"}, {"115", "200"}, {"116", "105"}}

// functions: schema name set volatile scalar trusted ofRow
const functionRows = `
pg_catalog count f f t f f
pg_catalog sum f f t f f
pg_catalog max f f t f f
pg_catalog upper f f t f f
pg_catalog lower f f t f f
pg_catalog length f f t f f
pg_catalog substring f f t f f
pg_catalog now f f t f f
pg_catalog random f t t f f
pg_catalog pg_notify f t t f f
pg_catalog set_config f t t f f
pg_catalog pg_sleep f t t f f
pg_catalog nextval f t t f f
pg_catalog row_to_json f f t f t
pg_catalog to_json f f t f t
pg_catalog json_agg f f t f t
pg_catalog string_agg f f t f f
pg_catalog array_agg f f t f f
pg_catalog row_number f f t f f
pg_catalog md5 f f t f f
pg_catalog ascii f f t f f
pg_catalog regexp_match f f t f f
pg_catalog pg_stat_get_activity t f f f f
pg_catalog left f f t f f
pg_catalog coalesce f f t f f
pg_catalog generate_series t f t f f
pg_catalog unnest t f t f f
pg_catalog string_to_array f f t f f
pg_catalog json_each t f f f f
pg_catalog date_trunc f f t f f
pg_catalog query_to_xml f t t f f
pg_catalog pg_read_file f t t f f
pg_catalog lo_get f t t f f
pg_catalog ts_stat t t f f f
pg_catalog timezone f f t f f
pg_catalog extract f f t f f
public unread f t t f f
public order_count f f t f f
public first_password f f t f f
public get_users t f f f t
public find_user t f f f f
public writes f t t f f
public of_user f f t f t
public lower f f t t f
public uuid_generate_v4 f t t t f
`

// bodyRows are the functions in SQL.
var bodyRows = [][]string{
	{"order_count", "CREATE OR REPLACE FUNCTION public.order_count(p integer) RETURNS bigint LANGUAGE sql STABLE AS $$SELECT count(*) FROM public.orders WHERE user_id = p$$"},
	{"get_users", "CREATE OR REPLACE FUNCTION public.get_users() RETURNS SETOF public.users LANGUAGE sql AS $$SELECT * FROM public.users$$"},
	{"find_user", "CREATE OR REPLACE FUNCTION public.find_user(p integer) RETURNS TABLE(uid integer, display text, blob text) LANGUAGE sql AS $$SELECT id, name, password FROM public.users WHERE id = p$$"},
	{"first_password", "CREATE OR REPLACE FUNCTION public.first_password() RETURNS text LANGUAGE sql RETURN (SELECT password FROM public.users LIMIT 1)"},
	{"writes", "CREATE OR REPLACE FUNCTION public.writes() RETURNS void LANGUAGE sql AS $$DELETE FROM public.orders$$"},
}

// fake answers the queries of Load from the tables above.
type fake struct{}

func (fake) Query(_ context.Context, sql string) ([][]string, error) {
	switch {
	case isCode(sql):
		return codeRows(sql), nil
	case sql == typesQuery:
		return nil, nil
	case strings.Contains(sql, "SELECT DISTINCT p.prosrc"):
		return [][]string{{"be_lo_get", "lo_get"}}, nil
	case strings.Contains(sql, "WITH named"), strings.Contains(sql, "oid < 16384"), strings.Contains(sql, "attrelid < 16384"):
		return nil, nil // marks, and what the schema has beside the user's
	case strings.Contains(sql, "set_config"):
		return [][]string{{""}}, nil
	case strings.Contains(sql, "pg_get_viewdef"):
		var rows [][]string
		for id, d := range definitions {
			rows = append(rows, []string{id, d})
		}
		return rows, nil
	case strings.Contains(sql, "r.ev_class, d.refobjid"):
		return rules, nil
	case strings.Contains(sql, "DISTINCT r.ev_class"):
		return [][]string{{"107", "unread"}}, nil
	case strings.Contains(sql, "d.adrelid"):
		return [][]string{{"117", "3", "2"}}, nil
	case strings.Contains(sql, "indisunique"):
		return [][]string{{"100", "1"}, {"117", "2"}}, nil
	case strings.Contains(sql, "pg_trigger"), strings.Contains(sql, "pg_cast c"):
		return nil, nil
	case strings.Contains(sql, "pg_get_functiondef"):
		return bodyRows, nil
	case strings.Contains(sql, "pg_inherits"):
		return [][]string{{"104", "103"}}, nil
	case strings.Contains(sql, "pg_operator"):
		return [][]string{{"<~>"}}, nil
	case strings.Contains(sql, "p.provolatile"):
		var rows [][]string
		for _, line := range lines(functionRows) {
			row := strings.Fields(line)
			for i := 2; i < len(row); i++ {
				row[i] = map[string]string{"t": "true", "f": "false"}[row[i]]
			}
			rows = append(rows, row)
		}
		return rows, nil
	}
	var rows [][]string
	for _, line := range lines(schema) {
		f := strings.Fields(line)
		space, name, _ := strings.Cut(f[2], ".")
		if strings.Contains(sql, "pg_attribute") {
			for i, column := range f[3:] {
				bare, notNull := strings.CutSuffix(column, "!")
				rows = append(rows, []string{f[0], fmt.Sprint(i + 1), bare, fmt.Sprint(notNull), fmt.Sprint(f[0] == "117" && bare == "login"), "25", "-1"})
			}
		} else {
			rows = append(rows, []string{f[0], space, name, f[1]})
		}
	}
	return rows, nil
}

func lines(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

func testCatalog(t testing.TB) *Catalog {
	t.Helper()
	cat, err := Load(context.Background(), fake{})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// protectedColumns are those of the lineage vectors.
var protectedColumns = []Pattern{
	{Schema: "public", Table: "users", Column: "password"},
	{Schema: "*", Table: "users", Column: "api_key", Filter: Deny},
	{Table: "users", Column: "email", Filter: AllowUse},
	{Table: "events", Column: "payload"},
	{Table: "accounts", Column: "iban"},
	{Table: "members", Column: "iban"},
	{Schema: "archive", Table: "ledger", Column: "amount"},
}

// testParser parses with workers of this test binary.
func testParser(t testing.TB) *Parser {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := NewParser([]string{self, "parse-worker"})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// vector is one line of a file of vectors: text ==> what is expected.
type vector struct {
	file       string
	line       int
	text, want string
}

// vectors reads testdata/sqlguard/NAME. A # begins a comment line.
func vectors(t testing.TB, name string) []vector {
	t.Helper()
	body, err := os.ReadFile("../testdata/sqlguard/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for i, line := range strings.Split(string(body), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, want, ok := strings.Cut(line, "==>")
		if !ok {
			t.Fatalf("%s:%d: no ==>", name, i+1)
		}
		all = append(all, vector{name, i + 1, strings.TrimSpace(text), strings.TrimSpace(want)})
	}
	return all
}
