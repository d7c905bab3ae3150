-- One attack a line: whatever of it runs shows no protected value, in rows, errors and notices. Lines that end in "-- refused"
-- are refused by the gateway itself, those in "-- absent" too unless the server holds no such function; "-- masked" are not refused.

-- Errors that quote values.
SELECT password::int FROM users -- refused
SELECT 1/(length(password) - 39) FROM users -- refused
SELECT (password || 'x')::numeric FROM users -- refused
SELECT ('x' || api_key)::date FROM users -- refused
SELECT email::uuid FROM users -- refused
SELECT ssn::inet FROM customers -- refused
SELECT password::jsonb FROM users -- refused
SELECT json_each(password::json) FROM users -- refused
SELECT 'x' ~ password FROM users -- refused
SELECT regexp_replace('x', password, 'y') FROM users -- refused
SELECT to_date(password, 'YYYY') FROM users -- refused
SELECT to_number(password, '999') FROM users -- refused
SELECT to_timestamp(password, 'YYYY') FROM users -- refused
SELECT card * 9999999999 FROM customers -- refused
SELECT card::int FROM customers -- refused
SELECT power(card, 100) FROM customers -- refused
SELECT xmlparse(DOCUMENT password) FROM users
SELECT password::xml FROM users -- refused
SELECT password::regclass FROM users -- refused
SELECT password::order_status FROM users -- refused
SELECT ('(' || password)::credential FROM users -- refused
SELECT ('{' || password)::int[] FROM users -- refused
SELECT ('{' || password)::text[] FROM users -- refused
SELECT password::tsquery FROM users -- refused
SELECT to_tsquery(password) FROM users -- refused
SELECT password::jsonpath FROM users -- refused
SELECT jsonb_path_query('{}', password::jsonpath) FROM users -- refused
SELECT convert_from(seed, 'UTF8') FROM vault -- refused
SELECT decode(password, 'hex') FROM users -- refused
SELECT chr(length(password) - 100) FROM users -- refused
SELECT repeat(password, 100000000) FROM users -- refused
SELECT make_date(length(password), 13, 1) FROM users -- refused
SELECT set_byte(seed, 100, 1) FROM vault -- refused
SELECT current_setting(password) FROM users -- refused
SELECT set_config('application_name', password, false) FROM users -- refused
SELECT pg_notify('c', password) FROM users -- refused
SELECT pg_advisory_lock(card) FROM customers -- refused
SELECT nextval(password::regclass) FROM users -- refused
SELECT lo_from_bytea(0, seed) FROM vault -- refused
SELECT secrets[1]::int FROM vault -- refused
SELECT (cred).secret::int FROM vault -- refused
SELECT generate_series(1, length(password)) FROM users -- refused
SELECT lpad('x', length(password)) FROM users
SELECT ntile(length(password)) OVER () FROM users -- refused
SELECT sum(card) OVER (ORDER BY id ROWS length(password) PRECEDING) FROM customers, users -- refused
SELECT id FROM users LIMIT (SELECT length(password) FROM users WHERE id = 1) -- refused
SELECT id FROM users OFFSET (SELECT length(password) FROM users WHERE id = 1) -- refused
INSERT INTO users (id, email, password, name) VALUES (1, 'a@b', 'longer', 'x')
INSERT INTO users (id, email, password, name) VALUES (99, 'noat', 'longer', 'x')
INSERT INTO users (id, email, password, name) VALUES (99, 'a@b', 'x', 'x')
INSERT INTO users (id, email, password, name) VALUES (99, NULL, 'longer', 'x')
UPDATE users SET password = 'x' WHERE id = 1
UPDATE users SET password = NULL WHERE id = 1
UPDATE users SET name = NULL WHERE id = 1
UPDATE users SET id = 2 WHERE id = 1
UPDATE users SET email = 'noat' WHERE id = 1
UPDATE users SET api_key = repeat('x', 100) WHERE id = 1
UPDATE customers SET ssn = 'x'
UPDATE customers SET name = NULL WHERE id = 1
UPDATE customers SET user_id = 999 WHERE id = 1
DELETE FROM users WHERE id = 1
DELETE FROM customers WHERE id = 1
UPDATE events SET day = '2030-01-01' WHERE id = 1
INSERT INTO customers (id, name, ssn) SELECT 100 + id, 'x', ssn FROM customers
ALTER TABLE users ADD CONSTRAINT c CHECK (password LIKE 'D%') -- refused
ALTER TABLE users ADD CONSTRAINT c UNIQUE (password) -- refused
ALTER TABLE users ALTER COLUMN password TYPE int USING password::int -- refused
ALTER TABLE users ALTER COLUMN name SET DEFAULT (SELECT password FROM users LIMIT 1) -- refused
CREATE UNIQUE INDEX ON users (left(password, 8)) -- refused
ALTER DOMAIN small_secret ADD CONSTRAINT c CHECK (VALUE < 'D') -- refused
ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE < 'D') -- refused
CREATE TABLE child (x text REFERENCES customers (ssn)) -- refused
CREATE RULE r AS ON UPDATE TO notes DO ALSO SELECT password FROM users -- refused
CREATE POLICY p ON notes USING ((SELECT password FROM users LIMIT 1) < 'D') -- refused
DO $$ BEGIN RAISE NOTICE '%', (SELECT password FROM users LIMIT 1); END $$ -- refused
DO $$ BEGIN RAISE EXCEPTION '%', (SELECT password FROM users LIMIT 1); END $$ -- refused
DO $$ BEGIN PERFORM password::int FROM users; END $$ -- refused
DO $$ BEGIN ASSERT false, (SELECT password FROM users LIMIT 1); END $$ -- refused
CALL nothing((SELECT password FROM users LIMIT 1)) -- refused

