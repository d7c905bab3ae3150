import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Properties;
import java.util.UUID;
import javax.sql.XAConnection;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.copy.CopyOut;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PSQLException;
import org.postgresql.xa.PGXADataSource;

/** What programs do with PostgreSQL's JDBC driver, in each of its query modes. Prints results under "## NAME", the same each time. */
public class Exercise {
	interface Work { void run(Connection conn, StringBuilder out) throws Exception; }

	static String url(String options) {
		return "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE") + "?sslmode=disable&" + options;
	}

	static Connection connect(String options) throws SQLException {
		Properties login = new Properties();
		login.setProperty("user", System.getenv("PGUSER"));
		login.setProperty("password", System.getenv("PGPASSWORD"));
		return DriverManager.getConnection(url(options), login);
	}

	static void part(String name, String options, Work work) {
		StringBuilder out = new StringBuilder();
		try (Connection conn = connect(options)) {
			work.run(conn, out);
		} catch (SQLException e) {
			out.append("FAILED ").append(told(e));
		} catch (Exception e) {
			out.append("FAILED ").append(e);
		}
		System.out.println("## " + name + " [" + options + "]\n" + out);
	}

	static String told(SQLException e) {
		String text = e.getSQLState() + " " + e.getMessage();
		if (e instanceof PSQLException p && p.getServerErrorMessage() != null) {
			var m = p.getServerErrorMessage();
			text += " | " + m.getSeverity() + " " + m.getPosition() + " " + m.getDetail() + " " + m.getHint() + " " + m.getWhere() + " " + m.getTable() + " " + m.getConstraint() + " " + m.getRoutine();
		}
		return text;
	}

	static void refused(StringBuilder out, Work work, Connection conn) throws Exception {
		try {
			work.run(conn, out);
			out.append("no error\n");
		} catch (SQLException e) {
			out.append(told(e)).append('\n');
		}
	}

	static void rows(StringBuilder out, ResultSet found) throws SQLException {
		ResultSetMetaData meta = found.getMetaData();
		for (int i = 1; i <= meta.getColumnCount(); i++) out.append(meta.getColumnName(i)).append(':').append(meta.getColumnTypeName(i)).append(' ');
		out.append('\n');
		while (found.next()) {
			for (int i = 1; i <= meta.getColumnCount(); i++) out.append(meta.getColumnTypeName(i).equals("bytea") ? Arrays.toString(found.getBytes(i)) : found.getString(i)).append('|');
			out.append('\n');
		}
		found.close();
	}

	public static void main(String[] args) throws Exception {
		try (Connection conn = connect(""); Statement s = conn.createStatement()) {
			s.execute("drop table if exists things, batches, blobs; drop function if exists twice(int), several(); drop procedure if exists doubles(inout int); drop type if exists pair;"
				+ "create table things (id serial primary key, i int, l bigint, n numeric, d double precision, b boolean, t text, y bytea, u uuid, j jsonb, a int[], at timestamptz, day date);"
				+ "create table batches (id int primary key, t text unique);"
				+ "create function twice(i int) returns int language plpgsql as $$ begin raise notice 'twice %', i; return i * 2; end $$;"
				+ "create function several() returns refcursor language plpgsql as $$ declare c refcursor := 'several'; begin open c for select generate_series(1, 5); return c; end $$;"
				+ "create procedure doubles(inout i int) language plpgsql as $$ begin i := i * 2; end $$;"
				+ "create type pair as (x int, y text)");
		}
		for (String mode : new String[] {
			"prepareThreshold=0", "prepareThreshold=1", "prepareThreshold=3&binaryTransfer=false", "prepareThreshold=-1", "preferQueryMode=simple", "preferQueryMode=extendedForPrepared",
			"preferQueryMode=extendedCacheEverything", "reWriteBatchedInserts=true", "autosave=always", "autosave=conservative&prepareThreshold=1", "adaptiveFetch=true&defaultRowFetchSize=3",
			"assumeMinServerVersion=15", "stringtype=unspecified", "cleanupSavepoints=true&autosave=always", "options=-c%20statement_timeout=60s%20-c%20search_path=public", "currentSchema=public,pg_catalog",
		}) {
			part("types", mode, Exercise::types);
			part("again and again", mode, Exercise::again);
			part("batches", mode, Exercise::batches);
			part("cursors", mode, Exercise::cursors);
			part("transactions", mode, Exercise::transactions);
			part("calls", mode, Exercise::calls);
			part("many results", mode, Exercise::many);
		}
		part("copy", "", Exercise::copy);
		part("large objects", "", Exercise::large);
		part("notifications", "", Exercise::notifications);
		part("cancel", "", Exercise::cancel);
		part("cancel again", "prepareThreshold=1", Exercise::cancel);
		part("time-outs", "", Exercise::timeouts);
		part("two phases", "", Exercise::phases);
		part("many parameters", "prepareThreshold=1", Exercise::parameters);
		part("big values", "prepareThreshold=1", Exercise::big);
		part("changed under a statement", "prepareThreshold=1", Exercise::changed);
		part("settings", "ApplicationName=exercise&readOnly=true", Exercise::settings);
		part("escapes", "", Exercise::escapes);
		part("closed", "", Exercise::closed);
	}

	static void types(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) { s.execute("truncate things restart identity"); }
		String sql = "insert into things (i, l, n, d, b, t, y, u, j, a, at, day) values (?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?)";
		for (int n = 0; n < 7; n++) {
			try (PreparedStatement s = conn.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS)) {
				if (n == 3) {
					for (int i = 1; i <= 12; i++) s.setNull(i, new int[] {Types.INTEGER, Types.BIGINT, Types.NUMERIC, Types.DOUBLE, Types.BOOLEAN, Types.VARCHAR, Types.BINARY, Types.OTHER, Types.OTHER, Types.ARRAY, Types.TIMESTAMP_WITH_TIMEZONE, Types.DATE}[i - 1]);
				} else {
					s.setInt(1, n); s.setLong(2, 1L << (n * 8)); s.setBigDecimal(3, new BigDecimal("12345678901234567890.123456789")); s.setDouble(4, n / 3.0); s.setBoolean(5, n % 2 == 0);
					s.setString(6, "text ünï \\ ' \" " + n); s.setBytes(7, new byte[] {0, 1, (byte) n, (byte) 255}); s.setObject(8, new UUID(n, n)); s.setString(9, "{\"n\": " + n + "}");
					s.setArray(10, conn.createArrayOf("int4", new Integer[] {n, null, -n})); s.setObject(11, OffsetDateTime.parse("2026-01-02T03:04:05.678901Z")); s.setObject(12, LocalDate.of(2026, 1, n + 1));
				}
				s.executeUpdate();
				try (ResultSet keys = s.getGeneratedKeys()) { keys.next(); out.append("key ").append(keys.getInt(1)).append('\n'); }
			}
		}
		for (int n = 0; n < 7; n++) {
			try (PreparedStatement s = conn.prepareStatement("select * from things where id > ? order by id")) {
				s.setInt(1, 5);
				if (n < 6) { try (ResultSet found = s.executeQuery()) { while (found.next()) out.append(found.getInt("i")).append(found.getObject("u")).append(Arrays.toString((Object[]) found.getArray("a").getArray())).append(found.getObject("at", OffsetDateTime.class)).append(found.getBigDecimal("n")).append(Arrays.toString(found.getBytes("y"))).append(found.getDouble("d")); } out.append('\n'); }
				else rows(out, s.executeQuery());
			}
		}
	}

	static void again(Connection conn, StringBuilder out) throws Exception {
		try (PreparedStatement s = conn.prepareStatement("select ?::int + 1, ?::text"); PreparedStatement u = conn.prepareStatement("update things set i = i + ? where id = ?")) {
			for (int n = 0; n < 20; n++) {
				s.setInt(1, n); s.setString(2, n % 3 == 0 ? null : "x" + n);
				try (ResultSet found = s.executeQuery()) { found.next(); out.append(found.getInt(1)).append(found.getString(2)).append(' '); }
				u.setInt(1, 1); u.setInt(2, 1 + n % 9);
				out.append(u.executeUpdate()).append(' ');
			}
			out.append(s.getParameterMetaData().getParameterTypeName(1)).append(s.getMetaData().getColumnTypeName(2)).append('\n');
		}
		refused(out, (c, o) -> { try (PreparedStatement s = c.prepareStatement("select 1 / ?")) { s.setInt(1, 0); s.executeQuery(); } }, conn);
		refused(out, (c, o) -> { try (PreparedStatement s = c.prepareStatement("selec ?")) { s.setInt(1, 0); s.executeQuery(); } }, conn);
		refused(out, (c, o) -> { try (PreparedStatement s = c.prepareStatement("select nothing from things where id = ?")) { s.setInt(1, 0); s.executeQuery(); } }, conn);
	}

	static void batches(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) { s.execute("truncate batches"); }
		try (PreparedStatement s = conn.prepareStatement("insert into batches values (?, ?)")) {
			for (int n = 0; n < 300; n++) { s.setInt(1, n); s.setString(2, "row " + n); s.addBatch(); }
			out.append(s.executeBatch().length).append('\n');
			for (int n = 300; n < 310; n++) { s.setInt(1, n == 305 ? 1 : n); s.setString(2, "row " + n); s.addBatch(); }
			try { s.executeBatch(); out.append("no error\n"); } catch (BatchUpdateException e) { out.append(told(e).replaceAll("Batch entry.*aborted: ", "")).append(Arrays.toString(e.getUpdateCounts())).append('\n'); }
		}
		conn.setAutoCommit(false);
		try (PreparedStatement s = conn.prepareStatement("update batches set t = t || ? where id = ? returning id", Statement.RETURN_GENERATED_KEYS); Statement t = conn.createStatement()) {
			for (int n = 0; n < 50; n++) { s.setString(1, "!"); s.setInt(2, n); s.addBatch(); }
			out.append(Arrays.stream(s.executeBatch()).sum()).append('\n');
			t.addBatch("delete from batches where id > 290"); t.addBatch("insert into batches values (1000, 'thousand')"); t.addBatch("update batches set t = t where id < 5");
			out.append(Arrays.toString(t.executeBatch())).append('\n');
		}
		conn.rollback();
		conn.setAutoCommit(true);
		try (Statement s = conn.createStatement()) { rows(out, s.executeQuery("select count(*), min(t), max(t) from batches")); }
	}

	static void cursors(Connection conn, StringBuilder out) throws Exception {
		conn.setAutoCommit(false);
		try (PreparedStatement s = conn.prepareStatement("select g, repeat('x', g % 100) from generate_series(1, ?) g")) {
			for (int size : new int[] {0, 1, 7, 100, 1000}) {
				s.setFetchSize(size); s.setInt(1, size == 1 ? 20 : 1000);
				int count = 0, sum = 0;
				try (ResultSet found = s.executeQuery()) { while (found.next()) { count++; sum += found.getString(2).length(); } }
				out.append(size).append(':').append(count).append(' ').append(sum).append('\n');
			}
			s.setFetchSize(5); s.setMaxRows(12); s.setInt(1, 100);
			try (ResultSet found = s.executeQuery()) { int count = 0; while (found.next()) count++; out.append(count).append('\n'); }
			s.setMaxRows(0);
			// Two portals in turn, one left open halfway.
			try (ResultSet one = s.executeQuery(); PreparedStatement other = conn.prepareStatement("select g * 2 from generate_series(1, 30) g")) {
				other.setFetchSize(4);
				try (ResultSet two = other.executeQuery()) { while (two.next() && one.next()) out.append(one.getInt(1) + two.getInt(1)).append(' '); }
			}
		}
		try (Statement s = conn.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE); ResultSet found = s.executeQuery("select id, t from batches order by id limit 5")) {
			found.last(); out.append(found.getRow()); found.absolute(2); found.updateString("t", "changed by the cursor"); found.updateRow(); found.refreshRow(); out.append(found.getString(2)).append('\n');
		}
		conn.rollback();
	}

	static void transactions(Connection conn, StringBuilder out) throws Exception {
		conn.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
		conn.setAutoCommit(false);
		try (Statement s = conn.createStatement()) {
			s.executeUpdate("insert into batches values (2000, 'a')");
			Savepoint point = conn.setSavepoint("here");
			refused(out, (c, o) -> s.executeUpdate("insert into batches values (2000, 'b')"), conn);
			refused(out, (c, o) -> s.executeQuery("select 1"), conn);
			conn.rollback(point);
			rows(out, s.executeQuery("select t from batches where id = 2000"));
			conn.releaseSavepoint(conn.setSavepoint());
			conn.rollback();
			rows(out, s.executeQuery("select count(*) from batches where id = 2000"));
			rows(out, s.executeQuery("show transaction_isolation"));
			conn.commit();
			conn.setReadOnly(true);
			refused(out, (c, o) -> s.executeUpdate("delete from batches"), conn);
			conn.rollback();
		}
	}

	static void calls(Connection conn, StringBuilder out) throws Exception {
		try (CallableStatement s = conn.prepareCall("{? = call twice(?)}")) {
			for (int n = 0; n < 4; n++) {
				s.registerOutParameter(1, Types.INTEGER); s.setInt(2, n); s.execute(); out.append(s.getInt(1)).append(' ');
				for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) out.append(w.getSQLState()).append(w.getMessage()).append(' ');
				s.clearWarnings();
			}
		}
		try (PreparedStatement s = conn.prepareStatement("call doubles(?)")) { s.setInt(1, 21); s.execute(); rows(out, s.getResultSet()); }
		conn.setAutoCommit(false);
		try (CallableStatement s = conn.prepareCall("{? = call several()}")) {
			s.registerOutParameter(1, Types.REF_CURSOR); s.execute(); rows(out, (ResultSet) s.getObject(1));
		}
		conn.commit();
	}

	static void many(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) {
			boolean result = s.execute("select 1 as a; update batches set t = t where id < 3; select 2 as b, 'x;y' as c; ; select 3 where false");
			while (result || s.getUpdateCount() != -1) { if (result) rows(out, s.getResultSet()); else out.append(s.getUpdateCount()).append('\n'); result = s.getMoreResults(); }
			refused(out, (c, o) -> s.execute("select 1; select 1/0; select 2"), conn);
			rows(out, s.executeQuery("select 'after'"));
		}
	}

	static void copy(Connection conn, StringBuilder out) throws Exception {
		CopyManager copier = conn.unwrap(PGConnection.class).getCopyAPI();
		try (Statement s = conn.createStatement()) { s.execute("truncate batches"); }
		StringBuilder text = new StringBuilder();
		for (int n = 0; n < 5000; n++) text.append(n).append("\trow ").append(n).append('\n');
		out.append(copier.copyIn("copy batches from stdin", new StringReader(text.toString()))).append('\n');
		ByteArrayOutputStream binary = new ByteArrayOutputStream();
		out.append(copier.copyOut("copy (select * from batches order by id) to stdout (format binary)", binary)).append(' ').append(Arrays.hashCode(binary.toByteArray())).append('\n');
		try (Statement s = conn.createStatement()) { s.execute("truncate batches"); }
		out.append(copier.copyIn("copy batches from stdin (format binary)", new ByteArrayInputStream(binary.toByteArray()), 1000)).append('\n');
		StringWriter csv = new StringWriter();
		out.append(copier.copyOut("copy batches to stdout (format csv, header)", csv)).append(' ').append(csv.toString().hashCode()).append('\n');
		refused(out, (c, o) -> copier.copyIn("copy batches from stdin", new StringReader("1\tone\nnot a number\ttwo\n")), conn);
		refused(out, (c, o) -> { var in = copier.copyIn("copy batches from stdin"); in.writeToCopy("9999\tx\n".getBytes(), 0, 7); in.cancelCopy(); }, conn);
		CopyOut some = copier.copyOut("copy (select generate_series(1, 100000)) to stdout");
		// All of it: cancelCopy's cancel can come when the rows have all been sent, and then ends the next statement, directly too.
		int pieces = 0;
		while (some.readFromCopy() != null) pieces++;
		out.append(pieces).append(' ').append(some.getHandledRowCount()).append('\n');
		try (Statement s = conn.createStatement()) { rows(out, s.executeQuery("select count(*) from batches")); }
	}

	static void large(Connection conn, StringBuilder out) throws Exception {
		conn.setAutoCommit(false);
		LargeObjectManager manager = conn.unwrap(PGConnection.class).getLargeObjectAPI();
		long oid = manager.createLO(LargeObjectManager.READWRITE);
		byte[] data = new byte[300_000];
		for (int i = 0; i < data.length; i++) data[i] = (byte) i;
		try (LargeObject object = manager.open(oid, LargeObjectManager.WRITE)) { object.write(data); object.seek(10); object.write(new byte[] {1, 2, 3}); out.append(object.tell64()).append('\n'); }
		try (LargeObject object = manager.open(oid, LargeObjectManager.READ)) { out.append(object.size64()).append(' ').append(Arrays.hashCode(object.read(data.length + 10))).append('\n'); object.seek64(299_990, LargeObject.SEEK_SET); out.append(Arrays.toString(object.read(100))).append('\n'); }
		try (LargeObject object = manager.open(oid)) { object.truncate64(100); out.append(object.getInputStream().readAllBytes().length).append('\n'); }
		manager.unlink(oid);
		conn.commit();
		refused(out, (c, o) -> { try { manager.open(oid); } catch (SQLException e) { throw new SQLException(e.getMessage().replace("" + oid, "OID"), e.getSQLState()); } }, conn);
		conn.rollback();
	}

	static void notifications(Connection conn, StringBuilder out) throws Exception {
		try (Connection other = connect(""); Statement s = conn.createStatement(); Statement t = other.createStatement()) {
			PGConnection here = conn.unwrap(PGConnection.class);
			s.execute("listen exercise");
			t.execute("notify exercise, 'one'; select pg_notify('exercise', 'two')");
			int seen = 0;
			while (seen < 2) for (PGNotification n : here.getNotifications(20_000)) { seen++; out.append(n.getName()).append(n.getParameter()).append(n.getPID() == other.unwrap(PGConnection.class).getBackendPID()).append('\n'); }
			s.execute("notify exercise, 'own'");
			for (PGNotification n : here.getNotifications()) out.append(n.getParameter()).append(n.getPID() == here.getBackendPID()).append('\n');
			s.execute("unlisten *");
			t.execute("notify exercise, 'late'");
			rows(out, s.executeQuery("select 1"));
			out.append(Arrays.toString(here.getNotifications())).append('\n');
		}
	}

	/** cancel stops statements that wait, again and again, and none that came after. */
	static void cancel(Connection conn, StringBuilder out) throws Exception {
		int backend = conn.unwrap(PGConnection.class).getBackendPID(); // not by its text, which a mask hides from others
		try (Connection other = connect(""); PreparedStatement waits = other.prepareStatement("select from pg_stat_activity where pid = " + backend + " and wait_event = 'PgSleep'")) {
			for (int n = 0; n < 15; n++) {
				try (Statement s = conn.createStatement(); PreparedStatement p = conn.prepareStatement("select ?::int")) {
					Thread canceller = new Thread(() -> {
						try {
							boolean waiting = false;
							while (!waiting) {
								try (ResultSet found = waits.executeQuery()) { waiting = found.next(); }
								Thread.sleep(5);
							}
							s.cancel();
						} catch (Exception e) { out.append("FAILED ").append(e); }
					});
					refused(out, (c, o) -> { canceller.start(); s.executeQuery("select pg_sleep(60)"); }, conn);
					canceller.join();
					p.setInt(1, n);
					try (ResultSet found = p.executeQuery()) { found.next(); out.append(found.getInt(1)).append('\n'); }
				}
			}
		}
	}

	static void timeouts(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) {
			s.setQueryTimeout(1);
			refused(out, (c, o) -> s.executeQuery("select pg_sleep(60)"), conn);
			s.setQueryTimeout(0);
			rows(out, s.executeQuery("select 'goes on'"));
			s.execute("set statement_timeout = '200ms'");
			refused(out, (c, o) -> s.executeQuery("select pg_sleep(60)"), conn);
			s.execute("reset statement_timeout");
			conn.setAutoCommit(false);
			s.setQueryTimeout(1);
			refused(out, (c, o) -> s.executeQuery("select pg_sleep(60)"), conn);
			refused(out, (c, o) -> s.executeQuery("select 1"), conn);
			conn.rollback();
			rows(out, s.executeQuery("select 'goes on'"));
		}
		out.append(conn.isValid(20)).append('\n');
	}

	record Branch(int id) implements Xid {
		public int getFormatId() { return 7; }
		public byte[] getGlobalTransactionId() { return new byte[] {(byte) id, 1}; }
		public byte[] getBranchQualifier() { return new byte[] {2}; }
	}

	static void phases(Connection unused, StringBuilder out) throws Exception {
		PGXADataSource source = new PGXADataSource();
		source.setUrl(url(""));
		source.setUser(System.getenv("PGUSER"));
		source.setPassword(System.getenv("PGPASSWORD"));
		for (int n = 0; n < 2; n++) {
			XAConnection xa = source.getXAConnection();
			XAResource resource = xa.getXAResource();
			Xid id = new Branch(n);
			resource.start(id, XAResource.TMNOFLAGS);
			try (Statement s = xa.getConnection().createStatement()) { out.append(s.executeUpdate("insert into batches values (" + (90000 + n) + ", 'xa " + n + "')")); }
			resource.end(id, XAResource.TMSUCCESS);
			out.append(resource.prepare(id)).append(resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN).length);
			if (n == 0) resource.commit(id, false); else resource.rollback(id);
			xa.close();
		}
		try (Statement s = unused.createStatement()) { rows(out, s.executeQuery("select * from batches where id >= 90000")); }
	}

	static void parameters(Connection conn, StringBuilder out) throws Exception {
		for (int count : new int[] {1000, 32767, 32768, 65535}) {
			String list = "?" + ",?".repeat(count - 1);
			try (PreparedStatement s = conn.prepareStatement("select count(*) from unnest(array[" + list + "]::int[]) n")) {
				for (int i = 1; i <= count; i++) s.setInt(i, i);
				try (ResultSet found = s.executeQuery()) { found.next(); out.append(found.getInt(1)).append('\n'); }
			}
		}
	}

	static void big(Connection conn, StringBuilder out) throws Exception {
		byte[] data = new byte[20 << 20];
		Arrays.fill(data, (byte) 'x');
		for (int n = 0; n < 3; n++) {
			try (PreparedStatement s = conn.prepareStatement("select ?::bytea as y, length(?)")) {
				s.setBytes(1, data); s.setString(2, "y".repeat(1 << 20));
				try (ResultSet found = s.executeQuery()) { found.next(); out.append(Arrays.equals(found.getBytes(1), data)).append(found.getInt(2)).append('\n'); }
			}
		}
	}

	static void changed(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement(); PreparedStatement p = conn.prepareStatement("select * from changing where id = ?")) {
			s.execute("drop table if exists changing; create table changing (id int, t text); insert into changing values (1, 'one')");
			for (int n = 0; n < 3; n++) { p.setInt(1, 1); rows(out, p.executeQuery()); }
			s.execute("alter table changing add column more int default 5");
			refused(out, (c, o) -> rows(o, p.executeQuery()), conn);
			refused(out, (c, o) -> rows(o, p.executeQuery()), conn);
			s.execute("discard all");
			refused(out, (c, o) -> rows(o, p.executeQuery()), conn);
			s.execute("deallocate all");
			refused(out, (c, o) -> rows(o, p.executeQuery()), conn);
		}
	}

	static void settings(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) {
			rows(out, s.executeQuery("select current_setting('application_name'), current_setting('extra_float_digits'), current_setting('TimeZone'), current_setting('client_encoding'), current_setting('DateStyle')"));
			conn.setClientInfo("ApplicationName", "renamed");
			conn.setSchema("pg_catalog");
			rows(out, s.executeQuery("select current_setting('application_name'), current_schema"));
			s.execute("set time zone 'Asia/Tokyo'; set search_path to public; reset all");
			rows(out, s.executeQuery("select current_setting('TimeZone'), current_setting('search_path')"));
			out.append(conn.unwrap(PGConnection.class).getParameterStatuses().toString().replaceAll("session_authorization=[^,}]*", "")).append('\n');
			refused(out, (c, o) -> s.execute("set nothing.of = 'that'; set nothing_else = 1"), conn);
		}
	}

	static void escapes(Connection conn, StringBuilder out) throws Exception {
		try (Statement s = conn.createStatement()) {
			rows(out, s.executeQuery("select {fn concat('a', 'b')}, {d '2026-01-02'}, {fn length('xyz')}, '{not an escape}', $$ ? $$, 'x' as \"?\", '{\"a\": 1}'::jsonb ? 'a'"));
		}
		try (PreparedStatement s = conn.prepareStatement("select '{\"a\": 1}'::jsonb ?? ?, '?', \"?\" from (select 1 as \"?\") q -- ?\n/* ? */")) { s.setString(1, "a"); rows(out, s.executeQuery()); }
		Array array = conn.createArrayOf("text", new String[] {"a\"b", "c\\d", null, "{}", ""});
		try (PreparedStatement s = conn.prepareStatement("select ?::text[], row(1, 'x')::pair")) { s.setArray(1, array); rows(out, s.executeQuery()); }
	}

	static void closed(Connection conn, StringBuilder out) throws Exception {
		try (Connection other = connect(""); Statement s = conn.createStatement()) {
			int pid = other.unwrap(PGConnection.class).getBackendPID();
			rows(out, s.executeQuery("select pg_terminate_backend(" + pid + ")"));
			refused(out, (c, o) -> { try (Statement t = c.createStatement()) { t.execute("select 1"); } }, other);
			out.append(other.isClosed()).append('\n');
		}
	}
}
