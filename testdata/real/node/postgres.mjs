// node-postgres through the gateway: simple and extended protocol, binary, transactions.
// Reads the world from SALLYPORT_WORLD (JSON, see real_test.go); exits non-zero at the first surprise.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const require = createRequire(process.env.SALLYPORT_TEST_NODE + '/')
const pg = require('pg')
const world = JSON.parse(process.env.SALLYPORT_WORLD)
const login = { host: world.host, port: world.port, database: 'shop', user: 'agent', password: world.token }

const unseen = (rows) => {
  for (const secret of world.secrets) assert(!JSON.stringify(rows).includes(secret), 'a protected value came back')
}
const refused = (client, sql, rule) =>
  assert.rejects(client.query(sql), (e) => {
    assert.equal(e.code, '42501')
    assert.equal(e.severity, 'ERROR')
    assert(e.message.includes(`refused by rule "${rule}"`), e.message)
    return true
  })

const client = new pg.Client(login)
await client.connect()
const columns = 'SELECT id, name, email, password, api_key FROM users'
for (const query of [
  { text: columns + ' WHERE id < 4 ORDER BY id' },
  { text: columns + ' WHERE id < $1 ORDER BY id', values: [4] },
  { text: columns + ' WHERE id < $1 ORDER BY id', values: [4], name: 'prepared' },
  { text: columns + ' WHERE id < $1 ORDER BY id', values: [4], binary: true },
]) {
  const { rows } = await client.query(query)
  assert.deepEqual(rows.map((r) => r.name), ['Ada', 'Ben', 'Cleo'])
  assert.equal(rows[2].api_key, null)
  unseen(rows)
}
await refused(client, 'DROP TABLE secrets', 'no-destructive')
await refused(client, "UPDATE orders SET status = 'new'", 'where-required')
await refused(client, { text: 'DELETE FROM order_items', values: [] }, 'where-required')
assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }])

// Several statements in one text: one refused, none runs.
await refused(client, "UPDATE orders SET status = 'new' WHERE id = 1; DROP TABLE secrets", 'no-destructive')
assert.deepEqual((await client.query('SELECT status FROM orders WHERE id = 1')).rows, [{ status: 'shipped' }])

// In a transaction a refusal fails it.
await client.query('BEGIN')
await client.query("UPDATE orders SET status = 'returned' WHERE id = $1", [5])
await refused(client, 'TRUNCATE orders', 'no-destructive')
await assert.rejects(client.query('SELECT 1'), (e) => e.code === '25P02')
await client.query('ROLLBACK')
assert.deepEqual((await client.query('SELECT status FROM orders WHERE id = 5')).rows, [{ status: 'paid' }])
await client.end()

const stranger = new pg.Client({ ...login, password: 'not-a-token' })
await assert.rejects(stranger.connect(), (e) => /^28/.test(e.code) && !e.message.includes('not-a-token'))

console.log('ok: pg', require('pg/package.json').version)
