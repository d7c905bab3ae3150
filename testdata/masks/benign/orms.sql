-- sqlalchemy select one user
SELECT users.id AS users_id, users.email AS users_email, users.password AS users_password, users.full_name AS users_full_name, users.created_at AS users_created_at 
FROM users 
WHERE users.id = $1::INTEGER;
--$ 3
-- sqlalchemy joinedload
SELECT users.id, users.email, users.full_name, customers_1.id AS id_1, customers_1.user_id, customers_1.name, customers_1.ssn, customers_1.country 
FROM users LEFT OUTER JOIN customers AS customers_1 ON users.id = customers_1.user_id ORDER BY users.id, customers_1.id;
-- sqlalchemy selectinload
SELECT customers.user_id AS customers_user_id, customers.id AS customers_id, customers.name AS customers_name 
FROM customers 
WHERE customers.user_id IN ($1, $2, $3) ORDER BY customers.id;
--$ 1 | 2 | 3
-- sqlalchemy count subquery
SELECT count(*) AS count_1 
FROM (SELECT users.id AS users_id, users.email AS users_email, users.password AS users_password 
FROM users 
WHERE users.is_active IS true) AS anon_1;
-- sqlalchemy exists
SELECT EXISTS (SELECT 1 
FROM users 
WHERE users.full_name = $1::VARCHAR) AS anon_1;
--$ Ada Lovelace
-- sqlalchemy insertmanyvalues
INSERT INTO notes (body, n) SELECT p0::VARCHAR, p1::INTEGER FROM (VALUES ($1::VARCHAR, $2::INTEGER, 0), ($3::VARCHAR, $4::INTEGER, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING notes.n, notes.n AS n__1;
--$ x | 1 | y | 2
-- sqlalchemy insertmanyvalues users
INSERT INTO users (id, email, password, full_name) SELECT p0::INTEGER, p1::VARCHAR, p2::VARCHAR, p3::VARCHAR FROM (VALUES ($1::INTEGER, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, 0)) AS imp_sen(p0, p1, p2, p3, sen_counter) ORDER BY sen_counter RETURNING users.id, users.id AS id__1;
--$ 300 | ins@example.test | pw | Ins
-- sqlalchemy update with synchronize
UPDATE users SET full_name=$1::VARCHAR WHERE users.id = $2::INTEGER RETURNING users.id;
--$ Al | 3
-- sqlalchemy cte paginated
WITH anon_2 AS 
(SELECT users.id AS id, users.full_name AS full_name, row_number() OVER (ORDER BY users.id) AS rn 
FROM users)
 SELECT anon_2.id, anon_2.full_name 
FROM anon_2 
WHERE anon_2.rn BETWEEN 3 AND 6 ORDER BY anon_2.rn;
-- sqlalchemy server version
select pg_catalog.version();
-- sqlalchemy current schema
select current_schema();
-- sqlalchemy show tx isolation
show transaction isolation level;
-- sqlalchemy hstore oid
SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('hstore') ORDER BY t.oid;
-- psycopg hstore oids
SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore';
-- django list page
SELECT "users"."id", "users"."email", "users"."full_name" FROM "users" WHERE ("users"."is_active" AND "users"."created_at" >= '2024-01-03T00:00:00+00:00'::timestamptz) ORDER BY "users"."id" ASC LIMIT 21;
-- django get by email iexact [refused]
SELECT "users"."id" FROM "users" WHERE UPPER("users"."email"::text) = UPPER('a@b.c') LIMIT 21;
-- django contains on name
SELECT "users"."id", "users"."full_name" FROM "users" WHERE UPPER("users"."full_name"::text) LIKE UPPER('%ada%') ORDER BY "users"."id";
-- django annotate count
SELECT "customers"."id", "customers"."name", "customers"."ssn", COUNT("orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id" ORDER BY "customers"."id" ASC;
-- django aggregate
SELECT AVG("orders"."amount") AS "amount__avg", COUNT(*) AS "__count" FROM "orders" WHERE "orders"."status" = 'paid';
-- django values annotate by month
SELECT DATE_TRUNC('month', "orders"."placed_at" AT TIME ZONE 'UTC') AS "m", COUNT("orders"."id") AS "c" FROM "orders" GROUP BY 1 ORDER BY 1 ASC;
-- django exists
SELECT 1 AS "a" FROM "customers" WHERE "customers"."country" = 'DE' LIMIT 1;
-- django bulk update
UPDATE "orders" SET "note" = (CASE WHEN ("orders"."id" = 1) THEN 'a' WHEN ("orders"."id" = 2) THEN 'b' ELSE NULL END)::text WHERE "orders"."id" IN (1, 2);
-- django bulk update on users
UPDATE "users" SET "email" = (CASE WHEN ("users"."id" = 1) THEN 'a1@example.test' WHEN ("users"."id" = 2) THEN 'a2@example.test' ELSE NULL END)::varchar(255) WHERE "users"."id" IN (1, 2);
-- django insert returning
INSERT INTO "users" ("id", "email", "password", "full_name", "created_at", "is_active", "role") VALUES (301, 'd@example.test', 'pbkdf2', 'D', '2024-01-01T00:00:00+00:00'::timestamptz, true, 'x') RETURNING "users"."id";
-- django delete
DELETE FROM "notes" WHERE "notes"."id" IN (1, 2);
-- django select for update
SELECT "orders"."id", "orders"."status" FROM "orders" WHERE "orders"."id" = 1 LIMIT 21 FOR UPDATE;
-- django subquery outerref
SELECT "customers"."id", (SELECT U0."amount" FROM "orders" U0 WHERE U0."customer_id" = ("customers"."id") ORDER BY U0."placed_at" DESC LIMIT 1) AS "last" FROM "customers" ORDER BY 1;
-- django json key transform
SELECT "customers"."id" FROM "customers" WHERE ("customers"."profile" -> 'tier') = '"gold"'::jsonb ORDER BY 1;
-- django json key text
SELECT "customers"."id", ("customers"."profile" #>> '{address,city}') AS "city" FROM "customers" WHERE ("customers"."profile" #>> '{address,city}') = 'Berlin';
-- django union of querysets
(SELECT "users"."id" AS "col1" FROM "users" WHERE "users"."role" = 'staff') UNION (SELECT "customers"."user_id" AS "col1" FROM "customers") ORDER BY (1) ASC;
-- django constraints introspection
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'users' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1;
-- django index introspection
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname as indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END as ordering, c2.reloptions as attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'users' AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions ORDER BY 1;
-- django sequences
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'users' ORDER BY 1;
-- activerecord load
SELECT "users".* FROM "users" WHERE "users"."id" = $1 LIMIT $2;
--$ 3 | 1
-- activerecord pluck
SELECT "users"."id", "users"."full_name" FROM "users" ORDER BY "users"."created_at" DESC LIMIT $1;
--$ 5
-- activerecord includes
SELECT "customers".* FROM "customers" WHERE "customers"."user_id" IN ($1, $2) ORDER BY "customers"."id";
--$ 1 | 2
-- activerecord eager_load alias
SELECT "users"."id" AS t0_r0, "users"."email" AS t0_r1, "users"."password" AS t0_r2, "users"."full_name" AS t0_r3, "customers"."id" AS t1_r0, "customers"."name" AS t1_r1, "customers"."ssn" AS t1_r2 FROM "users" LEFT OUTER JOIN "customers" ON "customers"."user_id" = "users"."id" WHERE "users"."is_active" = $1 ORDER BY t0_r0;
--$ t
-- activerecord exists
SELECT 1 AS one FROM "users" WHERE "users"."full_name" = $1 LIMIT $2;
--$ Ada Lovelace | 1
-- activerecord uniqueness validation on email [refused=deny]
SELECT 1 AS one FROM "users" WHERE "users"."email" = $1 LIMIT $2;
--$ a@b.c | 1
-- activerecord find_by email [refused=deny]
SELECT "users".* FROM "users" WHERE "users"."email" = $1 LIMIT $2;
--$ a@b.c | 1
-- activerecord touch
UPDATE "orders" SET "placed_at" = $1 WHERE "orders"."id" = $2;
--$ 2024-07-01 00:00:00 | 3
-- activerecord column definitions
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
-- activerecord type map
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'numeric', 'bool') OR t.typtype IN ('r', 'e', 'd') OR t.typinput = 'array_in(cstring,oid,integer)'::regprocedure OR t.typelem != 0 ORDER BY t.oid;
-- activerecord schema migrations
CREATE TABLE "schema_migrations" ("version" character varying NOT NULL PRIMARY KEY);
SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;
INSERT INTO "schema_migrations" (version) VALUES ('20240101000000');
-- activerecord advisory lock
SELECT pg_try_advisory_lock(3735928559);
SELECT pg_advisory_unlock(3735928559);
-- hibernate by id
select u1_0.id,u1_0.created_at,u1_0.email,u1_0.full_name,u1_0.is_active,u1_0.password from users u1_0 where u1_0.id=$1;
--$ 2
-- hibernate join fetch
select c1_0.id,c1_0.name,u1_0.id,u1_0.email,u1_0.full_name from customers c1_0 left join users u1_0 on u1_0.id=c1_0.user_id where c1_0.country=$1 order by c1_0.id offset $2 rows fetch first $3 rows only;
--$ DE | 0 | 10
-- hibernate sequence
select nextval('users_id_seq') > 0;
-- hibernate batch fetch array
select o1_0.customer_id,o1_0.id,o1_0.amount from orders o1_0 where o1_0.customer_id = any ($1::int4[]) order by o1_0.id;
--$ {1,2}
-- hibernate unique email [refused=deny]
select u1_0.id from users u1_0 where u1_0.email=$1 fetch first 1 rows only;
--$ a@b.c
-- hibernate enum and count distinct
select count(distinct o1_0.customer_id) from orders o1_0 where o1_0.status in ('new','paid');
-- prisma findMany
SELECT "public"."users"."id", "public"."users"."email", "public"."users"."password", "public"."users"."full_name", "public"."users"."role"::text FROM "public"."users" WHERE ("public"."users"."is_active" = $1 AND "public"."users"."id" > $2) ORDER BY "public"."users"."id" ASC LIMIT $3 OFFSET $4;
--$ t | 2 | 5 | 0
-- prisma findUnique by email [refused=deny]
SELECT "public"."users"."id", "public"."users"."full_name" FROM "public"."users" WHERE ("public"."users"."email" = $1 AND 1=1) LIMIT $2 OFFSET $3;
--$ a@b.c | 1 | 0
-- prisma create
INSERT INTO "public"."users" ("id","email","password","full_name","created_at","is_active","role") VALUES ($1,$2,$3,$4,$5,$6,$7) RETURNING "public"."users"."id";
--$ 302 | p@example.test | h | P | 2024-01-01 00:00:00 | t | m
-- prisma update
UPDATE "public"."users" SET "password" = $1 WHERE ("public"."users"."id" = $2 AND 1=1) RETURNING "public"."users"."id", "public"."users"."full_name";
--$ h2 | 3
-- prisma upsert native [refused=deny]
INSERT INTO "public"."users" ("id","email","password","full_name") VALUES ($1,$2,$3,$4) ON CONFLICT ("email") DO UPDATE SET "password" = $5 WHERE ("public"."users"."email" = $6 AND 1=1) RETURNING "public"."users"."id";
--$ 303 | pu@example.test | h | P | h2 | pu@example.test
-- prisma groupBy
SELECT COUNT(*), "public"."customers"."country" FROM "public"."customers" WHERE 1=1 GROUP BY "public"."customers"."country" HAVING COUNT(*) > $1 ORDER BY "public"."customers"."country" ASC OFFSET $2;
--$ 0 | 0
-- prisma relation json (relationJoins)
SELECT "t1"."id", "t1"."name", "U1"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'amount', "t2"."amount") AS "__prisma_data__", "t2"."customer_id" FROM "public"."orders" AS "t2" WHERE "t1"."id" = "t2"."customer_id" ORDER BY "t2"."id") AS "t3") AS "t4") AS "U1" ON TRUE ORDER BY "t1"."id";
-- prisma relation json of users [masks=user]
SELECT "t1"."id", "U1"."__prisma_data__" AS "user" FROM "public"."customers" AS "t1" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'email', "t2"."email") AS "__prisma_data__" FROM "public"."users" AS "t2" WHERE "t1"."user_id" = "t2"."id" LIMIT 1) AS "U1" ON TRUE ORDER BY "t1"."id";
-- drizzle relational query
select "users"."id", "users"."full_name", "users_customers"."data" as "customers" from "users" left join lateral (select coalesce(json_agg(json_build_array("users_customers"."id", "users_customers"."name")), '[]'::json) as "data" from "customers" "users_customers" where "users_customers"."user_id" = "users"."id") "users_customers" on true order by "users"."id";
-- drizzle insert returning
insert into "users" ("id", "email", "password", "api_key", "full_name", "created_at", "is_active", "role") values ($1, $2, $3, default, $4, default, default, default) returning "id", "full_name";
--$ 304 | dz@example.test | h | Dz
-- typeorm find
SELECT "User"."id" AS "User_id", "User"."email" AS "User_email", "User"."full_name" AS "User_full_name", "User__customers"."id" AS "User__customers_id" FROM "users" "User" LEFT JOIN "customers" "User__customers" ON "User__customers"."user_id"="User"."id" WHERE ("User"."id" = $1);
--$ 2
-- typeorm pagination distinct
SELECT DISTINCT "distinctAlias"."User_id" AS "ids_User_id" FROM (SELECT "User"."id" AS "User_id", "User"."email" AS "User_email", "User"."full_name" AS "User_full_name" FROM "users" "User" LEFT JOIN "customers" "c" ON "c"."user_id"="User"."id") "distinctAlias" ORDER BY "User_id" ASC LIMIT 10;
-- typeorm getManyAndCount
SELECT COUNT(DISTINCT("User"."id")) AS "cnt" FROM "users" "User" WHERE "User"."role" = $1;
--$ member
-- typeorm version and schema
SELECT * FROM current_schema();
SELECT version();
-- gorm first
SELECT * FROM "users" WHERE "users"."id" = $1 ORDER BY "users"."id" LIMIT $2;
--$ 1 | 1
-- gorm preload
SELECT * FROM "orders" WHERE "orders"."customer_id" IN ($1,$2,$3) ORDER BY id;
--$ 1 | 2 | 3
-- gorm migrator has table
SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA() AND table_name = 'users' AND table_type = 'BASE TABLE';
-- gorm migrator columns
SELECT c.column_name, c.is_nullable = 'YES', c.udt_name, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale, c.datetime_precision, 8 * typlen, c.column_default, pd.description, c.identity_increment FROM information_schema.columns AS c JOIN pg_type AS pgt ON c.udt_name = pgt.typname LEFT JOIN pg_catalog.pg_description as pd ON pd.objsubid = c.ordinal_position AND pd.objoid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = c.table_name AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = c.table_schema)) where table_catalog = CURRENT_DATABASE() AND table_schema = CURRENT_SCHEMA() AND table_name = 'users' ORDER BY c.ordinal_position;
-- ecto preload join
SELECT u0."id", u0."email", u0."full_name", c1."id", c1."name" FROM "users" AS u0 INNER JOIN "customers" AS c1 ON c1."user_id" = u0."id" WHERE (u0."is_active") ORDER BY u0."id";
-- ecto types bootstrap
SELECT t.oid, t.typname, t.typsend, t.typreceive, t.typoutput, t.typinput, coalesce(d.typelem, t.typelem), coalesce(r.rngsubtype, 0), ARRAY (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) FROM pg_type AS t LEFT JOIN pg_type AS d ON t.typbasetype = d.oid LEFT JOIN pg_range AS r ON r.rngtypid = t.oid OR (t.typbasetype <> 0 AND r.rngtypid = t.typbasetype) WHERE (t.typrelid = 0) AND (t.typelem = 0 OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type s WHERE s.typrelid != 0 AND s.oid = t.typelem)) ORDER BY t.oid;
-- ecto oban fetch
UPDATE "public"."notes" AS o0 SET "n" = o0."n" + $1 FROM (SELECT so0."id" FROM "public"."notes" AS so0 WHERE (so0."n" = $2) ORDER BY so0."n", so0."id" LIMIT $3 FOR UPDATE SKIP LOCKED) AS f1 WHERE (o0."id" = f1."id") RETURNING o0."id", o0."body", o0."n";
--$ 1 | 1 | 5
-- npgsql types
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind, CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype FROM (SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid, CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype, CASE WHEN proc.proname='array_recv' THEN typ.typelem WHEN typ.typtype='r' THEN rngsubtype WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid) WHEN typ.typtype='d' THEN typ.typbasetype END AS elemtypoid FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid) LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace) WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind='c') OR (typtype = 'p' AND typname IN ('record', 'void')) ORDER BY t.oid;
-- jdbc getTables
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM' ELSE CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END END AS TABLE_TYPE, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relname LIKE 'users' ORDER BY 2,3;
-- jdbc primary keys
SELECT result.TABLE_CAT, result.TABLE_SCHEM, result.TABLE_NAME, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME FROM (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME, information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON ( a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND ct.relname = 'users' AND i.indisprimary ) result where result.A_ATTNUM = (result.KEYS).x ORDER BY result.table_name, result.pk_name, result.key_seq;
-- jdbc imported keys
SELECT NULL::text AS PKTABLE_CAT, pkn.nspname AS PKTABLE_SCHEM, pkc.relname AS PKTABLE_NAME, pka.attname AS PKCOLUMN_NAME, fkc.relname AS FKTABLE_NAME, fka.attname AS FKCOLUMN_NAME, pos.n AS KEY_SEQ, con.conname AS FK_NAME FROM pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_namespace fkn, pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n), pg_catalog.pg_class pkic WHERE pkn.oid = pkc.relnamespace AND pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid AND fkn.oid = fkc.relnamespace AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid AND con.contype = 'f' AND (pkic.relkind = 'i' OR pkic.relkind = 'I') AND pkic.oid = con.conindid AND fkc.relname = 'customers' ORDER BY pkn.nspname,pkc.relname, con.conname,pos.n;
-- pgx type lookup
select oid from pg_type where typname = 'order_status';
-- sqlx describe-ish
SELECT n.nspname AS schema, t.typname AS name, array(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' ORDER BY 2;
-- sqlx null inference
SELECT NOT pg_attribute.attnotnull FROM (VALUES (0::int4, 'users'::regclass::int8::int4, 1::int2)) AS col(idx, table_id, col_idx) LEFT JOIN pg_catalog.pg_attribute ON table_id IS NOT NULL AND attrelid = table_id AND attnum = col_idx ORDER BY col.idx;
-- knex columnInfo
select * from information_schema.columns where table_name = 'users' and table_schema = 'public' order by ordinal_position;
-- sequelize
SELECT "id", "email", "full_name" AS "fullName" FROM "users" AS "User" WHERE "User"."id" = 1 LIMIT 1;
-- sequelize findAndCountAll
SELECT count("User"."id") AS "count" FROM "users" AS "User" LEFT OUTER JOIN "customers" AS "c" ON "User"."id" = "c"."user_id" WHERE "User"."is_active" = true;
-- eloquent paginate
select count(*) as aggregate from "users" where "is_active" = true;
-- eloquent whereHas
select "id", "full_name" from "users" where exists (select * from "customers" where "users"."id" = "customers"."user_id" and "country" = 'DE') order by "id";
-- eloquent withCount
select "users".*, (select count(*) from "customers" where "users"."id" = "customers"."user_id") as "customers_count" from "users" order by "users"."id";
-- eloquent chunk by id
select * from "users" where "id" > 5 order by "id" asc limit 3;
-- doctrine
SELECT u0_.id AS id_0, u0_.email AS email_1, u0_.full_name AS full_name_2, (SELECT COUNT(c1_.id) AS sclr_4 FROM customers c1_ WHERE c1_.user_id = u0_.id) AS sclr_3 FROM users u0_ WHERE u0_.role = 'staff' ORDER BY u0_.id ASC;
-- peewee
SELECT "t1"."id", "t1"."email", "t1"."full_name" FROM "users" AS "t1" WHERE ("t1"."id" IN (SELECT "t2"."user_id" FROM "customers" AS "t2")) ORDER BY "t1"."id";
-- jooq derived multiset
select u.id, (select coalesce(jsonb_agg(jsonb_build_array(v0, v1)), jsonb_build_array()) from (select c.id as v0, c.name as v1 from customers c where c.user_id = u.id) as t) as cs from users u order by u.id;
-- efcore
SELECT u."id", u."email", u."full_name", c."id", c."name" FROM "users" AS u LEFT JOIN (SELECT c0."id", c0."name", c0."user_id" FROM "customers" AS c0 WHERE c0."country" = 'DE') AS c ON u."id" = c."user_id" ORDER BY u."id";
-- efcore lower contains on name
SELECT count(*)::int FROM "users" AS u WHERE lower(u."full_name") LIKE '%ada%';
-- efcore split query exists
SELECT u."id" FROM users AS u WHERE (SELECT count(*)::int FROM customers AS c WHERE u."id" = c."user_id") > 0 ORDER BY u."id" LIMIT 3;
