-- The shop behind the demo. Its owner is the role the gateway logs in as, so
-- that nothing but the gateway stands between a DROP and the tables.

CREATE TABLE users (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL UNIQUE,
    password   text NOT NULL,
    api_key    text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id   integer NOT NULL REFERENCES users,
    status    text NOT NULL CHECK (status IN ('new', 'paid', 'shipped', 'returned')),
    placed_on date NOT NULL,
    total     numeric(10,2) NOT NULL
);

CREATE TABLE order_items (
    order_id integer NOT NULL REFERENCES orders,
    line     integer NOT NULL,
    product  text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    price    numeric(10,2) NOT NULL,
    PRIMARY KEY (order_id, line)
);

CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO users (name, email, password, api_key) VALUES
    ('Ada',  'ada@example.com',  'correct-horse-1', 'shop-key-7d1f03'),
    ('Ben',  'ben@example.com',  'battery-staple-2', 'shop-key-a94c52'),
    ('Cleo', 'cleo@example.com', 'tr0ub4dor-3', NULL),
    ('Dov',  'dov@example.com',  'opensesame-4', 'shop-key-0be6f8');

INSERT INTO orders (user_id, status, placed_on, total) VALUES
    (1, 'shipped',  '2026-01-12', 57.40),
    (1, 'paid',     '2026-02-03', 12.00),
    (2, 'new',      '2026-02-04', 249.90),
    (3, 'returned', '2026-01-28', 18.50),
    (4, 'paid',     '2026-02-05', 31.20);

INSERT INTO order_items VALUES
    (1, 1, 'kettle', 1, 39.90), (1, 2, 'tea, loose', 2, 8.75),
    (2, 1, 'mug', 2, 6.00),
    (3, 1, 'espresso machine', 1, 249.90),
    (4, 1, 'filter papers', 5, 3.70),
    (5, 1, 'coffee, beans', 2, 15.60);

INSERT INTO secrets VALUES
    ('payment-provider', 'live-3f9a1c77'),
    ('mail-relay', 'relay-pass-61b2');