-- Side doors.
SELECT * FROM pg_stats -- refused
SELECT * FROM pg_stats_ext -- refused
SELECT * FROM pg_stats_ext_exprs -- refused
SELECT * FROM pg_statistic -- refused
SELECT stavalues1 FROM pg_catalog.pg_statistic -- refused
SELECT * FROM pg_statistic_ext_data -- refused
SELECT * FROM pg_statistic_ext
SELECT m.* FROM pg_statistic_ext JOIN pg_statistic_ext_data d ON d.stxoid = oid, pg_mcv_list_items(stxdmcv) m -- refused
TABLE pg_stats -- refused
SELECT * FROM pg_stats WHERE tablename = 'users' -- refused
SELECT * FROM pg_stats WHERE tablename IN ('orders', 'users') -- refused
SELECT * FROM pg_stats WHERE tablename = 'orders' OR attname = 'password' -- refused
SELECT * FROM pg_stats WHERE tablename = 'users_length_idx' -- refused
SELECT * FROM pg_stats WHERE tablename = 'cached' -- refused
SELECT * FROM pg_stats WHERE tablename = 'trail' -- refused
SELECT attname FROM pg_stats WHERE tablename = 'orders' AND most_common_vals::text::int = 1 -- refused
SELECT attname FROM pg_stats s WHERE tablename = 'orders' AND s::text::int = 1 -- refused
SELECT * FROM pg_stats s (schemaname, attname, tablename) WHERE tablename = 'orders' -- refused
SELECT * FROM (SELECT * FROM pg_stats WHERE tablename = 'orders') s WHERE most_common_vals::text::int = 1 -- refused
SELECT (SELECT string_agg(p.most_common_vals::text, '') FROM pg_stats p) FROM pg_stats WHERE tablename = 'orders' -- refused
SELECT * FROM pg_stats_ext WHERE tablename = 'users' -- refused
SELECT attname, most_common_vals, histogram_bounds, correlation FROM pg_stats WHERE tablename = 'orders' AND schemaname = 'public'
SELECT * FROM pg_stats_ext WHERE tablename = 'orders'
ALTER INDEX users_length_idx RENAME TO orders; SELECT * FROM pg_stats WHERE tablename = 'orders' -- refused
BEGIN; DROP TABLE orders CASCADE; ALTER INDEX users_length_idx RENAME TO orders; SELECT * FROM pg_stats WHERE tablename = 'orders' -- refused
COPY pg_statistic TO STDOUT -- refused
SELECT query FROM pg_stat_activity -- masked
SELECT query, a.* FROM pg_stat_get_activity(NULL) a
SELECT pg_stat_get_backend_activity(1) -- refused
SELECT * FROM pg_stat_statements -- refused
SELECT statement FROM pg_prepared_statements
SELECT statement FROM pg_cursors
SELECT * FROM pg_prepared_xacts
SELECT pg_read_file('PG_VERSION') -- refused
SELECT pg_read_binary_file('PG_VERSION') -- refused
SELECT pg_ls_dir('base') -- refused
SELECT * FROM pg_ls_waldir() -- refused
SELECT pg_stat_file('PG_VERSION') -- refused
SELECT pg_current_logfile() -- refused
COPY users TO '/tmp/x' -- refused
COPY users TO PROGRAM 'cat' -- refused
COPY notes FROM '/etc/passwd' -- refused
COPY notes FROM PROGRAM 'id' -- refused
SELECT lo_import('/etc/passwd') -- refused
SELECT loread(1, 10) -- refused
SELECT lo_get(1) -- refused
SELECT * FROM pg_largeobject -- refused
SELECT * FROM dblink('x', 'SELECT password FROM users') AS t(x text) -- refused
CREATE EXTENSION dblink -- refused
CREATE EXTENSION pageinspect -- refused
CREATE EXTENSION file_fdw -- refused
CREATE EXTENSION plpython3u -- refused
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw -- refused
CREATE FOREIGN TABLE f (x text) SERVER s -- refused
CREATE USER MAPPING FOR CURRENT_USER SERVER s -- refused
IMPORT FOREIGN SCHEMA public FROM SERVER s INTO demo -- refused
SELECT query_to_xml('SELECT password FROM users', true, false, '') -- refused
SELECT table_to_xml('users', true, false, '') -- refused
SELECT schema_to_xml('public', true, false, '') -- refused
SELECT database_to_xml(true, false, '') -- refused
SELECT cursor_to_xml('c', 1, true, false, '') -- refused
SELECT query_to_xmlschema('SELECT password FROM users', true, false, '') -- refused
SELECT * FROM ts_stat('SELECT to_tsvector(password) FROM users') -- refused
SELECT ts_rewrite('a', 'SELECT password::tsquery, password::tsquery FROM users') -- refused
SELECT get_raw_page('users', 0) -- refused
SELECT * FROM heap_page_items(NULL) -- refused
SELECT * FROM bt_page_items('users_email_key', 1) -- absent
SELECT * FROM gin_leafpage_items(NULL) -- absent
SELECT * FROM pgstattuple('users') -- absent
SELECT * FROM pgrowlocks('users') -- absent
SELECT * FROM verify_heapam('users') -- absent
SELECT * FROM pg_buffercache
SELECT * FROM pg_get_wal_records_info('0/0', '0/1') -- refused
SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL) -- refused
SELECT * FROM pg_logical_slot_peek_changes('s', NULL, NULL) -- refused
SELECT pg_create_logical_replication_slot('s', 'test_decoding') -- refused
SELECT pg_logical_emit_message(true, 'x', (SELECT password FROM users LIMIT 1)) -- refused
SELECT pg_visibility('users') -- absent
CREATE PUBLICATION p FOR TABLE users -- refused
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p -- refused
SELECT pg_export_snapshot()
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
SELECT pg_get_constraintdef(oid) FROM pg_constraint
SELECT pg_get_viewdef('secrets_v'::regclass)
SELECT pg_get_functiondef('find_user'::regproc)
SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
SELECT currtid2('users', '(0,1)')
SELECT lastval()
SELECT txid_current()
SELECT xmin, ctid, tableoid FROM users -- masked
SELECT * FROM users TABLESAMPLE bernoulli (100) REPEATABLE (length('x')) -- masked
SELECT id FROM users TABLESAMPLE bernoulli ((SELECT length(password) FROM users LIMIT 1)) -- refused
SELECT pg_column_size(password), pg_typeof(password) FROM users -- masked
SELECT hashtext(password), md5(password), sha256(password::bytea) FROM users
SELECT ascii(substr(password, 9, 1)) FROM users -- masked
SELECT get_byte(seed, 0) FROM vault -- refused
SELECT min(password), max(api_key), string_agg(password, ',') FROM users -- masked
EXPLAIN SELECT * FROM users WHERE email < 'm' -- refused
EXPLAIN SELECT * FROM users WHERE password LIKE 'C%' -- refused
EXPLAIN ANALYZE SELECT id FROM users WHERE email = 'x' -- masked
EXPLAIN (VERBOSE, FORMAT json) SELECT id FROM users WHERE api_key = 'x'
EXPLAIN ANALYZE SELECT * FROM find_user(1)
EXPLAIN (ANALYZE, VERBOSE) SELECT (SELECT password FROM users WHERE id = 1)
EXPLAIN ANALYZE SELECT id FROM users WHERE id = (SELECT length(password) FROM users WHERE id = 1) -- refused
SET debug_print_plan = on -- refused
SET client_min_messages = debug5
SET log_statement_stats = on -- refused
LOAD 'auto_explain' -- refused
SET session_preload_libraries = 'auto_explain' -- refused
SET allow_system_table_mods = on -- refused
UPDATE pg_attribute SET attname = 'p' WHERE attname = 'password' -- refused
SELECT setseed(length(password)::float / 100) FROM users -- refused
SELECT pg_sleep(length(password)) FROM users -- refused
SELECT CASE WHEN password LIKE 'C%' THEN pg_sleep(0) END FROM users -- refused
SELECT id FROM users ORDER BY password -- refused
SELECT id FROM users WHERE similarity(password, 'CANARY') > 0.1 -- refused
SELECT id FROM users WHERE password % 'CANARY' -- refused
SELECT rank() OVER (ORDER BY password) FROM users -- refused
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY password) FROM users -- refused
SELECT id, count(*) FILTER (WHERE password > 'CANARYpw1') FROM users GROUP BY id -- refused
SELECT grouping(left(password, 9)) FROM users GROUP BY left(password, 9) -- refused
SELECT u FROM users u -- masked
SELECT (u).* FROM users u -- masked
SELECT u::text, row(u.*), to_json(u), hstore(u) FROM users u
SELECT array_agg(u), json_agg(u), xmlforest(u.password) FROM users u
SELECT * FROM json_populate_record(NULL::users, (SELECT to_json(u) FROM users u LIMIT 1))
SELECT unnest(secrets), (cred).secret, pairs -> 'k', each(pairs), skeys(pairs), akeys(pairs) FROM vault
SELECT secrets[1:2], array_to_string(secrets, ','), array_dims(secrets), secrets || 'x' FROM vault
SELECT encode(seed, 'escape'), substring(seed FROM 1 FOR 4), seed || ''::bytea FROM vault
SELECT token::text, uuid_send(token) FROM vault
SELECT textsend(password), record_send(u) FROM users u
SELECT * FROM directory; SELECT * FROM secrets_v; SELECT * FROM cached; SELECT * FROM cities -- masked
SELECT * FROM events; SELECT * FROM events_h1; SELECT * FROM ONLY users; SELECT * FROM admins -- masked
SELECT contact, 'x' || contact FROM directory -- masked
SELECT * FROM find_user(3); SELECT find_user(3); SELECT (find_user(3)).word
WITH x AS (UPDATE users SET name = name RETURNING *) SELECT * FROM x -- masked
DELETE FROM vault WHERE id = 4 RETURNING *, secrets[1], cred -- masked
MERGE INTO notes n USING users u ON n.id = u.id WHEN MATCHED THEN UPDATE SET body = u.password -- refused
UPDATE notes SET body = (SELECT password FROM users WHERE id = 1) -- refused
UPDATE notes SET body = u.password FROM users u WHERE u.id = notes.n -- refused
INSERT INTO notes (body) SELECT password FROM users -- refused
INSERT INTO notes (body) VALUES ((SELECT max(password) FROM users)) -- refused
INSERT INTO users (id, email, password, name) VALUES (77, 'new@x', 'longer', (SELECT password FROM users WHERE id = 1)) -- refused
INSERT INTO users (id, email, password, name) SELECT 300 + id, 'x' || id || '@y', password, 'z' FROM users ON CONFLICT (email) DO NOTHING -- refused
INSERT INTO customers (id, name, ssn) VALUES (200, 'x', 'guess') ON CONFLICT (ssn) DO NOTHING -- refused
INSERT INTO customers (id, name, ssn) VALUES (200, 'x', 'guess') ON CONFLICT DO NOTHING -- refused
INSERT INTO customers (id, name, ssn) VALUES (200, 'x', 'guess') ON CONFLICT (ssn) DO UPDATE SET name = excluded.ssn -- refused
INSERT INTO customers (id, name, ssn) VALUES (200, 'x', 'guess') ON CONFLICT ON CONSTRAINT customers_ssn_key DO NOTHING -- refused
CREATE TABLE z (LIKE customers INCLUDING ALL); SELECT * FROM z
CREATE TABLE z AS SELECT password FROM users -- refused
SELECT password INTO z FROM users -- refused
CREATE VIEW z AS SELECT password FROM users -- refused
CREATE MATERIALIZED VIEW z AS SELECT upper(password) FROM users -- refused
CREATE TEMP TABLE users AS SELECT * FROM public.users -- refused
COMMENT ON TABLE notes IS 'x'
COPY users TO STDOUT -- masked
COPY (SELECT password || 'x', email, u FROM users u) TO STDOUT CSV HEADER -- masked
COPY vault TO STDOUT -- masked
COPY (SELECT * FROM secrets_v) TO STDOUT (FORMAT csv, FORCE_QUOTE *)
REFRESH MATERIALIZED VIEW cached
ALTER TABLE users RENAME COLUMN password TO pw; SELECT pw FROM users -- refused
ALTER TABLE users RENAME TO people; SELECT password FROM people -- refused
ALTER TABLE users SET SCHEMA demo -- refused
ALTER SCHEMA legacy RENAME TO other -- refused
ALTER TABLE users ADD COLUMN copy text GENERATED ALWAYS AS (password) STORED -- refused
ALTER TABLE users ALTER COLUMN name TYPE text USING password -- refused
ALTER TABLE notes ADD COLUMN p text DEFAULT (SELECT password FROM users LIMIT 1) -- refused
CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'SELECT password FROM users LIMIT 1' -- refused
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq); SELECT id FROM users WHERE password === 'x' -- refused
CREATE CAST (text AS int) WITH INOUT; SELECT password::int FROM users -- refused
CREATE AGGREGATE agg (text) (SFUNC = textcat, STYPE = text); SELECT agg(password) FROM users -- refused
CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger() -- refused
PREPARE p1 AS SELECT upper(password), u FROM users u; EXECUTE p1; EXPLAIN EXECUTE p1
PREPARE p2 AS SELECT first_word(); EXPLAIN (VERBOSE) EXECUTE p2 -- refused
PREPARE p3 AS SELECT password FROM users; CREATE TABLE z AS EXECUTE p3 -- refused
PREPARE p4 AS SELECT first_word(); CREATE TABLE z AS EXECUTE p4 -- refused
BEGIN; DECLARE c1 CURSOR FOR SELECT password || 'x', u FROM users u; FETCH ALL FROM c1; COMMIT -- masked
BEGIN; DECLARE c2 SCROLL CURSOR FOR SELECT * FROM secrets_v; MOVE 3 FROM c2; FETCH PRIOR FROM c2; FETCH ABSOLUTE 2 FROM c2; COMMIT -- masked
SELECT id FROM users WHERE password = ANY (ARRAY(SELECT password FROM legacy.users)) -- refused
SELECT id FROM users WHERE (password, id) > ('CANARYpw1', 0) -- refused
SELECT id FROM users WHERE row(password) < row('D') -- refused
SELECT id FROM users u WHERE u > row(1, 'x', 'y') -- refused
SELECT id FROM users WHERE password BETWEEN 'C' AND 'D' -- refused
SELECT id FROM users WHERE greatest(password, 'D') = 'D' -- refused
SELECT id FROM users WHERE strpos(password, 'pw1') > 0 -- refused
SELECT id FROM users WHERE password ^@ 'CANARY' -- refused
SELECT id FROM users WHERE password IN (SELECT 'CANARY' || id) AND 1 / (id - 1) > 0
SELECT id FROM users GROUP BY id HAVING max(password) > 'D' -- refused
SELECT DISTINCT ON (left(password, 9)) id FROM users -- refused
SELECT count(*) FROM users u JOIN notes n ON u.password LIKE n.body -- refused
SELECT EXISTS (SELECT FROM users WHERE password > 'D') -- refused
SELECT a.id FROM users a JOIN users b ON a.password > b.password -- refused
SELECT id FROM customers WHERE card > 0 -- refused
SELECT id FROM customers WHERE profile ->> 'password' > 'C' -- refused
SELECT id FROM vault WHERE secrets @> ARRAY['x'] -- refused
SELECT id FROM vault WHERE secrets[1] > 'C' -- refused
SELECT id FROM vault WHERE (cred).secret > 'C' -- refused
SELECT id FROM vault WHERE pairs ? 'k' AND pairs -> 'k' > 'C' -- refused
SELECT regexp_matches(password, 'CANARY') FROM users -- refused
SELECT regexp_split_to_table(password, '') FROM users -- refused
SELECT string_to_table(password, 'x') FROM users -- refused
SELECT x FROM users, LATERAL (SELECT password AS x) s; SELECT s FROM (SELECT password FROM users) s -- masked
SELECT t.* FROM ROWS FROM (find_user(1), generate_series(1, 2)) t
SELECT * FROM users NATURAL JOIN demo.users
SELECT password FROM users UNION SELECT name FROM users -- masked
VALUES ((SELECT password FROM users LIMIT 1)), ('x') -- masked
TABLE users; TABLE cached; TABLE vault -- masked
SELECT xmlelement(name x, xmlattributes(password AS p), email) FROM users
SELECT json_object(ARRAY['a', password]) FROM users -- refused
SELECT json_object_agg(id, password), jsonb_object_agg(password, id) FROM users
SELECT format('%s %I %L', password, email, api_key) FROM users
SELECT overlay(password PLACING 'x' FROM 3), trim(password), position('x' IN password) FROM users
SELECT ts_headline(password, to_tsquery('canary')) FROM users
SELECT to_tsvector(password), tsvector_to_array(to_tsvector(password)) FROM users
SELECT width_bucket(card, 0, 10, 5), card % 10, card & 255, -card FROM customers -- refused
SELECT bit_and(card), avg(card), stddev(card) FROM customers
SELECT pg_input_is_valid(password, 'int4') FROM users
SELECT nullif(password, 'CANARYpw1'), coalesce(nullif(password, 'x'), 'same') FROM users
SELECT CASE password WHEN 'x' THEN 1 ELSE 0 END FROM users
SELECT password IS DISTINCT FROM 'x', password = 'x', password > 'D' FROM users
SELECT bool_or(password > 'D') FROM users

