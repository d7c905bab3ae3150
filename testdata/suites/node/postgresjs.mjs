// What programs do with postgres.js: it prepares by itself and pipelines. Its cancels
// are left out: now and then they end the statement after the one they are for, directly too.
import { login, part, require, tables } from './show.mjs'

const postgres = require('postgres')
const notices = []
const open = (more = {}) => postgres({ ...login, username: login.user, max: 3, onnotice: (n) => notices.push([n.severity, n.code, n.message]), ...more })

for (const prepare of [true, false]) {
  const sql = open({ prepare })
  const say = (name, work) => part(`${name} [prepare=${prepare}]`, work)
  await sql.unsafe(tables).simple()

  await say('types', async (tell) => {
    for (let n = 0; n < 4; n++) {
      tell(await sql`insert into things ${sql({ i: n, l: 2n ** 60n, n: '12345678901234567890.123', b: n % 2 === 0, t: `text ünï \\ ' ${n}`, y: Buffer.from([0, n, 255]), u: `00000000-0000-4000-8000-00000000000${n}`,
        j: sql.json({ n, nested: ['x', null] }), at: new Date('2026-01-02T03:04:05.678Z'), day: '2026-01-02', f: n / 3 })} returning *`)
    }
    const rows = await sql`select * from things where id = any(${[1, 3]}) order by id`
    tell(rows, rows.columns.map((c) => [c.name, c.type]), rows.command, rows.count)
    tell(await sql`select * from things order by id`.values(), await sql`select t from things order by id`.raw())
    tell((await sql`select i, t from things where id = ${1}`.describe()).columns.map((c) => [c.name, c.type]))
  })

  await say('pieces', async (tell) => {
    const column = sql('t')
    tell(await sql`select ${column} from ${sql('batches')} where id in ${sql([1, 2, 3])} ${true ? sql`order by id desc` : sql``}`)
    tell((await sql`insert into batches ${sql([{ id: 3001, t: 'a' }, { id: 3002, t: 'b' }])} on conflict do nothing`).count, (await sql`update batches set ${sql({ t: 'changed' })} where id = 3001 returning *`)[0])
    await sql`delete from batches where id > 3000`
    tell(await sql.file(new URL('./query.sql', import.meta.url).pathname, [7]))
    tell(await sql.unsafe('select 1 as a; select 2 as b, null as c').simple())
  })

  await say('errors', async (tell, refused) => {
    for (const bad of [() => sql`selec 1`, () => sql`select nothing from things`, () => sql`select 1 / ${0}::int`, () => sql`insert into batches values (1, null)`, () => sql`select ${'x'}::int`, () => sql.unsafe('select 1; select 1/0').simple()]) await refused(bad)
    for (let n = 0; n < 3; n++) await refused(async () => tell(await sql`select 10 / ${n}::int as n`))
  })

  await say('transactions', async (tell, refused) => {
    await refused(() => sql.begin('isolation level serializable', async (tx) => {
      await tx`insert into batches values (2000, 'a')`
      await tx.savepoint(async (inner) => { await inner`insert into batches values (2000, 'b')` }).catch((e) => tell(e.code))
      tell(await tx`select t from batches where id = 2000`)
      throw Object.assign(new Error('back'), { code: 'own' })
    }))
    tell(await sql.begin((tx) => [tx`select 1 as a`, tx`select ${2}::int as b`, tx`select count(*) from batches`]))
  })

  await say('pipelined', async (tell) => {
    const one = open({ prepare, max: 1, max_pipeline: 100 })
    const all = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => one`select 10 / ${n % 9}::int as n`))
    tell(all.map((r) => (r.status === 'fulfilled' ? r.value[0].n : r.reason.code)))
    await one.end()
  })

  await say('cursors', async (tell) => {
    let rounds = 0, sum = 0
    await sql`select id from batches order by id`.cursor(64, (rows) => { rounds++; for (const r of rows) sum += r.id })
    tell(rounds, sum)
    let seen = 0
    for await (const rows of sql`select * from generate_series(1, 1000) g`.cursor(10)) if ((seen += rows.length) >= 30) break
    tell(seen, await sql`select 1 as after`)
    sum = 0
    await sql`select id from batches`.forEach((r) => { sum += r.id })
    tell(sum)
  })

  await say('notifications', async (tell) => {
    const seen = []
    let done
    const three = new Promise((resolve) => { done = resolve })
    const { unlisten } = await sql.listen('exercise', (payload) => seen.push(payload.length) === 3 && done())
    await sql.notify('exercise', 'one')
    await sql.notify('exercise', 'x'.repeat(7000))
    await sql`select pg_notify('exercise', '')`
    await three
    await unlisten()
    tell(seen)
  })

  await say('reserved', async (tell) => {
    const own = await sql.reserve()
    await own`create temp table mine (id int)`
    tell(await own`insert into mine values (1), (2) returning id`)
    own.release()
    const data = Buffer.alloc(20 << 20, 'x')
    tell((await sql`select ${data}::bytea as y`)[0].y.equals(data))
  })
  await sql.end()
}
console.log(`## notices\n${JSON.stringify(notices)}`)
process.exit(0)
