package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// pinned lists the settings on which the reading of a text depends, and whether
// a value is the one the gateway reads by. Under any other the server could see
// other statements in the same bytes.
var pinned = map[string]func(value string) bool{
	"client_encoding":             isUTF8,
	"standard_conforming_strings": isOn,
}

func isUTF8(value string) bool {
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(value))
	return name == "utf8" || name == "unicode"
}

func isOn(value string) bool { yes, ok := boolean(value); return ok && yes }

// refuseSettings refuses a text that could change a pinned setting. RESET and
// the like return to what the gateway set when it connected.
func (r *reader) refuseSettings() *policy.Refusal {
	for _, s := range r.settings {
		name := strings.ToLower(s.Name)
		ok, isPinned := pinned[name]
		if !isPinned {
			continue
		}
		switch {
		case s.Kind == varDefault, s.Kind != varSet && s.Kind != varCurrent: // RESET
		case s.Kind == varSet && len(s.Args) == 1 && ok(text(s.Args[0])):
		default:
			return pinnedRefusal(name)
		}
	}
	for _, f := range r.setCalls {
		if len(f.Args) == 0 {
			continue
		}
		said, known := constantText(f.Args[0])
		if slices.ContainsFunc(f.Args, func(n *node) bool { _, named := unwrap(n).(*namedArg); return named }) || !known {
			return &policy.Refusal{
				Kind: policy.Denied, Public: "set_config needs the name of the setting as a constant here",
				Detail: "Another name could change how the server reads statements.",
				Hint:   "Write the name as a literal: set_config('name', value, false).",
			}
		}
		name := strings.ToLower(said)
		if ok, isPinned := pinned[name]; isPinned {
			if len(f.Args) < 2 {
				return pinnedRefusal(name)
			}
			if value, known := constantText(f.Args[1]); !known || !ok(value) {
				return pinnedRefusal(name)
			}
		}
	}
	if slices.Contains(r.writesTo, "pg_settings") {
		return &policy.Refusal{
			Kind: policy.Denied, Public: "pg_settings cannot be written to through the gateway",
			Hint: "Use SET.",
		}
	}
	return nil
}

func pinnedRefusal(name string) *policy.Refusal {
	want := "on"
	if name == "client_encoding" {
		want = "UTF8"
	}
	return &policy.Refusal{
		Kind: policy.Denied, Public: fmt.Sprintf("%s cannot be changed through the gateway", name),
		Detail: "The gateway and the server must read the same statements in the same bytes.",
		Hint:   fmt.Sprintf("The gateway reads statements as UTF-8 with standard_conforming_strings on; leave %s at %s.", name, want),
	}
}

// isConstant reports whether n is a literal, cast or not.
func isConstant(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aConst:
		return !m.Isnull
	case *typeCast:
		return isConstant(m.Arg)
	}
	return false
}

// harmful lists the settings under which a session is another, checks less, or
// leaves less behind; whoever sets one is destructive, unless the value is one
// of those allowed. To add one, add a line.
var harmful = []struct {
	names   string // separated by white space; * stands for anything
	allowed string // values, separated by white space; * is any but 0 and -1
}{
	{"role session_authorization session_replication_role createrole_self_grant", ""},
	{"row_security", "on"},
	{"allow_system_table_mods zero_damaged_pages ignore_checksum_failure ignore_invalid_pages ignore_system_indexes", "off"},
	{"transform_null_equals array_nulls_off lo_compat_privileges backslash_quote", "off safe_encoding"},
	{"event_triggers", "on"},
	{"transaction_read_only default_transaction_read_only", "on"},
	{"synchronous_commit", "on remote_apply remote_write local"},
	{"statement_timeout lock_timeout idle_in_transaction_session_timeout idle_session_timeout transaction_timeout", "*"},
	{"temp_file_limit", "*"},
	{"track_* log_* compute_query_id update_process_title exit_on_error", "on"},
	{"local_preload_libraries session_preload_libraries dynamic_library_path extension_control_path", ""},
	{"default_table_access_method", "heap"},
	{"password_encryption", "scram-sha-256"},
	{"debug_* trace_* wal_consistency_checking wal_compression commit_delay jit_provider backtrace_functions", "off"},
	{"max_stack_depth", ""},
	{dumpSetting, "view,foreign-table foreign-table,view"}, // as pg_dump sets it: nothing is stricter
	{"pgaudit.* pg_stat_statements.* auto_explain.* plpgsql.* sepgsql.* supautils.* anon.* plperl.* pltcl.* plpython*", ""},
}

// harms reports whether a value of a setting harms. A value that is no constant
// may be any.
func harms(name, value string, known bool) bool {
	name, value = strings.ToLower(name), strings.ToLower(strings.TrimSpace(value))
	if name == dumpSetting {
		value = strings.Join(strings.Fields(value), "")
	}
	for _, h := range harmful {
		if !policy.MatchAny(strings.Fields(h.names), name) {
			continue
		}
		if !known || h.allowed == "" {
			return true
		}
		if h.allowed == "*" {
			return zeroOrLess(value)
		}
		yes, isBool := boolean(value)
		for _, allowed := range strings.Fields(h.allowed) {
			want, wantBool := boolean(allowed)
			if value == allowed || isBool && wantBool && yes == want {
				return false
			}
		}
		return true
	}
	return false
}

// zeroOrLess: a limit of 0 or -1 is none, whatever its unit.
func zeroOrLess(value string) bool {
	digits := strings.TrimLeft(strings.TrimPrefix(value, "+"), " ")
	if strings.HasPrefix(digits, "-") {
		return true
	}
	n := strings.TrimRight(digits, "abcdefghijklmnopqrstuvwxyz ")
	return strings.Trim(n, "0.x") == ""
}

func harmfulSetting(name string) string {
	return "with " + name + " a session can be another, checks less or leaves less behind"
}

// sets adds what a SET does.
func (r *reader) sets(m *setStmt) {
	name := strings.ToLower(m.Name)
	switch {
	case m.Kind == varCurrent: // SET x FROM CURRENT, of a function
		if harms(name, "", false) {
			r.effect(control, harmfulSetting(name))
		}
	case m.Kind != varSet:
	case name == "search_path" || name == "schema":
		values := make([]string, len(m.Args))
		for i, n := range m.Args {
			values[i] = text(n)
		}
		r.setsPath(values)
	default:
		value := ""
		if len(m.Args) > 0 {
			value = text(m.Args[0])
		}
		if harms(name, value, len(m.Args) == 1) {
			r.effect(control, harmfulSetting(name))
		}
	}
}

// setsPath: with a schema before pg_catalog, or pg_temp named, PostgreSQL's own
// functions and operators may be somebody else's.
func (r *reader) setsPath(schemas []string) {
	for i, s := range schemas {
		if s = strings.Trim(strings.ToLower(strings.TrimSpace(s)), `"`); s == "pg_catalog" && i > 0 {
			r.effect(control, "a schema before pg_catalog can hide PostgreSQL's own functions")
		}
	}
}

// setsByCall adds what set_config does.
func (r *reader) setsByCall(m *funcCall) {
	if len(m.Args) < 2 {
		return
	}
	name, ok := constantText(m.Args[0])
	if !ok {
		r.unknown("function set_config: which setting it changes is not a constant")
		return
	}
	value, known := constantText(m.Args[1])
	switch {
	case strings.ToLower(name) != "search_path":
		if harms(name, value, known) {
			r.certainly(control, harmfulSetting(strings.ToLower(name)))
		}
	case !known:
		r.unknown("function set_config: the search_path it sets is not a constant")
	default:
		r.setsPath(strings.Split(value, ","))
	}
}
