CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text, password text NOT NULL, api_key text);
INSERT INTO users VALUES
    (1, 'Ada', 'ada.canary@example.com', 'canary-password-1', 'canary-api-key-1'),
    (2, 'Ben', 'ben.canary@example.com', 'canary-password-2', NULL);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int, note text);
INSERT INTO orders VALUES (1, 1, 10, 'tea'), (2, 1, 20, 'ink'), (3, 2, 30, 'rope');
CREATE VIEW people AS SELECT id, name, password AS word FROM users;
CREATE FUNCTION words() RETURNS SETOF text LANGUAGE sql AS 'SELECT password FROM users';
