package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

const documentSchema = `
	CREATE TABLE customers (id int PRIMARY KEY, name text, profile jsonb, raw json, body text);
	INSERT INTO customers SELECT i, 'c' || i, d::jsonb, d::json, d FROM (VALUES
		(1, '{"password": "CANARYpw1x", "tier": "gold", "age": 41, "ok": true, "address": {"city": "Berlin", "zip": "10115"}, "tags": ["a", "b"], "prefs": {"lang": "de", "recovery": {"codes": ["CANARYrc1x", "CANARYrc1y"], "on": 1}}}'),
		(2, '{"password": "CANARYpw2x", "tier": "base", "age": 17, "ok": false, "address": {"city": "Paris", "password": "CANARYpw2y"}, "tags": [], "prefs": {"recovery": {"codes": []}}}'),
		(3, '{"tier": {"password": "CANARYpw3x"}}'), (4, '[{"password": "CANARYpw4x", "n": 1}]'), (5, '"text"')) AS v(i, d);
	INSERT INTO customers VALUES (6);
	CREATE VIEW addresses AS SELECT id, profile -> 'address' AS address, profile ->> 'password' AS word FROM customers;
	CREATE TABLE others (id int, word text);`

const documentMasks = `
[[mask]]
targets = ["orders"]
columns = ["customers.profile", "customers.raw", "customers.body"]
fields = ["password", "prefs.recovery.codes"]
`