-- Definitions that keep what a function over protected columns gives.
CREATE TABLE z (a text DEFAULT first_word(), b int); INSERT INTO z (b) VALUES (1); TABLE z -- refused
CREATE TABLE z (a text GENERATED ALWAYS AS (first_word()) STORED, b int); INSERT INTO z (b) VALUES (1); TABLE z -- refused
CREATE TABLE z (a text CHECK (a <> first_word())); INSERT INTO z VALUES ('x') -- refused
CREATE TABLE z (a text) PARTITION BY LIST (a); CREATE TABLE y PARTITION OF z FOR VALUES IN (first_word()); SELECT pg_get_expr(relpartbound, oid) FROM pg_class -- refused
ALTER TABLE notes ADD COLUMN z text DEFAULT first_word(); SELECT z FROM notes -- refused
ALTER TABLE notes ALTER COLUMN body TYPE text USING first_word(); SELECT body FROM notes -- refused
ALTER TABLE notes ALTER COLUMN body SET DEFAULT first_word(); INSERT INTO notes (n) VALUES (1) RETURNING body -- refused
ALTER TABLE notes ADD CHECK (body < first_word()) -- refused
CREATE DOMAIN z AS text DEFAULT first_word() -- refused
CREATE INDEX ON notes ((body || first_word())) -- refused
CREATE FUNCTION z(a text DEFAULT first_word()) RETURNS text LANGUAGE sql RETURN a; SELECT z() -- refused
CREATE VIEW z AS SELECT first_word() AS a -- refused
PREPARE z(text) AS SELECT $1; EXECUTE z(first_word()) -- refused

