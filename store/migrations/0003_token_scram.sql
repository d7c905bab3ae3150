-- What SCRAM-SHA-256 needs of an issued token, as PostgreSQL writes it: SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY.
-- NULL: issued before this column was there, and good for everything but SCRAM.
ALTER TABLE token ADD COLUMN scram TEXT;

-- From this key the salts of ids that name no token are made: the same for an id at every login, at whichever gateway.
CREATE TABLE scram_mock (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	key BLOB    NOT NULL CHECK (length(key) = 32)
) STRICT;
