package difftest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

func copyData(text string) *pgproto3.CopyData { return &pgproto3.CopyData{Data: []byte(text)} }

var copyDone = &pgproto3.CopyDone{}

// copyHeader begins a COPY in binary format, copyTrailer ends it.
const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"
)

// copyScripts are COPY in and out.
var copyScripts = []script{
	{"copy/out", func(p *play) {
		c := p.open("a")
		c.query(
			"copy items to stdout", "copy (select id, name from items where id < 12) to stdout with (format csv, header)", "copy items (id, data) to stdout (format binary)",
			"copy (select 1 where false) to stdout", "copy (select 1 where false) to stdout (format binary)", "copy items to stdout; select 1; copy (select 2) to stdout",
			"copy (select 1/(id - 12) from items order by id) to stdout", "copy nowhere to stdout", "copy (bad) to stdout", "begin", "copy (select 1/0) to stdout", "copy items to stdout", "rollback",
		)
		c.exchange(parse("", "copy (select id from items where id < 13) to stdout"), describe('S', ""), bind("", ""), describe('P', ""), execute("", 0), sync)
		c.exchange(parse("", "copy (select id from items where id < 13) to stdout"), bind("", ""), execute("", 1), parse("", "select 1"), bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"copy/in", func(p *play) {
		c := p.open("a")
		c.query("create temp table filled (id int primary key, name text)")
		in := func(text string, messages ...pgproto3.FrontendMessage) {
			c.send(&pgproto3.Query{String: text})
			if m := c.until("CopyInResponse", "ReadyForQuery"); m == nil {
				return
			} else if _, ok := m.(*pgproto3.ReadyForQuery); ok {
				return
			}
			c.send(messages...)
			c.ready(1)
		}
		in("copy filled from stdin", copyData("1\tone\n2\ttwo\n"), copyData("3\t\\"), copyData("N\n"), copyDone)
		in("copy filled from stdin (format csv)", copyData("4,\"a \"\"quoted\"\" one\"\n5,\n"), copyDone)
		in("copy filled from stdin (format binary)", copyData(copyHeader+"\x00\x02\x00\x00\x00\x04\x00\x00\x00\x06\x00\x00\x00\x03six"+copyTrailer), copyDone)
		in("copy filled from stdin", copyDone)
		in("copy filled from stdin", copyData("7\tseven\n"), &pgproto3.CopyFail{Message: "the client is tired"})
		in("copy filled from stdin", copyData("x\tbad\n"), copyData("8\tlate\n"), copyData("9\tlater\n"), copyDone)
		in("copy filled from stdin", copyData("1\ttwice\n"), copyDone)
		in("copy filled from stdin", copyData("10\n"), &pgproto3.CopyFail{Message: "late"})
		in("copy filled from stdin (format binary)", copyData("not binary"), copyDone)
		in("copy nowhere from stdin")
		in("copy filled from stdin", copyData("11\televen\n"), flush, sync, copyData("12\ttwelve\n"), copyDone)
		in("copy filled from stdin; select count(*) from filled", copyData("20\t\n"), copyDone)
		c.query("select * from filled order by id", "begin")
		in("copy filled from stdin", copyData("bad\n"), copyDone)
		c.query("select 1", "rollback")
	}, everywhere},
	{"copy/in, other messages", func(p *play) {
		c := p.open("a")
		c.query("create temp table filled (id int)")
		c.send(&pgproto3.Query{String: "copy filled from stdin"})
		c.until("CopyInResponse")
		c.send(copyData("1\n"), &pgproto3.Query{String: "select 'not copy'"})
		c.until("ReadyForQuery")
		c.query("select 2", "select * from filled")
	}, everywhere},
	{"copy/data outside", func(p *play) {
		c := p.open("a")
		c.send(copyData("nobody asked"), copyDone, &pgproto3.CopyFail{Message: "really"}, &pgproto3.Query{String: "select 1"})
		c.ready(1)
		c.exchange(parse("", "select 1"), copyData("x"), copyDone, bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"copy/in, extended", func(p *play) {
		c := p.open("a")
		c.query("create temp table filled (id int)")
		c.send(parse("s", "copy filled from stdin"), describe('S', "s"), bind("", "s"), describe('P', ""), execute("", 0), flush)
		c.until("CopyInResponse")
		c.exchange(copyData("1\n2\n"), copyDone, sync)
		c.send(bind("", "s"), execute("", 0), sync) // a Sync that COPY swallows
		c.until("CopyInResponse")
		c.exchange(copyData("3\n"), copyDone, sync)
		c.send(bind("", "s"), execute("", 0), flush)
		c.until("CopyInResponse")
		c.exchange(copyData("bad\n"), copyData("4\n"), copyDone, parse("", "select 'skipped'"), sync)
		c.send(bind("", "s"), execute("", 0), flush)
		c.until("CopyInResponse")
		c.exchange(copyData("5\n"), &pgproto3.CopyFail{Message: "no"}, sync)
		c.send(bind("", "s"), execute("", 0), flush)
		c.until("CopyInResponse")
		c.exchange(copyData("6\n"), copyDone, parse("", "select count(*) from filled"), bind("", ""), execute("", 0), sync)
		c.exchange(bind("", "s"), execute("", 0), copyData("7\n"), copyDone, sync) // without waiting
		c.query("select * from filled")
	}, everywhere},
	{"copy/in, sent ahead", func(p *play) {
		c := p.open("a")
		c.query("create temp table filled (id int)")
		c.send(&pgproto3.Query{String: "copy filled from stdin"}, copyData("1\n"), copyDone, &pgproto3.Query{String: "copy nowhere from stdin"}, copyData("2\n"), copyDone, &pgproto3.Query{String: "select * from filled"})
		c.ready(3)
	}, everywhere},
	{"copy/in, lost client", func(p *play) {
		c, d := p.open("a"), p.open("b")
		d.query("create table lost (id int)")
		c.send(&pgproto3.Query{String: "copy lost from stdin"}, copyData("1\n"))
		c.until("CopyInResponse")
		_ = c.conn.Close()
		p.awaitSQL("select not exists (select from pg_stat_activity where datname = current_database() and query like 'copy lost%')")
		d.query("select * from lost", "drop table lost")
	}, everywhere},
	{"copy/much", func(p *play) {
		c := p.open("a")
		c.query("create temp table much (id int, name text)")
		c.send(&pgproto3.Query{String: "copy much from stdin"})
		c.until("CopyInResponse")
		chunk := copyData(strings.Repeat("7\t"+strings.Repeat("x", 90)+"\n", 1000))
		for range 50 {
			c.send(chunk)
		}
		c.send(copyDone)
		c.ready(1)
		c.query("select count(*), sum(length(name)) from much", "copy (select * from much limit 2000) to stdout")
	}, everywhere},
}
