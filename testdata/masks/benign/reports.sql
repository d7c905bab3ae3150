-- filter clause pivot
SELECT customer_id, count(*) FILTER (WHERE status = 'new') AS n_new, count(*) FILTER (WHERE status = 'paid') AS n_paid, sum(amount) FILTER (WHERE status = 'shipped') AS s FROM orders GROUP BY customer_id ORDER BY customer_id;
-- date trunc report
SELECT date_trunc('month', placed_at) AS m, count(*), sum(amount), avg(amount)::numeric(10,2), min(amount), max(amount) FROM orders GROUP BY 1 ORDER BY 1;
-- calendar left join
SELECT d::date AS day, count(o.id) AS n FROM generate_series('2024-01-01'::date, '2024-01-31'::date, interval '1 day') d LEFT JOIN orders o ON o.placed_at::date = d::date GROUP BY d ORDER BY d;
-- group by pk only with protected column output
SELECT u.id, u.full_name, count(c.id) FROM users u LEFT JOIN customers c ON c.user_id = u.id GROUP BY u.id ORDER BY u.id;
-- running total window
SELECT id, amount, sum(amount) OVER (PARTITION BY customer_id ORDER BY placed_at, id) AS running FROM orders ORDER BY id;
-- rank in window over join
SELECT c.name, o.id, rank() OVER (PARTITION BY c.id ORDER BY o.amount DESC) AS r FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY c.name, r, o.id;
-- named windows
SELECT id, lag(amount) OVER w, lead(amount) OVER w, first_value(id) OVER w, ntile(4) OVER w FROM orders WINDOW w AS (ORDER BY placed_at, id) ORDER BY id;
-- percentile
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), percentile_disc(0.9) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY status) FROM orders;
-- rollup
SELECT c.country, o.status, count(*), sum(o.amount) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY ROLLUP (c.country, o.status) ORDER BY c.country NULLS LAST, o.status NULLS LAST;
-- cube over customers [refused]
SELECT country, (profile->>'tier') AS tier, count(*) FROM customers GROUP BY CUBE (country, profile->>'tier') ORDER BY 1,2;
-- recursive employees
WITH RECURSIVE t AS (SELECT id, manager_id, title, 1 AS depth, ARRAY[id] AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id, e.title, t.depth + 1, t.path || e.id FROM employees e JOIN t ON e.manager_id = t.id) SELECT * FROM t ORDER BY path;
-- cte chain
WITH big AS (SELECT customer_id, sum(amount) AS total FROM orders GROUP BY 1 HAVING sum(amount) > 100), named AS (SELECT c.id, c.name, c.country, b.total FROM big b JOIN customers c ON c.id = b.customer_id) SELECT country, count(*), max(total) FROM named GROUP BY country ORDER BY country;
-- materialized cte with users
WITH a AS MATERIALIZED (SELECT id, full_name, role FROM users WHERE is_active) SELECT role, count(*), string_agg(full_name, ', ' ORDER BY full_name) FROM a GROUP BY role ORDER BY role;
-- cte with star of protected table, select free
WITH u AS (SELECT * FROM users) SELECT id, full_name, created_at::date FROM u ORDER BY id;
-- subselect star
SELECT id, full_name FROM (SELECT * FROM users WHERE id < 5) s ORDER BY id;
-- lateral top 2
SELECT c.id, c.name, t.id AS order_id, t.amount FROM customers c LEFT JOIN LATERAL (SELECT o.id, o.amount FROM orders o WHERE o.customer_id = c.id ORDER BY o.amount DESC, o.id LIMIT 2) t ON true ORDER BY c.id, t.amount DESC;
-- lateral over users
SELECT u.id, x.n FROM users u, LATERAL (SELECT count(*) AS n FROM login_events e WHERE e.user_id = u.id) x ORDER BY u.id;
-- json agg of free columns
SELECT c.id, json_agg(json_build_object('id', o.id, 'amount', o.amount) ORDER BY o.id) AS orders FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY c.id;
-- jsonb_object_agg
SELECT jsonb_object_agg(sku, price ORDER BY id) FROM products;
-- array_agg users names
SELECT role, array_agg(full_name ORDER BY id) FROM users GROUP BY role ORDER BY role;
-- count star of protected tables
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM customers), (SELECT count(*) FROM payments), (SELECT count(*) FROM sessions);
-- count protected
SELECT count(email), count(api_key), count(*) FROM users;
-- count distinct protected [refused=deny]
SELECT count(DISTINCT email) FROM users;
-- null test protected [refused=deny]
SELECT id, full_name FROM users WHERE api_key IS NULL ORDER BY id;
-- case when null output
SELECT id, CASE WHEN is_active THEN 'yes' ELSE 'no' END AS active FROM users ORDER BY id;
-- text search free column
SELECT id, name FROM customers WHERE search @@ plainto_tsquery('simple', 'Berlin') ORDER BY id;
-- text search ranking
SELECT id, name, ts_rank(search, q) AS r FROM customers, to_tsquery('simple', 'note & delivery') q WHERE search @@ q ORDER BY r DESC, id LIMIT 5;
-- ts_headline
SELECT id, ts_headline('simple', notes, to_tsquery('simple','Lyon')) FROM customers WHERE notes IS NOT NULL ORDER BY id LIMIT 3;
-- like on free column
SELECT id, full_name FROM users WHERE full_name LIKE 'A%' OR full_name ILIKE '%hopper%' ORDER BY id;
-- regexp
SELECT id, regexp_replace(full_name, '(\w+) (\w+)', '\2, \1') FROM users WHERE full_name ~ '^[A-D]' ORDER BY id;
-- between dates on users
SELECT id, full_name FROM users WHERE created_at BETWEEN '2024-01-02' AND '2024-01-08' ORDER BY created_at;
-- extract and age
SELECT id, extract(dow FROM created_at), extract(epoch FROM created_at)::bigint, age('2024-06-01'::timestamptz, created_at) FROM users ORDER BY id;
-- in subselect from protected table by free columns
SELECT name FROM customers WHERE user_id IN (SELECT id FROM users WHERE role = 'staff') ORDER BY name;
-- exists
SELECT u.id FROM users u WHERE EXISTS (SELECT 1 FROM customers c WHERE c.user_id = u.id AND c.country = 'DE') ORDER BY 1;
-- not exists anti join
SELECT u.id, u.full_name FROM users u WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.user_id = u.id) ORDER BY 1;
-- scalar subquery in select
SELECT u.id, (SELECT max(e.day) FROM login_events e WHERE e.user_id = u.id) AS last FROM users u ORDER BY u.id;
-- union all over protected tables, free columns
SELECT 'u' AS k, id, full_name AS n FROM users UNION ALL SELECT 'c', id, name FROM customers ORDER BY k, id;
-- union distinct
SELECT country FROM customers UNION SELECT 'XX' ORDER BY 1;
-- except intersect
SELECT id FROM users EXCEPT SELECT user_id FROM customers ORDER BY 1;
SELECT id FROM users INTERSECT SELECT user_id FROM customers ORDER BY 1;
-- distinct free columns of protected table
SELECT DISTINCT role, is_active FROM users ORDER BY 1, 2;
-- distinct on
SELECT DISTINCT ON (user_id) user_id, day, ok FROM login_events ORDER BY user_id, day DESC;
-- partitioned report
SELECT date_trunc('quarter', day::timestamp) AS q, count(*) FILTER (WHERE ok) AS ok, count(*) FILTER (WHERE NOT ok) AS bad FROM login_events GROUP BY 1 ORDER BY 1;
-- order by ordinal and limit offset
SELECT id, name, country FROM customers ORDER BY 3, 2 LIMIT 4 OFFSET 2;
-- fetch first with ties
SELECT id, amount FROM orders ORDER BY amount DESC FETCH FIRST 3 ROWS WITH TIES;
-- tablesample
SELECT count(*) >= 0 FROM orders TABLESAMPLE system (100);
-- payments by order
SELECT o.id, o.amount, sum(p.amount) AS paid, bool_and(p.captured) FROM orders o JOIN payments p ON p.order_id = o.id GROUP BY o.id ORDER BY o.id;
-- payments with protected column listed
SELECT p.id, p.order_id, p.card_token, p.account_no, p.amount FROM payments p WHERE p.captured ORDER BY p.id;
-- sessions
SELECT user_id, ip, expires_at FROM sessions WHERE expires_at > '2030-01-03' ORDER BY user_id;
-- host of inet
SELECT user_id, host(ip), family(ip), ip << '10.0.0.0/8' AS intern FROM sessions ORDER BY 1;
-- sessions star
SELECT * FROM sessions ORDER BY user_id;
-- vault owner
SELECT id, owner FROM vault WHERE owner LIKE 'team-%' ORDER BY id;
-- vault star
SELECT * FROM vault ORDER BY id;
-- service account name
SELECT name FROM service_accounts WHERE id = ANY ('{1,2}'::int[]) ORDER BY 1;
-- profile path free
SELECT id, profile->>'tier' AS tier, profile->'address'->>'city' AS city, profile #>> '{prefs,lang}' AS lang FROM customers ORDER BY id;
-- profile filter tier
SELECT id FROM customers WHERE profile->>'tier' = 'gold' ORDER BY id;
-- profile containment
SELECT id FROM customers WHERE profile @> '{"tier":"gold"}' ORDER BY id;
-- profile key exists
SELECT id FROM customers WHERE profile ? 'tier' ORDER BY id;
-- group by profile tier [refused]
SELECT profile->>'tier' AS tier, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC, 1;
-- order by city [refused]
SELECT id, profile->'address'->>'city' AS city FROM customers ORDER BY profile->'address'->>'city', id;
-- profile whole
SELECT id, profile FROM customers ORDER BY id;
-- jsonb_object_keys
SELECT DISTINCT k FROM customers, jsonb_object_keys(profile) k ORDER BY 1;
-- jsonb zip to int
SELECT id, (profile->'address'->>'zip')::int AS zip FROM customers WHERE (profile->'address'->>'zip')::int > 10100 ORDER BY zip;
-- jsonb_path_query city
SELECT id, jsonb_path_query_first(profile, '$.address.city') FROM customers ORDER BY id;
-- jsonb_extract_path_text
SELECT id, jsonb_extract_path_text(profile, 'address', 'zip') FROM customers ORDER BY id;
-- jsonb subscripting
SELECT id, profile['address']['city'] FROM customers ORDER BY id;
-- audit log free columns
SELECT actor, action, count(*) FROM audit_log GROUP BY 1, 2 ORDER BY 1;
-- audit row id
SELECT id, row_data->>'id' AS rid FROM audit_log ORDER BY id;
-- audit filter by id in json
SELECT id FROM audit_log WHERE (row_data->>'id')::int = 2;
-- audit filter by id text
SELECT id, actor FROM audit_log WHERE row_data->>'id' = '2';
-- audit containment
SELECT id FROM audit_log WHERE row_data @> '{"id": 2}';
-- legacy names
SELECT l.id, l.full_name, u.full_name FROM legacy.users l JOIN users u ON u.id = l.id ORDER BY l.id;
-- demo users free
SELECT * FROM demo.users ORDER BY id;
-- demo users filter on its own email
SELECT id, email FROM demo.users WHERE email LIKE 'demo%' AND length(password) > 3 ORDER BY email;
-- view free
SELECT * FROM order_totals ORDER BY customer_id;
-- view user_directory
SELECT id, full_name FROM user_directory WHERE id < 5 ORDER BY id;
-- view active_users
SELECT id, full_name FROM active_users ORDER BY full_name;
-- view report
SELECT label, sum(amount) FROM reporting.customer_report GROUP BY label ORDER BY label;
-- matview free
SELECT id, full_name FROM user_cache ORDER BY id;
-- function free
SELECT id, order_count(id) FROM customers ORDER BY id;
-- function get_users free columns
SELECT id, full_name, role FROM get_users() ORDER BY id;
-- function find_user
SELECT uid, display FROM find_user(3);
-- cross tab with tablefunc
SELECT * FROM crosstab('SELECT customer_id, status::text, count(*)::int FROM orders GROUP BY 1,2 ORDER BY 1,2', 'SELECT unnest(enum_range(NULL::order_status))::text') AS ct(customer int, n int, p int, s int, c int) ORDER BY 1;
-- array functions of products
SELECT id, tags, array_length(tags, 1), tags[1], 't1' = ANY(tags) FROM products ORDER BY id;
-- unnest tags
SELECT tag, count(*) FROM products, unnest(tags) AS tag GROUP BY tag ORDER BY tag;
-- unnest with ordinality
SELECT p.id, t.tag, t.ord FROM products p, unnest(p.tags) WITH ORDINALITY AS t(tag, ord) ORDER BY 1, 3;
-- array overlap
SELECT id FROM products WHERE tags && ARRAY['t1','t2'] ORDER BY id;
-- cosine by hand on embeddings
SELECT p.id, (SELECT sum(a.v * b.v) FROM unnest(p.embedding) WITH ORDINALITY a(v,i) JOIN unnest(ARRAY[0.1,0.2,0.3,0.4]::float8[]) WITH ORDINALITY b(v,i) USING (i)) AS dot FROM products p ORDER BY 2 DESC LIMIT 3;
-- trigram
SELECT title, similarity(title, 'Product 2') AS s FROM products ORDER BY s DESC, title LIMIT 3;
-- trigram on user names
SELECT full_name FROM users WHERE full_name % 'Ada Lovelace' ORDER BY similarity(full_name, 'Ada Lovelace') DESC;
-- trigram distance order
SELECT full_name FROM users ORDER BY full_name <-> 'Grace Hopper', id LIMIT 2;
-- hstore literals
SELECT 'a=>1,b=>2'::hstore -> 'a', akeys('a=>1,b=>2'::hstore), hstore('x', 'y')::text;
-- pgcrypto on free
SELECT encode(digest('abc', 'sha256'), 'hex'), length(gen_random_uuid()::text);
-- crypt compare
SELECT crypt('pw', '$2a$06$abcdefghijklmnopqrstuu') = crypt('pw', '$2a$06$abcdefghijklmnopqrstuu');
-- generate numbers
SELECT n, n * n AS sq FROM generate_series(1, 5) AS t(n);
-- values join
SELECT o.id, v.label FROM orders o JOIN (VALUES ('new', 'Neu'), ('paid', 'Bezahlt')) AS v(s, label) ON v.s = o.status::text ORDER BY o.id LIMIT 5;
-- values join on users id
SELECT u.id, u.full_name, v.w FROM users u JOIN (VALUES (1, 'a'), (2, 'b')) v(id, w) USING (id) ORDER BY 1;
-- natural join free
SELECT * FROM (SELECT id, name FROM customers) a NATURAL JOIN (SELECT id, country FROM customers) b ORDER BY id;
-- using join
SELECT id, full_name, pw_len FROM users JOIN (SELECT id, 1 AS pw_len FROM legacy.users) l USING (id) ORDER BY id;
-- full join
SELECT coalesce(a.id, b.id) AS id, a.title, b.sku FROM employees a FULL JOIN products b ON a.id = b.id ORDER BY 1;
-- self join users by role
SELECT a.id, b.id FROM users a JOIN users b ON a.role = b.role AND a.id < b.id WHERE a.role = 'staff';
-- cohort
WITH first AS (SELECT customer_id, min(date_trunc('month', placed_at)) AS cohort FROM orders GROUP BY 1) SELECT cohort::date, date_trunc('month', o.placed_at)::date AS m, count(DISTINCT o.customer_id) FROM orders o JOIN first f USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2;
-- moving average
SELECT placed_at::date, avg(amount) OVER (ORDER BY placed_at, id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)::numeric(10,3) FROM orders ORDER BY placed_at, id;
-- range frame interval
SELECT id, count(*) OVER (ORDER BY placed_at RANGE BETWEEN interval '30 days' PRECEDING AND CURRENT ROW) FROM orders ORDER BY placed_at, id;
-- histogram
SELECT width_bucket(amount, 0, 150, 5) AS b, count(*), min(amount), max(amount) FROM orders GROUP BY b ORDER BY b;
-- statistics
SELECT stddev(amount)::numeric(12,4), variance(amount)::numeric(12,4), corr(amount, id)::numeric(6,4), regr_slope(amount, id)::numeric(8,4) FROM orders;
-- stats of free columns of payments
SELECT captured, count(*), sum(amount), avg(amount)::numeric(10,2) FROM payments GROUP BY captured ORDER BY captured;
-- having with count
SELECT country, count(*) FROM customers GROUP BY country HAVING count(*) >= 1 ORDER BY country;
-- having count of protected
SELECT country, count(ssn) AS with_ssn FROM customers GROUP BY country ORDER BY country;
-- grouping by expression
SELECT upper(left(full_name, 1)) AS i, count(*) FROM users GROUP BY upper(left(full_name, 1)) ORDER BY 1;
-- coalesce nullif free
SELECT id, coalesce(note, 'none'), nullif(note, 'order note 2') FROM orders ORDER BY id LIMIT 5;
-- greatest least
SELECT id, greatest(amount, 50), least(amount, 50) FROM orders ORDER BY id LIMIT 5;
-- format/to_char
SELECT to_char(placed_at, 'YYYY-MM-DD HH24:MI'), to_char(amount, 'FM999G990D00'), format('%s-%s', id, status) FROM orders ORDER BY id LIMIT 5;
-- at time zone
SELECT id, created_at AT TIME ZONE 'UTC', (created_at AT TIME ZONE 'America/New_York')::date FROM users ORDER BY id LIMIT 3;
-- bool aggregates on users
SELECT role, bool_or(is_active), every(is_active) FROM users GROUP BY role ORDER BY role;
-- protected length shown masked [masks=l]
SELECT id, length(password) AS l FROM users ORDER BY id;
-- masked email with domain computed [masks=d]
SELECT id, split_part(email, '@', 2) AS d FROM users ORDER BY id;
-- concat of free and protected [masks=who]
SELECT id, full_name || ' <' || email || '>' AS who FROM users ORDER BY id;
-- row_to_json of protected
SELECT row_to_json(u) FROM users u ORDER BY id;
-- string_agg protected
SELECT string_agg(email, ',') FROM users;
-- max of protected
SELECT max(email) FROM users;
-- group by protected email [refused=deny]
SELECT email, count(*) FROM users GROUP BY email ORDER BY count(*), min(id);
-- email equality [refused=deny]
SELECT id, full_name FROM users WHERE email = 'nobody@example.test';
-- email equality param [refused=deny]
SELECT id, full_name, email FROM users WHERE email = $1;
--$ nobody@example.test
-- email in list [refused=deny]
SELECT id FROM users WHERE email IN ('a@b.c', 'd@e.f');
-- email any array [refused=deny]
SELECT id FROM users WHERE email = ANY ($1);
--$ {a@b.c,d@e.f}
-- email any cast array [refused=deny]
SELECT id FROM users WHERE email = ANY ($1::text[]);
--$ {a@b.c,d@e.f}
-- join on email [refused=deny]
SELECT u.id, d.id FROM users u JOIN demo.users d ON d.email = u.email;
-- join on directory contact [refused=deny]
SELECT u.id, d.full_name FROM users u JOIN user_directory d ON d.contact = u.email ORDER BY u.id;
-- session by token [refused=deny]
SELECT user_id, expires_at FROM sessions WHERE token = $1 AND expires_at > now();
--$ nothere
-- session join user by token [refused=deny]
SELECT u.id, u.full_name FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token = $1 LIMIT 1;
--$ nothere
-- email and password check [refused=deny]
SELECT id FROM users WHERE email = $1 AND password = $2 AND is_active;
--$ a@b.c | secret
-- api key lookup [refused=deny]
SELECT id, role FROM users WHERE api_key = $1 LIMIT 1;
--$ key
-- email exists check [refused=deny]
SELECT EXISTS (SELECT 1 FROM users WHERE email = $1);
--$ a@b.c
-- count by email [refused=deny]
SELECT count(*) FROM users WHERE email = $1;
--$ a@b.c
-- email <> and is not null [refused=deny]
SELECT count(*) FROM users WHERE email <> 'a@b.c' AND api_key IS NOT NULL;
-- ssn is distinct [refused=deny]
SELECT id FROM customers WHERE ssn IS DISTINCT FROM '123' ORDER BY id;
-- device uuid eq [refused=deny]
SELECT user_id FROM sessions WHERE device_id = '00000000-0000-0000-0000-000000000000'::uuid;
-- account number eq [refused=deny]
SELECT id FROM payments WHERE account_no = 12345;
-- account number eq param [refused=deny]
SELECT id FROM payments WHERE account_no = $1;
--$ 12345
-- mfa seed eq [refused=deny]
SELECT id FROM admin_users WHERE mfa_seed = 'x';
