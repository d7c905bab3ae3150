package difftest

import "github.com/jackc/pgx/v5/pgproto3"

// sessionScripts are what a session is beside its statements.
var sessionScripts = []script{
	{"session/cursors", func(p *play) {
		c := p.open("a")
		c.query(
			"begin", "declare cur scroll cursor for select id, name from items order by id", "fetch 2 from cur", "fetch next in cur", "move 3 in cur", "fetch backward 2 from cur", "fetch absolute 1 from cur",
			"fetch last from cur", "fetch next from cur", "fetch all from cur", "move absolute 0 in cur", "fetch all from cur", "declare b binary cursor for select id, data from items where id < 12",
			"fetch all from b", "declare held cursor with hold for select id from items where id < 12", "close cur", "fetch cur", "rollback",
			"begin", "declare held cursor with hold for select id from items where id < 13", "commit", "fetch 1 from held", "select name, is_holdable from pg_cursors", "close held", "close held", "declare out cursor for select 1",
			"begin", "declare cur cursor for select id from items for update", "fetch 1 from cur", "update items set name = name where current of cur", "rollback",
		)
		c.query("begin", "declare cur cursor for select id, name from items order by id")
		c.exchange(parse("f", "fetch 2 from cur"), describe('S', "f"), bind("", "f"), describe('P', ""), execute("", 0), bind("", "f"), execute("", 0), sync)
		c.exchange(bind("", "f"), execute("", 1), sync)
		c.exchange(describe('P', "cur"), execute("cur", 2), sync)
		c.query("rollback")
	}, everywhere},
	{"session/notify", func(p *play) {
		a, b := p.open("a"), p.open("b")
		a.query("listen one; listen \"Two\"", "select pg_listening_channels()")
		b.query("notify one", "notify \"Two\", 'with payload'", "select pg_notify('one', 'by function')", "begin; notify one, 'never'; rollback")
		for range 3 {
			a.until("NotificationResponse")
		}
		a.query("begin", "notify one, 'to myself'", "commit")
		b.query("begin; notify one, 'x'; notify one, 'x'; notify one, 'y'; commit")
		a.until("NotificationResponse")
		a.until("NotificationResponse")
		a.query("begin")
		b.query("notify one, 'while in a transaction'")
		a.query("select 1", "commit") // delivered behind the commit
		a.query("unlisten one")
		b.query("notify one, 'unheard'; notify \"Two\", 'heard'")
		a.until("NotificationResponse")
		a.query("unlisten *", "select pg_listening_channels()")
		a.exchange(parse("", "listen ext"), bind("", ""), execute("", 0), sync)
		a.exchange(parse("", "notify ext, 'self'"), bind("", ""), execute("", 0), parse("", "select 1"), bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"session/settings", func(p *play) {
		c := p.open("a", "application_name", "difftest one", "TimeZone", "Europe/Zurich", "DateStyle", "German", "options", "-c work_mem=1234kB --statement-timeout=9000 -c search_path=public,\\ pg_catalog", "IntervalStyle", "postgres_verbose")
		c.noteSettings()
		c.query(
			"show work_mem", "show statement_timeout", "show search_path", "select now()::text like '%CE%', '2026-02-03'::date, interval '1 day'", "set TimeZone = 'UTC'", "set application_name = 'renamed'", "set DateStyle = 'ISO, MDY'", "set IntervalStyle = 'iso_8601'",
			"show application_name", "begin; set local TimeZone = 'Asia/Tokyo'; select 1; rollback", "select set_config('TimeZone', 'PST8PDT', false)", "reset TimeZone", "reset application_name", "set session characteristics as transaction read only", "show default_transaction_read_only",
			"reset all", "set client_encoding = 'UTF8'", "set names 'utf8'", "set standard_conforming_strings = on", "show all",
		)
		c.exchange(parse("", "set application_name = 'by extended'"), bind("", ""), execute("", 0), sync)
		c.exchange(parse("", "set TimeZone = 'Asia/Tokyo'"), bind("", ""), execute("", 0), parse("", "select 1/0"), bind("", ""), execute("", 0), sync)
		c.query("create role difftest_other", "set role difftest_other", "select current_user = session_user", "set session authorization difftest_other", "show is_superuser", "reset session authorization", "reset role", "drop role difftest_other")
	}, everywhere},
	{"session/startup settings", func(p *play) {
		for _, s := range [][]string{
			{"application_name", ""},
			{"application_name", "with ünï"},
			{"search_path", "nowhere, public"},
			{"client_encoding", "UTF8"},
			{"client_encoding", "utf-8"},
			{"extra_float_digits", "0"},
			{"default_transaction_isolation", "serializable"},
			{"geqo", "off"},
			{"options", ""},
			{"options", "-c geqo=off"},
			{"options", "-cgeqo=off"},
			{"options", "--geqo=off"},
			{"options", "-c my.setting=1"},
			{"my.setting", "x"},
			{"nothing_here", "1"},
			{"work_mem", "lots"},
			{"options", "-c nothing_here=1"},
			{"options", "-c geqo"},
			{"options", "-Z"},
			{"options", "word"},
			{"max_connections", "7"},
			{"options", "-c max_connections=7"},
			{"options", "-F"},
			{"options", "-e"},
			{"options", "-f s"},
			{"standard_conforming_strings", "on"},
			{"TimeZone", "Nowhere/Here"},
			{"role", "nobody_here"},
			{"session_authorization", "x"},
			{"datestyle", "SQL, DMY"},
			{"lc_messages", "C"},
			{"replication", "false"},
			{"statement_timeout", "5s"},
		} {
			p.note("with %q", s)
			c := p.open("a", s...)
			c.noteSettings()
			c.query("select current_setting('search_path'), current_setting('geqo'), current_setting('extra_float_digits'), current_setting('my.setting', true), current_setting('statement_timeout'), current_setting('application_name')")
			if !c.over {
				_ = c.conn.Close()
			}
		}
	}, everywhere},
	{"session/discard all", func(p *play) {
		c := p.open("a", "application_name", "kept", "TimeZone", "Europe/Zurich")
		c.query("set TimeZone = 'UTC'; set application_name = 'lost'; prepare s as select 1; create temp table t (id int); listen one")
		c.exchange(parse("p", "select 2"), sync)
		c.query("discard all", "show TimeZone", "show application_name", "select count(*) from pg_prepared_statements", "select * from t", "show client_encoding", "show standard_conforming_strings", "discard plans", "discard sequences")
		c.exchange(bind("", "p"), sync)
		c.query("begin", "discard all", "rollback")
		c.exchange(parse("", "discard all"), bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"session/cancel", func(p *play) {
		c := p.open("a")
		c.send(&pgproto3.Query{String: "select pg_sleep(30)"})
		c.await("wait_event = 'PgSleep'")
		c.cancel()
		c.ready(1)
		c.query("begin")
		c.send(parse("", "select pg_sleep($1)"), bind("", "", "30"), describe('P', ""), execute("", 0), parse("", "select 'skipped'"), sync)
		c.await("wait_event = 'PgSleep'")
		c.cancel()
		c.ready(1)
		c.query("select 1", "rollback")
		c.query("create temp table cancelled (n int)")
		c.send(&pgproto3.Query{String: "copy cancelled from stdin"})
		c.until("CopyInResponse")
		c.await("wait_event = 'ClientRead' and query like 'copy cancelled%'")
		c.cancel() // takes effect when the server has read a row
		c.exchange(&pgproto3.CopyData{Data: []byte("1\n2\n")}, copyDone)
		c.ready(1)
		c.query("select 'well'")
		d := p.open("b")
		good := c.key
		c.key = append([]byte{good[0] ^ 1}, good[1:]...)
		d.send(&pgproto3.Query{String: "select pg_sleep(0.05)"})
		c.cancel() // a wrong key
		d.ready(1)
		c.key = good
		c.cancel() // nothing runs
		c.query("select 'still well'")
	}, everywhere},
	{"session/timeouts", func(p *play) {
		c := p.open("a")
		c.query("set statement_timeout = 30", "select pg_sleep(10)", "select 1", "select 1; select pg_sleep(10); select 2", "set statement_timeout = 0")
		c.query("set lock_timeout = 30")
		d := p.open("b")
		d.query("create table locked ()", "begin", "lock table locked")
		c.query("select 1; lock table locked", "begin; lock table locked", "rollback")
		d.query("rollback", "drop table locked", "set idle_in_transaction_session_timeout = 50", "begin")
		d.end()
		e := p.open("c")
		e.query("set idle_session_timeout = 50")
		e.end()
	}, everywhere},
	{"session/terminated", func(p *play) {
		a, b := p.open("a"), p.open("b")
		a.query("select pg_terminate_backend(pg_backend_pid())")
		a.end()
		p.admin("select pg_terminate_backend(" + decimal(int(b.pid)) + ")") // while idle
		b.end()
		c := p.open("c")
		c.send(&pgproto3.Query{String: "begin; select pg_sleep(30)"})
		c.await("wait_event = 'PgSleep'")
		p.admin("select pg_terminate_backend(" + decimal(int(c.pid)) + ")")
		c.end()
		d := p.open("d")
		d.exchange(parse("", "select pg_terminate_backend(pg_backend_pid())"), bind("", ""), execute("", 0), sync)
		d.end()
	}, everywhere},
	{"session/process id", func(p *play) {
		c := p.open("a")
		c.query("select pg_backend_pid() = " + decimal(int(c.pid)))
	}, everywhere},
	{"session/goodbye", func(p *play) {
		c := p.open("a")
		c.send(&pgproto3.Terminate{})
		c.end()
		d := p.open("b")
		d.query("create table bye (id int)")
		d.send(&pgproto3.Query{String: "insert into bye values (1)"}, parse("", "insert into bye values (2)"), bind("", ""), execute("", 0), &pgproto3.Terminate{})
		d.end()
		e := p.open("c")
		p.awaitSQL("select not exists (select from pg_stat_activity where datname = current_database() and query like 'insert into bye%')")
		e.query("select * from bye", "drop table bye")
	}, everywhere},
	{"session/unknown message", func(p *play) {
		c := p.open("a")
		_, _ = c.conn.Write([]byte{'y', 0, 0, 0, 4})
		c.end()
		d := p.open("b")
		_, _ = d.conn.Write([]byte{'Q', 0, 0, 0, 3})
		d.end()
		e := p.open("c")
		e.send(&pgproto3.PasswordMessage{Password: "again"})
		e.end()
	}, everywhere},
	{"session/malformed bodies", func(p *play) {
		for _, m := range []string{
			"Q\x00\x00\x00\x05x", "Q\x00\x00\x00\x04", "P\x00\x00\x00\x06s\x00", "P\x00\x00\x00\x0b\x00bad\x00\x00\x01", "B\x00\x00\x00\x06\x00\x00", "E\x00\x00\x00\x05\x00", "D\x00\x00\x00\x06X\x00", "D\x00\x00\x00\x05S",
			"C\x00\x00\x00\x06X\x00", "S\x00\x00\x00\x05x", "H\x00\x00\x00\x05x", "B\x00\x00\x00\x10\x00\x00\x00\x00\x00\x01\xff\xff\xff\xfe\x00\x00",
			"P\x00\x00\x00\x11\x00select 1\x00\x00\x00x", "Q\x00\x00\x00\x10select 1\x00xyz",
		} {
			p.note("%q", m)
			c := p.open("a")
			_, _ = c.conn.Write([]byte(m))
			c.exchange(sync)
			if !c.over {
				_ = c.conn.Close()
			}
		}
	}, everywhere},
}