-- Paths of documents whose constants are not what is written: cut by their type, or a number by it.
SELECT profile ->> 'passwordX'::varchar(8) FROM customers
SELECT profile ->> 'passwordX'::char(8) FROM customers
SELECT profile #>> '{passwordX}'::varchar(8)[] FROM customers
SELECT profile #>> ARRAY['passwordX'::varchar(8)] FROM customers
SELECT profile #>> ARRAY['passwordX']::varchar(8)[] FROM customers
SELECT profile['passwordX'::varchar(8)] FROM customers
SELECT jsonb_path_query(profile, '$.passwordX'::varchar(10)::jsonpath) FROM customers
SELECT jsonb_extract_path_text(profile, 'passwordX'::varchar(8)) FROM customers
CREATE DOMAIN d8 AS varchar(8); SELECT profile ->> 'passwordX'::d8, jsonb_extract_path_text(profile, 'passwordX'::d8) FROM customers
CREATE TEMP TABLE password (a int); SELECT profile ->> ('PASSWORD'::regclass::text) FROM customers
SELECT jsonb_agg(profile) -> '0'::int -> 'prefs' ->> 'codes' FROM customers
SELECT jsonb_agg(profile) -> '0'::int -> 'prefs', jsonb_agg(profile) -> -1 -> 'prefs' FROM customers
SELECT profile ->> 'ageX'::varchar(3) FROM customers
SELECT id FROM customers WHERE profile ->> 'prefs' LIKE 'X{"lang": "en", "codes": ["CANARYjc%' ESCAPE 'X' -- refused
SELECT id FROM customers WHERE profile ->> 'prefs' LIKE '{"lang": "en", "codes": ["CANARYjcX'::varchar(33) || '%' -- refused
SELECT array_agg(profile)::text, array_agg(profile -> 'prefs')::text, (array_agg(profile))[1] -> 'prefs' FROM customers
SELECT profile -> 'prefs' FROM customers UNION ALL SELECT profile FROM customers -- masked
SELECT CASE WHEN id > 2 THEN profile -> 'prefs' ELSE profile END, coalesce(profile -> 'prefs', profile) FROM customers -- masked
SELECT x.prefs, x.password FROM customers c, jsonb_to_record(c.profile) AS x(prefs json, password name)
UPDATE customers SET profile = profile -> 'prefs'; SELECT profile FROM customers -- refused
UPDATE customers SET profile = jsonb_build_object('x', profile); SELECT profile FROM customers -- refused
UPDATE customers SET profile['x'] = profile['prefs']; SELECT profile FROM customers -- refused
INSERT INTO customers (id, name, profile) SELECT id + 1000, 'x', profile -> 'prefs' FROM customers; SELECT profile FROM customers -- refused
SELECT set_config('standard_conforming_stringsX'::varchar(27), 'off', false); SELECT 'a\'' , password FROM users --' -- refused
SELECT set_config('allow_system_table_modsX'::varchar(23), 'on', false) -- refused

