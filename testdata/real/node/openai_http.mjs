// OpenAI's JavaScript library against a peer that checks what comes: plain, streamed, with a tool, with the
// provider's error, refused, cancelled; chat completions and responses.
import assert from 'node:assert/strict'
import { counted, refusedOnce, require, user, version, world } from './common.mjs'

const { OpenAI } = require('openai')
const client = new OpenAI({ baseURL: world.http + '/openai/v1', apiKey: world.token, fetch: counted })
const model = world.openai
const tools = [{ type: 'function', function: { name: world.tool, parameters: { type: 'object', properties: { city: { type: 'string' } } } } }]

const plain = await client.chat.completions.create({ model, messages: user('plain') })
assert.equal(plain.choices[0].message.content, world.answer)

const pieces = []
for await (const event of await client.chat.completions.create({ model, messages: user('plain'), stream: true })) {
  assert(event.choices.length, 'a chunk that nobody asked for')
  pieces.push(event.choices[0].delta.content ?? '')
}
assert.equal(pieces.join(''), world.answer)

const stream = client.chat.completions.stream({ model, messages: user('plain'), tools, stream_options: { include_usage: true } })
const final = await stream.finalChatCompletion()
assert.deepEqual(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), { city: world.city })
assert.equal(final.usage.total_tokens, 28)

const response = await client.responses.create({ model, input: 'plain' })
assert.equal(response.output_text, world.answer)
let text = ''
let done = ''
for await (const event of await client.responses.create({ model, input: 'plain', stream: true })) {
  if (event.type === 'response.output_text.delta') text += event.delta
  if (event.type === 'response.completed') done = event.response.output[0].content[0].text
}
assert.equal(text, world.answer)
assert.equal(done, world.answer)

await refusedOnce(client.chat.completions.create({ model, messages: user('fail') }), (e) => {
  assert(e instanceof OpenAI.BadRequestError, e)
  assert(e.message.includes('the model failed'), e.message)
})
for (const more of [{}, { stream: true }]) {
  await refusedOnce(client.chat.completions.create({ model: world.denied, messages: user('plain'), ...more }), (e) => {
    assert(e instanceof OpenAI.PermissionDeniedError, e)
    assert(e.message.includes('known-models'), e.message)
  })
}

const slow = await client.chat.completions.create({ model, messages: user('slow'), stream: true })
for await (const event of slow) {
  assert.equal(event.choices[0].delta.content, 'Wait ')
  slow.controller.abort()
  break
}
const abort = new AbortController()
const held = client.chat.completions.create({ model, messages: user('slow') }, { signal: abort.signal })
setTimeout(() => abort.abort(), 500)
await assert.rejects(held, OpenAI.APIUserAbortError)

console.log('ok: openai', version('openai'))
