-- Issued gateway tokens. Times are Unix milliseconds.
CREATE TABLE token (
	hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the token, which is kept nowhere
	id      TEXT    NOT NULL UNIQUE,                                -- public: tok_...
	subject TEXT    NOT NULL CHECK (subject <> ''),
	groups  TEXT    NOT NULL,                                       -- JSON list of strings
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	revoked INTEGER                                                 -- NULL: not revoked
) STRICT, WITHOUT ROWID;
