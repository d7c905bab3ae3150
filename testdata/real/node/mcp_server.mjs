// A server of the MCP SDK, streamable HTTP with sessions, that wants its key. Prints its port, then a line for
// each request that lacks the key or holds the gateway's token.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { require, world } from './common.mjs'

const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js')
const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js')
const { z } = require('zod')

const transports = new Map()

async function open() {
  const server = new McpServer({ name: 'files', version: '1.0.0' })
  server.registerTool('read', { description: 'reads', inputSchema: { path: z.string() } }, async ({ path }) => ({
    content: [{ type: 'text', text: `${path}: ${world.answerRaw}` }],
  }))
  server.registerTool('delete', { description: 'deletes', inputSchema: { path: z.string() } }, async () => {
    console.log('delete was called')
    return { content: [] }
  })
  server.registerTool('wait', { description: 'waits until cancelled', inputSchema: {} }, async (_, extra) => {
    await new Promise((resolve) => extra.signal.addEventListener('abort', resolve))
    console.log('cancelled')
    return { content: [] }
  })
  server.registerTool('count', { description: 'tells how far it is', inputSchema: {} }, async (_, extra) => {
    for (let progress = 1; progress <= 3; progress++) {
      const params = { progressToken: extra._meta.progressToken, progress, total: 3, message: world.answerRaw }
      await extra.sendNotification({ method: 'notifications/progress', params })
    }
    return { content: [{ type: 'text', text: 'done' }] }
  })
  server.registerTool('fail', { description: 'fails', inputSchema: {} }, async () => {
    throw new Error('the tool failed')
  })
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => transports.set(id, transport),
  })
  await server.connect(transport)
  return transport
}

const http = createServer(async (req, res) => {
  if (req.headers.authorization !== 'Bearer ' + process.env.SALLYPORT_MCP_KEY) console.log('wrong key')
  if (JSON.stringify(req.rawHeaders).includes(world.token)) console.log('the token came')
  const id = req.headers['mcp-session-id']
  const transport = id ? transports.get(id) : await open()
  if (!transport) return res.writeHead(404).end()
  await transport.handleRequest(req, res)
})
http.listen(0, '127.0.0.1', () => console.log('port', http.address().port))
process.stdin.resume().on('end', () => process.exit(0))
