// What programs do with node-postgres: plain, named and binary statements, cursors, streams, COPY, pools, time-outs, notifications.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { login, part, require, tables } from './show.mjs'

const pg = require('pg')
const Cursor = require('pg-cursor')
const QueryStream = require('pg-query-stream')
const copy = require('pg-copy-streams')

const open = async (more = {}) => {
  const client = new pg.Client({ ...login, ...more })
  client.on('error', () => {})
  await client.connect()
  return client
}
const client = await open()
await client.query(tables)

const values = (n) => [n, String(2n ** 60n + BigInt(n)), '12345678901234567890.0123456789', n % 2 === 0, `text ünï \\ ' ${n}`, Buffer.from([0, 1, n, 255]),
  `00000000-0000-4000-8000-00000000000${n}`, { n, nested: ['x', null] }, [n, null, -n], new Date('2026-01-02T03:04:05.678Z'), '2026-01-02', n / 3]
const insert = 'insert into things (i, l, n, b, t, y, u, j, a, at, day, f) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *'

await part('types', async (tell) => {
  for (let n = 0; n < 5; n++) tell((await client.query({ text: insert, values: values(n), name: n > 1 ? 'insert' : undefined })).rows)
  tell((await client.query(insert, Array(12).fill(null))).rows)
  for (const query of [{ text: 'select * from things order by id' }, { text: 'select i, l, b, t, y, f from things where id > $1 order by id', values: [2], binary: true },
    { text: 'select * from things where id = any($1) order by id', values: [[1, 3]], rowMode: 'array', name: 'some' }]) {
    const result = await client.query(query)
    tell(result.command, result.rowCount, result.fields.map((f) => [f.name, f.dataTypeID, f.format, f.columnID, f.tableID > 0]), result.rows)
  }
})

await part('errors', async (tell, refused) => {
  for (const query of ['selec 1', 'select nothing from things', 'select 1/0', { text: 'select $1::int', values: ['x'] }, { text: 'select $1', values: [] }, { name: 'twice', text: 'select 1/$1::int', values: [0] },
    { name: 'twice', text: 'select 1/$1::int', values: [1] }, 'insert into batches values (1, null)', 'select 1; select 1/0; select 2', { name: 'twice', text: 'select 2' }])
    await refused(async () => tell((await client.query(query)).rows))
  tell((await client.query('select 1 as a; select 2 as b; update batches set t = t where id < 3')).map((r) => [r.command, r.rowCount, r.rows]))
  tell((await client.query('')).command)
})

await part('transactions', async (tell, refused) => {
  await client.query('begin isolation level serializable')
  await client.query("insert into batches values (2000, 'a')")
  await client.query('savepoint here')
  await refused(() => client.query("insert into batches values (2000, 'b')"))
  await refused(() => client.query('select 1'))
  await client.query('rollback to here')
  tell((await client.query('select t from batches where id = $1', [2000])).rows)
  await client.query('rollback')
  tell((await client.query('select count(*) from batches')).rows)
})

await part('queued', async (tell) => {
  const all = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => client.query(n % 7 === 3 ? 'select 1/$1::int' : 'select $1::int * 2 as n', [n % 7 === 3 ? 0 : n])))
  tell(all.map((r) => (r.status === 'fulfilled' ? r.value.rows[0].n : r.reason.code)))
})

await part('pipelined', async (tell) => {
  const piped = await open({ pipelining: true, pipeline: true })
  const all = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => piped.query({ name: n % 2 ? 'p' : undefined, text: 'select 10 / $1::int as n', values: [n % 9] })))
  tell(all.map((r) => (r.status === 'fulfilled' ? r.value.rows[0].n : r.reason.code)))
  await piped.end()
})

await part('cursor', async (tell) => {
  const cursor = client.query(new Cursor('select id, t from batches where id <= $1 order by id', [25]))
  for (;;) {
    const rows = await cursor.read(10)
    tell(rows.length, rows.at(-1))
    if (rows.length < 10) break
  }
  await cursor.close()
  const half = client.query(new Cursor('select * from batches'))
  tell((await half.read(3)).length)
  await half.close()
  tell((await client.query('select 1 as after')).rows)
})

