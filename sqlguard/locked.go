package sqlguard

// What gives the text of a view, a rule or the like takes a lock on the tables in
// it, and would wait for whoever holds one that shuts all others out: perhaps the
// very session whose statement waits for the catalog. Such texts are left out.
// What they belong to is not understood until the lock is gone.

// lockedAway stands for the text: nothing that parses.
const lockedAway = "?locked?"

// Torn reports whether something was left out: asked for as of now, the catalog may
// say more.
func (c *Catalog) Torn() bool { return c != nil && len(c.torn) > 0 }

// lockedTables are the tables that a session, other than the one that asks, has or
// waits to have for itself.
const lockedTables = `(SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
			AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
			AND l.database = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database()))`

// overLocked are the rules, or the functions, that depend on one of them.
func overLocked(class string) string {
	return `(SELECT k.objid FROM pg_catalog.pg_depend k WHERE k.classid = 'pg_catalog.` + class + `'::pg_catalog.regclass
			AND k.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND k.refobjid IN ` + lockedTables + `)`
}
