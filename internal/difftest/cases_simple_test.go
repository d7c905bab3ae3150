package difftest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// simpleScripts are the simple protocol and what a statement can bring with it.
var simpleScripts = []script{
	{"simple/select", func(p *play) {
		c := p.open("a")
		c.query(
			"select 1 as n, null as nothing, 'text' as t, ''::text as empty, 1.50::numeric(8,2), '{1,2}'::int[], 'sad'::mood",
			"select * from items where id < 13",
			"select id as other, name, id + 1 from names where id = 10",
			"select from items where id < 12",
			"select where false",
			"table names limit 1",
			"values (1, 'a'), (2, null)",
			"show server_encoding",
			"explain (costs off) select * from items where id = 1",
		)
	}, everywhere},
	{"simple/empty", func(p *play) {
		c := p.open("a")
		c.query("", " ", ";", " ;; -- nothing\n ; /* nothing */", "-- only a comment")
	}, everywhere},
	{"simple/several", func(p *play) {
		c := p.open("a")
		c.query(
			"select 1; select 2, 'b'; ; select 3",
			"create temp table several (id int); insert into several values (1), (2); update several set id = id + 1; delete from several where id = 2; select * from several; drop table several",
			"select 1; select 1/0; select 3",
			"select 1; select nowhere from items; select 3",
			"select 1; selekt 2; select 3",
			"begin; select 1; commit; select 2",
			"begin; select 1; select 1/0",
			"select 1", "rollback",
			"select 1; begin; select 2", "commit",
		)
	}, everywhere},
	{"simple/tags", func(p *play) {
		c := p.open("a")
		c.query(
			"create table tags (id int primary key, name text)", "create index on tags (name)", "create view tagged as select * from tags",
			"insert into tags select i, 'x' from generate_series(1, 5) i", "insert into tags values (6, 'y') returning *, id * 2 as twice",
			"update tags set name = 'z' where id < 3 returning id", "delete from tags where id = 6 returning *",
			"merge into tags using (values (1)) v(id) on v.id = tags.id when matched then delete",
			"create table tags2 as select * from tags", "select * into tags3 from tags", "refresh materialized view tagged",
			"truncate tags", "analyze tags", "vacuum tags", "vacuum (verbose, analyze) nothing_here", "checkpoint", "lock table tags",
			"comment on table tags is 'x'", "grant select on tags to public", "set work_mem = '2MB'", "reset work_mem",
			"prepare p as select $1::int", "execute p(7)", "deallocate p", "deallocate all", "discard temp", "alter table tags add more int",
			"drop table tags cascade", "drop table tags2, tags3", "drop table if exists tags",
		)
	}, everywhere},
	{"simple/errors", func(p *play) {
		c := p.open("a")
		c.query(
			"selekt 1", "select 1 +", "select 'open", "select $1", "select * from nowhere", "select nothing from items", "select 1/0",
			"select 'x'::int", "insert into items values (10, 'twice')", "insert into items values (null, null)",
			"select '\\x'::bytea, E'\\u12'", "select repeat('ä', 3), nowhere", "create table items (id int)", "select 10000000000::int",
			"select 1 from items group by id having name = ''",
			"alter table items add constraint c check (id > 1000)", "drop table items, names", "set nothing_here = 1", "set work_mem = 'lots'",
			"select 1 as a,, 2", "select 'a' 'b'", "select 1 limit 'x'", "begin isolation level nonsense", "vacuum; select 1",
			"/* open", "select \"open", "select 1 \\ 2", "select 123abc", "execute nothing_here", "fetch all from nothing_here", "release savepoint nothing_here",
		)
	}, everywhere},
	{"simple/notices", func(p *play) {
		c := p.open("a")
		c.query("drop table if exists nothing_here", "commit", "begin; begin; commit", "create temp table if not exists t (i int); create temp table if not exists t (i int)",
			"set client_min_messages = error", "drop table if exists nothing_here", "set client_min_messages = debug1", "create temp table u (i serial primary key)")
	}, everywhere},
	{"simple/functions", func(p *play) {
		c := p.open("a")
		c.query(
			"select grumble('one'), grumble('two')", "do $$ begin raise warning 'w % %', 1, 'x'; raise info 'i'; raise log 'l'; raise debug 'd'; end $$",
			"set client_min_messages = debug1", "do $$ begin raise debug 'seen'; end $$", "set client_min_messages = error", "select grumble('unheard')",
			"reset client_min_messages", "select fail('on purpose')",
			"create function answer() returns int language sql as 'select 42'", "select answer()", "drop function answer()", "call fail('x')",
		)
		c.exchange(parse("", "select fail($1)"), bind("", "", "by bind"), execute("", 0), sync)
		c.exchange(parse("", "select grumble($1)"), bind("", "", "by bind"), execute("", 0), sync)
	}, unguarded},
	{"simple/functions that are none", func(p *play) {
		c := p.open("a")
		c.query("select foo(1, 'x')", "create function broken() returns int language plpgsql as $$ begin return; en $$", "select 'goes on'")
	}, inProcessOnly},
	{"simple/long text", func(p *play) {
		c := p.open("a")
		c.query("select length('"+strings.Repeat("x", 300_000)+"')", "select "+strings.Repeat("1,", 1500)+"1", "select 1 -- "+strings.Repeat("ä", 100_000))
	}, everywhere},
	{"simple/unicode", func(p *play) {
		c := p.open("a")
		c.query(`select 'é', '日本', '🦊', U&'\0441', E'\u0441', chr(1114111), $tag$ it's $tag$`, `select 1 as "ünï 🦊 ""q"""`, "select '\xff'", "select 'ok' /* \xc3\x28 */", "select nowhere_日本")
	}, everywhere},
	{"simple/pipelined queries", func(p *play) {
		c := p.open("a")
		c.send(&pgproto3.Query{String: "select 1"}, &pgproto3.Query{String: "select 1/0"}, &pgproto3.Query{String: "begin"}, &pgproto3.Query{String: "select pg_sleep(0.01)"},
			&pgproto3.Query{String: "bad"}, &pgproto3.Query{String: "select 2"}, &pgproto3.Query{String: "rollback"}, &pgproto3.Query{String: ""})
		c.ready(8)
	}, everywhere},
	{"simple/zero bytes", func(p *play) {
		c := p.open("a")
		c.send(&pgproto3.Query{String: "select 1\x00; select 2"})
		c.until("ReadyForQuery")
		c.query("select 3")
	}, everywhere},
	{"simple/transactions", func(p *play) {
		c := p.open("a")
		c.query(
			"begin", "select 1", "savepoint one", "select 1/0", "select 2", "rollback to one", "select 3", "release one", "savepoint two", "savepoint three",
			"bad", "rollback to three", "rollback to two", "commit", "commit", "rollback", "begin", "bad", "commit", "begin", "bad", "begin", "rollback and chain", "select 1", "rollback",
			"start transaction read only", "create table ro (id int)", "rollback", "begin isolation level serializable", "show transaction_isolation", "end", "abort",
		)
		c.query("create table deferred (id int primary key, parent int references deferred deferrable initially deferred)",
			"begin", "insert into deferred values (1, 99)", "commit", "select count(*) from deferred", "insert into deferred values (1, 99)", "drop table deferred")
		c.query("begin", "insert into items values (100, 'x')", "prepare transaction 'difftest'", "rollback prepared 'difftest'", "select count(*) from items")
	}, everywhere},
}
