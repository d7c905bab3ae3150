// A server of graphql-ws that wants its key. Prints its port, then a line for each handshake, for one that lacks the key
// or holds the gateway's token, and for what must not be called.
import { createServer } from 'node:http'
import { require, world } from './common.mjs'

const { WebSocketServer } = require('ws')
const { buildSchema } = require('graphql')
const { useServer } = require('graphql-ws/use/ws')

const schema = buildSchema(`
  type User { id: ID! email: String! }
  type Query { users: [User!]! }
  type Mutation { deleteUsers: Boolean! }
  type Subscription { added: User! }
`)
const user = (id) => ({ id, email: 'ann@example.com' })
const roots = {
  query: { users: () => [user(1)] },
  mutation: { deleteUsers: () => (console.log('delete was called'), true) },
  subscription: {
    added: async function* () {
      for (const id of [1, 2, 3]) yield { added: user(id) }
    },
  },
}
const http = createServer((_, res) => res.writeHead(404).end())
http.on('upgrade', (req) => {
  console.log('handshake')
  if (req.headers.authorization !== 'Bearer ' + process.env.SALLYPORT_MCP_KEY) console.log('wrong key')
  if (JSON.stringify(req.rawHeaders).includes(world.token)) console.log('the token came')
})
useServer({ schema, roots }, new WebSocketServer({ server: http, path: '/graphql' }))
http.listen(0, '127.0.0.1', () => console.log('port', http.address().port))
process.stdin.resume().on('end', () => process.exit(0))
