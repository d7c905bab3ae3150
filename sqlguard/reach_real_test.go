package sqlguard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/pgtest"
)

// codeSchema stands beside realSchema: what the owner of a database may have.
const codeSchema = `
CREATE TABLE sink (line text);
CREATE DOMAIN mail AS text;
CREATE TABLE people (id int, email mail, born date);
INSERT INTO people VALUES (1, 'SECRETpeople', now());
CREATE FUNCTION owner_reads() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM users LIMIT 1); END';
CREATE FUNCTION owner_runs(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN EXECUTE q INTO r; RETURN r; END';
CREATE FUNCTION owner_definer() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS 'BEGIN RETURN QUERY SELECT password FROM users; END';
CREATE TABLE shipped (id int, note text);
CREATE FUNCTION owner_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', (SELECT password FROM users LIMIT 1); RETURN NEW; END';
CREATE TRIGGER owner_t BEFORE INSERT ON shipped FOR EACH ROW EXECUTE FUNCTION owner_trigger();
CREATE FUNCTION owner_eq(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', (SELECT password FROM users LIMIT 1); RETURN true; END';
CREATE OPERATOR ==== (LEFTARG = text, RIGHTARG = text, FUNCTION = owner_eq);
CREATE FUNCTION format(text, text) RETURNS text LANGUAGE sql AS 'SELECT ''select password from users''::text';
CREATE FUNCTION owner_stores() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE stored AS EXECUTE ps4; END';
CREATE FUNCTION owner_plans() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''EXPLAIN ANALYZE CREATE TABLE stored AS EXECUTE ps4''; END';
CREATE FUNCTION owner_internal(text) RETURNS text LANGUAGE internal AS 'pg_read_file_all';
`

