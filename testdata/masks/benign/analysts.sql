-- top customers by share of revenue
WITH r AS (SELECT c.id, c.name, sum(o.amount) AS total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status <> 'cancelled' GROUP BY c.id, c.name) SELECT name, total, round(100 * total / sum(total) OVER (), 2) AS share, sum(total) OVER (ORDER BY total DESC, id ROWS UNBOUNDED PRECEDING) AS running FROM r ORDER BY total DESC, id;
-- pareto
SELECT name, cume_dist() OVER (ORDER BY total DESC), percent_rank() OVER (ORDER BY total DESC) FROM (SELECT c.name, sum(o.amount) AS total FROM customers c JOIN orders o ON c.id = o.customer_id GROUP BY c.name) t ORDER BY 2, 1;
-- retention by month
WITH first AS (SELECT customer_id, date_trunc('month', min(placed_at)) AS m0 FROM orders GROUP BY 1), act AS (SELECT DISTINCT customer_id, date_trunc('month', placed_at) AS m FROM orders) SELECT f.m0::date, extract(month FROM age(a.m, f.m0))::int AS k, count(*) FROM first f JOIN act a USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2;
-- gaps and islands
SELECT status, min(id), max(id), count(*) FROM (SELECT id, status, id - row_number() OVER (PARTITION BY status ORDER BY id) AS grp FROM orders) s GROUP BY status, grp ORDER BY 1, 2;
-- sessions of logins
SELECT user_id, day, day - lag(day) OVER (PARTITION BY user_id ORDER BY day, id) AS gap, sum((NOT ok)::int) OVER (PARTITION BY user_id) AS bad FROM login_events ORDER BY user_id, day, id;
-- grouping sets over a join with a protected table
SELECT u.role, c.country, grouping(u.role, c.country) AS g, count(*), count(DISTINCT c.id) FROM users u LEFT JOIN customers c ON c.user_id = u.id GROUP BY GROUPING SETS ((u.role, c.country), (u.role), ()) ORDER BY 3, 1, 2;
-- cube with having
SELECT country, status, sum(amount) FROM orders JOIN customers ON customers.id = orders.customer_id GROUP BY CUBE (country, status) HAVING sum(amount) > 50 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST;
-- filter over a window
SELECT id, count(*) FILTER (WHERE "drop") OVER (ORDER BY id) AS dropped, avg(amount) OVER w::numeric(10,3) FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) ORDER BY id;
-- groups frame
SELECT id, status, count(*) OVER (ORDER BY status GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders ORDER BY status, id LIMIT 15;
-- nth value
SELECT DISTINCT customer_id, nth_value(amount, 2) OVER (PARTITION BY customer_id ORDER BY placed_at, id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM orders ORDER BY 1;
-- median by country
SELECT c.country, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country ORDER BY c.country;
-- pivot by case
SELECT date_trunc('quarter', placed_at)::date AS q, sum(CASE status WHEN 'paid' THEN amount ELSE 0 END) AS paid, sum(CASE WHEN status IN ('new', 'shipped') THEN amount END) AS open FROM orders GROUP BY 1 ORDER BY 1;
-- unpivot by values
SELECT o.id, v.k, v.v FROM orders o CROSS JOIN LATERAL (VALUES ('amount', o.amount::text), ('status', o.status::text), ('note', o.note)) v(k, v) WHERE o.id < 4 ORDER BY 1, 2;
-- unpivot by json
SELECT p.id, e.key, e.value FROM products p, jsonb_each_text(to_jsonb(p) - 'embedding') e WHERE p.id = 1 ORDER BY 2;
-- recursive dates
WITH RECURSIVE d(day) AS (SELECT '2024-01-01'::date UNION ALL SELECT day + 7 FROM d WHERE day < '2024-03-01') SELECT d.day, count(o.id), coalesce(sum(o.amount), 0) FROM d LEFT JOIN orders o ON o.placed_at >= d.day AND o.placed_at < d.day + 7 GROUP BY 1 ORDER BY 1;
-- recursive with search and cycle
WITH RECURSIVE t(id, manager_id, title) AS (SELECT id, manager_id, title FROM employees WHERE id = 1 UNION ALL SELECT e.id, e.manager_id, e.title FROM employees e, t WHERE e.manager_id = t.id) SEARCH DEPTH FIRST BY id SET ord CYCLE id SET looped USING path SELECT id, title, looped FROM t ORDER BY ord;
-- latest order of each customer by distinct on with join
SELECT DISTINCT ON (c.id) c.id, c.name, c.country, o.id AS last_order, o.placed_at FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY c.id, o.placed_at DESC NULLS LAST, o.id DESC;
-- latest by row_number
SELECT * FROM (SELECT o.*, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC, id DESC) AS rn FROM orders o) s WHERE rn = 1 ORDER BY customer_id;
-- row_number over a protected table, star outside
SELECT * FROM (SELECT u.*, row_number() OVER (PARTITION BY role ORDER BY created_at DESC, id) AS rn FROM users u) s WHERE rn <= 2 ORDER BY role, rn;
-- protected columns in a cte and a join of it
WITH u AS (SELECT id, email, full_name FROM users WHERE is_active) SELECT u.full_name, u.email, c.name, c.phone FROM u JOIN customers c ON c.user_id = u.id ORDER BY u.id;
-- protected columns under aliases through three levels
SELECT z.addr, z.who FROM (SELECT y.addr, y.who FROM (SELECT email AS addr, full_name AS who, id AS n FROM users) y WHERE y.n < 6) z ORDER BY z.who;
-- protected columns by column aliases of the table
SELECT a.c1, a.c2, a.c5 FROM public.users AS a(c1, c2, c3, c4, c5) ORDER BY a.c1;
-- protected columns of a union [masks=email]
SELECT id, full_name, email::text FROM users WHERE id < 3 UNION ALL SELECT id, full_name, email FROM demo.users WHERE id < 3 ORDER BY 2, 1;
-- two stars
SELECT u.*, c.* FROM users u JOIN customers c ON c.user_id = u.id ORDER BY u.id LIMIT 3;
-- star of join using
SELECT * FROM orders JOIN (SELECT order_id AS id, captured, card_token FROM payments) p USING (id) ORDER BY id LIMIT 5;
-- left join where protected is null-extended
SELECT c.id, p.card_token, p.amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.amount > 60 LEFT JOIN payments p ON p.order_id = o.id ORDER BY c.id, o.id;
-- scalar subquery of a protected column
SELECT o.id, (SELECT p.card_token FROM payments p WHERE p.order_id = o.id) AS card FROM orders o WHERE o.id < 22 ORDER BY o.id DESC LIMIT 5;
-- array of a protected column [masks=tokens]
SELECT u.id, ARRAY(SELECT s.token FROM sessions s WHERE s.user_id = u.id) AS tokens FROM users u WHERE u.id < 4 ORDER BY u.id;
-- case that gives a protected column or not [masks=mail]
SELECT id, CASE WHEN is_active THEN email ELSE 'inactive' END AS mail FROM users ORDER BY id;
-- coalesce of a protected column [masks=key]
SELECT id, coalesce(api_key, 'none') AS key FROM users ORDER BY id;
-- count of protected by filter of free
SELECT role, count(api_key), count(*) - count(api_key) AS without FROM users GROUP BY role ORDER BY role;
-- is a protected column there [masks=missing]
SELECT id, api_key IS NULL AS missing FROM users ORDER BY id;
-- full report with lateral aggregates
SELECT u.id, u.full_name, s.n, s.last, o.n AS orders, o.spent FROM users u LEFT JOIN LATERAL (SELECT count(*) AS n, max(day) AS last FROM login_events e WHERE e.user_id = u.id AND e.ok) s ON true LEFT JOIN LATERAL (SELECT count(*) AS n, sum(amount) AS spent FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.user_id = u.id) o ON true ORDER BY u.id;
-- anti join by except
SELECT id FROM users EXCEPT SELECT user_id FROM customers WHERE user_id IS NOT NULL ORDER BY 1;
-- intersect all
SELECT customer_id FROM orders WHERE amount > 30 INTERSECT ALL SELECT customer_id FROM orders WHERE amount < 90 ORDER BY 1;
-- correlated exists over partitions
SELECT u.id, u.full_name FROM users u WHERE EXISTS (SELECT FROM login_events e WHERE e.user_id = u.id AND NOT e.ok AND e.day BETWEEN '2024-01-01' AND '2024-12-31') ORDER BY u.id;
-- any and all
SELECT id FROM orders WHERE amount > ALL (SELECT amount FROM orders WHERE status = 'new' AND amount < 40) AND customer_id = ANY (SELECT id FROM customers WHERE country = 'DE') ORDER BY id;
-- row comparison
SELECT id FROM orders WHERE (customer_id, status) IN ((1, 'new'), (2, 'paid'), (3, 'shipped')) ORDER BY id;
-- keyset pagination
SELECT id, placed_at, amount FROM orders WHERE (placed_at, id) > ('2024-02-10', 5) ORDER BY placed_at, id LIMIT 7;
-- keyset pagination over users
SELECT id, full_name, email FROM users WHERE (created_at, id) < ('2024-01-09', 100) ORDER BY created_at DESC, id DESC LIMIT 4;
-- time of day
SELECT extract(dow FROM placed_at) AS dow, extract(hour FROM placed_at AT TIME ZONE 'America/New_York') AS h, count(*) FROM orders GROUP BY 1, 2 ORDER BY 1, 2;
-- ages and intervals
SELECT id, age('2024-12-31'::timestamptz, created_at), justify_interval(('2024-12-31'::timestamptz - created_at) * 3), date_part('epoch', created_at), to_char(created_at, 'IYYY-"W"IW') FROM users ORDER BY id;
-- calendar of weeks by generate_series
SELECT to_char(w, 'YYYY-MM-DD') AS week, count(e.id) FILTER (WHERE e.ok) AS ok, count(e.id) FILTER (WHERE NOT e.ok) AS failed FROM generate_series('2024-01-01'::date, '2024-12-31', '1 month') w LEFT JOIN login_events e ON e.day >= w AND e.day < w + interval '1 month' GROUP BY w ORDER BY w;
-- date_bin and overlaps
SELECT date_bin('14 days', placed_at, '2024-01-01') AS bin, count(*) FROM orders WHERE (placed_at, placed_at + interval '2 days') OVERLAPS ('2024-01-10'::timestamptz, '2024-05-01'::timestamptz) GROUP BY 1 ORDER BY 1;
-- width_bucket
SELECT width_bucket(amount, 0, 140, 7) AS b, numrange(min(amount), max(amount), '[]'), count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- ordered set over groups
SELECT customer_id, mode() WITHIN GROUP (ORDER BY status), rank(50) WITHIN GROUP (ORDER BY amount) FROM orders GROUP BY 1 ORDER BY 1;
-- regression
SELECT regr_slope(amount, id)::numeric(10,4), corr(amount, id)::numeric(10,4), stddev_pop(amount)::numeric(10,4), var_samp(amount)::numeric(12,4) FROM orders;
-- bits and booleans
SELECT bit_or(id), bit_and(id), bool_or("drop"), every(amount > 1) FROM orders;
-- arrays
SELECT id, tags, array_length(tags, 1), tags || 'x'::text, array_position(tags, 'all'), tags[1:1], cardinality(tags), array_to_string(tags, '|') FROM products WHERE 't1' = ANY (tags) ORDER BY id;
-- array aggregates
SELECT tags[1] AS tag, array_agg(id ORDER BY id DESC), array_agg(DISTINCT price ORDER BY price) FROM products GROUP BY 1 ORDER BY 1;
-- arrays unnested side by side
SELECT p.id, e.i, e.v FROM products p, unnest(p.embedding) WITH ORDINALITY AS e(v, i) WHERE p.id < 3 ORDER BY 1, 2;
-- cosine similarity
SELECT b.id, (SELECT sum(x * y) / (sqrt(sum(x * x)) * sqrt(sum(y * y))) FROM unnest(a.embedding, b.embedding) u(x, y))::numeric(8,6) AS sim FROM products a, products b WHERE a.id = 1 AND b.id <> 1 ORDER BY sim DESC, b.id LIMIT 4;
-- text functions
SELECT id, initcap(title), split_part(sku, '-', 2), lpad(id::text, 5, '0'), reverse(sku), translate(sku, 'SKU', 'abc'), position('-' IN sku), overlay(sku PLACING 'x' FROM 1 FOR 2), md5(title), encode(title::bytea, 'base64') FROM products ORDER BY id LIMIT 5;
-- text functions over free columns of users
SELECT id, upper(full_name), split_part(full_name, ' ', 1) AS first, length(full_name), full_name || ' (' || role || ')' AS label, substr(full_name, 1, 3), regexp_split_to_array(full_name, '\s+') FROM users ORDER BY id;
-- full text with weights
SELECT id, ts_rank_cd(setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', coalesce(notes, '')), 'B'), websearch_to_tsquery('simple', 'note -lyon')) AS rank FROM customers WHERE search @@ websearch_to_tsquery('simple', 'note -lyon') ORDER BY 2 DESC, 1;
-- full text headline of notes
SELECT id, ts_headline('simple', body, phraseto_tsquery('simple', 'drop table'), 'StartSel=<, StopSel=>') FROM notes WHERE to_tsvector('simple', body) @@ phraseto_tsquery('simple', 'drop table') ORDER BY id;
-- tsvector shown
SELECT id, search, strip(search), numnode(plainto_tsquery('simple', 'a b')) FROM customers ORDER BY id LIMIT 3;
-- json built of free columns
SELECT json_build_object('id', u.id, 'name', u.full_name, 'logins', (SELECT coalesce(json_agg(json_build_object('day', e.day, 'ok', e.ok) ORDER BY e.day, e.id), '[]') FROM login_events e WHERE e.user_id = u.id)) FROM users u ORDER BY u.id LIMIT 3;
-- json built of protected columns [masks=json_build_object]
SELECT json_build_object('id', u.id, 'email', u.email) FROM users u ORDER BY u.id LIMIT 3;
-- jsonb aggregated by key
SELECT country, jsonb_object_agg(id::text, name ORDER BY id) FROM customers GROUP BY country ORDER BY country;
-- json rows of orders
SELECT json_agg(o ORDER BY o.id) FROM (SELECT id, amount, status FROM orders WHERE id < 5) o;
-- row_to_json of chosen columns of a protected table
SELECT row_to_json(t) FROM (SELECT id, full_name, role FROM users ORDER BY id LIMIT 3) t;
-- profile read by path
SELECT id, profile->>'tier' AS tier, profile->'address' AS address, profile #>> '{address,city}' AS city, profile->'prefs'->>'lang' AS lang, jsonb_typeof(profile->'tier') FROM customers ORDER BY id;
-- profile filtered by tier
SELECT count(*) FROM customers WHERE profile->>'tier' = 'gold' AND profile->'address'->>'city' IN ('Oslo', 'Ghent', 'Brno');
-- profile filtered by containment of two
SELECT id, name FROM customers WHERE profile @> '{"tier": "gold"}' OR profile @> '{"address": {"city": "Berlin"}}' ORDER BY id;
-- profile grouped by tier without order [masks=none]
SELECT count(*) FROM (SELECT profile->>'tier' AS tier, count(*) FROM customers GROUP BY profile->>'tier') s;
-- profile zips as numbers
SELECT id, (profile#>>'{address,zip}')::int AS zip FROM customers WHERE (profile->'address'->>'zip')::int > 10100 ORDER BY (profile->'address'->>'zip')::int;
-- profile whole beside free columns
SELECT id, name, profile FROM customers ORDER BY id LIMIT 4;
-- audit rows
SELECT id, actor, action, row_data->>'id' AS row_id, at FROM audit_log WHERE actor LIKE 'user%' ORDER BY id;
-- audit rows whole
SELECT * FROM audit_log ORDER BY id;
-- xml of free rows
SELECT xmlagg(xmlelement(name o, xmlattributes(id AS i), amount) ORDER BY id) FROM orders WHERE id < 4;
-- ranges
SELECT int4range(1, 10) * int4range(5, 15), '[2024-01-01,2024-02-01)'::daterange @> '2024-01-15'::date, upper(tsrange('2024-01-01', '2024-01-02')), range_agg(int4range(id, id + 2) ORDER BY id) FROM products;
-- network and uuid
SELECT ip, host(ip), masklen(ip), ip << '10.0.0.0/8', expires_at::date FROM sessions ORDER BY ip;
-- device ids of one user
SELECT user_id, device_id, ip FROM sessions WHERE user_id IN (1, 2) ORDER BY user_id;
-- tokens in a page
SELECT token, user_id, expires_at FROM sessions ORDER BY expires_at DESC LIMIT 3 OFFSET 1;
-- accounts and cards
SELECT p.id, p.account_no, p.card_token, p.amount, o.status FROM payments p JOIN orders o ON o.id = p.order_id WHERE NOT p.captured ORDER BY p.id;
-- payments by status with money sums
SELECT o.status, count(p.id), sum(p.amount), sum(p.amount) FILTER (WHERE p.captured) FROM orders o JOIN payments p ON p.order_id = o.id GROUP BY ROLLUP (o.status) ORDER BY o.status;
-- same card groups [refused=deny] [masks=card_token]
SELECT card_token, count(*), sum(amount) FROM payments GROUP BY card_token ORDER BY 2 DESC, 3;
-- vault by owner [masks=secrets,seed]
SELECT owner, secrets, seed FROM vault WHERE owner = 'team-2';
-- number of secrets [masks=n]
SELECT id, owner, array_length(secrets, 1) AS n FROM vault ORDER BY id;
-- accounts of services [masks=cred]
SELECT name, cred FROM service_accounts WHERE name LIKE 'svc-%' ORDER BY id;
-- login of a service [masks=login]
SELECT name, (cred).login FROM service_accounts ORDER BY id;
-- admins by inheritance
SELECT tableoid::regclass::text AS t, id, full_name, email FROM users WHERE role = 'admin' ORDER BY id;
-- only the parent
SELECT count(*), max(id) FROM ONLY users;
-- admins themselves
SELECT id, full_name, mfa_seed FROM admin_users ORDER BY id;
-- partition by name
SELECT id, user_id, ok FROM login_events_2024h2 WHERE day >= '2024-09-01' ORDER BY id;
-- views over protected tables
SELECT d.id, d.full_name, d.contact, t.n, t.total FROM user_directory d JOIN customers c ON c.user_id = d.id JOIN order_totals t ON t.customer_id = c.id ORDER BY d.id;
-- report view grouped by free columns
SELECT label, count(*), sum(amount) FROM reporting.customer_report GROUP BY label ORDER BY label;
-- report view with its protected column
SELECT id, label, tax_ref, amount FROM reporting.customer_report ORDER BY amount DESC, id LIMIT 5;
-- matview beside its base
SELECT c.id, c.full_name, c.k2, u.role FROM user_cache c JOIN users u ON u.id = c.id ORDER BY c.id;
-- functions in FROM beside tables
SELECT g.id, g.full_name, g.email, order_count(c.id) FROM get_users() g JOIN customers c ON c.user_id = g.id ORDER BY g.id;
-- function lateral
SELECT c.id, f.display FROM customers c, LATERAL find_user(c.user_id) f ORDER BY c.id;
-- function with ordinality
SELECT ordinality, id, full_name FROM get_users() WITH ORDINALITY ORDER BY ordinality LIMIT 3;
-- three schemas of one name
SELECT 'public' AS s, id, full_name FROM public.users WHERE id < 3 UNION ALL SELECT 'demo', id, full_name FROM demo.users UNION ALL SELECT 'legacy', id, full_name FROM legacy.users ORDER BY 1, 2;
-- demo data with look-alike names
SELECT password, api_key, email, length(password), upper(email) FROM demo.users WHERE password LIKE 'demo%' ORDER BY password DESC;
-- notes that look like SQL
SELECT id, body FROM notes WHERE body ILIKE '%drop%' OR body ~* 'password' ORDER BY id;
-- literals that look like canaries
SELECT 'password' AS password, 'CANNARY' AS email, n FROM notes ORDER BY id;
-- quoted and unicode names
SELECT id AS "E-Mail", amount AS "päss word", U&"\0064rop" FROM orders ORDER BY id LIMIT 2;
-- values as a table
SELECT v.code, v.label, count(c.id) FROM (VALUES ('DE', 'Germany'), ('FR', 'France'), ('NO', 'Norway')) v(code, label) LEFT JOIN customers c ON c.country = v.code GROUP BY 1, 2 ORDER BY 1;
-- percent of null
SELECT round(100.0 * count(*) FILTER (WHERE notes IS NULL) / count(*), 1), round(100.0 * count(user_id) / nullif(count(*), 0), 1) FROM customers;
-- profile of all columns of a free table
SELECT count(*) AS n, count(DISTINCT sku) AS skus, min(price), max(price), avg(price)::numeric(10,4), min(length(title)) FROM products;
-- random sample by hash
SELECT id FROM orders WHERE hashint4(id) % 3 = 0 ORDER BY id;
-- table command and limits
TABLE products ORDER BY id LIMIT 2;
-- limit null and offset param
SELECT id FROM employees ORDER BY id OFFSET $1 LIMIT NULL;
--$2
