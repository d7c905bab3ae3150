package sqlguard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/policy"
)

// everyPlace calls another function in each place where PL/pgSQL takes SQL.
const everyPlace = `
#variable_conflict use_column
<<outer>>
DECLARE
  x text NOT NULL := m1(); cur CURSOR (k int, l text) FOR SELECT m2(k); r record; u users%ROWTYPE; arr int[]; rc refcursor;
  -- a comment; it's one
  n CONSTANT int DEFAULT m3(); t timestamp(3) with time zone; other ALIAS FOR x; scr NO SCROLL CURSOR IS SELECT m4();
BEGIN
  x := m5(); arr[m6()] := m7(); r.f = m8(); outer.x := m9(); arr[1][2] := m10(); u.tags[m11()] := m12();
  IF m13() THEN NULL; ELSIF m14() THEN x := 'it''s;'; ELSEIF m15() THEN NULL; ELSE PERFORM m16(); END IF;
  CASE m17() WHEN m18(), m19() THEN PERFORM m20(); ELSE PERFORM m21(); END CASE;
  CASE WHEN m22() THEN NULL; END CASE;
  <<l>> LOOP EXIT l WHEN m23(); CONTINUE WHEN m24(); EXIT; END LOOP l;
  WHILE m25() LOOP NULL; END LOOP;
  FOR i IN REVERSE m26() .. m27() BY m28() LOOP NULL; END LOOP;
  FOR i IN 1..10 LOOP PERFORM m29(); END LOOP;
  FOR r IN SELECT m30() LOOP NULL; END LOOP;
  FOR r IN cur(m31(), l => m32()) LOOP NULL; END LOOP;
  FOREACH x SLICE 1 IN ARRAY m33() LOOP NULL; END LOOP;
  FOR r IN EXECUTE 'select m34()' USING m35(), m36() LOOP NULL; END LOOP;
  RETURN NEXT m37(); RETURN QUERY SELECT m38(); RETURN QUERY EXECUTE 'select m39()' USING m40();
  RAISE NOTICE '% it''s %', m41(), (m42()) USING HINT = m43(), ERRCODE := m44(); RAISE EXCEPTION division_by_zero USING MESSAGE = m45();
  ASSERT m46(), m47();
  SELECT m48() INTO STRICT x FROM t; SELECT INTO x, r.f m49(); EXECUTE 'select ' || $q$m50()$q$ INTO x USING m51();
  GET DIAGNOSTICS x = ROW_COUNT; GET STACKED DIAGNOSTICS x := MESSAGE_TEXT;
  OPEN cur(m52()); OPEN rc SCROLL FOR SELECT m53(); OPEN rc FOR EXECUTE 'select m54()' USING m55();
  FETCH RELATIVE m56() FROM cur INTO x; FETCH rc INTO x; MOVE FORWARD ALL IN cur; CLOSE cur; CALL m57(m58()); COMMIT AND CHAIN;
  INSERT INTO t SELECT m59() RETURNING a INTO x; WITH q AS (SELECT m60()) SELECT * INTO r FROM q;
  <<inner>>
  DECLARE y int DEFAULT m61(); BEGIN PERFORM m62(); EXCEPTION WHEN division_by_zero OR SQLSTATE '22012' THEN PERFORM m63(); WHEN OTHERS THEN RAISE; END inner;
  CREATE TEMP TABLE tt AS SELECT m64(); DO $d$ BEGIN PERFORM m65(); END $d$;
  x := E'it\'s; ' || m66() /* ; */ || "quoted;name";
  IF x = ANY (ARRAY[m67()]) THEN RETURN; END IF;
  RETURN m68();
END outer;
`

func bodyCalls(t *testing.T, body string) (*reader, []string) {
	t.Helper()
	r := &reader{parser: testParser(t), facts: &policy.SQL{}, seen: map[noted]bool{}, shared: &sharedReading{open: map[string]bool{}}}
	r.plpgsql(body, "it")
	var names []string
	for _, c := range r.calls {
		names = append(names, c.name)
	}
	return r, names
}