// codeAttacks are scripts that would show a protected value, or put it where
// everybody reads. Statements are parted by a line of ---.
var codeAttacks = map[string]string{
	"returns":             "CREATE FUNCTION a1() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM users LIMIT 1); END'\n---\nSELECT a1()",
	"raises":              "DO $$ BEGIN RAISE NOTICE '%', (SELECT password FROM users LIMIT 1); END $$",
	"raises an error":     "DO $$ BEGIN PERFORM password::int FROM users; END $$",
	"inserts":             "DO $$ BEGIN INSERT INTO sink SELECT password FROM users; END $$\n---\nTABLE sink",
	"trigger copies":      "CREATE FUNCTION a2() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (new.password); RETURN new; END'\n---\nCREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION a2()\n---\nUPDATE users SET name = 'x' WHERE id = 1\n---\nTABLE sink",
	"argument":            "CREATE FUNCTION a3(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN null; END'\n---\nSELECT a3(password) FROM users\n---\nTABLE sink",
	"argument in FROM":    "CREATE FUNCTION a4(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN null; END'\n---\nSELECT * FROM users u, a4(u.email)\n---\nTABLE sink",
	"argument, row":       "CREATE FUNCTION a5(t users) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t.password); RETURN null; END'\n---\nSELECT a5(u), (u).a5, u.a5 FROM users u\n---\nTABLE sink",
	"argument, field":     "CREATE FUNCTION a5b(t users) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t.password); RETURN null; END'\n---\nSELECT (u).a5b FROM users u\n---\nTABLE sink",
	"argument, named row": "CREATE FUNCTION total(t anyelement) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t::text); RETURN null; END'\n---\nSELECT (u).total FROM users u\n---\nTABLE sink",
	"argument, variadic":  "CREATE FUNCTION a6(VARIADIC t text[]) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink SELECT unnest(t); RETURN null; END'\n---\nSELECT a6(VARIADIC array_agg(email)) FROM users\n---\nTABLE sink",
	"argument, polymorph": "CREATE FUNCTION a7(t anyelement, u anyelement DEFAULT null) RETURNS anyelement LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t::text); RETURN t; END'\n---\nSELECT a7(t => email) FROM users\n---\nTABLE sink",
	"takes a name":        "CREATE FUNCTION upper(t varchar) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN t; END'\n---\nSELECT upper(email::varchar) FROM users\n---\nTABLE sink",
	"takes a path":        "CREATE SCHEMA p1\n---\nCREATE FUNCTION p1.length(t text) RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.sink VALUES (t); RETURN 1; END'\n---\nSET search_path = p1, pg_catalog, public\n---\nSELECT length(email) FROM users\n---\nTABLE sink",
	"in pg_catalog":       "SET search_path = pg_catalog, public\n---\nCREATE FUNCTION a8(t text) RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.sink VALUES (t); RETURN 1; END'\n---\nSELECT a8(email), pg_catalog.a8(email) FROM users\n---\nTABLE sink",
	"in pg_temp":          "CREATE FUNCTION pg_temp.a9() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM users LIMIT 1); END'\n---\nSELECT pg_temp.a9()",
	"in pg_temp, given":   "CREATE FUNCTION pg_temp.a10(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', t; INSERT INTO sink VALUES (t); RETURN t; END'\n---\nSELECT pg_temp.a10(email) FROM users\n---\nTABLE sink",
	"function's path":     "CREATE SCHEMA p2\n---\nCREATE TABLE p2.tab (password text)\n---\nCREATE FUNCTION a11() RETURNS text LANGUAGE plpgsql SET search_path = p2 AS 'BEGIN RETURN (SELECT password FROM users LIMIT 1); END'\n---\nALTER FUNCTION a11() SET search_path = public\n---\nSELECT a11()",
	"replaced":            "CREATE FUNCTION a12() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'\n---\nCREATE OR REPLACE FUNCTION a12() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM users LIMIT 1); END'; SELECT a12()\n---\nSELECT a12()",
	"in one text":         "CREATE FUNCTION a13(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN t; END'; SELECT a13(email) FROM users; TABLE sink",
	"overload":            "CREATE FUNCTION order_count(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN t; END'\n---\nSELECT order_count(email) FROM users\n---\nTABLE sink",
	"overload of a read":  "CREATE FUNCTION of_user(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN t; END'\n---\nSELECT of_user(email) FROM users\n---\nTABLE sink",
	"procedure":           "CREATE PROCEDURE a14() LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink SELECT password FROM users; END'\n---\nDO 'BEGIN CALL a14(); END'\n---\nTABLE sink",
	"procedure, given":    "CREATE PROCEDURE a15(t text) LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); END'\n---\nCALL a15((SELECT password FROM users LIMIT 1))\n---\nTABLE sink",
	"dynamic":             "DO $$ BEGIN EXECUTE 'INSERT INTO sink SELECT pass' || 'word FROM users'; END $$\n---\nTABLE sink",
	"dynamic, nested":     "DO $$ BEGIN EXECUTE 'DO $d$ BEGIN EXECUTE ''INSERT INTO sink SELECT password FROM users''; END $d$'; END $$\n---\nTABLE sink",
	"dynamic, parameter":  "CREATE FUNCTION a16(q text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE q; END'\n---\nSELECT a16('INSERT INTO sink SELECT password FROM users')\n---\nTABLE sink",
	"dynamic, of owner":   "SELECT owner_runs('SELECT password FROM users')",
	"dynamic, cut":        "SELECT owner_runs('SELECT password FROM users --'::varchar(26))",
	"dynamic, changed":    "CREATE FUNCTION a17(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN q := replace(q, ''note'', ''x''); EXECUTE q INTO r; RETURN r; END'\n---\nSELECT a17('SELECT password FROM users')",
	"dynamic, using":      "DO $$ DECLARE r text; BEGIN EXECUTE 'SELECT $1' INTO r USING (SELECT password FROM users LIMIT 1); RAISE NOTICE '%', r; END $$",
	"dynamic, hex":        "DO $$ BEGIN EXECUTE convert_from('\\x494e5345525420494e544f2073696e6b2053454c4543542070617373776f72642046524f4d207573657273', 'utf8'); END $$\n---\nTABLE sink",
	"cursor given back":   "CREATE FUNCTION a18() RETURNS refcursor LANGUAGE plpgsql AS 'DECLARE c refcursor := ''a18c''; BEGIN OPEN c FOR SELECT password || '''' FROM users; RETURN c; END'\n---\nBEGIN\n---\nSELECT a18()\n---\nFETCH ALL FROM a18c",
	"cursor of theirs":    "BEGIN\n---\nDECLARE theirs CURSOR FOR SELECT password FROM users\n---\nDO $$ DECLARE c refcursor := 'theirs'; x text; BEGIN FETCH c INTO x; RAISE NOTICE '%', x; END $$",
	"cursor, by loop":     "BEGIN\n---\nDECLARE theirs CURSOR FOR SELECT password FROM users\n---\nDO $$ DECLARE c CURSOR FOR SELECT 1; x text; BEGIN c := 'theirs'; FETCH c INTO x; RAISE NOTICE '%', x; END $$",
	"cursor, dynamic":     "BEGIN\n---\nDECLARE theirs CURSOR FOR SELECT password FROM users\n---\nDO $$ DECLARE x text; BEGIN EXECUTE 'FETCH theirs' INTO x; RAISE NOTICE '%', x; END $$",
	"prepared":            "PREPARE ps AS SELECT password FROM users\n---\nDO $$ DECLARE x text; BEGIN EXECUTE 'EXECUTE ps' INTO x; RAISE NOTICE '%', x; END $$",
	"prepared, loop":      "PREPARE ps2 AS SELECT password FROM users\n---\nDO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'EXECUTE ps2' LOOP RAISE NOTICE '%', r.password; END LOOP; END $$",
	"prepared inside":     "DO $$ BEGIN EXECUTE 'PREPARE ps3 AS SELECT password || '''' FROM users'; END $$\n---\nEXECUTE ps3",
	"prepared, stored":    "PREPARE ps4 AS SELECT password FROM users\n---\nSELECT owner_stores()\n---\nTABLE stored",
	"prepared, planned":   "PREPARE ps4 AS SELECT password FROM users\n---\nSELECT owner_plans()\n---\nTABLE stored",
	"handler":             "DO $$ BEGIN PERFORM password::int FROM users; EXCEPTION WHEN OTHERS THEN INSERT INTO sink VALUES (SQLERRM); END $$\n---\nTABLE sink",
	"stacked":             "DO $$ DECLARE d text; BEGIN BEGIN PERFORM password::int FROM users; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS d = MESSAGE_TEXT; RAISE NOTICE '%', d; END; END $$",
	"owner's handler":     "DO $$ BEGIN INSERT INTO shipped VALUES (1); EXCEPTION WHEN OTHERS THEN INSERT INTO sink VALUES (SQLERRM); END $$\n---\nTABLE sink",
	"owner's trigger":     "INSERT INTO shipped VALUES (1)",
	"owner's function":    "SELECT owner_reads()",
	"owner's, wrapped":    "CREATE FUNCTION a19() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN owner_reads(); END'\n---\nSELECT a19()",
	"owner's, twice":      "CREATE FUNCTION a20() RETURNS text LANGUAGE sql AS 'SELECT owner_reads()'\n---\nCREATE FUNCTION a21() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN a20(); END'\n---\nSELECT a21()",
	"owner's, renamed":    "ALTER FUNCTION owner_reads() RENAME TO a22; SELECT a22()\n---\nALTER FUNCTION owner_reads() SET SCHEMA archive; SELECT archive.owner_reads()",
	"owner's, definer":    "SELECT owner_definer()",
	"owner's operator":    "SELECT 'a' ==== 'b'",
	"owner's, internal":   "SELECT owner_internal('PG_VERSION') || (SELECT 'SECRET')",
	"read in SQL, passed": "CREATE FUNCTION a23(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (t); RETURN t; END'\n---\nSELECT a23((get_u).password) FROM (SELECT u AS get_u FROM users u) s\n---\nTABLE sink",
	"loops":               "DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY (SELECT array_agg(password) FROM users) LOOP RAISE NOTICE '%', t; END LOOP; END $$",
	"query":               "CREATE FUNCTION a24() RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''SELECT password FROM users''; END'\n---\nSELECT * FROM a24()",
	"view in between":     "CREATE FUNCTION a25() RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT who FROM v_deep; END'\n---\nSELECT * FROM a25()",
	"operator":            "CREATE FUNCTION a26(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN true; END'\n---\nCREATE OPERATOR ~=~ (LEFTARG = text, RIGHTARG = text, FUNCTION = a26)\n---\nSELECT id FROM users WHERE email ~=~ 'x'\n---\nTABLE sink",
	"operator, new":       "CREATE FUNCTION a27(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN true; END'\n---\nCREATE OPERATOR ~@=~ (LEFTARG = text, RIGHTARG = text, FUNCTION = a27)\n---\nSELECT id FROM users WHERE email ~@=~ 'x'\n---\nTABLE sink",
	"operator's name":     "CREATE FUNCTION a28(varchar, varchar) RETURNS bool LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN true; END'\n---\nCREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = a28)\n---\nSELECT id FROM users WHERE email::varchar = 'x'::varchar\n---\nTABLE sink",
	"cast":                "CREATE TYPE ct AS (a text)\n---\nCREATE FUNCTION a29(text) RETURNS ct LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN row(1)::ct; END'\n---\nCREATE CAST (text AS ct) WITH FUNCTION a29(text)\n---\nSELECT email::ct FROM users\n---\nTABLE sink",
	"cast by itself":      "CREATE TYPE ct2 AS (a text)\n---\nCREATE FUNCTION a30(text) RETURNS ct2 LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN row(1)::ct2; END'\n---\nCREATE CAST (text AS ct2) WITH FUNCTION a30(text) AS IMPLICIT\n---\nSELECT coalesce(email, row(1)::ct2) FROM users\n---\nTABLE sink",
	"aggregate":           "CREATE FUNCTION a31(text, text) RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($2); RETURN $1; END'\n---\nCREATE AGGREGATE ag (text) (sfunc = a31, stype = text)\n---\nSELECT ag(email) FROM users\n---\nTABLE sink",
	"domain":              "CREATE FUNCTION a32(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN true; END'\n---\nCREATE DOMAIN dm AS text CHECK (a32(VALUE))\n---\nSELECT email::dm FROM users\n---\nTABLE sink",
	"domain in use":       "CREATE FUNCTION a33(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN true; END'\n---\nALTER DOMAIN mail ADD CHECK (a33(VALUE))\n---\nTABLE sink",
	"domain as oracle":    "ALTER DOMAIN mail ADD CHECK (VALUE NOT LIKE 'S%')",
	"default":             "CREATE TABLE df (a text DEFAULT owner_reads())\n---\nINSERT INTO df DEFAULT VALUES RETURNING a",
	"default in between":  "CREATE FUNCTION a34() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN owner_reads(); END'\n---\nCREATE TABLE df2 (a text DEFAULT a34())\n---\nINSERT INTO df2 DEFAULT VALUES RETURNING a",
	"index":               "CREATE FUNCTION a35(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN $1; END'\n---\nCREATE INDEX ON users (a35(password))",
	"check":               "CREATE FUNCTION a36(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'\n---\nALTER TABLE users ADD CHECK (a36(password))",
	"generated":           "CREATE FUNCTION a37(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN $1; END'\n---\nALTER TABLE users ADD g text GENERATED ALWAYS AS (a37(password)) STORED\n---\nSELECT g FROM users",
	"policy":              "CREATE FUNCTION a38(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'\n---\nCREATE POLICY p ON users USING (a38(password))",
	"rule":                "CREATE RULE ru AS ON UPDATE TO users DO ALSO INSERT INTO sink VALUES (old.password)\n---\nUPDATE users SET name = name WHERE id = 1\n---\nTABLE sink",
	"rule in between":     "CREATE RULE ru2 AS ON INSERT TO orders DO ALSO INSERT INTO sink SELECT password FROM users\n---\nINSERT INTO orders VALUES (7)\n---\nTABLE sink",
	"statistics":          "CREATE FUNCTION a39(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES ($1); RETURN $1; END'\n---\nCREATE STATISTICS st ON (a39(password)), id FROM users\n---\nANALYZE users\n---\nTABLE sink",
	"opclass":             "CREATE FUNCTION a40(varchar, varchar) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN 1; END'\n---\nCREATE OPERATOR CLASS oc DEFAULT FOR TYPE varchar USING btree AS FUNCTION 1 a40(varchar, varchar)\n---\nSELECT DISTINCT email::varchar FROM users",
	"attached":            "CREATE TABLE part (LIKE users)\n---\nALTER TABLE users INHERIT part\n---\nSELECT * FROM part",
	"current query":       "CREATE FUNCTION a41() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink VALUES (current_query()); RETURN new; END'\n---\nCREATE TRIGGER t41 BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION a41()\n---\nINSERT INTO orders VALUES (8, 1, 1, 'SECRET of another')\n---\nTABLE sink",
	"activity":            "DO $$ BEGIN INSERT INTO sink SELECT query FROM pg_stat_activity; END $$\n---\nSELECT line FROM sink WHERE line LIKE '%SECRET%'",
	"atomic":              "CREATE FUNCTION a42() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT password FROM users LIMIT 1; END\n---\nSELECT a42()",
	"inline, quoted":      "DO $a$ BEGIN EXECUTE $b$INSERT INTO sink SELECT \"password\" FROM \"public\".\"users\"$b$; END $a$\n---\nTABLE sink",
	"event trigger":       "CREATE FUNCTION a43() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink SELECT password FROM users; END'\n---\nCREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION a43()",
	"table of it":         "DO $$ DECLARE r record; BEGIN FOR r IN TABLE users LOOP INSERT INTO sink VALUES (r.email); END LOOP; END $$\n---\nTABLE sink",
	"row variable":        "CREATE FUNCTION a44() RETURNS SETOF users LANGUAGE plpgsql AS 'DECLARE u users%ROWTYPE; BEGIN SELECT * INTO u FROM users LIMIT 1; RETURN NEXT u; END'\n---\nSELECT * FROM a44()",
	"assigned":            "DO $$ DECLARE x text := password FROM users; BEGIN RAISE NOTICE '%', x; END $$",
	"assigned, element":   "DO $$ DECLARE x text[]; BEGIN x[(SELECT 1 FROM users LIMIT 1)] := (SELECT email FROM users LIMIT 1); RAISE NOTICE '%', x; END $$",
	"fused":               "DO $$ DECLARE r text; BEGIN EXECUTE 'select password from ' || quote_ident('use') || 'rs' INTO r; RAISE NOTICE '%', r; END $$",
	"fused, format":       "DO $$ DECLARE r text; BEGIN EXECUTE format('select password from %Irs', 'use') INTO r; RAISE NOTICE '%', r; END $$",
	"fused, two":          "DO $$ DECLARE r text; BEGIN EXECUTE format('select password from %I%I', 'use', 'rs') INTO r; RAISE NOTICE '%', r; END $$",
	"fused, all quoted":   "SET quote_all_identifiers = on\n---\nDO $$ DECLARE r text; BEGIN EXECUTE 'select password from ' || quote_ident('users') || 'x' INTO r; RAISE NOTICE '%', r; END $$",
	"folded, backslash":   "DO $$ DECLARE r text; BEGIN EXECUTE 'select ' || quote_literal('a\\') || ', password from users where name <> ' || quote_literal('\\') INTO r, r; RAISE NOTICE '%', r; END $$",
	"another $1":          "CREATE FUNCTION b2(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN EXECUTE ''select owner_runs($1)'' INTO r USING ''select password from users''; RETURN r; END'\n---\nSELECT b2('select 1')",
	"another name":        "CREATE FUNCTION b3(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN EXECUTE ''select owner_runs(q) from (select select password from users as q) s'' INTO r; RETURN r; END'\n---\nSELECT b3('select 1')",
	"a column's name":     "CREATE FUNCTION b4(q text) RETURNS text LANGUAGE sql AS 'select owner_runs(q) from (select ''select password from users''::text as q) s'\n---\nSELECT b4('select 1')",
	"a column's, plpgsql": "CREATE FUNCTION b5() RETURNS text LANGUAGE plpgsql AS '#variable_conflict use_column\nDECLARE q text := ''select 1''; r text; BEGIN SELECT owner_runs(q) INTO r FROM (SELECT ''select password from users'' AS q) s; RETURN r; END'\n---\nSELECT b5()",
	"cut as a name":       "DO $$ DECLARE q name := 'select                                      password from users_public'; r text; BEGIN EXECUTE q INTO r; RAISE NOTICE '%', r; END $$",
	"cut as varchar":      "DO $$ DECLARE q varchar(63) := 'select                                      password from users_public'; r text; BEGIN EXECUTE q INTO r; RAISE NOTICE '%', r; END $$",
	"changed by number":   "CREATE FUNCTION b6(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN q := replace(q, ''orders'', ''users''); EXECUTE $1 INTO r; RETURN r; END'\n---\nSELECT b6('select password from orders')",
	"hidden by a block":   "CREATE FUNCTION b7(q text) RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN DECLARE q text := ''select 1''; BEGIN NULL; END; EXECUTE q INTO r; RETURN r; END'\n---\nSELECT b7('select password from users')",
	"owner's format":      "DO $$ DECLARE r text; BEGIN EXECUTE format('select %s', '1') INTO r; RAISE NOTICE '%', r; END $$",
	"waits for a name":    "CREATE FUNCTION b8() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM later LIMIT 1); END'\n---\nALTER TABLE users RENAME TO later\n---\nSELECT b8()",
	"waits, of a view":    "CREATE FUNCTION b9() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM later2 LIMIT 1); END'\n---\nALTER VIEW v_users RENAME TO later2\n---\nSELECT b9()",
	"waits, materialized": "CREATE FUNCTION b10() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM later3 LIMIT 1); END'\n---\nALTER MATERIALIZED VIEW m_users RENAME TO later3\n---\nSELECT b10()",
	"waits for a column":  "CREATE FUNCTION b11() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT p FROM only_later LIMIT 1); END'\n---\nALTER TABLE users RENAME password TO p\n---\nSELECT p FROM users",
	"waits in a schema":   "CREATE SCHEMA s12\n---\nCREATE FUNCTION b12() RETURNS text LANGUAGE plpgsql SET search_path = s12 AS 'BEGIN RETURN (SELECT value FROM later4 LIMIT 1); END'\n---\nALTER TABLE users SET SCHEMA s12\n---\nALTER TABLE s12.users RENAME TO later4\n---\nSELECT b12()",
	"waits, schema":       "CREATE FUNCTION b13() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM other.later5 LIMIT 1); END'\n---\nALTER SCHEMA public RENAME TO other\n---\nSELECT b13()",
	"waits, rule":         "CREATE TABLE later6 (password text)\n---\nCREATE FUNCTION b14() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM later6 LIMIT 1); END'\n---\nCREATE RULE \"_RETURN\" AS ON SELECT TO later6 DO INSTEAD SELECT password FROM users\n---\nSELECT b14()",
	"waits, view":         "CREATE FUNCTION b15() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM later7 LIMIT 1); END'\n---\nCREATE VIEW later7 AS SELECT password FROM users\n---\nSELECT b15()",
	"waits, child":        "CREATE TABLE later8 (id int NOT NULL, day date, payload text) PARTITION BY RANGE (id)\n---\nCREATE FUNCTION b16() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT payload FROM later8 LIMIT 1); END'\n---\nALTER TABLE events DETACH PARTITION events_2024\n---\nALTER TABLE later8 ATTACH PARTITION events_2024 FOR VALUES FROM (0) TO (10)\n---\nSELECT b16()",
	"waits, swapped":      "CREATE FUNCTION b17() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT password FROM plain17 LIMIT 1); END'\n---\nCREATE TABLE plain17 (password text)\n---\nALTER TABLE plain17 RENAME TO tmp17; ALTER TABLE users RENAME TO plain17; ALTER TABLE tmp17 RENAME TO users\n---\nSELECT b17()",
	"copied out":          "DO $$ BEGIN COPY users TO '/tmp/never'; END $$",
}

