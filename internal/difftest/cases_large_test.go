package difftest

import (
	"bytes"

	"github.com/jackc/pgx/v5/pgproto3"
)

// largeScripts are values too big to be held lightly.
var largeScripts = []script{
	{"large/values", func(p *play) {
		c := p.open("a")
		c.exchange(parse("", "select convert_to(repeat('x', 64 << 20), 'UTF8'), 1"), &pgproto3.Bind{ResultFormatCodes: []int16{1}}, execute("", 0), sync)
		c.exchange(parse("", "select length($1::bytea), md5($1)"), binaryBind("", "", bytes.Repeat([]byte("y"), 8<<20)), describe('P', ""), &pgproto3.Execute{}, sync)
		c.query("select repeat('z', 5 << 20) from generate_series(1, 3)", "select repeat('q', 1 << 30)", "select 'still here'")
	}, inProcessOnly},
	{"large/many rows", func(p *play) {
		c := p.open("a")
		c.query("select i, md5(i::text) from generate_series(1, 5000) i")
		c.exchange(parse("", "select i, md5(i::text) from generate_series(1, 5000) i"), bind("", ""), execute("", 0), sync)
	}, everywhere},
}