// TestEveryPlace finds SQL wherever PL/pgSQL takes it.
func TestEveryPlace(t *testing.T) {
	r, calls := bodyCalls(t, everyPlace)
	if len(r.veiled) > 0 {
		t.Error(r.veiled)
	}
	for i := 1; i <= 68; i++ {
		if !slices.Contains(calls, fmt.Sprint("m", i)) {
			t.Errorf("m%d is not seen", i)
		}
	}
}

// TestUnreadable: what can't be cut up with certainty is not read at all.
func TestUnreadable(t *testing.T) {
	for _, body := range []string{
		"", "BEGIN", "BEGIN NULL; END; SELECT 1", "BEGIN NULL END", "BEGIN x := 'a; END", "BEGIN x := /* ; END",
		"BEGIN IF a THEN NULL; END; END", "BEGIN SELECT 1 INTO a INTO b; END", "BEGIN FOR i IN 1..2 LOOP NULL; END; END",
		"BEGIN PERFORM f(; END", "BEGIN PERFORM f); END", "BEGIN x := U&'d\\0061t'; END", "BEGIN EXECUTE q; END", "BEGIN EXECUTE 'select ' || x; END",
		"BEGIN FETCH c INTO x; END", "DECLARE c refcursor := 'theirs'; BEGIN FETCH c INTO x; END",
		"DECLARE c refcursor; BEGIN c := 'theirs'; FETCH c INTO x; END", "DECLARE c refcursor; BEGIN SELECT 'theirs' INTO c; FETCH c INTO x; END",
		"DECLARE c refcursor; d ALIAS FOR c; BEGIN d := 'theirs'; FETCH c INTO x; END", "DECLARE c CURSOR FOR SELECT 1; BEGIN c := 'theirs'; FETCH c INTO x; END",
		"<<b>> DECLARE c refcursor; BEGIN b.c := 'theirs'; MOVE c; END", "DECLARE c refcursor; BEGIN CALL other(c); FETCH c INTO x; END",
		"DECLARE q text := 'select 1'; BEGIN q := q || f(); EXECUTE q; END", "DECLARE q varchar(3) := 'abc'; BEGIN EXECUTE 'select 12345'::varchar(8); END",
		strings.Repeat("BEGIN ", 200) + strings.Repeat("END;", 200),
	} {
		if r, _ := bodyCalls(t, body); len(r.veiled) == 0 {
			t.Errorf("%s is read", body)
		}
	}
}

// TestConstantText: text that is put together of constants is read as it runs.
func TestConstantText(t *testing.T) {
	for body, want := range map[string]string{
		"DECLARE q text := 'select found_' || 'it()'; BEGIN EXECUTE q; END":                               "found_it",
		"DECLARE f constant text = 'found_it'; BEGIN EXECUTE format('select %I(%L)', f, 'a''b'); END":     "found_it",
		"BEGIN EXECUTE concat('select ', quote_ident('found_it'), '(', quote_literal('x'), ')'); END":     "found_it",
		"DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'select found_it()'; FETCH c INTO x; CLOSE c; END": "found_it",
	} {
		r, calls := bodyCalls(t, body)
		if len(r.veiled) > 0 || !slices.Contains(calls, want) {
			t.Errorf("%s: %v %v", body, r.veiled, calls)
		}
	}
}

// FuzzCutPLpgSQL: no body makes it panic, and what it gives stands in the text.
func FuzzCutPLpgSQL(f *testing.F) {
	f.Add(everyPlace)
	f.Add("DECLARE a int; BEGIN FOR a IN 1..2 LOOP FETCH a INTO b; END LOOP; END")
	f.Fuzz(func(t *testing.T, body string) {
		fragments, _, bad := cutPLpgSQL(body)
		if bad == "" && len(fragments) > maxPieces {
			t.Errorf("%d fragments", len(fragments))
		}
	})
}
