-- What the statements beside it are about: a shop, its users, and the tables that libraries keep. Every protected cell holds
-- "CANARY", or a number that begins with 777000000000.
CREATE EXTENSION hstore;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION tablefunc;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA legacy;
CREATE SCHEMA demo;
CREATE SCHEMA reporting;
CREATE DOMAIN email_addr AS text CHECK (VALUE ~ '@');
CREATE DOMAIN secret_text AS text;
CREATE TYPE credential AS (login text, secret text);
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'cancelled');

CREATE TABLE users (
	id int PRIMARY KEY, email email_addr UNIQUE NOT NULL, password text NOT NULL, api_key secret_text, full_name text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00', is_active bool NOT NULL DEFAULT true, role text NOT NULL DEFAULT 'member',
	login_key text GENERATED ALWAYS AS (lower(email)) STORED);
CREATE SEQUENCE users_id_seq START 1000 OWNED BY users.id;
ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('users_id_seq');
CREATE TABLE admin_users (mfa_seed text, PRIMARY KEY (id), UNIQUE (email)) INHERITS (users);
INSERT INTO users (id, email, password, api_key, full_name, created_at, is_active, role)
	SELECT i, 'CANARYem' || i || md5('em' || i) || '@example.test', 'CANARYpw' || i || md5('pw' || i), CASE WHEN i <> 7 THEN 'CANARYak' || i END,
	(ARRAY['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Barbara Liskov'])[i % 4 + 1] || i, '2024-01-01'::timestamptz + i * interval '1 day', i % 4 > 0,
	CASE WHEN i < 3 THEN 'staff' ELSE 'member' END FROM generate_series(1, 12) i;
INSERT INTO admin_users (id, email, password, full_name, role, mfa_seed) VALUES (500, 'CANARYem500@example.test', 'CANARYpw500', 'Root', 'admin', 'CANARYmf500');

CREATE TABLE customers (
	id int PRIMARY KEY, user_id int REFERENCES users, name text NOT NULL, ssn text UNIQUE, card_number text, phone text, country text NOT NULL DEFAULT 'DE',
	profile jsonb NOT NULL DEFAULT '{}', notes text,
	search tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(notes, ''))) STORED);
INSERT INTO customers (id, user_id, name, ssn, card_number, phone, country, profile, notes)
	SELECT i, i, 'Customer ' || i, 'CANARYss' || i, 'CANARYcn' || i, 'CANARYph' || i, (ARRAY['DE', 'FR', 'NO'])[i % 3 + 1],
	jsonb_build_object('password', 'CANARYjp' || i, 'tier', (ARRAY['gold', 'silver'])[i % 2 + 1], 'address', jsonb_build_object('city', (ARRAY['Berlin', 'Lyon', 'Oslo'])[i % 3 + 1], 'zip', (10000 + i * 37)::text),
		'prefs', jsonb_build_object('lang', 'en', 'recovery', jsonb_build_object('codes', jsonb_build_array('CANARYjr' || i)))),
	'note about ' || (ARRAY['Berlin', 'Lyon', 'Oslo'])[i % 3 + 1] || ' delivery' FROM generate_series(1, 10) i;

CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, status order_status NOT NULL DEFAULT 'new', amount numeric(10, 2) NOT NULL,
	placed_at timestamptz NOT NULL, note text, "drop" bool NOT NULL DEFAULT false);
INSERT INTO orders SELECT i, i * 7 % 10 + 1, (ARRAY['new', 'paid', 'shipped', 'cancelled'])[i % 4 + 1]::order_status, i * 3.17, '2024-01-01'::timestamptz + i * interval '4 days',
	'order note ' || i, i % 12 = 0 FROM generate_series(1, 40) i;