-- Definitions: what is made or changed shows nothing, and shifts no columns under a statement of the same text.
CREATE INDEX ON users (name) INCLUDE (password) -- refused
CREATE INDEX ON users (name) WHERE password LIKE 'CANARYpw1%' -- refused
CREATE INDEX ON customers ((profile ->> 'password')) -- refused
ALTER TABLE users ADD CONSTRAINT c EXCLUDE USING btree (password WITH =) -- refused
ALTER TABLE users ADD CONSTRAINT c UNIQUE (name) INCLUDE (password) -- refused
ALTER TABLE users ADD COLUMN p text CHECK (password < 'D') -- refused
ALTER TABLE users ADD COLUMN seed text; SELECT upper(seed) FROM users -- refused
ALTER TABLE users ALTER COLUMN login DROP EXPRESSION; SELECT upper(login) FROM users -- refused
ALTER TABLE events DETACH PARTITION events_h2 -- refused
CREATE TABLE late PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); UPDATE events SET day = '2025-02-02' WHERE id = 1; SELECT upper(device) FROM late -- refused
ALTER TABLE orders ADD COLUMN x int; SELECT upper(s.i) FROM (SELECT o.*, c.ssn, c.name FROM orders o, customers c) s(a, b, c, d, e, f, g, h, i)
ALTER TABLE orders ADD COLUMN x int; SELECT upper(s.h) FROM (SELECT o.*, c.ssn, c.name FROM orders o, customers c) s(a, b, c, d, e, f, g, h)
CREATE TEMP TABLE customers (id int, user_id int, x text, name text); INSERT INTO customers SELECT id, user_id, name, ssn FROM public.customers; SELECT upper(name) FROM customers -- refused
CREATE TEMP TABLE customers (ssn text, id int); INSERT INTO customers (ssn) SELECT ssn FROM public.customers; SELECT upper(x.a) FROM customers x(a, b)
CREATE TABLE copy (LIKE users INCLUDING ALL); INSERT INTO copy SELECT * FROM users -- refused
CREATE EXTENSION IF NOT EXISTS file_fdw -- refused
SELECT query_to_xml(query => 'SELECT password FROM users', nulls => true, tableforest => false, targetns => '') -- refused
SELECT query_to_xml('SELECT pw FROM secrets_v', true, false, '') -- refused
SELECT * FROM ts_stat('SELECT to_tsvector(pw2) FROM cached') -- refused
DECLARE c CURSOR FOR SELECT password FROM users; SELECT query_to_xml('FETCH ALL FROM c', true, false, '') -- refused

