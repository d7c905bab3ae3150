-- Sessions that somebody wants to end. Times are Unix milliseconds.
CREATE TABLE kill (
	session TEXT    NOT NULL PRIMARY KEY,
	at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
