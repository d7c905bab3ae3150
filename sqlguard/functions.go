package sqlguard

import (
	_ "embed"
	"strings"
	"sync"

	"sallyport/policy"
)

// A function that none of the lines below names, and that functions_safe.txt
// does not list, is unknown: nobody knows what calling it does.
//
// Together they class every function of PostgreSQL 15 to 18 and of the
// extensions that come with them; TestEveryFunctionIsClassed compares them with
// a server's pg_proc.

// class is what calling any of some functions does.
type class struct {
	effect effect
	why    string // of what the effect is, after the function's name
	names  string // separated by white space; * stands for anything
	// sql is, counted from 1, the argument that holds SQL which the function
	// runs; -1 where there is one that cannot be read.
	sql int
}

// classes are the functions with an effect, whatever schema they stand in. The
// first line that names a function counts. To add one, add its name.
var classes = []class{
	{effect: 0, why: "only reads", names: `lo_open lo_close lo_lseek* lo_tell* lo_oid
		pg_replication_origin_oid pg_replication_origin_progress pg_replication_origin_session_is_setup
		pg_replication_origin_session_progress postgres_fdw_get_connections postgres_fdw_disconnect*
		postgres_fdw_handler postgres_fdw_validator dblink_fdw_validator dblink_get_pkey`},

	{effect: control, why: "ends or disturbs other sessions", names: `pg_terminate_backend pg_cancel_backend
		pg_log_backend_memory_contexts pg_buffercache_evict* pg_isolation_test_session_is_blocked`},
	{effect: control, why: "controls the server", names: `pg_reload_conf pg_rotate_logfile* pg_switch_wal pg_switch_xlog
		pg_promote pg_wal_replay_pause pg_wal_replay_resume pg_create_restore_point pg_backup_start pg_backup_stop
		pg_start_backup pg_stop_backup pg_log_standby_snapshot pg_nextoid pg_stop_making_pinned_objects
		pg_import_system_collations pg_extension_config_dump binary_upgrade_* autoprewarm_*`},
	{effect: control, why: "forgets or falsifies statistics", names: `pg_stat_reset* pg_stat_statements_reset
		pg_clear_*_stats pg_restore_*_stats`},
	{effect: control, why: "changes pages under the rows", names: `pg_truncate_visibility_map heap_force_*
		brin_desummarize_range`},
	{effect: control, why: "changes a sequence", names: `setval`},
	{effect: control, why: "reaches replication", names: `pg_create_*_slot pg_copy_*_slot pg_drop_replication_slot
		pg_replication_slot_advance pg_sync_replication_slots pg_replication_origin_* pg_logical_emit_message
		pg_create_subscription`},
	{effect: control | sideDoor, why: "takes the rows of every table from the log", names: `pg_logical_slot_get_*`},
	{effect: control | sideDoor, why: "reaches the server's files", names: `pg_read_file* pg_read_binary_file*
		pg_read_server_files pg_stat_file pg_ls_* pg_file_* pg_logdir_ls pg_hba_file_rules pg_ident_file_mappings
		pg_show_all_file_settings pg_execute_server_program adminpack*`},
	{effect: control | sideDoor, why: "changes large objects or files", names: `lo_creat lo_create lo_export lo_from_bytea
		lo_import* lo_manage lo_put lo_truncate* lo_unlink lowrite lo_*`},
	{effect: control | sideDoor | dynamic, why: "runs SQL on another connection", names: `dblink dblink_*`},

	{effect: sideDoor, why: "reads large objects", names: `loread lo_get`},
	{effect: sideDoor, why: "reads the log", names: `pg_logical_slot_peek_* pg_get_wal_record* pg_get_wal_stats*
		pg_get_wal_block_info pg_wal_summary_contents pg_get_logical_snapshot_* pg_current_logfile`},
	{effect: sideDoor, why: "reads raw pages", names: `get_raw_page page_header page_checksum brin_page_* brin_metapage_info
		brin_revmap_data bt_metap bt_page_* bt_multi_page_stats fsm_page_contents gin_leafpage_items gin_metapage_info
		gin_page_opaque_info gist_page_* hash_bitmap_info hash_metapage_info hash_page_* heap_page_* tuple_data_split
		pgrowlocks`},
	{effect: sideDoor, why: "reads other sessions' statements", names: `pg_stat_get_backend_activity pg_stat_statements
		pg_stat_statements_info`},
	{effect: sideDoor, why: "reads sampled values", names: `pg_mcv_list_items`},
	{effect: sideDoor, sql: -1, why: "reads whole tables by name, and runs their views", names: `table_to_xml* schema_to_xml* database_to_xml*`},
	{effect: sideDoor, why: "reads a cursor by name", names: `cursor_to_xml*`},

	{effect: sideDoor, sql: 1, why: "runs SQL that is text here", names: `query_to_xml query_to_xmlschema
		query_to_xml_and_xmlschema ts_stat crosstab crosstab2 crosstab3 crosstab4`},
	{effect: sideDoor, sql: 2, why: "can run SQL that is text here", names: `ts_rewrite`},
	{effect: sideDoor, sql: -1, why: "builds SQL from its arguments and runs it", names: `connectby xpath_table
		check_primary_key check_foreign_key`},

	{effect: writes, why: "changes a sequence", names: `nextval`},
	{effect: writes, why: "changes the row", names: `autoinc insert_username moddatetime`},
	{effect: writes, why: "maintains an index", names: `brin_summarize_* gin_clean_pending_list`},
}

