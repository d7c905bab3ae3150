package difftest

import "github.com/jackc/pgx/v5/pgproto3"

// pipelineScripts send ahead of the answers.
var pipelineScripts = []script{
	{"pipeline/many syncs", func(p *play) {
		c := p.open("a")
		var messages []pgproto3.FrontendMessage
		for range 200 {
			messages = append(messages, parse("", "select $1::int"), bind("", "", "7"), describe('P', ""), execute("", 0), sync)
		}
		c.exchange(messages...)
	}, everywhere},
	{"pipeline/one sync", func(p *play) {
		c := p.open("a")
		messages := []pgproto3.FrontendMessage{parse("s", "select $1::int, id from items where id = $1::int")}
		for _, v := range []string{"10", "11", "12", "13"} {
			messages = append(messages, bind("", "s", v), execute("", 0), bind("p"+v, "s", v), execute("p"+v, 0))
		}
		c.exchange(append(messages, sync)...)
	}, everywhere},
	{"pipeline/flush", func(p *play) {
		c := p.open("a")
		c.send(parse("", "select 1"), flush)
		c.until("ParseComplete")
		c.send(describe('S', ""), flush)
		c.until("RowDescription")
		c.send(bind("", ""), flush)
		c.until("BindComplete")
		c.send(execute("", 0), flush)
		c.until("CommandComplete")
		c.send(closing('S', ""), flush)
		c.until("CloseComplete")
		c.send(parse("", "bad"), flush)
		c.until("ErrorResponse")
		c.send(flush, parse("", "select 2"), flush)
		c.exchange(sync)
		c.exchange(flush, flush, sync, sync, flush)
	}, everywhere},
	{"pipeline/error in the middle", func(p *play) {
		c := p.open("a")
		c.query("create table piped (id int primary key)")
		c.exchange(
			parse("i", "insert into piped values ($1::int)"),
			bind("", "i", "1"), execute("", 0), bind("", "i", "2"), execute("", 0),
			bind("", "i", "1"), execute("", 0), // fails: the whole segment is undone
			bind("", "i", "3"), execute("", 0), parse("never", "select 1"), describe('S', "never"), closing('S', "i"), flush, sync,
			bind("", "i", "4"), execute("", 0), sync,
			parse("", "bad"), &pgproto3.Query{String: "select 'skipped too'"}, bind("", "i", "5"), sync,
			describe('S', "never"), sync,
			parse("", "select * from piped"), bind("", ""), describe('P', ""), execute("", 0), sync,
		)
		c.exchange(parse("i", "select 1"), sync) // did the Close happen?
		c.query("drop table piped")
	}, everywhere},
	{"pipeline/transaction inside", func(p *play) {
		c := p.open("a")
		run := func(text string) []pgproto3.FrontendMessage {
			return []pgproto3.FrontendMessage{parse("", text), bind("", ""), execute("", 0)}
		}
		var messages []pgproto3.FrontendMessage
		for _, text := range []string{"begin", "create temp table inside (id int)", "insert into inside values (1)", "commit", "select * from inside", "insert into inside values (2)", "select 1/0"} {
			messages = append(messages, run(text)...)
		}
		c.exchange(append(messages, sync)...)
		c.query("select * from inside")
		c.exchange(append(append(run("begin"), run("bad")...), sync, parse("", "commit"), bind("", ""), execute("", 0), sync)...)
		c.exchange(append(append(run("begin"), sync), append(run("bad"), sync, parse("", "select 1"), sync, parse("", "rollback"), bind("", ""), execute("", 0), sync)...)...)
	}, everywhere},
	{"pipeline/names that change", func(p *play) {
		c := p.open("a")
		c.exchange(
			parse("s", "select 'first'"), bind("", "s"), execute("", 0), closing('S', "s"), parse("s", "select 'second', 2"), bind("", "s"), describe('P', ""), execute("", 0), sync,
			parse("s", "select 'duplicate'"), bind("", "s"), sync,
			bind("", "s"), execute("", 0), closing('S', "s"), sync,
			parse("", "select 'unnamed'"), parse("", "bad"), sync, bind("", ""), sync,
			parse("", "select 'one'"), bind("p", ""), parse("", "select 'two'"), bind("q", ""), execute("p", 0), execute("q", 0), closing('P', "p"), execute("p", 0), sync,
			parse("t", "select 'kept'"), parse("u", "bad"), sync, bind("", "t"), execute("", 0), sync,
		)
	}, everywhere},
	{"pipeline/simple between", func(p *play) {
		c := p.open("a")
		c.send(parse("s", "select 1"), bind("p", "s"), execute("p", 0), &pgproto3.Query{String: "select 2"}, bind("", "s"), execute("", 0), sync, &pgproto3.Query{String: "select 3; select 4"}, bind("p", "s"), sync)
		c.ready(4)
	}, everywhere},
	{"pipeline/thousands", func(p *play) {
		c := p.open("a")
		done := make(chan struct{})
		messages := []pgproto3.FrontendMessage{parse("s", "select 1")}
		for range 9000 {
			messages = append(messages, bind("", "s"), execute("", 0))
		}
		go func() { defer close(done); c.send(append(messages, sync)...) }()
		c.ready(1)
		<-done
	}, everywhere},
}
