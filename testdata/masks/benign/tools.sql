-- dbeaver columns
SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') AND c.oid='users'::regclass ORDER BY a.attnum;
-- dbeaver data read
SELECT x.* FROM public.users x LIMIT 200;
-- dbeaver data read with ctid
SELECT x.*, ctid FROM public.orders x WHERE id < 3 ORDER BY id;
-- dbeaver count
SELECT count(*) FROM public.customers;
-- datagrip intro
select T.oid as table_id, relname as table_name, relkind as table_kind from pg_catalog.pg_class T where relnamespace = 'public'::regnamespace and relkind in ('r','m','v','p','f') order by 2;
select N.oid::bigint as id, N.xmin as state_number, nspname as name, D.description from pg_catalog.pg_namespace N left join pg_catalog.pg_description D on N.oid = D.objoid where nspname = 'public';
select A.attname, A.attnum, pg_catalog.pg_get_expr(D.adbin, D.adrelid), A.attacl from pg_catalog.pg_attribute A left join pg_catalog.pg_attrdef D on D.adrelid = A.attrelid and D.adnum = A.attnum where A.attrelid = 'public.customers'::regclass and A.attnum > 0 order by 2;
-- datagrip data
SELECT t.* FROM public.customers t LIMIT 501;
SELECT t.*, CTID FROM public.notes t LIMIT 501;
-- pgadmin dashboard
SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) IS NOT NULL AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE datname = current_database())) AS "Total", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active') AS "Active") t;
SELECT pid > 0, datname IS NULL, usename, application_name IS NULL, client_addr IS NULL, backend_start IS NULL, xact_start IS NULL, state, wait_event_type, wait_event, backend_type FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid();
SELECT locktype, mode, granted FROM pg_catalog.pg_locks l LEFT OUTER JOIN pg_catalog.pg_stat_activity s ON l.pid = s.pid WHERE l.pid = -1;
-- pgadmin properties
SELECT db.oid > 0 as did, db.datname IS NOT NULL as name, db.datallowconn, pg_catalog.pg_encoding_to_char(db.encoding) AS serverencoding, pg_catalog.has_database_privilege(db.oid, 'CREATE') as cancreate FROM pg_catalog.pg_database db WHERE db.datname = current_database();
-- pgadmin table sql
SELECT rel.oid, rel.relname AS name, rel.reltablespace AS spcoid, rel.relacl AS relacl_str, (CASE WHEN length(coalesce(spc.spcname, '')::text) > 0 THEN spc.spcname ELSE 'pg_default' END) AS spcname, nsp.nspname as schema, pg_catalog.pg_get_userbyid(rel.relowner) AS relowner, rel.relhassubclass, rel.reltuples::bigint >= -1, des.description, con.conname, con.conkey, EXISTS(SELECT 1 FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc pt ON pt.oid=tgfoid AND pt.proname='logtrigger' WHERE tgrelid=rel.oid) AS isrepl FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_tablespace spc on spc.oid=rel.reltablespace LEFT JOIN pg_catalog.pg_namespace nsp ON rel.relnamespace = nsp.oid LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=rel.oid AND des.objsubid=0 AND des.classoid='pg_class'::regclass) LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid=rel.oid AND con.contype='p' WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = 'public'::regnamespace ORDER BY rel.relname;
-- metabase sync fields
SELECT c.column_name AS name, c.udt_name AS "database-type", c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name", pk.column_name IS NOT NULL AS "pk?", col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) AS "field-comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE tc.constraint_type = 'PRIMARY KEY') pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' ORDER BY 4, 5, 3;
-- metabase fingerprint
SELECT SUBSTRING("public"."users"."full_name", 1, 1234) AS "substring1", "public"."users"."created_at" FROM "public"."users" LIMIT 10000;
-- metabase table scan
SELECT "public"."orders"."id" AS "id", "public"."orders"."amount" AS "amount", "Customers"."name" AS "Customers__name" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" ON "public"."orders"."customer_id" = "Customers"."id" LIMIT 1048575;
-- metabase field values
SELECT "public"."users"."role" AS "role" FROM "public"."users" GROUP BY "public"."users"."role" ORDER BY "public"."users"."role" ASC LIMIT 1000;
-- metabase breakout week
SELECT (CAST(DATE_TRUNC('week', (CAST("public"."orders"."placed_at" AS timestamp) + INTERVAL '1 day')) AS timestamp) + INTERVAL '-1 day') AS "placed_at", COUNT(*) AS "count" FROM "public"."orders" GROUP BY 1 ORDER BY 1 ASC;
-- superset chart
SELECT DATE_TRUNC('month', placed_at) AS __timestamp, status AS status, SUM(amount) AS "SUM(amount)" FROM public.orders JOIN (SELECT status AS status__, SUM(amount) AS mme_inner__ FROM public.orders GROUP BY status ORDER BY mme_inner__ DESC LIMIT 2) AS series_limit ON status = status__ GROUP BY DATE_TRUNC('month', placed_at), status ORDER BY "SUM(amount)" DESC LIMIT 1000;
-- superset virtual dataset over users
SELECT role AS role, COUNT(*) AS count FROM (SELECT * FROM users) AS virtual_table GROUP BY role ORDER BY count DESC, role LIMIT 10000;
-- superset sqllab view columns
SELECT * FROM public.users LIMIT 1001;
-- grafana time group
SELECT floor(extract(epoch from placed_at)/86400)*86400 AS "time", status::text AS metric, count(*) AS value FROM orders WHERE placed_at BETWEEN '2024-01-01T00:00:00Z' AND '2024-12-31T00:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2;
-- tableau
SELECT CAST("orders"."status" AS TEXT) AS "status", SUM("orders"."amount") AS "sum:amount:ok" FROM "public"."orders" "orders" INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1 ORDER BY 1;
-- tableau temp test
BEGIN;
DECLARE "SQL_CUR0x1" CURSOR WITH HOLD FOR SELECT "users"."id" AS "id", "users"."full_name" AS "full_name", "users"."email" AS "email" FROM "public"."users" "users" ORDER BY 1 LIMIT 5;
FETCH 2 IN "SQL_CUR0x1";
CLOSE "SQL_CUR0x1";
COMMIT;
-- looker
SELECT TO_CHAR(DATE_TRUNC('month', orders.placed_at ), 'YYYY-MM') AS "orders.placed_month", COUNT(DISTINCT customers.id) AS "customers.count", COALESCE(SUM(orders.amount), 0) AS "total" FROM public.orders AS orders LEFT JOIN public.customers AS customers ON orders.customer_id = customers.id GROUP BY (DATE_TRUNC('month', orders.placed_at )) ORDER BY 1 DESC FETCH NEXT 500 ROWS ONLY;
-- looker symmetric aggregate
SELECT COALESCE(COALESCE(CAST( ( SUM(DISTINCT (CAST(FLOOR(COALESCE(orders.amount,0)*(1000000*1.0)) AS DECIMAL(65,0))) + ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 ) - SUM(DISTINCT ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 ) ) AS DOUBLE PRECISION) / CAST((1000000*1.0) AS DOUBLE PRECISION), 0), 0) AS x FROM orders JOIN customers c ON c.id = orders.customer_id;
-- hasura query
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."name" AS "name", "_root.ar.root.orders"."orders" AS "orders") AS "_e")) AS "root" FROM (SELECT * FROM "public"."customers" WHERE ('true') ORDER BY "id" LIMIT 3) AS "_root.base" LEFT OUTER JOIN LATERAL (SELECT coalesce(json_agg("orders"), '[]') AS "orders" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "o"."id" AS "id", "o"."amount" AS "amount") AS "_e")) AS "orders" FROM (SELECT * FROM "public"."orders" WHERE (("_root.base"."id") = ("customer_id")) ORDER BY id) AS "o") AS "_ar") AS "_root.ar.root.orders" ON ('true')) AS "_root";
-- postgrest read
WITH pgrst_source AS (SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."country" FROM "public"."customers" WHERE "public"."customers"."country" = $1 ORDER BY "public"."customers"."id" LIMIT $2 OFFSET $3) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status FROM (SELECT * FROM pgrst_source) _postgrest_t;
--$ DE | 10 | 0
-- postgrest embed users name
WITH pgrst_source AS (SELECT "public"."customers"."id", row_to_json("customers_users_1".*) AS "users" FROM "public"."customers" LEFT JOIN LATERAL (SELECT "users_1"."id", "users_1"."full_name" FROM "public"."users" AS "users_1" WHERE "users_1"."id" = "public"."customers"."user_id") AS "customers_users_1" ON TRUE ORDER BY 1) SELECT coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t;
-- postgrest insert json
WITH pgrst_source AS (WITH pgrst_payload AS (SELECT $1::json AS json_data), pgrst_body AS (SELECT CASE WHEN json_typeof(json_data) = 'array' THEN json_data ELSE json_build_array(json_data) END AS val FROM pgrst_payload) INSERT INTO "public"."notes"("body", "n") SELECT pgrst_body."body", pgrst_body."n" FROM (SELECT val FROM pgrst_body) _, LATERAL (SELECT "body", "n" FROM json_to_recordset(val) AS _("body" text, "n" integer)) pgrst_body RETURNING "public"."notes"."n") SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total FROM (SELECT * FROM pgrst_source) _postgrest_t;
--$ [{"body":"pj","n":3}]
-- postgrest session settings
select set_config('search_path', '"public"', true), set_config('role', 'none', true), set_config('request.jwt.claims', '{}', true), set_config('request.method', 'GET', true);
-- dbt relations
select current_database() as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'public' union all select current_database() as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike 'public' order by 4, 2;
-- dbt tests
select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select id from users where id is null) dbt_internal_test;
select count(*) as failures from (select id as unique_field, count(*) as n_records from "public"."orders" where id is not null group by id having count(*) > 1) dbt_internal_test;
-- dbt test not null email [refused=deny]
select count(*) as failures from (select email from "public"."users" where email is null) dbt_internal_test;
-- dbt test unique email [refused=deny]
select count(*) as failures from (select email as unique_field, count(*) as n_records from "public"."users" where email is not null group by email having count(*) > 1) dbt_internal_test;
-- dbt incremental merge
create temporary table "inc__dbt_tmp" as (select id, status, amount from orders where id > 30);
delete from orders where id in (select id from "inc__dbt_tmp" where id > 100);
-- langchain get tables
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog' ORDER BY 1;
-- langchain sample rows
SELECT * FROM customers LIMIT 3;
-- llm question top customers
SELECT c.name, SUM(o.amount) AS total_spent FROM customers c JOIN orders o ON c.id = o.customer_id GROUP BY c.name ORDER BY total_spent DESC LIMIT 5;
-- llm question orders per user with name
SELECT u.full_name, COUNT(o.id) AS order_count FROM users u LEFT JOIN customers c ON u.id = c.user_id LEFT JOIN orders o ON c.id = o.customer_id GROUP BY u.full_name HAVING COUNT(o.id) > 0 ORDER BY order_count DESC, u.full_name;
-- llm question percent
SELECT status, ROUND(100.0 * COUNT(*) / (SELECT COUNT(*) FROM orders), 2) AS pct FROM orders GROUP BY status ORDER BY pct DESC, status;
-- llm customers without orders
SELECT c.id, c.name, c.phone FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL ORDER BY 1;
-- llm month over month
WITH m AS (SELECT DATE_TRUNC('month', placed_at) AS month, SUM(amount) AS revenue FROM orders GROUP BY 1) SELECT month, revenue, LAG(revenue) OVER (ORDER BY month) AS prev, ROUND((revenue - LAG(revenue) OVER (ORDER BY month)) / NULLIF(LAG(revenue) OVER (ORDER BY month), 0) * 100, 2) AS growth FROM m ORDER BY month;
-- llm failed logins
SELECT u.full_name, COUNT(*) FROM login_events le JOIN users u ON u.id = le.user_id WHERE NOT le.ok GROUP BY u.full_name ORDER BY 2 DESC, 1;
-- llm active sessions
SELECT u.full_name, s.ip, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.expires_at > NOW() ORDER BY s.expires_at;
-- llm schema info
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position;
-- psycopg copy binary
COPY (SELECT id, amount FROM orders ORDER BY id) TO STDOUT (FORMAT binary);
-- psycopg copy users binary [masks=*]
COPY (SELECT id, email FROM users ORDER BY id) TO STDOUT (FORMAT binary);
-- table sizes
SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) IS NOT NULL FROM pg_catalog.pg_statio_user_tables ORDER BY relname;
-- unused indexes
SELECT schemaname || '.' || relname AS tab, indexrelname, idx_scan >= 0 FROM pg_stat_user_indexes ui JOIN pg_index i ON ui.indexrelid = i.indexrelid WHERE NOT indisunique ORDER BY 1, 2;
-- bloat-like
SELECT nspname, relname, reltuples >= -1, relpages >= 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'r' AND nspname = 'public' ORDER BY 2;
-- fk without index
SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' AND NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = conrelid AND conkey[1] = indkey[0]) ORDER BY 2;
-- pg_stat_statements [refused]
SELECT query, calls FROM pg_stat_statements LIMIT 1;
-- long running
SELECT pid > 0, now() - query_start > '0'::interval AS dur FROM pg_stat_activity WHERE state <> 'idle' AND pid = pg_backend_pid();
-- pg_stats of a free table
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'orders' ORDER BY 1;
SELECT attname, null_frac, avg_width, most_common_vals, histogram_bounds::text FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders' AND attname IN ('id', 'total') ORDER BY 1;
-- pg_stats of a table with protected columns [refused]
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'users' ORDER BY 1;
-- pg_hba or file settings
SELECT count(*) >= 0 FROM pg_timezone_names WHERE name = 'UTC';
SELECT count(*) > 0 FROM pg_timezone_abbrevs;
-- collation and cast lists
SELECT count(*) > 0 FROM pg_collation;
SELECT castsource::regtype, casttarget::regtype FROM pg_cast WHERE castsource = 'int4'::regtype ORDER BY 2::text;
-- temp schema visible
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_toast|^pg_temp' ORDER BY 1;
-- function arguments
SELECT p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), prosrc FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') ORDER BY 1;
-- triggers def
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1;
-- rules
SELECT tablename, rulename, definition FROM pg_rules ORDER BY 1;
-- policies
SELECT * FROM pg_policies;
-- ts config
SELECT cfgname FROM pg_ts_config WHERE cfgname IN ('simple', 'english') ORDER BY 1;
-- deps
SELECT pg_describe_object(classid, objid, objsubid), deptype FROM pg_depend WHERE refobjid = 'user_directory'::regclass ORDER BY 1 LIMIT 5;
