-- A database with a canary in every protected cell: "CANARY", the column, the row. Whatever holds one was not masked.
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA legacy;
CREATE SCHEMA demo;
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE DOMAIN small_secret AS text CHECK (length(VALUE) < 60);
CREATE TYPE credential AS (login text, secret text);
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped');

CREATE TABLE users (
	id int PRIMARY KEY, email email UNIQUE NOT NULL, password text NOT NULL, api_key small_secret, name text NOT NULL,
	created timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00', active bool NOT NULL DEFAULT true,
	login text GENERATED ALWAYS AS (lower(email)) STORED, CONSTRAINT long CHECK (length(password) > 5));
INSERT INTO users (id, email, password, api_key, name, active)
	SELECT i, 'CANARYem' || i || md5('em' || i) || '@example.test', 'CANARYpw' || i || md5('pw' || i), CASE WHEN i % 4 > 0 THEN 'CANARYak' || i || md5('ak' || i) END,
	(ARRAY['Ada', 'Ben', 'Cleo', 'Dan', 'Eve'])[i % 5 + 1], i % 3 > 0 FROM generate_series(1, 12) i;
CREATE TABLE admins (seed text) INHERITS (users);
INSERT INTO admins (id, email, password, name, seed) VALUES (50, 'CANARYem50@example.test', 'CANARYpw50x', 'Root', 'plain-seed');

CREATE TABLE customers (
	id int PRIMARY KEY, user_id int REFERENCES users, name text NOT NULL, ssn text UNIQUE, card bigint, phone varchar(30), country char(4) NOT NULL DEFAULT 'DE',
	profile jsonb NOT NULL DEFAULT '{}', notes text, tags text[], period tstzrange, EXCLUDE USING btree (ssn WITH =));
INSERT INTO customers (id, user_id, name, ssn, card, phone, country, profile, notes, tags)
	SELECT i, i, 'customer ' || i, 'CANARYss' || i || md5('ss' || i), 7770000000000000 + i, 'CANARYph' || i || 'xyz', (ARRAY['DE', 'FR', 'IT'])[i % 3 + 1],
	jsonb_build_object('password', 'CANARYjp' || i || md5('jp' || i), 'tier', (ARRAY['gold', 'base'])[i % 2 + 1], 'age', 20 + i,
		'address', jsonb_build_object('city', 'City ' || i % 4), 'prefs', jsonb_build_object('lang', 'en', 'codes', jsonb_build_array('CANARYjc' || i || md5('jc' || i)))),
	'note ' || i, ARRAY['t' || i % 3, 'all'] FROM generate_series(1, 10) i;

CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, status order_status NOT NULL, amount numeric(10, 2) NOT NULL, placed date NOT NULL, note text);
INSERT INTO orders SELECT i, i % 10 + 1, (ARRAY['new', 'paid', 'shipped'])[i % 3 + 1]::order_status, i * 1.25, '2024-01-01'::date + i, 'order ' || i FROM generate_series(1, 40) i;

CREATE TABLE vault (id int PRIMARY KEY, owner text NOT NULL, secrets text[] NOT NULL, seed bytea, cred credential, pairs hstore, token uuid);
INSERT INTO vault SELECT i, 'team ' || i, ARRAY['CANARYva' || i || md5('va' || i), 'CANARYvb' || i], ('CANARYvc' || i || 'bytes')::bytea, ROW('svc' || i, 'CANARYvd' || i || md5('vd' || i))::credential,
	hstore('k', 'CANARYve' || i || md5('ve' || i)), md5('CANARYuu' || i)::uuid FROM generate_series(1, 4) i;

CREATE TABLE events (id int NOT NULL, day date NOT NULL, device text NOT NULL, ok bool NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_h1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE events_h2 PARTITION OF events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO events SELECT i, '2024-01-15'::date + i * 20, 'CANARYdv' || i || md5('dv' || i), i % 2 = 0 FROM generate_series(1, 16) i;

CREATE TABLE legacy.users (id int PRIMARY KEY, password text, name text);
INSERT INTO legacy.users VALUES (1, 'CANARYlp1x', 'Ada'), (2, 'CANARYlp2x', 'Ben');
CREATE TABLE demo.users (id int PRIMARY KEY, email text, password text, name text);
INSERT INTO demo.users VALUES (1, 'demo1@example.test', 'demo-1', 'Demo 1'), (2, 'demo2@example.test', 'demo-2', 'Demo 2');
CREATE TABLE products (id int PRIMARY KEY, sku text UNIQUE, title text, price numeric(10, 2), tags text[], made date);
INSERT INTO products SELECT i, 'SKU-' || i, 'Product ' || i, i * 2.5, ARRAY['t' || i % 3], '2024-02-01'::date + i FROM generate_series(1, 12) i;
CREATE TABLE notes (id serial PRIMARY KEY, body text, n int);
INSERT INTO notes (body, n) VALUES ('hello', 1), ('DROP TABLE users', 2), ('password reset', 3), (NULL, NULL);

CREATE VIEW directory AS SELECT id, name, email AS contact, created FROM users;
CREATE VIEW secrets_v AS SELECT u.id, u.password AS pw, upper(u.api_key) AS k, u.name FROM users u;
CREATE VIEW totals AS SELECT customer_id, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer_id;
CREATE VIEW cities AS SELECT id, profile -> 'address' AS address, profile ->> 'password' AS word FROM customers;
CREATE MATERIALIZED VIEW cached AS SELECT id, api_key AS k2, password || '' AS pw2, name FROM users;
CREATE FUNCTION find_user(p int) RETURNS TABLE (uid int, display text, word text) LANGUAGE sql STABLE AS 'SELECT id, name, password FROM users WHERE id = p';
CREATE FUNCTION first_word() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT password FROM users WHERE id = 1';
CREATE FUNCTION order_count(c int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM orders WHERE customer_id = c';
CREATE INDEX ON users (length(api_key)) WHERE api_key > 'CANARYak';
CREATE STATISTICS users_ext (mcv) ON api_key, name FROM users;
ANALYZE;
