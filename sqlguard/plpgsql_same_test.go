package sqlguard

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pganalyze/pg_query_go/v5/parser"
)

// sameBodies are bodies that the C library's parser of PL/pgSQL reads, too.
var sameBodies = []string{
	"DECLARE x int; BEGIN IF a > 1 THEN PERFORM f(1); ELSIF b THEN NULL; ELSE x := 3; END IF; END",
	"DECLARE x int := 1; y text DEFAULT 'a;b'; BEGIN x := x + 1; y = y || 'it''s'; RETURN x; END",
	"DECLARE x int; BEGIN SELECT a, b INTO x FROM t WHERE c = 'INTO'; INSERT INTO t VALUES (1) RETURNING a INTO x; UPDATE t SET a = 1; END",
	"DECLARE x int; BEGIN FOR x IN 1 .. f(10) BY 2 LOOP DELETE FROM t WHERE a = x; END LOOP; WHILE x > 0 LOOP EXIT WHEN x = 3; END LOOP; END",
	"DECLARE x int[]; y int; BEGIN FOREACH y IN ARRAY x LOOP RAISE NOTICE '% %', y, y + 1 USING HINT = 'h'; END LOOP; END",
	"DECLARE q text; BEGIN EXECUTE 'select ' || q INTO q USING 1, f(2); RETURN; END",
	"DECLARE x int; BEGIN CASE WHEN x = 2 THEN PERFORM f(); ELSE NULL; END CASE; CASE WHEN x = 1 THEN PERFORM g(); END CASE; END",
	"BEGIN BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero OR SQLSTATE '22000' THEN PERFORM h(SQLERRM); END; END",
	"DECLARE x int; BEGIN ASSERT x > 0, 'no'; GET DIAGNOSTICS x = ROW_COUNT; CALL p(1, 2); COMMIT; ROLLBACK; END",
	"BEGIN WITH q AS (SELECT 1) INSERT INTO t SELECT * FROM q; CREATE TABLE tt AS SELECT $q$;$q$; /* ; */ DROP TABLE tt; -- ;\n END",
	"<<a>> DECLARE x int; BEGIN <<b>> LOOP EXIT b; END LOOP b; x := (SELECT max(i) FROM t); END a",
}

// TestSameBodies finds the SQL that the C library's parser finds.
func TestSameBodies(t *testing.T) {
	for _, body := range sameBodies {
		tree, err := parser.ParsePlPgSqlToJSON("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$" + body + "$body$")
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var parsed any
		if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		queriesOf(parsed, &want)
		fragments, _, bad := cutPLpgSQL(body)
		if bad != "" {
			t.Errorf("%s: %s", body, bad)
		}
		for _, c := range fragments {
			if c.kind == pieceValue || c.kind == pieceQuery || c.kind == pieceRun {
				got = append(got, strings.Join(strings.Fields(c.text), " "))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", body, got, want)
		}
	}
}

// queriesOf gathers the expressions of a tree; of an assignment, what is assigned.
func queriesOf(part any, to *[]string) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			queriesOf(p, to)
		}
	case map[string]any:
		if query, ok := part["query"].(string); ok {
			if mode, _ := part["parseMode"].(float64); mode > 2 {
				_, query, _ = strings.Cut(query, "=")
			}
			*to = append(*to, strings.Join(strings.Fields(query), " "))
		}
		for _, p := range part {
			queriesOf(p, to)
		}
	}
}