-- What a trigger of the owner's copies, and functions that tables with protected columns call by themselves.
UPDATE users SET name = 'x' WHERE id = 1; SELECT * FROM trail; SELECT was, became FROM trail; SELECT was ->> 'email', became ->> 'password', word FROM trail -- masked
UPDATE users SET name = 'x' WHERE id = 1; SELECT t, to_jsonb(t), was || '{}', jsonb_each(was), jsonb_path_query(was, '$.*') FROM trail t
UPDATE users SET name = 'x' WHERE id = 1; COPY trail TO STDOUT
UPDATE users SET name = 'x' WHERE id = 1; SELECT id FROM trail WHERE was ->> 'email' LIKE 'CANARY%' -- refused
UPDATE users SET name = 'x' WHERE id = 1; SELECT id FROM trail ORDER BY word -- refused
UPDATE users SET name = 'x' WHERE id = 1; DROP TRIGGER noted ON users; SELECT was, word FROM trail
UPDATE users SET name = 'x' WHERE id = 1; UPDATE notes SET body = t.was ->> 'login' FROM trail t; SELECT body FROM notes -- refused
UPDATE users SET name = 'x' WHERE id = 1; CREATE TABLE z AS SELECT was -> 'api_key' AS k FROM trail -- refused
CREATE OR REPLACE FUNCTION note_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes (body) VALUES (OLD.password); RETURN NULL; END $$; UPDATE users SET name = 'x'; SELECT body FROM notes -- refused
CREATE OR REPLACE FUNCTION note_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('a.b', OLD.password, false); RETURN NULL; END $$; UPDATE users SET name = 'x'; SHOW a.b -- refused
CREATE OR REPLACE FUNCTION note_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.password > 'D' THEN INSERT INTO notes (n) VALUES (1); END IF; RETURN NULL; END $$ -- refused
ALTER FUNCTION note_users() SET search_path = pg_temp -- refused
ALTER FUNCTION note_users() RENAME TO z -- refused
DROP FUNCTION note_users() CASCADE; CREATE FUNCTION note_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$ -- refused