// TestDocuments takes documents apart in every way: what is not protected is
// exactly the server's, and what is is masked.
func TestDocuments(t *testing.T) {
	w := newMaskedWorld(t, documentSchema, documentMasks)
	conn, direct := w.connect(t), w.db.Conn(t)
	// What must be just as it is directly.
	for _, sql := range []string{
		"SELECT profile -> 'address' ->> 'city', raw -> 'address' -> 'zip', profile #>> '{prefs,lang}', profile #> '{tags,0}' FROM customers WHERE id IN (1, 2) ORDER BY id",
		"SELECT profile['address']['city'], profile['tags'][0], jsonb_extract_path_text(profile, 'prefs', 'lang'), jsonb_extract_path(profile, 'tags') FROM customers WHERE id = 1",
		"SELECT (profile ->> 'age')::int, (profile -> 'age')::int + 1, (raw ->> 'ok')::bool, (profile ->> 'age')::numeric * 2 FROM customers WHERE id < 3 ORDER BY (profile ->> 'age')::int",
		"SELECT id FROM customers WHERE profile ->> 'tier' = 'gold'",
		"SELECT id FROM customers WHERE profile ->> 'tier' IN ('gold', 'base') AND profile -> 'address' ->> 'city' LIKE 'B%' AND (profile ->> 'age')::int > 18",
		`SELECT id FROM customers WHERE profile @> '{"tier": "gold", "address": {"city": "Berlin"}}'`,
		"SELECT id FROM customers WHERE profile ? 'tags' AND profile ->> 'password' IS NOT NULL AND profile -> 'address' IS NOT NULL",
		"SELECT id FROM customers WHERE profile @? '$.tags' ORDER BY id",
		"SELECT profile ->> 'tier', count(*) FROM customers WHERE id < 3 AND profile ->> 'tier' = 'gold' GROUP BY profile ->> 'tier'",
		"SELECT coalesce(profile ->> 'lang', 'none'), CASE WHEN id = 1 THEN profile -> 'tags' END FROM customers WHERE id = 1",
		"SELECT c.id, e FROM customers c, jsonb_array_elements_text(c.profile -> 'tags') e WHERE id = 1",
		"SELECT c.id, k FROM customers c, jsonb_object_keys(c.profile) k WHERE id = 1",
		"SELECT e.key FROM customers c, jsonb_each(c.profile) e WHERE id = 1",
		"SELECT x.tier, x.age FROM customers c, jsonb_to_record(c.profile) AS x(tier text, age int) WHERE id = 1",
		"SELECT d ->> 'tier' FROM (SELECT profile AS d FROM customers WHERE id = 1) s",
		"WITH w AS (SELECT profile -> 'prefs' AS p, id FROM customers) SELECT p ->> 'lang' FROM w WHERE id = 1",
		"SELECT jsonb_typeof(profile), jsonb_array_length(profile -> 'tags') FROM customers WHERE id < 3",
		"SELECT jsonb_path_query(profile, '$.tags[*]') FROM customers WHERE id = 1",
		"SELECT address ->> 'city' FROM addresses WHERE id = 1",
		"SELECT (profile -> 'address' ->> 'zip')::uuid IS NULL FROM customers WHERE id = 2",
		"SELECT array_agg(profile ->> 'tier') FROM customers WHERE id < 3",
		"SELECT body::json ->> 'tier', (body::jsonb -> 'address') ->> 'city' FROM customers WHERE id = 1",
		"SELECT (profile - 'tier') ->> 'age' FROM customers WHERE id = 1",
		"SELECT profile ->> 'password' FROM customers WHERE id = 6",
	} {
		for _, format := range []int16{0, 1} {
			want, got := rowsIn(t, direct.PgConn(), sql, format), rowsIn(t, conn.PgConn(), sql, format)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s in format %d:\ngot  %q\nwant %q", sql, format, got, want)
			}
		}
	}
	for sql, want := range map[string]string{
		"SELECT profile ->> 'password' FROM customers WHERE id = 1":                                       `[redacted]`,
		"SELECT profile -> 'password' FROM customers WHERE id = 1":                                        `"[redacted]"`,
		"SELECT profile -> 'address' FROM customers WHERE id = 2":                                         `{"city": "Paris", "password": "[redacted]"}`,
		"SELECT profile ->> 'address' FROM customers WHERE id = 2":                                        `{"city": "Paris", "password": "[redacted]"}`,
		"SELECT profile #>> '{prefs,recovery}' FROM customers WHERE id = 1":                               `{"on": 1, "codes": "[redacted]"}`,
		"SELECT profile -> 'prefs' -> 'recovery' -> 'codes' ->> 0 FROM customers WHERE id = 1":            `[redacted]`,
		"SELECT profile #>> '{prefs,recovery,codes,0}' FROM customers WHERE id = 1":                       `[redacted]`,
		"SELECT profile ->> 'tier' FROM customers WHERE id = 3":                                           `{"password": "[redacted]"}`,
		"SELECT profile -> 0 ->> 'password' FROM customers WHERE id = 4":                                  `[redacted]`,
		"SELECT profile -> 0 -> 'n' FROM customers WHERE id = 4":                                          `1`,
		"SELECT profile #> '{0}' FROM customers WHERE id = 4":                                             `{"n": 1, "password": "[redacted]"}`,
		"SELECT profile::text FROM customers WHERE id = 4":                                                `[{"n": 1, "password": "[redacted]"}]`,
		"SELECT profile['password'] FROM customers WHERE id = 1":                                          `"[redacted]"`,
		"SELECT array_agg(profile -> 'address') FROM customers WHERE id = 2":                              `{"{\"city\": \"Paris\", \"password\": \"[redacted]\"}"}`,
		"SELECT e.value FROM customers c, jsonb_each_text(c.profile) e WHERE id = 3":                      `[redacted]`,
		"SELECT e ->> 'password' FROM customers c, jsonb_array_elements(profile) e WHERE id = 4":          `[redacted]`,
		"SELECT x.password FROM customers c, jsonb_to_record(c.profile) AS x(password text) WHERE id = 1": `[redacted]`,
		"SELECT address FROM addresses WHERE id = 2":                                                      `{"city": "Paris", "password": "[redacted]"}`,
		"SELECT word FROM addresses WHERE id = 2":                                                         `[redacted]`,
		"SELECT jsonb_path_query_first(profile, '$.address') FROM customers WHERE id = 2":                 `{"city": "Paris", "password": "[redacted]"}`,
		"SELECT profile - 'tier' FROM customers WHERE id = 2":                                             `{"ok": false, "age": 17, "tags": [], "prefs": {"recovery": {"codes": "[redacted]"}}, "address": {"city": "Paris", "password": "[redacted]"}, "password": "[redacted]"}`,
		"SELECT body FROM customers WHERE id = 3":                                                         `{"tier": {"password": "[redacted]"}}`,
		"SELECT upper(profile ->> 'tier') FROM customers WHERE id = 3":                                    `[redacted]`,
	} {
		if got := strings.Join(rowsIn(t, conn.PgConn(), sql, 0), "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", sql, got, want)
		}
	}
	// What may not pass: it runs masked, or it is refused.
	w.seen.take()
	refused := 0
	for _, sql := range documentAttacks {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeDescribeExec} {
			rows, err := conn.Query(t.Context(), sql, mode)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
			}
			if err != nil {
				refused++
				if mode == pgx.QueryExecModeSimpleProtocol {
					t.Logf("%s: %v", sql, err)
				}
			}
			if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) || bytes.Contains(b, []byte("YRANAC")) {
				t.Errorf("%s shows it: %q", sql, b)
			}
		}
	}
	t.Logf("%d of %d refused", refused, 2*len(documentAttacks))
	for _, sql := range documentOracles {
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// documentAttacks would show a protected member if paths were mistaken.
var documentAttacks = []string{
	"SELECT profile ->> 'password' FROM customers", "SELECT profile -> 'prefs' FROM customers", "SELECT profile #> '{}' FROM customers", "SELECT profile #>> '{ password }' FROM customers",
	`SELECT profile #>> '{"password"}' FROM customers`, "SELECT profile #>> ARRAY['pass' || 'word'] FROM customers", "SELECT profile ->> ('pass' || 'word') FROM customers",
	"SELECT profile ->> n FROM customers, (VALUES ('password')) v(n)", "SELECT jsonb_extract_path_text(profile, VARIADIC ARRAY['password']) FROM customers",
	"SELECT json_extract_path_text(raw, 'prefs', 'recovery', 'codes', '0') FROM customers", "SELECT jsonb_each(profile) FROM customers", "SELECT (jsonb_each_text(profile)).value FROM customers",
	"SELECT * FROM customers, jsonb_each_text(profile)", "SELECT * FROM customers, json_each(raw)", "SELECT jsonb_path_query(profile, '$.**') FROM customers", "SELECT jsonb_path_query(profile, '$.*') FROM customers",
	"SELECT jsonb_path_query(profile, '$.password') FROM customers", `SELECT jsonb_path_query(profile, '$."password"') FROM customers`, `SELECT jsonb_path_query(profile, '$."pass\u0077ord"') FROM customers`,
	"SELECT jsonb_path_query_array(profile, '$.prefs.recovery.codes[*]') FROM customers", "SELECT jsonb_path_query_first(profile, '$.prefs.recovery.codes[0]') FROM customers",
	"SELECT profile::text FROM customers", "SELECT profile::text::json ->> 'password' FROM customers", "SELECT (profile ->> 'tier')::json ->> 'password' FROM customers", "SELECT profile::varchar(40) FROM customers",
	"SELECT left(profile::text, 40) FROM customers", "SELECT reverse(profile ->> 'tier') FROM customers", "SELECT profile || '{}' FROM customers", "SELECT jsonb_set(profile, '{x}', profile -> 'password') FROM customers",
	"SELECT jsonb_build_object('x', profile -> 'password') FROM customers", "SELECT to_json(profile ->> 'password') FROM customers", "SELECT array[profile ->> 'password'] FROM customers", "SELECT jsonb_agg(profile) FROM customers",
	"SELECT jsonb_object_agg(id, profile) FROM customers", "SELECT string_agg(profile ->> 'tier', ',') FROM customers", "SELECT c FROM customers c", "SELECT row_to_json(c) FROM customers c", "SELECT row(profile) FROM customers",
	"SELECT x.* FROM customers, jsonb_to_record(profile) AS x(tier jsonb, password jsonb, prefs jsonb)", "SELECT x.* FROM customers, jsonb_to_record(profile) AS x(prefs text[])", "SELECT x.* FROM customers, jsonb_to_recordset(profile) AS x(password varchar(3))",
	"SELECT jsonb_pretty(profile) FROM customers", "SELECT jsonb_pretty(profile -> 'prefs') FROM customers", "SELECT jsonb_strip_nulls(profile) FROM customers", "SELECT profile - 'tier' FROM customers", "SELECT profile #- '{tier}' FROM customers",
	"SELECT jsonb_array_elements(profile) FROM customers WHERE id = 4", "SELECT jsonb_array_elements(profile -> 'prefs' -> 'recovery' -> 'codes') FROM customers WHERE id = 1", "SELECT e FROM customers, jsonb_array_elements_text(profile #> '{prefs,recovery,codes}') e WHERE id = 1",
	"SELECT profile -> 'prefs' FROM customers UNION ALL SELECT profile FROM customers", "SELECT coalesce(profile -> 'x', profile -> 'prefs', profile) FROM customers", "SELECT CASE WHEN id > 1 THEN profile -> 'prefs' ELSE profile END FROM customers",
	"SELECT address FROM addresses", "SELECT word FROM addresses", "SELECT min(profile ->> 'password') FROM customers", "SELECT max(profile ->> 'tier') FROM customers", "SELECT (array_agg(profile ->> 'password'))[1] FROM customers", "SELECT (array_agg(profile))[1] ->> 'password' FROM customers",
	"SELECT jsonb_populate_record(NULL::others, jsonb_build_object('word', profile -> 'password')) FROM customers", "SELECT profile ->> 'password'::text FROM customers", "SELECT ((profile ->> 'password')::int) FROM customers", "SELECT (profile ->> 'tier')::text::bytea FROM customers",
	"SELECT (profile -> 'prefs' ->> 'recovery')::bytea FROM customers", "SELECT (profile ->> 'tier')::text[] FROM customers WHERE id = 3", "SELECT (profile ->> 'tier')::xml FROM customers", "SELECT quote_literal(profile ->> 'tier') FROM customers",
	"WITH RECURSIVE w AS (SELECT profile AS d, 1 AS n FROM customers UNION ALL SELECT d -> 'prefs', n + 1 FROM w WHERE n < 3) SELECT d FROM w", "WITH RECURSIVE w AS (SELECT profile AS d, 1 AS n FROM customers UNION ALL SELECT d -> 'recovery', n + 1 FROM w WHERE n < 3) SELECT d ->> 'codes' FROM w",
	"SELECT d FROM (SELECT profile -> 'address' AS d FROM customers UNION ALL SELECT profile -> 'password' FROM customers) s", "SELECT lag(profile -> 'prefs') OVER (ORDER BY id) FROM customers", "SELECT profile ->> 'tier' || 'x' FROM customers", "SELECT format('%s', profile -> 'prefs') FROM customers",
	"SELECT id, (SELECT profile -> 'password') FROM customers", "SELECT raw ->> 'password', raw -> 'prefs', raw::text, raw::jsonb FROM customers", "SELECT body::json -> 'password', body, left(body, 30), body::json FROM customers", "COPY (SELECT profile -> 'prefs', profile ->> 'password', raw FROM customers) TO STDOUT",
	"SELECT jsonb_path_query(profile, 'strict $.prefs') FROM customers", "SELECT json_build_array(VARIADIC ARRAY[profile]) FROM customers", "SELECT profile -> -1 -> 'password' FROM customers WHERE id = 4", "SELECT profile #>> '{-1,password}' FROM customers",
}

// documentOracles ask about protected members, and are refused.
var documentOracles = []string{
	"SELECT id FROM customers WHERE profile ->> 'password' LIKE 'C%'", "SELECT id FROM customers WHERE profile ->> 'tier' LIKE '%CAN%'", "SELECT id FROM customers WHERE profile ->> 'tier' > '{\"p'", "SELECT id FROM customers WHERE profile::text ~ 'CAN'",
	"SELECT id FROM customers ORDER BY profile ->> 'password'", "SELECT id FROM customers ORDER BY profile", "SELECT id FROM customers WHERE (profile ->> 'password')::int > 1", `SELECT id FROM customers WHERE profile @> '{"password": "x"}'`,
	`SELECT id FROM customers WHERE profile @> '{"address": {"password": "x"}}'`, `SELECT id FROM customers WHERE profile @? '$.password ? (@ starts with "C")'`, `SELECT id FROM customers WHERE profile @@ '$.password > "C"'`, `SELECT jsonb_path_query(profile, '$ ? (@.password > "C")') FROM customers`,
	"SELECT x.password FROM customers, jsonb_to_record(profile) AS x(password int)", "INSERT INTO others SELECT id, profile ->> 'password' FROM customers", "CREATE TABLE z AS SELECT profile -> 'prefs' FROM customers", "UPDATE customers SET name = profile ->> 'password'",
	"SELECT id FROM customers, jsonb_each_text(profile) e WHERE e.value LIKE 'C%'", "SELECT id FROM customers WHERE length(profile ->> 'tier') > 5", `SELECT id FROM customers WHERE jsonb_path_exists(profile, '$.password ? (@ like_regex "^C")')`, "SELECT id FROM customers WHERE profile > '{}'",
	"SELECT id FROM customers WHERE profile #>> '{password}' ~ '^C'", "SELECT id FROM customers WHERE (profile -> 'prefs')::text LIKE '%CAN%'", "SELECT jsonb_array_elements(profile -> 'password') FROM customers",
}
