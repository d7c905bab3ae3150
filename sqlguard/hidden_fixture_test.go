package sqlguard

import (
	"fmt"
	"strings"
)

// routineRows is the code of the vectors' catalog: name, language, volatile,
// extension, definition.
var routineRows = [][]string{
	{"run_sql", "plpgsql", "true", "", "CREATE FUNCTION public.run_sql(q text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE q; RETURN 'ok'; END $$"},
	{"wipe", "plpgsql", "true", "", "CREATE FUNCTION public.wipe() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; END $$"},
	{"remove", "sql", "true", "", "CREATE FUNCTION public.remove(n int) RETURNS void LANGUAGE sql AS 'DELETE FROM orders WHERE id = n'"},
	{"indirect", "sql", "true", "", "CREATE FUNCTION public.indirect() RETURNS void LANGUAGE sql AS 'SELECT public.wipe()'"},
	{"again", "sql", "true", "", "CREATE FUNCTION public.again(n int) RETURNS int LANGUAGE sql AS 'SELECT public.again(n - 1)'"},
	{"total_of", "sql", "false", "", "CREATE FUNCTION public.total_of(n int) RETURNS numeric STABLE LANGUAGE sql AS 'SELECT sum(total) FROM public.orders WHERE user_id = n'"},
	{"note_change", "plpgsql", "true", "", "CREATE FUNCTION public.note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP); NEW.total := 1 + NEW.total; RETURN NEW; END $$"},
	{"opaque", "c", "true", "", ""},
	{"opaque_but_stable", "c", "false", "", ""},
	{"l2_distance", "c", "false", "vector", ""},
	{"unread", "c", "true", "", ""},
	{"calc", "aggregate", "true", "", "SELECT public.total_of()"},
	{"write_row", "plpgsql", "true", "", "CREATE PROCEDURE public.write_row(n int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (n); END $$"},
	{"guarded_now", "plpgsql", "true", "", "CREATE FUNCTION public.guarded_now() RETURNS timestamptz LANGUAGE plpgsql AS $$ DECLARE t timestamptz := now(); BEGIN IF t IS NULL THEN RAISE EXCEPTION 'no'; END IF; RETURN t; END $$"},
}

// isCode tells the queries of loadCode.
func isCode(sql string) bool {
	for _, part := range codeParts {
		if part.query == sql {
			return true
		}
	}
	return false
}

func codeRows(sql string) [][]string {
	switch sql {
	case codeParts[0].query:
		var rows [][]string
		for i, r := range routineRows {
			library := ""
			if r[1] == "c" {
				library = "$libdir/" + r[0]
			}
			rows = append(rows, []string{fmt.Sprint(900 + i), "public", r[0], r[1], r[2], r[3], r[4], library})
		}
		return rows
	case codeParts[1].query:
		return [][]string{{"<~>", "SELECT public.opaque()"}}
	}
	switch {
	case strings.Contains(sql, "SELECT o.oprname, (o.oid"):
		var rows [][]string
		for _, op := range strings.Fields("= <> < > <= >= || + - * / % ~ ~* !~ !~* ~~ ~~* !~~ !~~* -> ->> #> #>> @> <@ && ? ?| ?& @? @@ ^ ^@ <-> # & | << >> !=") {
			rows = append(rows, []string{op, "true", "false", "true"})
		}
		return append(rows, []string{"<~>", "false", "false", "true"})
	case strings.Contains(sql, "SELECT DISTINCT t.typname FROM pg_catalog.pg_type"):
		var rows [][]string
		for _, name := range strings.Fields("text varchar bpchar char name int2 int4 int8 numeric float4 float8 bool date timestamp timestamptz time interval uuid bytea json jsonb inet xml regclass record citext") {
			rows = append(rows, []string{name})
		}
		return rows
	case strings.Contains(sql, "SELECT DISTINCT a.attname"):
		var rows [][]string
		for _, line := range lines(schema) {
			for _, column := range strings.Fields(line)[3:] {
				rows = append(rows, []string{strings.TrimSuffix(column, "!")})
			}
		}
		return rows
	case strings.Contains(sql, "WITH RECURSIVE used"), strings.Contains(sql, "pg_opfamily"), strings.Contains(sql, "confdeltype"):
		return nil
	case strings.Contains(sql, "pg_trigger t"):
		return [][]string{
			{"102", "change", "17", "CREATE TRIGGER change AFTER UPDATE ON public.secrets FOR EACH ROW EXECUTE FUNCTION public.note_change()"},
			{"109", "accounts_opaque", "4", "CREATE TRIGGER accounts_opaque AFTER INSERT ON public.accounts FOR EACH ROW EXECUTE FUNCTION public.opaque()"},
		}
	case strings.Contains(sql, "r.ev_type"):
		return [][]string{{"113", "wiped", "2", "CREATE RULE wiped AS ON UPDATE TO public.ledger DO ALSO DELETE FROM public.orders"}}
	case strings.Contains(sql, "i.indexprs"):
		return [][]string{{"users_lower_idx", "100"}, {"v_orders", "100"}, {"orders_lower_idx", "101"}}
	case strings.Contains(sql, "i.indisprimary"):
		return [][]string{{"100", "id"}, {"101", "id"}}
	case strings.HasPrefix(sql, "SELECT x.extname FROM"):
		return [][]string{{"tablefunc"}}
	case strings.Contains(sql, "i.indisunique"):
		return [][]string{{"100", "id"}, {"101", "id"}}
	case strings.Contains(sql, "c.contype"):
		return [][]string{{"104", "user_id", "100", "id"}}
	}
	return nil
}