// TestCodeAttacks plays each script twice: in one transaction, whose changes no
// catalog shows, and with a catalog that is read anew before each statement.
func TestCodeAttacks(t *testing.T) {
	db := pgtest.New(t)
	db.Exec(t, realSchema+codeSchema)
	patterns := append(slices.Clone(protectedColumns), Pattern{Table: "people", Column: "email"})
	side := textQuerier{db.Conn(t).PgConn()}
	load := func() *Catalog {
		cat, err := Load(t.Context(), side)
		if err != nil {
			t.Fatal(err)
		}
		return cat
	}
	first, parser := load(), testParser(t)
	for name, script := range codeAttacks {
		t.Run(name, func(t *testing.T) {
			c := &codeAttack{t: t, g: New(patterns, parser), cat: first}
			config, err := pgx.ParseConfig(db.DSN())
			if err != nil {
				t.Fatal(err)
			}
			config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { c.said = append(c.said, fmt.Sprintf("%+v", n)) }
			if c.conn, err = pgx.ConnectConfig(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.conn.Close(context.WithoutCancel(t.Context())) }()
			c.play("BEGIN\n---\n"+script+"\n---\nROLLBACK", func() *Catalog { return first })
			c.play(script, load)
		})
	}
}

type codeAttack struct {
	t       *testing.T
	conn    *pgx.Conn
	g       *Guard
	cat     *Catalog
	refused int
	said    []string // notices and errors of the statement
}