-- How far a merge join came tells the order of what it joined; by a collation of one's own, other values are equal.
SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; EXPLAIN (ANALYZE, TIMING off) SELECT 1 FROM ONLY users u JOIN notes n ON u.password = n.body -- refused
EXPLAIN SELECT 1 FROM ONLY users u, notes n WHERE n.body = u.password -- refused
EXPLAIN SELECT 1 FROM ONLY public.users JOIN (SELECT body AS password FROM notes) n USING (password) -- refused
EXPLAIN SELECT 1 FROM ONLY users u WHERE u.password IN (SELECT body FROM notes) -- refused
EXPLAIN SELECT 1 FROM ONLY users u WHERE EXISTS (SELECT FROM notes n WHERE n.body IN ('x', u.password)) -- refused
EXPLAIN SELECT 1 FROM ONLY users u, notes n WHERE (u.password, 1) = (n.body, 1) -- refused
EXPLAIN SELECT 1 FROM ONLY users u JOIN notes n ON u.password = n.body::text COLLATE "C" -- refused
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', deterministic = false); SELECT id FROM users WHERE password = 'canary' COLLATE ci -- refused
CREATE COLLATION ci (provider = icu, locale = 'und', rules = '&a = b') -- refused
SELECT id FROM customers WHERE ssn = (SELECT min(ssn) FROM customers) -- refused
SELECT id, ssn FROM customers INTERSECT SELECT 3, min(ssn) FROM customers -- refused
SELECT count(*) FROM (SELECT ssn FROM customers UNION SELECT max(ssn) FROM customers WHERE id < 4) s -- refused
SELECT id FROM customers WHERE ssn IN (SELECT max(ssn) OVER () FROM customers) -- refused
SELECT a.id FROM customers a JOIN (SELECT min(ssn) AS ssn FROM customers) b USING (ssn) -- refused
SELECT id FROM customers NATURAL JOIN (SELECT max(ssn) AS ssn FROM customers) s -- refused
SELECT count(DISTINCT least(ssn, '95')) FROM customers -- refused
SELECT rank('95') WITHIN GROUP (ORDER BY ssn) FROM customers -- refused
SELECT id, greatest(ssn, '95') IS NULL, nullif(ssn, 'x') IS NULL FROM customers
SELECT id, (CASE WHEN password < 'D' THEN password END) IS NULL FROM users -- refused
SELECT u.id, x.p IS NULL FROM users u LEFT JOIN LATERAL (SELECT u.password AS p WHERE u.password > 'D') x ON true -- refused
SELECT id, (lag(password) OVER (ORDER BY password)) IS NULL FROM users -- refused
SELECT s FROM users u, generate_series(1, ascii(u.password)) s -- refused
SELECT count(*) FROM users u, LATERAL ts_parse('default', u.password) s -- refused
SELECT count(*) FROM users u, LATERAL unnest(string_to_array(u.password, 'a')) s -- refused
SELECT count(*) FROM users u, LATERAL (SELECT 1 WHERE u.password < 'D') s -- refused
INSERT INTO users (id, email, password, name) VALUES (1, 'a@b', 'longer', 'd') ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE users.password < 'D' RETURNING id -- refused
UPDATE users SET (name, api_key) = (SELECT password, 'x') WHERE id = 1 RETURNING name -- refused
UPDATE users SET name = CASE WHEN password < 'D' THEN 'a' ELSE 'b' END RETURNING name -- refused
UPDATE users SET api_key = left(password, 50); SELECT api_key FROM users -- refused
DELETE FROM users WHERE id = 9 AND password LIKE 'CANARY%' RETURNING id -- refused
SELECT jsonb_path_query('{}', '$x', profile) FROM customers -- refused
SELECT jsonb_path_query('{}', '$x.password', jsonb_build_object('x', profile)) FROM customers -- refused
SELECT id FROM customers WHERE jsonb_path_exists(profile, '$.password ? (@ starts with "C")') -- refused
SELECT id FROM customers WHERE profile @@ '$.password starts with "CANARY"' -- refused
SELECT jsonb_path_query(profile, '$.keyvalue().value') FROM customers -- refused
SELECT jsonb_path_query(profile, '$."\u0070assword"') FROM customers
SELECT profile -> E'pass\u0077ord', profile ->> U&'pass\0077ord' FROM customers
SELECT id FROM customers WHERE profile -> 'prefs' -> 'codes' ? 'CANARYjc1' -- refused
SELECT id FROM customers WHERE profile -> 'prefs' @> '{"codes": ["x"]}' -- refused
SELECT ((profile ->> 'prefs')::jsonb) ->> 'codes' FROM customers
SELECT (jsonb_populate_record(NULL::demo.users, profile)).password FROM customers -- refused
SELECT jsonb_build_array(profile) -> 0 -> 'password', (profile || jsonb_build_object('tier', profile -> 'password')) ->> 'tier' FROM customers
SELECT x.key, x.value FROM customers, jsonb_each(profile -> 'prefs') x
SELECT replace(profile::text, 'password', 'tier')::jsonb ->> 'tier' FROM customers -- refused
SELECT json_agg(id ORDER BY profile ->> 'password') FROM customers -- refused
ALTER TABLE admins NO INHERIT users; SELECT upper(password) FROM admins -- refused
ALTER TABLE users ADD COLUMN z text GENERATED ALWAYS AS (login) STORED; SELECT z FROM users -- refused
ALTER TABLE users ADD COLUMN z text DEFAULT first_word(); SELECT z FROM users -- refused
ALTER TABLE users ALTER COLUMN name TYPE text USING first_word(); SELECT name FROM users -- refused
ALTER TABLE users ALTER COLUMN created TYPE text USING users::text; SELECT created FROM users -- refused
ALTER TABLE users ADD CONSTRAINT c CHECK (name < first_word()) -- refused
CREATE INDEX ON users (name) WHERE length(login) > 3 -- refused
CREATE INDEX ON users ((users.*::text)) -- refused
CREATE INDEX ON cached (k2) -- refused
CREATE TABLE z (LIKE secrets_v); INSERT INTO z (pw) SELECT pw FROM secrets_v -- refused
ALTER VIEW directory RENAME COLUMN contact TO x; SELECT upper(x) FROM directory -- refused
ALTER VIEW directory RENAME TO x; SELECT upper(contact) FROM x -- refused
CREATE VIEW z AS SELECT id, name FROM users; ALTER VIEW z RENAME TO y; CREATE OR REPLACE VIEW y AS SELECT id, name, email FROM users -- refused

