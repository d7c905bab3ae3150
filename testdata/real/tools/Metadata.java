import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;

/** What a business intelligence tool asks when it syncs a database: JDBC's metadata, information_schema, samples, fingerprints. */
public class Metadata {
	interface Asked { ResultSet ask() throws SQLException; }

	static void show(String name, Object value) { System.out.println("## " + name + "\n" + value); }

	/** rows prints sorted rows, with the columns' names; what changes from run to run is left out. */
	static void rows(String name, Asked asked) {
		try (ResultSet found = asked.ask()) {
			ResultSetMetaData meta = found.getMetaData();
			List<String> rows = new ArrayList<>();
			while (found.next()) {
				StringBuilder row = new StringBuilder();
				for (int i = 1; i <= meta.getColumnCount(); i++) {
					row.append(meta.getColumnLabel(i)).append('=').append(found.getString(i)).append(' ');
				}
				rows.add(row.toString());
			}
			Collections.sort(rows);
			show(name, String.join("\n", rows));
		} catch (SQLException e) {
			show(name, e.getSQLState() + " " + e.getMessage());
		}
	}

	static ResultSet prepared(Connection conn, String sql, Object... args) throws SQLException {
		PreparedStatement statement = conn.prepareStatement(sql);
		statement.closeOnCompletion();
		for (int i = 0; i < args.length; i++) statement.setObject(i + 1, args[i]);
		return statement.executeQuery();
	}

