package difftest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Messages of the extended protocol, short.
func parse(name, text string, types ...uint32) *pgproto3.Parse {
	return &pgproto3.Parse{Name: name, Query: text, ParameterOIDs: types}
}

func bind(portal, statement string, values ...string) *pgproto3.Bind {
	b := &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: statement}
	for _, v := range values {
		b.Parameters = append(b.Parameters, []byte(v))
	}
	return b
}

// binaryBind takes parameters and gives results in binary.
func binaryBind(portal, statement string, values ...[]byte) *pgproto3.Bind {
	return &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: statement, ParameterFormatCodes: []int16{1}, Parameters: values, ResultFormatCodes: []int16{1}}
}

func describe(object byte, name string) *pgproto3.Describe {
	return &pgproto3.Describe{ObjectType: object, Name: name}
}

func execute(portal string, rows uint32) *pgproto3.Execute {
	return &pgproto3.Execute{Portal: portal, MaxRows: rows}
}

func closing(object byte, name string) *pgproto3.Close {
	return &pgproto3.Close{ObjectType: object, Name: name}
}

var (
	sync  = &pgproto3.Sync{}
	flush = &pgproto3.Flush{}
)

func int4(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// extendedScripts are the extended protocol, one statement at a time.
var extendedScripts = []script{
	{"extended/unnamed", func(p *play) {
		c := p.open("a")
		c.exchange(parse("", "select $1::int + 1, $2::text, id from items where id = $1"), bind("", "", "10", "x"), describe('P', ""), execute("", 0), sync)
		c.exchange(parse("", "select 1"), bind("", ""), execute("", 0), sync)
		c.exchange(bind("", ""), execute("", 0), sync)
		c.query("select 2")
		c.exchange(bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"extended/as many parameters as there can be", func(p *play) {
		c := p.open("a")
		for _, n := range []int{1<<15 - 1, 1 << 15, 1<<16 - 1} {
			values := make([]string, n)
			types := make([]uint32, n)
			for i := range values {
				values[i], types[i] = "7", 23
			}
			c.exchange(parse("", fmt.Sprintf("select $1::int + $%d::int", n), types...), describe('S', ""), bind("", "", values...), execute("", 0), sync)
		}
	}, everywhere},
	{"extended/named, text and binary", func(p *play) {
		c := p.open("a")
		c.exchange(parse("s", "select id, name, price, data, at, 'sad'::mood, array[1,2] from items where id = $1 or name = $2"), describe('S', "s"), sync)
		c.exchange(bind("", "s", "10", "item 11"), describe('P', ""), execute("", 0), sync)
		c.exchange(&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{int4(12), []byte("none")}, ResultFormatCodes: []int16{1, 0, 1, 1, 1, 0, 1}},
			describe('P', ""), execute("", 0), sync)
		c.exchange(&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{nil, nil}, ResultFormatCodes: []int16{1}}, describe('P', ""), execute("", 0), sync)
		c.exchange(binaryBind("named", "s", int4(13), []byte("x")), execute("named", 0), describe('P', "named"), closing('P', "named"), describe('P', "named"), sync)
		c.exchange(closing('S', "s"), closing('S', "never"), closing('P', "never"), sync)
		c.exchange(bind("", "s", "10", "x"), execute("", 0), sync)
	}, everywhere},
	{"extended/describe absent and late", func(p *play) {
		c := p.open("a")
		c.exchange(parse("", "select id, name from items where id < 12"), bind("", ""), execute("", 0), sync)
		c.exchange(parse("", "select id, name from items where id < 14"), bind("p", ""), execute("p", 1), describe('P', "p"), execute("p", 1), describe('P', "p"), execute("p", 0), execute("p", 0), sync)
		c.exchange(parse("", "insert into items values (1, 'x') returning id"), describe('S', ""), sync)
		c.exchange(parse("", "create temp table late (i int)"), describe('S', ""), bind("", ""), describe('P', ""), execute("", 0), sync)
		c.exchange(parse("", ""), describe('S', ""), bind("", ""), describe('P', ""), execute("", 0), sync)
		c.exchange(parse("", " ; "), bind("", ""), execute("", 0), sync)
	}, everywhere},
	{"extended/row limits", func(p *play) {
		c := p.open("a")
		c.exchange(parse("s", "select id, name from items order by id"), bind("p", "s"), describe('P', "p"), execute("p", 3), execute("p", 2), flush, execute("p", 1000), execute("p", 1), sync)
		c.query("begin")
		c.exchange(bind("p", "s"), execute("p", 3), sync)
		c.exchange(execute("p", 3), sync)
		c.query("select 'between'", "fetch 2 from p", "move 1 in p")
		c.exchange(execute("p", 3), closing('P', "p"), sync)
		c.exchange(execute("p", 3), sync)
		c.query("rollback")
		c.exchange(bind("p", "s"), execute("p", 3), sync)
		c.exchange(execute("p", 3), sync)
		c.exchange(parse("", "update items set name = name where id < 14 returning id"), bind("", ""), execute("", 2), execute("", 0), sync)
		c.exchange(parse("", "select 1"), bind("", ""), execute("", 1), execute("", 0), sync)
		c.exchange(parse("", "select from items"), bind("", ""), describe('P', ""), execute("", 1), sync)
	}, everywhere},
	{"extended/names", func(p *play) {
		c := p.open("a")
		c.exchange(parse("s", "select 1"), parse("s", "select 2"), bind("", "s"), execute("", 0), sync)
		c.exchange(bind("", "s"), execute("", 0), sync)
		c.exchange(parse("s", "select 2"), sync)
		c.exchange(bind("p", "s"), bind("p", "s"), sync)
		c.exchange(bind("", "s"), bind("", "s"), execute("", 0), sync)
		c.exchange(bind("", "nothing"), sync)
		c.exchange(execute("nothing", 0), sync)
		c.exchange(describe('S', "nothing"), sync)
		c.exchange(describe('P', "nothing"), sync)
		c.exchange(closing('S', "s"), parse("s", "select 3"), bind("", "s"), execute("", 0), sync)
		c.query("execute s", "prepare t as select 4", "select name, statement, from_sql from pg_prepared_statements order by 1")
		c.exchange(bind("", "t"), describe('P', ""), execute("", 0), sync)
		c.query("deallocate s")
		c.exchange(bind("", "s"), execute("", 0), sync)
		c.query("discard all")
		c.exchange(bind("", "t"), execute("", 0), sync)
		c.exchange(parse(strings.Repeat("n", 200), "select 5"), bind(strings.Repeat("p", 200), strings.Repeat("n", 200)), execute(strings.Repeat("p", 200), 0), sync)
	}, everywhere},
	{"extended/errors", func(p *play) {
		c := p.open("a")
		c.exchange(parse("", "selekt 1"), bind("", ""), execute("", 0), sync)
		c.exchange(parse("", "select 1; select 2"), bind("", ""), execute("", 0), sync)
		c.exchange(parse("", "select $1::int"), bind("", "", "x"), execute("", 0), sync)
		c.exchange(parse("", "select $1::int"), bind("", ""), execute("", 0), sync)
		c.exchange(parse("", "select $1::int"), bind("", "", "1", "2"), execute("", 0), sync)
		c.exchange(parse("", "select $1::int"), binaryBind("", "", []byte{1}), execute("", 0), sync)
		c.exchange(parse("", "select $1"), describe('S', ""), sync)
		c.exchange(parse("", "select $1 + $1"), sync)
		c.exchange(parse("", "select $1::int", 25, 25), sync)
		c.exchange(parse("", "select $2::int"), describe('S', ""), sync)
		c.exchange(parse("", "select 1"), &pgproto3.Bind{ResultFormatCodes: []int16{0, 1, 0}}, sync)
		c.exchange(parse("", "select 1"), &pgproto3.Bind{ResultFormatCodes: []int16{7}}, execute("", 0), sync)
		c.exchange(parse("", "select $1::int, $2::int"), &pgproto3.Bind{ParameterFormatCodes: []int16{0, 0, 0}, Parameters: [][]byte{[]byte("1"), []byte("2")}}, sync)
		c.exchange(parse("", "select 1/$1::int"), bind("", "", "0"), describe('P', ""), execute("", 0), execute("", 0), sync)
		c.exchange(parse("", "select 1/(id - 12) from items order by id"), bind("", ""), execute("", 0), sync)
		c.exchange(&pgproto3.Bind{Parameters: [][]byte{[]byte("\xff")}}, sync)
		c.exchange(parse("", "select $1::text"), bind("", "", "\xff"), execute("", 0), sync)
		c.query("select 'still here'")
	}, everywhere},
	{"extended/transactions", func(p *play) {
		c := p.open("a")
		run := func(text string) { c.exchange(parse("", text), bind("", ""), describe('P', ""), execute("", 0), sync) }
		for _, text := range []string{
			"begin", "select 1/0", "select 1", "rollback", "begin", "savepoint s", "bad", "rollback to s", "select 1", "commit",
			"create table ext (id int)", "insert into ext values (1), (2)", "with d as (delete from ext returning id) select * from d", "drop table ext",
			"vacuum items", "select 1/0", "select 2",
		} {
			run(text)
		}
		c.exchange(parse("c", "commit"), parse("s", "select 1"), sync)
		c.query("begin", "select 1/0")
		c.exchange(bind("", "s"), execute("", 0), sync)
		c.exchange(parse("", "select 2"), sync)
		c.exchange(describe('S', "s"), sync)
		c.exchange(describe('S', "c"), bind("", "c"), describe('P', ""), execute("", 0), sync)
	}, everywhere},
	{"extended/many parameters", func(p *play) {
		c := p.open("a")
		places := func(n int) string {
			var b strings.Builder
			b.WriteString("select 1 where 'v' in ($1::text")
			for i := 2; i <= n; i++ {
				b.WriteString(",$")
				b.WriteString(decimal(i))
			}
			b.WriteString(")")
			return b.String()
		}
		values := make([]string, 33000)
		for i := range values {
			values[i] = "v"
		}
		c.exchange(parse("", places(33000)), bind("", "", values...), execute("", 0), sync)
		c.exchange(parse("", places(65536)), sync)
		c.exchange(parse("", "select $65536::int"), sync)
		c.exchange(parse("", "select $65535::int"), describe('S', ""), bind("", ""), sync)
	}, everywhere},
	{"extended/results change", func(p *play) {
		c, d := p.open("a"), p.open("b")
		c.query("create table changing (id int); insert into changing values (1)")
		c.exchange(parse("s", "select * from changing"), bind("", "s"), describe('P', ""), execute("", 0), sync)
		d.query("alter table changing add name text default 'x'")
		c.exchange(bind("", "s"), describe('P', ""), execute("", 0), sync)
		c.exchange(describe('S', "s"), sync)
		d.query("alter table changing drop name")
		c.exchange(bind("", "s"), execute("", 0), sync)
		d.query("drop table changing")
		c.exchange(bind("", "s"), execute("", 0), sync)
	}, everywhere},
}

func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}
