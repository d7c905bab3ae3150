// OpenAI's JavaScript library through the gateway: plain, streamed, refused.
// Reads the world from SALLYPORT_WORLD (JSON, see real_test.go); exits non-zero at the first surprise.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(process.env.SALLYPORT_TEST_NODE + '/')
const { OpenAI } = require('openai')
const world = JSON.parse(process.env.SALLYPORT_WORLD)
let sent = 0
const options = {
  baseURL: world.http + '/openai/v1',
  apiKey: world.token,
  fetch: (...args) => (sent++, fetch(...args)),
}
const client = new OpenAI(options)
const messages = [{ role: 'user', content: 'What is a sally port?' }]

const reply = await client.chat.completions.create({ model: world.model, messages })
assert.equal(reply.choices[0].message.content, world.answer)

const pieces = []
for await (const event of await client.chat.completions.create({ model: world.model, messages, stream: true })) {
  const text = event.choices[0]?.delta?.content
  if (text) pieces.push(text)
}
assert(pieces.length > 1)
assert.equal(pieces.join(''), world.answer)

const vector = await client.embeddings.create({ model: world.model, input: 'x', encoding_format: 'float' })
assert.equal(vector.data[0].embedding.length, 3)

// A refusal is final: the library's own class for 403, and no second try.
sent = 0
await assert.rejects(client.chat.completions.create({ model: 'dear-1', messages }), (e) => {
  assert(e instanceof OpenAI.PermissionDeniedError, e)
  assert.equal(e.status, 403)
  assert(e.message.includes('known-models'), e.message)
  return true
})
assert.equal(sent, 1)

sent = 0
await assert.rejects(new OpenAI({ ...options, apiKey: 'not-a-token' }).models.list(), (e) => {
  assert(e instanceof OpenAI.AuthenticationError, e)
  assert(!e.message.includes('not-a-token'), e.message)
  return true
})
assert.equal(sent, 1)

console.log('ok: openai', JSON.parse(readFileSync(process.env.SALLYPORT_TEST_NODE + '/node_modules/openai/package.json')).version)
