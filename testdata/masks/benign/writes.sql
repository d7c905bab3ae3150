-- insert user
INSERT INTO users (id, email, password, api_key, full_name) VALUES (100, 'new@example.test', 'hash$1', 'key-100', 'New User');
-- insert user default id returning id
INSERT INTO users (email, password, full_name) VALUES ($1, $2, $3) RETURNING id;
--$ n1@example.test | hash$2 | N One
-- insert returning star [masks=*]
INSERT INTO users (id, email, password, full_name) VALUES (101, 'n2@example.test', 'x', 'N Two') RETURNING *;
-- insert returning protected own value [masks=email]
INSERT INTO users (id, email, password, full_name) VALUES (102, 'n3@example.test', 'x', 'N') RETURNING id, email, created_at;
-- batch insert of users
INSERT INTO users (id, email, password, full_name, role) VALUES (110, 'a@b.c', 'p', 'A', 'x'), (111, 'b@b.c', 'p', 'B', 'x'), (112, 'c@b.c', 'p', 'C', 'x') RETURNING id, full_name;
-- insert with crypt
INSERT INTO users (id, email, password, full_name) VALUES (103, 'n4@example.test', crypt('secret', '$2a$06$abcdefghijklmnopqrstuu'), 'N') RETURNING id;
-- insert with gen_random
INSERT INTO sessions (token, user_id, ip, expires_at, device_id) VALUES (encode(gen_random_bytes(16), 'hex'), 1, '10.0.0.1', now() + interval '1 day', gen_random_uuid()) RETURNING user_id;
-- insert with lower and params
INSERT INTO users (id, email, password, full_name) VALUES (104, lower($1), $2, initcap($3)) RETURNING id;
--$ FOO@bar.com | pw | joe doe
-- upsert on free column
INSERT INTO products (id, sku, title, price) VALUES (1, 'SKU-001', 'P', 1.00) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, price = EXCLUDED.price RETURNING id, title, price;
-- upsert users on id
INSERT INTO users (id, email, password, full_name) VALUES (1, 'other@example.test', 'pw', 'Ada L') ON CONFLICT (id) DO UPDATE SET full_name = EXCLUDED.full_name RETURNING id, full_name;
-- upsert users on id writes email
INSERT INTO users (id, email, password, full_name) VALUES (1, 'other@example.test', 'pw', 'Ada L') ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email, password = EXCLUDED.password, full_name = EXCLUDED.full_name RETURNING id;
-- upsert users on id do nothing
INSERT INTO users (id, email, password, full_name) VALUES (1, 'other@example.test', 'pw', 'Ada L') ON CONFLICT (id) DO NOTHING;
-- upsert users by email [refused=deny]
INSERT INTO users (id, email, password, full_name) VALUES (105, 'up@example.test', 'pw', 'Up') ON CONFLICT (email) DO UPDATE SET full_name = EXCLUDED.full_name RETURNING id, full_name;
-- upsert session by token [refused=deny]
INSERT INTO sessions (token, user_id, ip, expires_at) VALUES ('tok-1', 1, '10.0.0.1', '2031-01-01') ON CONFLICT (token) DO UPDATE SET expires_at = EXCLUDED.expires_at;
-- do nothing on constraint of products
INSERT INTO products (id, sku) VALUES (1, 'SKU-001') ON CONFLICT DO NOTHING;
-- do nothing on a table with only free unique columns
INSERT INTO payments (id, order_id, card_token, amount) VALUES (1, 1, 'tok', 1) ON CONFLICT DO NOTHING;
-- upsert with where
INSERT INTO products (id, sku, price) VALUES (2, 'SKU-002', 5) ON CONFLICT (sku) DO UPDATE SET price = EXCLUDED.price WHERE products.price <> EXCLUDED.price RETURNING id;
-- upsert on constraint
INSERT INTO products (id, sku, price) VALUES (2, 'SKU-002', 5) ON CONFLICT ON CONSTRAINT products_pkey DO UPDATE SET price = EXCLUDED.price RETURNING id;
-- update password by id
UPDATE users SET password = 'bcrypt', api_key = NULL WHERE id = 3;
-- update email by id returning
UPDATE users SET email = 'z@example.test' WHERE id = 3 RETURNING id, full_name;
-- update returning star [masks=*]
UPDATE users SET full_name = 'X' WHERE id = 3 RETURNING *;
-- update with param
UPDATE users SET email = $1, is_active = $2 WHERE id = $3;
--$ q@example.test | true | 4
-- update password default hash
UPDATE users SET password = crypt($1, gen_salt('bf', 4)) WHERE id = $2;
--$ pw | 2
-- update password by email [refused=deny]
UPDATE users SET password = 'n' WHERE email = 'a@b.c';
-- update where token [refused=deny]
UPDATE sessions SET expires_at = now() WHERE token = $1;
--$ x
-- delete session by token [refused=deny]
DELETE FROM sessions WHERE token = $1;
--$ x
-- delete sessions by user
DELETE FROM sessions WHERE user_id = 3;
-- delete expired
DELETE FROM sessions WHERE expires_at < now() - interval '30 days';
-- delete returning id
DELETE FROM notes WHERE id = 1 RETURNING id, body;
-- delete using
DELETE FROM payments p USING orders o WHERE o.id = p.order_id AND o.status = 'cancelled' AND p.id > 15 RETURNING p.id;
-- delete customer by sub select
DELETE FROM payments WHERE order_id IN (SELECT id FROM orders WHERE customer_id = 2);
-- soft delete users
UPDATE users SET is_active = false WHERE id IN (SELECT user_id FROM customers WHERE country = 'NO') RETURNING id;
-- update from
UPDATE orders o SET note = c.name FROM customers c WHERE c.id = o.customer_id AND o.id = 1 RETURNING o.id, o.note;
-- update from values
UPDATE products p SET price = v.price FROM (VALUES (1, 3.5), (2, 4.5)) AS v(id, price) WHERE v.id = p.id RETURNING p.id, p.price;
-- update users from values with emails
UPDATE users u SET email = v.email FROM (VALUES (1, 'one@example.test'), (2, 'two@example.test')) AS v(id, email) WHERE v.id = u.id RETURNING u.id;
-- update multi assign
UPDATE products SET (title, price) = ('T', 9.99) WHERE id = 4 RETURNING id, title, price;
-- update with case
UPDATE orders SET status = CASE WHEN amount > 100 THEN 'paid'::order_status ELSE status END WHERE id < 5;
-- counter
UPDATE notes SET n = n + 1 WHERE id = 2 RETURNING n;
-- update profile of a customer with a whole new document
UPDATE customers SET profile = '{"tier":"gold","password":"p"}' WHERE id = 1;
-- update profile by jsonb_set [refused]
UPDATE customers SET profile = jsonb_set(profile, '{tier}', '"gold"') WHERE id = 1;
-- update profile by concat [refused]
UPDATE customers SET profile = profile || '{"tier":"gold"}' WHERE id = 1;
-- update profile by subscript
UPDATE customers SET profile['tier'] = '"gold"' WHERE id = 1;
-- update phone
UPDATE customers SET phone = '+491234', notes = 'x' WHERE id = 2 RETURNING id, notes;
-- insert customer with ssn
INSERT INTO customers (id, user_id, name, ssn, card_number, phone, country, profile) VALUES (50, 1, 'New', '111-22-3333', '4111', '+49', 'DE', '{"tier":"new","password":"q"}') RETURNING id, name;
-- insert payment
INSERT INTO payments (id, order_id, card_token, amount, account_no) VALUES (90, 1, 'tok_1', 12.50, 99) RETURNING id;
-- insert vault
INSERT INTO vault (id, owner, secrets, seed) VALUES (9, 'team-9', ARRAY['a','b'], '\x00ff') RETURNING id, owner;
-- insert composite
INSERT INTO service_accounts (id, name, cred) VALUES (9, 'svc', ROW('l','s')::credential) RETURNING id;
-- update composite field
UPDATE service_accounts SET cred.secret = 'new' WHERE id = 1;
-- update array element
UPDATE vault SET secrets[1] = 'new' WHERE id = 1;
-- append array element given [refused]
UPDATE vault SET secrets = array_append(secrets, 'x') WHERE id = 1;
-- insert login event
INSERT INTO login_events (id, user_id, day, device_secret, ok) VALUES (900, 1, '2024-03-03', 'dev', true) RETURNING id, day;
-- insert into partition
INSERT INTO login_events_2024h1 (id, user_id, day, device_secret, ok) VALUES (901, 1, '2024-03-03', 'dev', true) RETURNING id;
-- insert audit
INSERT INTO audit_log (actor, action, row_data) VALUES ('me', 'LOGIN', '{"id": 7}') RETURNING actor, action;
-- insert audit with jsonb_build_object
INSERT INTO audit_log (actor, action, row_data) VALUES ('me', 'LOGIN', jsonb_build_object('id', 7, 'ip', '1.1.1.1'));
-- insert select free columns
INSERT INTO notes (body, n) SELECT title, id FROM products WHERE id < 4 RETURNING body;
-- insert select of free columns of protected table
INSERT INTO notes (body, n) SELECT full_name, id FROM users WHERE id < 4;
-- insert select password to other [refused]
INSERT INTO notes (body) SELECT password FROM users;
-- cte insert
WITH n AS (INSERT INTO notes (body, n) VALUES ('a', 1) RETURNING id) SELECT count(*) FROM n;
-- cte update users returning id
WITH u AS (UPDATE users SET is_active = true WHERE id = 4 RETURNING id, full_name) SELECT * FROM u;
-- cte moved rows
WITH gone AS (DELETE FROM notes WHERE n = 2 RETURNING body, n) INSERT INTO notes (body, n) SELECT body, n + 10 FROM gone RETURNING n;
-- queue skip locked
SELECT id, body FROM notes WHERE n = 1 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1;
-- queue take
UPDATE notes SET n = 99 WHERE id = (SELECT id FROM notes WHERE n < 10 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, body;
-- queue take over protected table
UPDATE orders SET status = 'paid' WHERE id = (SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'new' ORDER BY o.id FOR UPDATE OF o SKIP LOCKED LIMIT 1) RETURNING id;
-- lock users for update
SELECT id, is_active FROM users WHERE id = 1 FOR UPDATE;
-- lock users for no key update nowait
SELECT * FROM users WHERE id = 1 FOR NO KEY UPDATE NOWAIT;
-- for share
SELECT id FROM customers WHERE id = 2 FOR KEY SHARE;
-- copy in users
COPY users (id, email, password, full_name) FROM STDIN;
--<200	c1@example.test	pw	C One
--<201	c2@example.test	pw	C Two
SELECT count(*) FROM users WHERE id >= 200 AND id < 300;
-- copy in csv
COPY products (id, sku, title, price) FROM STDIN WITH (FORMAT csv, HEADER true, NULL '');
--<id,sku,title,price
--<300,S-300,"A, B",2.50
--<301,S-301,,
SELECT id, title FROM products WHERE id >= 300 ORDER BY id;
-- copy in with where
COPY notes (body, n) FROM STDIN WITH (FORMAT csv) WHERE n > 1;
--<a,1
--<b,2
-- copy out free
COPY orders (id, amount) TO STDOUT WITH CSV HEADER;
-- copy out query free
COPY (SELECT id, full_name FROM users ORDER BY id) TO STDOUT;
-- copy out users
COPY users TO STDOUT;
-- copy out users csv
COPY (SELECT id, email, full_name FROM users ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *) ;
-- copy out notes
COPY notes TO STDOUT WITH (FORMAT text, DELIMITER '|', NULL 'nil');
-- unique violation of a free column [err]
INSERT INTO products (id, sku) VALUES (1, 'x');
-- unique violation of users id [err]
INSERT INTO users (id, email, password, full_name) VALUES (1, 'uu@example.test', 'x', 'x');
-- fk violation [err]
INSERT INTO orders (id, customer_id, amount, placed_at) VALUES (77, 9999, 1, '2024-01-01');
-- fk violation deleting a user [err]
DELETE FROM users WHERE id = 1;
-- bad enum [err]
INSERT INTO orders (id, customer_id, status, amount, placed_at) VALUES (77, 1, 'bad', 1, '2024-01-01');
-- check domain violation on users [err]
INSERT INTO users (id, email, password, full_name) VALUES (120, 'no-at', 'x', 'x');
-- division by zero [err]
SELECT 1/0;
-- undefined column [err]
SELECT nope FROM orders;
-- undefined table [err]
SELECT * FROM nope;
-- undefined function [err]
SELECT nope(1);
-- syntax error [err]
SELEC 1;
-- ambiguous column [err]
SELECT id FROM users, customers;
-- wrong type [err]
SELECT * FROM orders WHERE id = 'abc';
-- wrong type users [err]
SELECT * FROM users WHERE id = 'abc';
-- group by error [err]
SELECT full_name, count(*) FROM users;
-- merge free tables
MERGE INTO products p USING (VALUES (1, 'm'), (400, 'n')) AS v(id, t) ON p.id = v.id WHEN MATCHED THEN UPDATE SET title = v.t WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id, v.t);
-- merge into users by id
MERGE INTO users u USING (VALUES (1, 'Ada'), (400, 'Zed')) AS v(id, n) ON u.id = v.id WHEN MATCHED THEN UPDATE SET full_name = v.n WHEN NOT MATCHED THEN INSERT (id, email, password, full_name) VALUES (v.id, 'm@example.test', 'x', v.n);
-- setval nextval currval
SELECT nextval('notes_id_seq') > 0;
INSERT INTO notes (body) VALUES ('x');
SELECT currval('notes_id_seq') = lastval();
-- truncate cascade temp
CREATE TEMP TABLE tt (a int);
INSERT INTO tt SELECT generate_series(1, 3);
TRUNCATE tt;
SELECT count(*) FROM tt;
-- update active_users view by id
UPDATE active_users SET full_name = 'V' WHERE id = 1 RETURNING id, full_name;
-- insert through view
INSERT INTO active_users (id, email, password, full_name, is_active) VALUES (130, 'v@example.test', 'x', 'V', true) RETURNING id;
-- delete through view
DELETE FROM active_users WHERE id = 9999;
-- update updates trigger audit
UPDATE users SET role = 'chief' WHERE id = 2;
SELECT count(*) FROM audit_log;
-- insert default values serial
INSERT INTO notes DEFAULT VALUES;
-- insert overriding
INSERT INTO audit_log (id, actor, action) OVERRIDING USER VALUE VALUES (1000, 'a', 'b');
-- update with subquery count
UPDATE notes SET n = (SELECT count(*) FROM users WHERE is_active) WHERE id = 1 RETURNING n;
-- update password back to itself
UPDATE users SET password = password WHERE id = 1;
-- swap free
UPDATE orders SET note = status::text WHERE id = 2 RETURNING note;
-- refresh token rotation [refused=deny]
UPDATE sessions SET token = $1, expires_at = '2031-01-01' WHERE token = $2 RETURNING user_id;
--$ new | old
-- update where api_key is null [refused=deny]
UPDATE users SET api_key = 'k' WHERE id = 7 AND api_key IS NULL RETURNING id;
-- optimistic lock
UPDATE orders SET note = 'v2' WHERE id = 3 AND note = 'order note 3';
