// The MCP SDK's JavaScript client against a server of the SDK: list, call, refusal, tool's error, cancel.
import assert from 'node:assert/strict'
import { require, version, world } from './common.mjs'

const { Client } = require('@modelcontextprotocol/sdk/client/index.js')
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js')

const client = new Client({ name: 'agent', version: '1.0.0' })
const transport = new StreamableHTTPClientTransport(new URL(world.http + '/files/mcp'), {
  requestInit: { headers: { Authorization: 'Bearer ' + world.token } },
})
await client.connect(transport)
const names = (await client.listTools()).tools.map((t) => t.name)
assert.deepEqual(names.sort(), ['count', 'fail', 'read', 'wait'], 'delete is denied, and not listed')

const result = await client.callTool({ name: 'read', arguments: { path: '/work/a' } })
assert.equal(result.content[0].text, '/work/a: ' + world.answer)
await assert.rejects(client.callTool({ name: 'delete', arguments: { path: '/work/a' } }), (e) => {
  assert.equal(e.code, -32003)
  assert(e.message.includes('no-delete'), e.message)
  return true
})
assert.equal((await client.callTool({ name: 'fail', arguments: {} })).isError, true)

const progress = []
const counted = await client.callTool({ name: 'count', arguments: {} }, undefined, { onprogress: (p) => progress.push([p.progress, p.message]) })
assert.equal(counted.content[0].text, 'done')
assert.deepEqual(progress, [1, 2, 3].map((n) => [n, world.answer]))

const abort = new AbortController()
setTimeout(() => abort.abort(), 500)
await assert.rejects(client.callTool({ name: 'wait', arguments: {} }, undefined, { signal: abort.signal }))
assert.equal((await client.callTool({ name: 'read', arguments: { path: '/' } })).content[0].text, '/: ' + world.answer)
await transport.terminateSession()
await client.close()
console.log('ok: @modelcontextprotocol/sdk', version('@modelcontextprotocol/sdk'))
