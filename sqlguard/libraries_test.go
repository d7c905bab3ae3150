package sqlguard

import (
	"strings"
	"testing"
)

// TestLibraries: functions in C of the libraries that the owner names run, and
// may be defined; they are given no protected value all the same.
func TestLibraries(t *testing.T) {
	cat := testCatalog(t)
	of := func(libraries ...string) *Guard {
		g := New(protectedColumns, testParser(t))
		g.Libraries = libraries
		return g
	}
	trusting, ruled := of("$libdir/opaque"), New(nil, testParser(t))
	ruled.Libraries = trusting.Libraries
	for sql, passes := range map[string]bool{
		"SELECT opaque()":                          true,
		"SELECT opaque(note) FROM orders":          true,
		"SELECT opaque(password) FROM users":       false,
		"SELECT opaque(u) FROM users u":            false,
		"SELECT (u).opaque FROM users u":           false,
		"SELECT id FROM users WHERE opaque(email)": false,
		"SELECT 1 <~> 2":                           true,
		"SELECT id FROM users WHERE email <~> 'x'": false,
		"SELECT unread()":                          false,
		"LOAD '$libdir/opaque'":                    true,
		"LOAD 'opaque'":                            false,
		"LOAD 'plpgsql'":                           true,
		"LOAD '/tmp/plpgsql'":                      false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE C AS '$libdir/opaque', 'g'":                                       true,
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/opaque'":                                            true,
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/Opaque', 'g'":                                       false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/opaque.so', 'g'":                                    false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/x', '$libdir/opaque'":                                  false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'; SELECT 1":                                               false,
		"CREATE FUNCTION upper(text) RETURNS text LANGUAGE c AS '$libdir/opaque', 'g'":                              false,
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plperl AS '$libdir/opaque'":                                   false,
		"CREATE CAST (text AS date) WITH FUNCTION opaque(text) AS IMPLICIT":                                         false,
		"CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = opaque)":                                    false,
		"CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION opaque()":                            false,
		"CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION opaque()":                           true,
		"DO $$ BEGIN PERFORM opaque(); PERFORM unread(); END $$":                                                    false,
		"DO $$ BEGIN LOAD '/tmp/x'; END $$":                                                                         false,
		"DO $$ BEGIN LOAD '$libdir/opaque'; PERFORM opaque(); END $$":                                               true,
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT opaque(); LOAD ''x''; SELECT password FROM users'": false,
	} {
		r := trusting.Read(sql, cat)
		if (r.Refusal == nil) != passes {
			t.Errorf("%s: %+v", sql, r.Refusal)
		}
		if passes && !strings.HasPrefix(sql, "LOAD") && !strings.HasPrefix(sql, "SELECT") {
			if r := ruled.Read(sql, cat); len(r.Facts.Unknown) > 0 {
				t.Errorf("%s: a rule does not know what runs: %q", sql, r.Facts.Unknown)
			}
		}
		if r := of().Read(sql, cat); r.Refusal == nil && sql != "LOAD 'plpgsql'" {
			t.Errorf("%s: passes where no library is trusted", sql)
		}
	}
	if r := ruled.Read("SELECT opaque()", cat); len(r.Facts.Unknown) > 0 {
		t.Errorf("a rule does not know what runs: %q", r.Facts.Unknown)
	}
	if r := ruled.Read("SELECT unread()", cat); len(r.Facts.Unknown) == 0 {
		t.Error("a rule knows what a function in C does that nobody vouches for")
	}
}