-- What fails by a value: an error, too, is an answer.
SELECT format('%I', substring(password FROM 'CAN')) FROM users -- refused
SELECT format('%*s', length(password), 'x') FROM users -- refused
SELECT format(password, 1) FROM users -- refused
SELECT format('%s %I %%', password, password) FROM users -- masked
SELECT jsonb_build_object(substring(password FROM 'CAN'), 1) FROM users -- refused
SELECT json_object_agg(substring(password FROM 'CAN'), 1) FROM users -- refused
SELECT json_build_object('k', substring(password FROM 'CAN')) FROM users -- masked
SELECT xmlparse(CONTENT password) FROM users -- refused
SELECT xmlpi(name x, password) FROM users -- refused
SELECT date_trunc(password, now()) FROM users -- refused
SELECT password || repeat('*', length(name) - 2) FROM users -- masked
SELECT replace(replace(password, 'a', repeat('b', 100000)), 'b', repeat('c', 100000)) FROM users -- refused
WITH a AS (SELECT replace(password, 'a', repeat('b', 100000)) AS p FROM users) SELECT replace(p, 'b', repeat('c', 100000)) FROM a -- refused
SELECT format('%1000000s', password) FROM users -- refused
SELECT password || format($$%1000000s$$, 'x') FROM users -- refused
SELECT lpad(password, id * 100000000) FROM users -- refused
SELECT lpad(password, 40, '*') FROM users -- masked
COPY (SELECT repeat('x', 1000000000), password FROM users) TO STDOUT -- refused
SELECT string_agg(password, ', ') FROM users -- masked
SELECT password LIKE 'CAN%', password BETWEEN 'a' AND name, (password, id) = ('x', 1) FROM users -- masked
SELECT regexp_replace(substring(password FROM '[A-Z]+'), '^(A|B)+', '') FROM users -- masked
