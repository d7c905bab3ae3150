-- langchain list tables
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name;
-- langchain sample rows
SELECT * FROM "orders" LIMIT 3;
SELECT * FROM "customers" LIMIT 3;
SELECT * FROM "users" LIMIT 3;
SELECT * FROM "vault" LIMIT 3;
SELECT * FROM "service_accounts" LIMIT 3;
SELECT * FROM "login_events" LIMIT 3;
-- columns with comments
SELECT c.table_name, c.column_name, c.data_type, c.udt_name, c.character_maximum_length, c.numeric_precision, c.is_nullable, c.column_default, col_description((quote_ident(c.table_schema) || '.' || quote_ident(c.table_name))::regclass, c.ordinal_position) AS comment FROM information_schema.columns c WHERE c.table_schema = 'public' ORDER BY 1, c.ordinal_position;
-- foreign keys for a prompt
SELECT tc.table_name, kcu.column_name, ccu.table_name AS ref_table, ccu.column_name AS ref_column FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_schema = 'public' ORDER BY 1, 2;
-- row estimates of all tables
SELECT n.nspname, c.relname, c.reltuples >= -1 AS known, pg_total_relation_size(c.oid) > 0 AS sized FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'm') ORDER BY 1, 2;
-- exact row counts by union
SELECT 'users' AS t, count(*) FROM users UNION ALL SELECT 'customers', count(*) FROM customers UNION ALL SELECT 'orders', count(*) FROM orders UNION ALL SELECT 'payments', count(*) FROM payments UNION ALL SELECT 'sessions', count(*) FROM sessions ORDER BY 1;
-- views and their definitions
SELECT schemaname, viewname, definition FROM pg_views WHERE schemaname IN ('public', 'reporting') AND viewname <> 'pg_stat_statements' AND viewname <> 'pg_stat_statements_info' ORDER BY 1, 2;
-- view definitions by function
SELECT pg_get_viewdef('user_directory'::regclass, true), pg_get_viewdef('reporting.customer_report'::regclass);
-- indexes
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2;
-- indexes with columns
SELECT t.relname, i.relname, array_agg(a.attname ORDER BY k.n), ix.indisunique, ix.indisprimary FROM pg_index ix JOIN pg_class i ON i.oid = ix.indexrelid JOIN pg_class t ON t.oid = ix.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace CROSS JOIN LATERAL unnest(ix.indkey::int2[]) WITH ORDINALITY k(att, n) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.att WHERE n.nspname = 'public' GROUP BY 1, 2, 4, 5 ORDER BY 1, 2;
-- constraints by definition
SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid, true) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2;
-- enum values
SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1 ORDER BY 1;
-- enum by function
SELECT enum_range(NULL::order_status), enum_first(NULL::order_status), unnest(enum_range('paid'::order_status, NULL));
-- functions of a schema
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.provolatile FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('order_count', 'find_user', 'get_users', 'audit_users') ORDER BY 1;
-- source of a function
SELECT prosrc FROM pg_proc WHERE proname = 'order_count';
-- triggers
SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1;
-- partitions and bounds
SELECT i.inhrelid::regclass::text, i.inhparent::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r' ORDER BY 1;
SELECT pg_get_partkeydef('login_events'::regclass), relid::text, level, isleaf FROM pg_partition_tree('login_events') ORDER BY relid::text;
-- sequences
SELECT s.relname, seqtypid::regtype, seqstart, seqincrement, d.refobjid::regclass::text FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid LEFT JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' AND d.classid = 'pg_class'::regclass ORDER BY 1;
-- serial sequence by function
SELECT pg_get_serial_sequence('public.notes', 'id'), pg_get_serial_sequence('audit_log', 'id');
-- privileges
SELECT has_table_privilege('users', 'SELECT'), has_column_privilege('users', 'password', 'SELECT'), has_schema_privilege('public', 'CREATE'), has_database_privilege(current_database(), 'CONNECT'), pg_has_role(current_user, 'pg_read_all_data', 'MEMBER');
-- settings an agent looks at
SELECT name, setting, unit, vartype FROM pg_settings WHERE name IN ('server_version', 'max_identifier_length', 'standard_conforming_strings', 'block_size', 'integer_datetimes') ORDER BY name;
SHOW server_version;
SHOW search_path;
SHOW client_encoding;
-- who and where
SELECT current_user = session_user, current_schema(), current_schemas(true), pg_backend_pid() > 0, inet_server_port() IS NOT NULL, version() LIKE 'PostgreSQL%', pg_is_in_recovery(), current_setting('application_name', true) IS NOT NULL;
-- extensions
SELECT extname, extversion, extnamespace::regnamespace::text FROM pg_extension WHERE extname IN ('hstore', 'pgcrypto', 'tablefunc', 'pg_trgm', 'plpgsql') ORDER BY 1;
SELECT name, default_version IS NOT NULL FROM pg_available_extensions WHERE name IN ('hstore', 'citext') ORDER BY 1;
-- casts and operators
SELECT castsource::regtype::text, casttarget::regtype::text, castcontext FROM pg_cast WHERE castsource = 'int4'::regtype ORDER BY 2;
SELECT oprname, oprleft::regtype::text, oprright::regtype::text FROM pg_operator WHERE oprname = '@>' AND oprleft = 'jsonb'::regtype;
-- collations and encodings
SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database();
SELECT collname, collprovider FROM pg_collation WHERE collname IN ('C', 'POSIX', 'default') ORDER BY 1;
-- tables as psql lists them
SELECT n.nspname AS "Schema", c.relname AS "Name", pg_catalog.pg_get_userbyid(c.relowner) = current_user AS "Mine", pg_catalog.obj_description(c.oid, 'pg_class') AS "Description" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', '') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid) AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname !~ '^pg_stat_statements' ORDER BY 1, 2;
-- statistics views without samples
SELECT relname, n_live_tup >= 0, seq_scan >= 0 FROM pg_stat_user_tables ORDER BY relname, schemaname;
SELECT indexrelname FROM pg_stat_user_indexes WHERE relname = 'orders' ORDER BY 1;
SELECT datname = current_database(), numbackends > 0 FROM pg_stat_database WHERE datname = current_database();
-- locks of mine
SELECT locktype, mode, granted FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'virtualxid';
-- my own activity
SELECT pid = pg_backend_pid(), state, backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid();
-- explain of plain reads
EXPLAIN (COSTS OFF) SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'paid' ORDER BY o.id;
EXPLAIN (COSTS OFF, FORMAT json) SELECT * FROM products WHERE id = 1;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, full_name FROM users WHERE role = 'staff';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT count(*) FROM orders WHERE amount > 50;
-- explain of protected reads [masks=QUERY PLAN]
EXPLAIN (COSTS OFF) SELECT id, email, password FROM users WHERE id = 3;
EXPLAIN (COSTS OFF) UPDATE users SET password = 'x' WHERE id = 3;
EXPLAIN SELECT u.full_name, c.ssn FROM users u JOIN customers c ON c.user_id = u.id;
-- a checked query: prepared, explained, run
PREPARE chk (int, text) AS SELECT id, amount FROM orders WHERE customer_id = $1 AND status = $2::order_status ORDER BY id;
EXPLAIN (COSTS OFF) EXECUTE chk(1, 'new');
EXECUTE chk(1, 'new');
EXECUTE chk(2, 'paid');
DEALLOCATE chk;
-- prepared over protected columns
PREPARE pu (int) AS SELECT id, full_name, email, api_key FROM users WHERE id = $1;
EXECUTE pu(1);
EXECUTE pu(7);
DEALLOCATE PREPARE pu;
-- prepared names listed
PREPARE one AS SELECT 1 AS a;
SELECT name, statement, parameter_types::text FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;
-- cursor in slices over a protected table
DECLARE cu NO SCROLL CURSOR FOR SELECT id, full_name, email, created_at FROM users ORDER BY id;
FETCH 3 FROM cu;
MOVE 2 IN cu;
FETCH FORWARD 2 FROM cu;
SELECT name, is_scrollable FROM pg_cursors WHERE name = 'cu';
CLOSE cu;
-- cursor scrolled over orders
DECLARE co SCROLL CURSOR WITHOUT HOLD FOR SELECT id, amount FROM orders ORDER BY id;
FETCH LAST FROM co;
FETCH BACKWARD 2 FROM co;
FETCH ABSOLUTE 5 FROM co;
FETCH RELATIVE -2 FROM co;
FETCH FIRST FROM co;
MOVE FORWARD ALL IN co;
FETCH PRIOR FROM co;
CLOSE ALL;
-- savepoints around a mistake [err]
INSERT INTO notes (id, body, n) VALUES (9001, 'kept', 1);
SAVEPOINT a;
INSERT INTO notes (id, body) VALUES (9001, 'twice');
ROLLBACK TO SAVEPOINT a;
INSERT INTO notes (id, body, n) VALUES (9002, 'after', 2);
RELEASE SAVEPOINT a;
SELECT id, body, n FROM notes WHERE id > 9000 ORDER BY id;
-- savepoints around a mistake over a protected table [err]
SAVEPOINT b;
SELECT id / 0 FROM users;
ROLLBACK TO b;
SELECT id, full_name FROM users WHERE id = 1;
-- temp table of free columns, indexed, joined, dropped
CREATE TEMP TABLE scratch AS SELECT u.id, u.full_name, u.role, count(c.id) AS n FROM users u LEFT JOIN customers c ON c.user_id = u.id GROUP BY u.id, u.full_name, u.role;
CREATE INDEX ON scratch (role);
ANALYZE scratch;
ALTER TABLE scratch ADD COLUMN label text;
UPDATE scratch SET label = full_name || '/' || role;
SELECT s.id, s.label, s.n FROM scratch s ORDER BY s.id;
SELECT u.email, s.label FROM scratch s JOIN users u USING (id) ORDER BY s.id LIMIT 3;
DROP TABLE scratch;
-- temp table filled and aggregated
CREATE TEMPORARY TABLE t_agg (k text PRIMARY KEY, v numeric) ON COMMIT DROP;
INSERT INTO t_agg SELECT status::text, sum(amount) FROM orders GROUP BY 1 ON CONFLICT (k) DO UPDATE SET v = t_agg.v + excluded.v;
INSERT INTO t_agg SELECT status::text, sum(amount) FROM orders GROUP BY 1 ON CONFLICT (k) DO UPDATE SET v = t_agg.v + excluded.v RETURNING k, v;
SELECT * FROM t_agg ORDER BY k;
-- upsert of products
INSERT INTO products (id, sku, title, price) VALUES (900, 'SKU-900', 'New', 9.99), (901, 'SKU-001', 'Old', 1.00) ON CONFLICT (sku) DO UPDATE SET title = excluded.title, price = excluded.price WHERE products.price <> excluded.price RETURNING id, sku, title, price, (xmax = 0) AS inserted;
-- upsert do nothing
INSERT INTO products (id, sku) VALUES (1, 'SKU-001'), (905, 'SKU-905') ON CONFLICT DO NOTHING RETURNING id, sku;
-- merge into products
MERGE INTO products p USING (VALUES ('SKU-001', 3.5), ('SKU-777', 7.7)) v(sku, price) ON p.sku = v.sku WHEN MATCHED THEN UPDATE SET price = v.price WHEN NOT MATCHED THEN INSERT (id, sku, price) VALUES (777, v.sku, v.price);
SELECT id, sku, price FROM products WHERE sku IN ('SKU-001', 'SKU-777') ORDER BY id;
-- writable cte
WITH moved AS (DELETE FROM notes WHERE id = 1 RETURNING *), ins AS (INSERT INTO notes (id, body, n) SELECT id + 5000, body, n FROM moved RETURNING id, body) SELECT * FROM ins;
-- update from a join
UPDATE orders o SET note = c.name || ': ' || o.note FROM customers c WHERE c.id = o.customer_id AND o.id = 4 RETURNING o.id, o.note, c.country;
-- update of free columns of a protected table, returned whole
UPDATE users SET full_name = full_name || ' Jr', role = 'member' WHERE id = 3 RETURNING *;
-- update by a subselect of free columns
UPDATE customers SET notes = (SELECT u.full_name FROM users u WHERE u.id = customers.user_id), country = 'XX' WHERE id = 2 RETURNING id, notes, country;
-- insert of a new user and a customer in one statement
WITH u AS (INSERT INTO users (id, email, password, full_name) VALUES (7001, 'new@example.test', 'hash', 'New One') RETURNING id, full_name) INSERT INTO customers (id, user_id, name, ssn, phone) SELECT 7001, u.id, u.full_name, '000-00-0000', '+1' FROM u RETURNING id, user_id, name;
-- insert with parameters into protected columns
INSERT INTO users (id, email, password, api_key, full_name) VALUES ($1, $2, $3, $4, $5) RETURNING id, created_at, is_active;
--$7002|p@example.test|s3cret|k|Param
-- insert json
INSERT INTO customers (id, name, profile) VALUES (7003, 'J', '{"tier": "gold", "password": "mine", "address": {"city": "Rome"}}') RETURNING id, profile->>'tier' AS tier, profile->'address' AS address;
-- delete returning
DELETE FROM payments WHERE id = 20 RETURNING id, order_id, amount;
-- delete using
DELETE FROM login_events e USING users u WHERE u.id = e.user_id AND u.full_name = 'nobody' RETURNING e.id;
-- copy in, read back
COPY notes (id, body, n) FROM STDIN;
--<9101	one	1
--<9102	two	2
SELECT id, body FROM notes WHERE id > 9100 ORDER BY id;
-- copy in of protected columns
COPY users (id, email, password, full_name) FROM STDIN WITH (FORMAT csv);
--<9201,c1@example.test,pw1,C One
--<9202,c2@example.test,pw2,C Two
SELECT id, full_name, role FROM users WHERE id > 9200 ORDER BY id;
-- copy out of tables of every kind
COPY public.customers TO STDOUT;
COPY customers (id, name, country) TO STDOUT WITH (FORMAT csv, HEADER);
COPY login_events_2024h1 TO STDOUT;
COPY legacy.users TO STDOUT;
COPY demo.users TO STDOUT WITH CSV;
COPY products TO STDOUT WITH (DELIMITER '|', FORCE_QUOTE (title), FORMAT csv);
-- copy out of sessions [masks=*]
COPY sessions TO STDOUT;
-- copy out of queries
COPY (SELECT u.id, u.full_name, c.name, c.country FROM users u JOIN customers c ON c.user_id = u.id ORDER BY u.id) TO STDOUT WITH (FORMAT csv, HEADER true);
COPY (SELECT status, count(*), sum(amount) FROM orders GROUP BY status ORDER BY status) TO STDOUT;
COPY (SELECT id, email FROM users ORDER BY id) TO STDOUT;
COPY (INSERT INTO notes (id, body) VALUES (9300, 'x') RETURNING id, body) TO STDOUT;
-- settings of a session
SET LOCAL statement_timeout = '30s';
SET LOCAL work_mem = '8MB';
SET LOCAL TIME ZONE 'Asia/Tokyo';
SET LOCAL datestyle = 'ISO, DMY';
SET LOCAL extra_float_digits = 3;
SELECT created_at, created_at::date FROM users ORDER BY id LIMIT 2;
SELECT placed_at FROM orders ORDER BY id LIMIT 2;
SHOW TimeZone;
RESET ALL;
-- roles of a session
SET LOCAL ROLE NONE;
SELECT current_user = session_user;
-- isolation
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM orders;
SELECT id, email FROM users WHERE id = 1;
-- read only
SET TRANSACTION READ ONLY;
SELECT count(*) FROM users WHERE is_active;
-- a snapshot
SELECT pg_current_snapshot() IS NOT NULL, txid_current_if_assigned() IS NULL;
-- locking rows
SELECT id, status FROM orders WHERE status = 'new' ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED;
SELECT id, full_name, email FROM users WHERE id = 2 FOR SHARE OF users;
SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = 1 FOR NO KEY UPDATE OF o NOWAIT;
-- advisory locks
SELECT pg_try_advisory_xact_lock(7, 9), pg_advisory_xact_lock_shared(11);
-- notify
LISTEN jobs;
NOTIFY other, 'x';
UNLISTEN *;
-- code that touches nothing protected
DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM orders; IF n < 1 THEN RAISE EXCEPTION 'none'; END IF; UPDATE notes SET n = notes.n + 1 WHERE id = 2; END $$;
SELECT n FROM notes WHERE id = 2;
-- a helper function made and used
CREATE FUNCTION pg_temp.net(x numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(x / 1.19, 2)';
SELECT id, pg_temp.net(amount) FROM orders ORDER BY id LIMIT 3;
-- langgraph put
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING;
--$th-9||messages|1|msgpack|\x9301
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata;
--$th-9||c1|p0|{"v": 4, "channel_versions": {"messages": "1"}}|{"source": "input"}
SELECT thread_id, checkpoint, metadata, (SELECT array_agg(array[bl.channel::bytea, bl.type::bytea, bl.blob]) FROM jsonb_each_text(checkpoint -> 'channel_versions') INNER JOIN checkpoint_blobs bl ON bl.thread_id = checkpoints.thread_id AND bl.channel = jsonb_each_text.key AND bl.version = jsonb_each_text.value) AS channel_values FROM checkpoints WHERE thread_id = $1 AND metadata @> $2;
--$th-9|{"source": "input"}
DELETE FROM checkpoints WHERE thread_id = $1;
--$th-9
-- vector store by arrays
INSERT INTO products (id, sku, title, embedding) VALUES ($1, $2, $3, $4::float8[]) ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding;
--$950|SKU-950|Vec|{0.1,0.2,0.3,0.4}
SELECT id, title FROM products WHERE embedding IS NOT NULL ORDER BY (SELECT sum((a - b) ^ 2) FROM unnest(embedding, $1::float8[]) t(a, b)), id LIMIT 3;
--${0.1,0.2,0.3,0.4}
-- parameters of many types
SELECT $1::int + 1, $2::text || 'x', $3::date + 1, $4::numeric * 2, $5::bool, $6::jsonb -> 'a', $7::int[], $8::uuid, $9::interval, $10::bytea;
--$4|abc|2024-02-28|1.5|true|{"a": 1}|{1,2}|0b8a9d6e-0000-4000-8000-000000000001|1 day|\x0102
-- any with an array parameter over users
SELECT id, full_name, is_active FROM users WHERE id = ANY($1::int[]) AND full_name ILIKE $2 ORDER BY id;
--${1,2,3,4,5}|%a%
-- in with parameters over payments
SELECT id, amount, card_token FROM payments WHERE order_id IN ($1, $2, $3) ORDER BY id;
--$1|2|3
-- search by trigram over names of users
SELECT id, full_name, similarity(full_name, $1) AS s FROM users WHERE full_name % $1 OR word_similarity($1, full_name) > 0.4 ORDER BY s DESC, id;
--$Ada
-- crosstab of status by customer
SELECT * FROM crosstab('SELECT customer_id, status::text, count(*)::int FROM orders WHERE customer_id < 4 GROUP BY 1, 2 ORDER BY 1, 2') AS ct(customer int, a int, b int, c int, d int) ORDER BY 1;
-- query as xml of free tables
SELECT query_to_xml('SELECT id, amount FROM orders WHERE id < 3 ORDER BY id', false, false, '');
-- digest and random of pgcrypto
SELECT encode(digest('abc', 'sha256'), 'hex'), length(gen_random_bytes(8)), crypt('pw', '$1$abcdefgh') = crypt('pw', '$1$abcdefgh');
-- hstore
SELECT 'a=>1,b=>2'::hstore -> 'a', akeys('a=>1,b=>2'::hstore), hstore(ARRAY['k', 'v']), each('x=>y'::hstore);
