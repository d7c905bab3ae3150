-- discard [notx]
DISCARD ALL;
DISCARD PLANS;
DISCARD SEQUENCES;
DISCARD TEMP;
-- tx
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT count(*) FROM orders;
SAVEPOINT a;
SELECT id FROM users ORDER BY id LIMIT 1;
ROLLBACK TO SAVEPOINT a;
RELEASE SAVEPOINT a;
COMMIT;
-- tx with error and savepoint [err]
BEGIN;
SAVEPOINT s1;
INSERT INTO notes (id, body) VALUES (1, 'dup');
ROLLBACK TO s1;
INSERT INTO notes (body) VALUES ('ok') RETURNING body;
ROLLBACK;
-- set transaction
BEGIN;
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SET LOCAL statement_timeout = 1000;
SET LOCAL lock_timeout = '1s';
SELECT 1;
END;
-- cursors
BEGIN;
DECLARE c CURSOR FOR SELECT id, full_name, email FROM users ORDER BY id;
FETCH 3 FROM c;
FETCH NEXT FROM c;
MOVE 2 IN c;
FETCH ALL FROM c;
CLOSE c;
COMMIT;
-- scroll cursor with hold
BEGIN;
DECLARE h SCROLL CURSOR WITH HOLD FOR SELECT id, amount FROM orders ORDER BY id;
FETCH ABSOLUTE 5 FROM h;
FETCH BACKWARD 2 FROM h;
COMMIT;
FETCH FIRST FROM h;
CLOSE h;
-- binary cursor
BEGIN;
DECLARE b BINARY CURSOR FOR SELECT id, amount FROM orders ORDER BY id LIMIT 2;
FETCH ALL FROM b;
COMMIT;
-- update where current of
BEGIN;
DECLARE k CURSOR FOR SELECT id FROM notes ORDER BY id FOR UPDATE;
FETCH 1 FROM k;
UPDATE notes SET n = 5 WHERE CURRENT OF k;
ROLLBACK;
-- prepare
PREPARE p1 (int) AS SELECT id, full_name FROM users WHERE id = $1;
EXECUTE p1(2);
EXECUTE p1(3);
DEALLOCATE p1;
-- prepare with protected
PREPARE p2 AS SELECT id, email FROM users ORDER BY id LIMIT 2;
EXECUTE p2;
DEALLOCATE ALL;
-- prepare insert
PREPARE ins (text, int) AS INSERT INTO notes (body, n) VALUES ($1, $2) RETURNING n;
EXECUTE ins('x', 9);
-- create table as execute
PREPARE q AS SELECT 1 AS a;
CREATE TEMP TABLE ctx AS EXECUTE q;
-- explain text
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id = 1;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, full_name FROM users WHERE id = 1;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM orders WHERE id = 1;
EXPLAIN (COSTS OFF, FORMAT JSON) SELECT count(*) FROM users;
EXPLAIN (COSTS OFF, FORMAT YAML) SELECT count(*) FROM users WHERE is_active;
EXPLAIN (COSTS OFF, FORMAT XML) SELECT id FROM products;
EXPLAIN (COSTS OFF) SELECT u.id, u.email FROM users u JOIN customers c ON c.user_id = u.id;
EXPLAIN (COSTS OFF) UPDATE users SET full_name = 'x' WHERE id = 1;
EXPLAIN (COSTS OFF) INSERT INTO notes (body) VALUES ('x');
-- explain with costs of protected equality [refused=deny]
EXPLAIN SELECT id FROM users WHERE email = 'a@b.c';
-- explain execute
PREPARE pe (int) AS SELECT id FROM orders WHERE id = $1;
EXPLAIN (COSTS OFF) EXECUTE pe(1);
-- explain ctas
EXPLAIN (COSTS OFF) CREATE TABLE xx AS SELECT * FROM orders;
-- listen notify free
LISTEN jobs;
NOTIFY jobs, 'payload';
SELECT pg_notify('jobs', 'x');
UNLISTEN *;
-- advisory
SELECT pg_advisory_lock(1, 2);
SELECT pg_try_advisory_lock(1, 2);
SELECT pg_advisory_unlock(1, 2);
SELECT pg_advisory_unlock(1, 2);
SELECT pg_advisory_xact_lock(hashtext('migrate'));
SELECT pg_try_advisory_xact_lock_shared(77);
SELECT pg_advisory_unlock_all();
-- introspective functions
SELECT current_database() IS NOT NULL, current_user, session_user, current_schema, current_schemas(false);
SELECT pg_backend_pid() > 0, inet_server_port() > 0, pg_is_in_recovery(), pg_postmaster_start_time() < now();
SELECT version() LIKE 'PostgreSQL%';
SELECT txid_current() > 0, pg_current_xact_id()::text::bigint > 0;
SELECT pg_size_pretty(pg_total_relation_size('orders')) IS NOT NULL, pg_relation_size('users') > 0, pg_database_size(current_database()) > 0;
SELECT obj_description('users'::regclass), col_description('users'::regclass, 3);
SELECT pg_typeof(1), pg_typeof('a'::text), pg_column_size(1);
SELECT has_table_privilege('users', 'SELECT'), has_schema_privilege('public', 'CREATE');
SELECT to_regclass('public.users'), to_regtype('order_status'), to_regproc('order_count');
SELECT pg_get_viewdef('order_totals'::regclass, true);
SELECT pg_get_functiondef('order_count'::regproc);
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'users'::regclass ORDER BY 1;
SELECT pg_get_constraintdef(oid), conname FROM pg_constraint WHERE conrelid = 'customers'::regclass ORDER BY conname;
SELECT pg_get_serial_sequence('users', 'id');
SELECT format_type(23, NULL), format_type(1043, 24);
SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'postgres';
-- pg_stat_activity whole [masks=*]
SELECT pid > 0 AS p, usename, application_name IS NULL, state, wait_event_type IS NULL FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid = pg_backend_pid();
-- blocking pids
SELECT pg_blocking_pids(pg_backend_pid());
-- information_schema
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2;
SELECT column_name, data_type, is_nullable, column_default, is_generated FROM information_schema.columns WHERE table_name = 'users' AND table_schema = 'public' ORDER BY ordinal_position;
SELECT tc.constraint_name, kcu.column_name, ccu.table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name AND tc.table_schema = kcu.table_schema JOIN information_schema.constraint_column_usage ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' ORDER BY 1;
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public' AND routine_name LIKE '%user%' ORDER BY 1;
SELECT * FROM information_schema.referential_constraints ORDER BY constraint_name;
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'orders' ORDER BY 1, 2;
SELECT schema_name FROM information_schema.schemata ORDER BY 1;
SELECT trigger_name, event_manipulation FROM information_schema.triggers ORDER BY 1, 2;
SELECT domain_name FROM information_schema.domains WHERE domain_schema = 'public' ORDER BY 1;
SELECT view_definition FROM information_schema.views WHERE table_schema = 'public' ORDER BY table_name;
SELECT sequence_name, start_value FROM information_schema.sequences ORDER BY 1;
SELECT udt_name FROM information_schema.element_types LIMIT 1;
-- misc expressions
SELECT 1 + 1 AS two, 'a' || 'b', ARRAY[1,2,3], '{"a":1}'::jsonb -> 'a', '(1,2)'::point, '1 day'::interval, '[1,5)'::int4range, B'101', E'\n', 'x'::bytea, '10.0.0.0/8'::cidr, 'f'::bool, NULL;
SELECT * FROM generate_series('2024-01-01'::timestamp, '2024-01-02', '6 hours') AS t;
SELECT * FROM json_to_recordset('[{"a":1,"b":"x"},{"a":2}]') AS x(a int, b text);
SELECT * FROM jsonb_each_text('{"a":1,"b":2}');
SELECT * FROM regexp_matches('abcabc', 'a(b)c', 'g');
SELECT string_to_table('a,b', ',');
SELECT * FROM unnest(ARRAY[1,2], ARRAY['a','b']) AS u(n, t);
SELECT xmlelement(name a, xmlattributes(1 AS b), 'c');
SELECT * FROM xmltable('/r/i' PASSING XMLPARSE(DOCUMENT '<r><i a="1">x</i></r>') COLUMNS a int PATH '@a', v text PATH '.');
SELECT jsonb_path_query('{"a":[1,2,3]}', '$.a[*] ? (@ > 1)');
SELECT date_bin('15 min', '2024-01-01 12:34'::timestamp, '2024-01-01');
SELECT make_interval(days => 3), make_date(2024, 1, 2), to_date('2024-02-03', 'YYYY-MM-DD');
SELECT (ROW(1, 'a')).f1, ROW(1,2) = ROW(1,2);
SELECT COALESCE(NULL, 1), NULLIF(1, 1), GREATEST(1, 2), num_nonnulls(1, NULL);
SELECT CASE 1 WHEN 1 THEN 'one' ELSE 'other' END;
SELECT random() < 1, gen_random_uuid() IS NOT NULL, clock_timestamp() > '2020-01-01';
SELECT 'foo' LIKE 'f%' ESCAPE '!', 'foo' SIMILAR TO 'f(o)+', 'abc' ~ '^a', 'a' COLLATE "C" < 'b';
TABLE order_totals;
TABLE users;
-- lo harmless [refused]
SELECT lo_get(424242);
-- multi statement [simple]
SELECT 1; SELECT id FROM users WHERE id = 1; INSERT INTO notes (body) VALUES ('m'); SELECT 2;
-- empty statement
;
-- comment only [simple]
/* hi */ SELECT 1 -- tail
;
-- sqlcommenter
SELECT id, full_name FROM users WHERE id = 1 /*application='x',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/;
