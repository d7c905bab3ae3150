package sqlguard

import "sallyport/policy"

// dangerous lists the functions that change more than rows of tables: whoever
// calls one is destructive. Names take *; whatever schema they stand in.
// To add one, add a line.
var dangerous = []string{
	"pg_terminate_backend",
	"pg_cancel_backend",
	"pg_reload_conf",
	"pg_rotate_logfile*",
	"pg_switch_wal",
	"pg_switch_xlog",
	"pg_promote",
	"pg_wal_replay_pause",
	"pg_wal_replay_resume",
	"pg_create_restore_point",
	"pg_backup_start",
	"pg_backup_stop",
	"pg_start_backup",
	"pg_stop_backup",
	"pg_create_*_slot",
	"pg_copy_*_slot",
	"pg_drop_replication_slot",
	"pg_replication_slot_advance",
	"pg_replication_origin_*",
	"pg_logical_slot_get*",
	"pg_logical_emit_message",
	"pg_read_file*",
	"pg_read_binary_file*",
	"pg_read_server_files",
	"pg_stat_file",
	"pg_ls_*",
	"pg_file_*",
	"pg_execute_server_program",
	"pg_stat_reset*",
	"pg_import_system_collations",
	"pg_extension_config_dump",
	"pg_nextoid",
	"pg_advisory_unlock_all",
	"pg_log_backend_memory_contexts",
	"pg_create_subscription",
	"lo_*",
	"lowrite",
	"dblink*",
	"postgres_fdw_*",
	"setval",
	"adminpack*",
	"binary_upgrade_*",
}

// harmless lists what dangerous would otherwise take with it: these only read.
var harmless = []string{
	"pg_replication_origin_oid", "pg_replication_origin_progress", "pg_replication_origin_session_*",
	"lo_get", "lo_open", "lo_close", "lo_lseek*", "lo_tell*",
	"postgres_fdw_get_connections", "postgres_fdw_disconnect*",
}

func isDangerous(name string) bool {
	return policy.MatchAny(dangerous, name) && !policy.MatchAny(harmless, name)
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