CREATE TABLE payments (id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders, card_token text NOT NULL, amount numeric(10, 2) NOT NULL, captured bool NOT NULL DEFAULT true, account_no bigint);
INSERT INTO payments SELECT i, i, 'CANARYct' || i, 20 + i, i % 3 > 0, 7770000000000000 + i FROM generate_series(1, 20) i;
CREATE TABLE sessions (token text PRIMARY KEY, user_id int NOT NULL, ip inet NOT NULL, expires_at timestamptz NOT NULL, device_id uuid);
INSERT INTO sessions SELECT 'CANARYtk' || i, i, ('10.1.0.' || i)::inet, '2030-01-01'::timestamptz + i * interval '1 day', md5('CANARYdi' || i)::uuid FROM generate_series(1, 8) i;
CREATE TABLE vault (id int PRIMARY KEY, owner text NOT NULL, secrets text[] NOT NULL, seed bytea);
INSERT INTO vault SELECT i, 'team-' || i, ARRAY['CANARYvs' || i, 'CANARYvt' || i], ('CANARYvb' || i)::bytea FROM generate_series(1, 4) i;
CREATE TABLE service_accounts (id int PRIMARY KEY, name text NOT NULL, cred credential);
INSERT INTO service_accounts SELECT i, 'svc-' || i, ROW('svc' || i, 'CANARYcr' || i)::credential FROM generate_series(1, 4) i;
CREATE TABLE audit_log (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT '2024-02-02 00:00:00+00', actor text NOT NULL, action text NOT NULL, row_data jsonb);
INSERT INTO audit_log (actor, action, row_data) SELECT 'user' || i, 'UPDATE', jsonb_build_object('id', i, 'password', 'CANARYal' || i) FROM generate_series(1, 3) i;
CREATE TABLE login_events (id int NOT NULL, user_id int NOT NULL, day date NOT NULL, device_secret text NOT NULL, ok bool NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE login_events_2024h1 PARTITION OF login_events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE login_events_2024h2 PARTITION OF login_events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO login_events SELECT i, i % 12 + 1, '2024-01-15'::date + i * 13, 'CANARYdv' || i, i % 5 > 0 FROM generate_series(1, 24) i;
CREATE TABLE legacy.users (id int PRIMARY KEY, password text, full_name text);
INSERT INTO legacy.users VALUES (1, 'CANARYlp1', 'Ada'), (2, 'CANARYlp2', 'Grace');
CREATE TABLE demo.users (id int PRIMARY KEY, email text, password text, api_key text, full_name text);
INSERT INTO demo.users SELECT i, 'demo' || i || '@example.test', 'demo-password-' || i, 'demo-key-' || i, 'Demo ' || i FROM generate_series(1, 3) i;

CREATE TABLE notes (id serial PRIMARY KEY, body text, n int);
INSERT INTO notes (body, n) VALUES ('hello', 1), ('DROP TABLE users', 2), ('birds sing', 3), ('password reset howto', 4);
CREATE TABLE products (id int PRIMARY KEY, sku text UNIQUE, title text, price numeric(10, 2), tags text[], embedding float8[]);
INSERT INTO products SELECT i, 'SKU-00' || i, 'Product ' || i, 0.99 + i * 5, ARRAY['t' || i % 3, 'all'], ARRAY[i * 0.1, 1 - i * 0.05, 0.5, i * 0.07] FROM generate_series(1, 12) i;
CREATE TABLE employees (id int PRIMARY KEY, manager_id int, title text);
INSERT INTO employees VALUES (1, NULL, 'ceo'), (2, 1, 'cto'), (3, 1, 'cfo'), (4, 2, 'dev'), (5, 2, 'dev'), (6, 4, 'intern');
CREATE TABLE checkpoint_migrations (v int PRIMARY KEY);
CREATE TABLE checkpoints (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL, parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL,
	metadata jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));
CREATE TABLE checkpoint_blobs (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', channel text NOT NULL, version text NOT NULL, type text NOT NULL, blob bytea,
	PRIMARY KEY (thread_id, checkpoint_ns, channel, version));
CREATE TABLE checkpoint_writes (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL, task_id text NOT NULL, idx int NOT NULL, channel text NOT NULL,
	type text, blob bytea NOT NULL, PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));

CREATE VIEW user_directory AS SELECT id, full_name, email AS contact, created_at FROM users;
CREATE VIEW user_secrets_v AS SELECT u.id, u.full_name, u.password AS pw, upper(u.api_key) AS k FROM users u;
CREATE VIEW active_users AS SELECT id, email, password, full_name, is_active FROM users WHERE is_active;
CREATE VIEW reporting.customer_report AS SELECT c.id, c.name AS label, c.ssn AS tax_ref, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id;
CREATE VIEW order_totals AS SELECT customer_id, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer_id;
CREATE MATERIALIZED VIEW user_cache AS SELECT id, full_name, api_key AS k2, password || '' AS pw2 FROM users;
CREATE FUNCTION get_users() RETURNS SETOF users LANGUAGE sql STABLE AS 'SELECT * FROM ONLY public.users ORDER BY id';
CREATE FUNCTION find_user(p_id int) RETURNS TABLE (uid int, display text, blob text) LANGUAGE sql STABLE AS 'SELECT id, full_name, password FROM public.users WHERE id = p_id';
CREATE FUNCTION order_count(p_customer int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.orders WHERE customer_id = p_customer';
CREATE FUNCTION audit_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit_log (actor, action, row_data) VALUES (current_user, TG_OP, to_jsonb(OLD)); RETURN NEW; END $$;
CREATE TRIGGER users_audit AFTER UPDATE ON users FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION audit_users();
COMMENT ON TABLE users IS 'accounts';
ANALYZE;
