// Results under "## NAME", the same each time.
import { createRequire } from 'node:module'

export const require = createRequire(process.env.SUITES_NODE + '/')

const plain = (_, value) => (typeof value === 'bigint' ? `${value}n` : Buffer.isBuffer(value) ? value.toString('hex') : value)

export const error = (e) => `${e.code} ${e.severity} ${e.message} | ${e.detail} ${e.hint} ${e.position} ${e.where} ${e.table ?? e.table_name} ${e.routine}`

// part runs work and shows what it gives, in lines, or how it ended.
export async function part(name, work) {
  const lines = []
  const tell = (...values) => lines.push(values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v, plain))).join(' '))
  const refused = async (what) => {
    try {
      await what()
      tell('no error')
    } catch (e) {
      tell(error(e))
    }
  }
  try {
    await work(tell, refused)
  } catch (e) {
    tell('ended', error(e), e.stack.split('\n')[1])
  }
  console.log(`## ${name}\n${lines.join('\n')}`)
}

export const login = {
  host: process.env.PGHOST, port: +process.env.PGPORT, database: process.env.PGDATABASE,
  user: process.env.PGUSER, password: process.env.PGPASSWORD,
}

export const tables = `
  drop table if exists things, batches;
  create table things (id serial primary key, i int, l bigint, n numeric, b boolean, t text, y bytea, u uuid, j jsonb, a int[], at timestamptz, day date, f float8);
  create table batches (id int primary key, t text unique);
  insert into batches select g, 'row ' || g from generate_series(1, 1000) g`
