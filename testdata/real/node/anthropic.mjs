// Anthropic's JavaScript library: plain, streamed, with a tool, with the provider's error, refused, cancelled.
import assert from 'node:assert/strict'
import { counted, refusedOnce, require, user, version, world } from './common.mjs'

const { Anthropic } = require('@anthropic-ai/sdk')
const client = new Anthropic({ baseURL: world.http + '/anthropic', apiKey: world.token, fetch: counted })
const model = world.anthropic
const ask = (content, more = {}) => ({ model, max_tokens: 100, messages: user(content), ...more })
const tools = [{ name: world.tool, input_schema: { type: 'object', properties: { city: { type: 'string' } } } }]

const plain = await client.messages.create(ask('plain'))
assert.equal(plain.content[0].text, world.answer)
assert.equal(plain.usage.output_tokens, 19)

let text = ''
const stream = client.messages.stream(ask('plain')).on('text', (t) => (text += t))
const final = await stream.finalMessage()
assert.equal(text, world.answer)
assert.equal(final.content[0].text, world.answer)

const called = await client.messages.stream(ask('plain', { tools })).finalMessage()
assert.deepEqual(called.content[0].input, { city: world.city })
const result = { type: 'tool_result', tool_use_id: called.content[0].id, content: 'sunny' }
const after = await client.messages.create({
  ...ask('plain', { tools }),
  messages: [...user('plain'), { role: 'assistant', content: called.content }, { role: 'user', content: [result] }],
})
assert.equal(after.content[0].text, world.answer)

await refusedOnce(client.messages.create(ask('fail')), (e) => {
  assert(e instanceof Anthropic.BadRequestError, e)
  assert(e.message.includes('the model failed'), e.message)
})
await refusedOnce(client.messages.create({ ...ask('plain'), model: world.denied }), (e) => {
  assert(e instanceof Anthropic.PermissionDeniedError, e)
  assert(e.message.includes('known-models'), e.message)
})

const slow = await client.messages.create(ask('slow', { stream: true }))
for await (const event of slow) {
  if (event.type === 'content_block_delta') break
}
slow.controller.abort()

console.log('ok: @anthropic-ai/sdk', version('@anthropic-ai/sdk'))