await part('stream', async (tell) => {
  let sum = 0
  for await (const row of client.query(new QueryStream('select g from generate_series(1, $1) g', [20000], { batchSize: 100 }))) sum += row.g
  tell(sum)
  let seen = 0
  for await (const _ of client.query(new QueryStream('select g from generate_series(1, 100000) g', [], { batchSize: 10 }))) if (++seen === 25) break
  tell((await client.query('select 2 as after')).rows)
})

await part('copy', async (tell, refused) => {
  await client.query('create temp table copied (id int, t text)')
  const lines = Array.from({ length: 5000 }, (_, n) => `${n}\tline ${n}\n`)
  await pipeline(Readable.from(lines), client.query(copy.from('copy copied from stdin')))
  let text = ''
  for await (const piece of client.query(copy.to('copy (select * from copied order by id) to stdout csv'))) text += piece
  tell(text.length, text.slice(0, 60), (await client.query('select count(*), sum(id) from copied')).rows)
  await refused(() => pipeline(Readable.from(['1\tx\n', 'y\tz\n']), client.query(copy.from('copy copied from stdin'))))
  const back = await open()
  const both = client.query(copy.to('copy copied to stdout (format binary)'))
  await back.query('create temp table copied (id int, t text)')
  await pipeline(both, back.query(copy.from('copy copied from stdin (format binary)')))
  tell((await back.query('select count(*), sum(id), max(t) from copied')).rows)
  await back.end()
})

await part('notifications', async (tell) => {
  const other = await open()
  const seen = []
  const three = new Promise((done) => client.on('notification', (n) => seen.push([n.channel, n.payload, n.processId === other.processID]) === 3 && done()))
  await client.query('listen exercise')
  await other.query("notify exercise, 'one'")
  await other.query("select pg_notify('exercise', $1)", ['x'.repeat(7000)])
  await client.query('notify exercise')
  await three
  tell(seen.map(([channel, payload, from]) => [channel, payload.length, from]))
  await other.end()
})

await part('notices', async (tell) => {
  const notices = []
  client.on('notice', (n) => notices.push([n.severity, n.code, n.message]))
  await client.query("do $$ begin raise notice 'a notice'; raise warning 'a warning'; end $$")
  await client.query('drop table if exists nothing_here')
  tell(notices)
})

await part('time-outs', async (tell, refused) => {
  const hasty = await open({ statement_timeout: 200 })
  await refused(() => hasty.query('select pg_sleep(60)'))
  tell((await hasty.query('select 1 as after')).rows)
  await hasty.end()
})

await part('pool', async (tell) => {
  const pool = new pg.Pool({ ...login, max: 4 })
  const all = await Promise.all(Array.from({ length: 60 }, (_, n) => pool.query('select $1::int as n, pg_backend_pid() as pid', [n])))
  tell(all.map((r) => r.rows[0].n), new Set(all.map((r) => r.rows[0].pid)).size <= 4)
  await pool.end()
})

await part('big', async (tell) => {
  const data = Buffer.alloc(20 << 20, 'x')
  const { rows } = await client.query('select $1::bytea as y, length($2) as n', [data, 'y'.repeat(1 << 20)])
  tell(rows[0].y.equals(data), rows[0].n)
})

await part('login', async (tell, refused) => {
  await refused(() => open({ database: 'nothing_here_at_all' }).catch((e) => { throw Object.assign(e, { message: '', detail: '', routine: '', hint: '' }) }))
  const said = await open({ application_name: 'exercise', options: '-c search_path=pg_catalog -c work_mem=5MB', client_encoding: 'UTF8' })
  tell((await said.query("select current_setting('application_name') a, current_setting('search_path') s, current_setting('work_mem') w")).rows)
  const pid = said.processID
  const ended = new Promise((done) => said.once('error', done)) // before a query: it would race with the end
  await client.query('select pg_terminate_backend($1)', [pid])
  const { code, severity } = await ended
  tell(code, severity)
  await refused(() => said.query('select 1').catch((e) => { throw Object.assign(e, { message: 'ended' }) }))
})
await client.end()
process.exit(0)
