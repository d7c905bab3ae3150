// The library graphql-ws: a query, a subscription, the server's error, refused, and after it on the same WebSocket a
// query again.
import assert from 'node:assert/strict'
import { require, version, world } from './common.mjs'

const { createClient } = require('graphql-ws')
const { WebSocket } = require('ws')

class Named extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { headers: { Authorization: 'Bearer ' + world.token } })
  }
}
const client = createClient({ url: world.http.replace('http', 'ws') + '/graph/graphql', webSocketImpl: Named, lazy: false, retryAttempts: 0 })

async function all(query, operationName) {
  const values = []
  for await (const result of client.iterate({ query, operationName })) values.push(result)
  return values
}

const users = '{ users { id email } }'
const masked = [{ data: { users: [{ id: '1', email: world.mark }] } }]
assert.deepEqual(JSON.parse(JSON.stringify(await all(users))), masked)
const added = await all('subscription { added { id email } }')
assert.deepEqual(added.map((r) => [r.data.added.id, r.data.added.email]), ['1', '2', '3'].map((id) => [id, world.mark]))
await assert.rejects(all('{ nobody }'), (e) => (assert(e[0].message.includes('nobody'), JSON.stringify(e)), true))
for (const [query, name] of [
  ['mutation { deleteUsers }'],
  ['query Q { users { id } } mutation M { ...F } fragment F on Mutation { deleteUsers }', 'M'],
]) {
  await assert.rejects(all(query, name), (e) => (assert(e[0].message.includes('only-reads'), JSON.stringify(e)), true))
}
assert.deepEqual(JSON.parse(JSON.stringify(await all(users))), masked)
await client.dispose()
console.log('ok: graphql-ws', version('graphql-ws'))