// play sends what the guard lets pass.
func (c *codeAttack) play(script string, catalog func() *Catalog) {
	c.refused = 0
	for _, text := range strings.Split(script, "\n---\n") {
		read := c.g.Read(text, c.cat)
		if read.Refusal != nil {
			c.refused++
			continue
		}
		c.send(text, read)
		if read.Facts.DDL {
			c.cat = catalog()
		}
	}
	_, _ = c.conn.Exec(context.WithoutCancel(c.t.Context()), "ROLLBACK; SET search_path = public; DELETE FROM public.sink")
	if c.refused == 0 && !strings.Contains(script, "shipped VALUES (1)") {
		c.t.Errorf("nothing of it is refused:\n%s", script)
	}
}

func (c *codeAttack) send(text string, read Reading) {
	c.said = nil
	results := c.conn.PgConn().Exec(c.t.Context(), text)
	n := 0
	for results.NextResult() {
		r := results.ResultReader().Read()
		if n < len(read.Statements) {
			c.check(text, read.Statements[n], r)
		}
		n++
	}
	err := results.Close()
	if err != nil {
		c.said = append(c.said, fmt.Sprintf("%+v", err))
	}
	if !read.Facts.Protected {
		for _, s := range c.said {
			if strings.Contains(s, "SECRET") {
				c.t.Errorf("%s: %s", text, s)
			}
		}
	}
}

func (c *codeAttack) check(text string, s Statement, r *pgconn.Result) {
	for _, row := range r.Rows {
		for i, v := range row {
			free := s.Opaque && r.FieldDescriptions[i].TableOID == 0 || s.Opaque && !strings.Contains(text, "FETCH") && !strings.Contains(text, "EXECUTE")
			if !s.Opaque && i < len(s.Outputs) {
				free = len(s.Outputs[i].Protected) == 0
			}
			if free && strings.Contains(string(v), "SECRET") {
				c.t.Errorf("%s shows %s", text, v)
			}
		}
	}
}