	public static void main(String[] args) throws SQLException {
		Properties login = new Properties();
		login.setProperty("user", System.getenv("PGUSER"));
		login.setProperty("password", System.getenv("PGPASSWORD"));
		login.setProperty("sslmode", "disable");
		login.setProperty("ApplicationName", "Metabase v0.56 [tools]");
		String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
		try (Connection conn = DriverManager.getConnection(url, login)) {
			conn.setReadOnly(true);
			DatabaseMetaData meta = conn.getMetaData();
			show("product", meta.getDatabaseProductName() + " " + meta.getDatabaseProductVersion() + " " + meta.getDriverVersion());
			show("keywords", new TreeSet<>(List.of(meta.getSQLKeywords().split(","))));
			show("isolation", meta.getDefaultTransactionIsolation() + " " + meta.getMaxConnections() + " " + meta.getMaxColumnNameLength());
			show("catalog", conn.getCatalog());
			rows("schemas", () -> meta.getSchemas(null, "%"));
			rows("types", meta::getTableTypes);
			rows("tables", () -> meta.getTables(null, null, "%", new String[] {"TABLE", "PARTITIONED TABLE", "VIEW", "FOREIGN TABLE", "MATERIALIZED VIEW"}));
			rows("system tables", () -> meta.getTables(null, "pg_catalog", "pg_c%", null));
			rows("columns", () -> meta.getColumns(null, "public", "%", "%"));
			for (String table : new String[] {"customers", "orders", "events", "unrelated"}) {
				rows(table + " keys", () -> meta.getPrimaryKeys(null, "public", table));
				rows(table + " imported", () -> meta.getImportedKeys(null, "public", table));
				rows(table + " exported", () -> meta.getExportedKeys(null, "public", table));
				rows(table + " indexes", () -> meta.getIndexInfo(null, "public", table, false, false));
				rows(table + " rights", () -> meta.getTablePrivileges(null, "public", table));
				rows(table + " column rights", () -> meta.getColumnPrivileges(null, "public", table, "%"));
				rows(table + " best row", () -> meta.getBestRowIdentifier(null, "public", table, DatabaseMetaData.bestRowSession, true));
			}
			rows("functions", () -> meta.getFunctions(null, "public", "%"));
			rows("function columns", () -> meta.getFunctionColumns(null, "public", "%", "%"));
			rows("procedures", () -> meta.getProcedures(null, "public", "%"));
			rows("udts", () -> meta.getUDTs(null, "public", "%", null));
			rows("type info", () -> prepared(conn, "SELECT typname FROM pg_type WHERE typtype = 'b' AND typname LIKE 'int%'"));
			rows("client info", meta::getClientInfoProperties);

			// Metabase's own questions.
			rows("privileges", () -> prepared(conn, "with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname as table,"
				+ " pg_catalog.has_any_column_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\".\"' || replace(t.objectname, '\"', '\"\"') || '\"', 'update') as update,"
				+ " pg_catalog.has_any_column_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\".\"' || replace(t.objectname, '\"', '\"\"') || '\"', 'select') as select,"
				+ " pg_catalog.has_table_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\".\"' || replace(t.objectname, '\"', '\"\"') || '\"', 'delete') as delete"
				+ " from (select schemaname, tablename as objectname from pg_catalog.pg_tables union select schemaname, viewname as objectname from pg_catalog.pg_views"
				+ " union select schemaname, matviewname as objectname from pg_catalog.pg_matviews) t"
				+ " where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) select t.* from table_privileges t"));
			rows("fields", () -> prepared(conn, "SELECT c.column_name AS name, c.udt_name AS database_type, c.ordinal_position - 1 AS database_position, c.table_schema AS table_schema, c.table_name AS table_name,"
				+ " pk.column_name IS NOT NULL AS pk, col_description(CAST(CAST(format('%I.%I', CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS REGCLASS) AS OID), c.ordinal_position) AS field_comment,"
				+ " (column_default IS NULL OR LOWER(column_default) = 'null') AND is_nullable = 'NO' AND NOT is_identity = 'YES' AS database_required, is_identity = 'YES' AS auto_increment"
				+ " FROM information_schema.columns AS c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints AS tc"
				+ " INNER JOIN information_schema.key_column_usage AS kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name"
				+ " WHERE tc.constraint_type = 'PRIMARY KEY') AS pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name"
				+ " WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema IN (?)"
				+ " UNION ALL SELECT pa.attname, pt.typname, pa.attnum - 1, pn.nspname, pc.relname, FALSE, NULL, FALSE, FALSE FROM pg_catalog.pg_class AS pc"
				+ " JOIN pg_catalog.pg_namespace AS pn ON pn.oid = pc.relnamespace JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = pc.oid JOIN pg_catalog.pg_type AS pt ON pt.oid = pa.atttypid"
				+ " WHERE pc.relkind = 'm' AND pa.attnum >= 1 AND pn.nspname IN (?)", "public", "public"));
			rows("foreign keys", () -> prepared(conn, "SELECT fk_ns.nspname, fk_table.relname, fk_column.attname, pk_ns.nspname, pk_table.relname, pk_column.attname FROM pg_constraint AS c"
				+ " INNER JOIN pg_class AS fk_table ON c.conrelid = fk_table.oid INNER JOIN pg_namespace AS fk_ns ON c.connamespace = fk_ns.oid INNER JOIN pg_attribute AS fk_column ON c.conrelid = fk_column.attrelid"
				+ " INNER JOIN pg_class AS pk_table ON c.confrelid = pk_table.oid INNER JOIN pg_namespace AS pk_ns ON pk_table.relnamespace = pk_ns.oid INNER JOIN pg_attribute AS pk_column ON c.confrelid = pk_column.attrelid"
				+ " WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'::char AND fk_column.attnum = ANY(c.conkey) AND pk_column.attnum = ANY(c.confkey)"));
			rows("enums", () -> prepared(conn, "SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum)"));
			rows("estimates", () -> prepared(conn, "SELECT relname, reltuples FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind = 'r'"));
			rows("zone", () -> prepared(conn, "show timezone"));
			rows("sample", () -> prepared(conn, "SELECT \"public\".\"customers\".\"id\" AS \"id\", substring(\"public\".\"customers\".\"name\", 1, 1234) AS \"substring1\", substring(\"public\".\"customers\".\"password\", 1, 1234) AS \"substring2\""
				+ " FROM \"public\".\"customers\" LIMIT 10000"));
			rows("rows", () -> prepared(conn, "SELECT * FROM \"public\".\"customers\" LIMIT ?", 2000));
			rows("distinct", () -> prepared(conn, "SELECT \"public\".\"orders\".\"status\" FROM \"public\".\"orders\" GROUP BY 1 ORDER BY 1 ASC LIMIT 5000"));
			rows("question", () -> prepared(conn, "SELECT CAST(DATE_TRUNC('month', \"source\".\"at\") AS date) AS \"at\", count(*) AS \"count\" FROM (SELECT * FROM events) AS \"source\" GROUP BY 1 ORDER BY 1"));
		}
	}
}