// spelled are what PostgreSQL 17 and later spell as functions and know by their
// grammar, so that no catalog holds them; older ones have none of that name, but
// their users may. They only read.
var spelled = map[string]bool{"json": true, "json_exists": true, "json_query": true, "json_value": true, "json_scalar": true, "json_serialize": true, "merge_action": true}

const control = writes | destructive

//go:embed functions_safe.txt
var safeNames string

// safe holds the functions whose calling changes nothing that lasts beyond the
// session: those that compute, read catalogs and statistics, lock and notify.
var safe = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(safeNames) {
		set[name] = true
	}
	return set
})

// classed is the table by name; the patterns with a * are tried one by one.
var classed = sync.OnceValue(func() (t struct {
	names    map[string]int // of classes
	patterns []string
	of       []int
},
) {
	t.names = map[string]int{}
	for i, c := range classes {
		for _, name := range strings.Fields(c.names) {
			if strings.Contains(name, "*") {
				t.patterns, t.of = append(t.patterns, name), append(t.of, i)
			} else if _, ok := t.names[name]; !ok {
				t.names[name] = i
			}
		}
	}
	return t
})

// classOf says what calling a function of a name does; false when nobody knows.
func classOf(name string) (class, bool) {
	if safe()[name] {
		return class{}, true
	}
	t := classed()
	if i, ok := t.names[name]; ok {
		return classes[i], true
	}
	for i, p := range t.patterns {
		if policy.Match(p, name) {
			return classes[t.of[i]], true
		}
	}
	return class{}, false
}

// door is a way to a value around lineage.
type door struct{ pattern, why string }

// functionDoors are closed where columns are protected.
var functionDoors = []door{
	{"query_to_xml*", "runs a query that is only text here"},
	{"table_to_xml*", "reads a table that is only text here"},
	{"schema_to_xml*", "reads every table of a schema"},
	{"database_to_xml*", "reads every table"},
	{"cursor_to_xml*", "reads a cursor"},
	{"ts_stat", "runs a query that is only text here"},
	{"ts_rewrite", "can run a query that is only text here"},
	{"pg_read_file*", "reads the server's files"},
	{"pg_read_binary_file*", "reads the server's files"},
	{"pg_stat_file", "reads the server's files"},
	{"pg_ls_*", "reads the server's folders"},
	{"pg_current_logfile", "leads to the server's log"},
	{"pg_file_*", "writes the server's files"},
	{"lo_*", "reads or writes large objects"},
	{"loread", "reads large objects"},
	{"lowrite", "writes large objects"},
	{"dblink*", "runs a query on another connection"},
	{"postgres_fdw_*", "reaches another server"},
	{"pg_logical_slot_*", "reads the rows of every table from the log"},
	{"pg_create_*_slot", "opens the log of every table"},
	{"pg_copy_*_slot", "opens the log of every table"},
	{"pg_get_wal_*", "reads the log"},
	{"pg_mcv_list_items", "reads sampled values"},
	{"pg_stat_get_backend_activity", "reads other sessions' statements"},
	{"get_raw_page*", "reads raw pages"},
	{"heap_page_items*", "reads raw pages"},
	{"pg_stat_statements*", "reads other sessions' statements"},
}

// relationDoors are closed where columns are protected.
var relationDoors = []door{
	{"pg_stats", "holds sampled values of columns"},
	{"pg_statistic", "holds sampled values of columns"},
	{"pg_statistic_ext_data", "holds sampled values of columns"},
	{"pg_stats_ext*", "holds sampled values of columns"},
	{"pg_largeobject", "holds large objects"},
	{"pg_stat_statements*", "holds other sessions' statements"},
}

func findDoor(doors []door, name string) (door, bool) {
	for _, d := range doors {
		if policy.Match(d.pattern, name) {
			return d, true
		}
	}
	return door{}, false
}
