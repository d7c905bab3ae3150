// OpenAI's JavaScript library on the Realtime API: text in deltas, a tool, the provider's error, refused, cancelled; and
// its responses over a WebSocket.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { require, version, world } from './common.mjs'

const { OpenAI } = require('openai')
const { OpenAIRealtimeWS } = require('openai/realtime/ws')
const client = new OpenAI({ baseURL: world.http + '/openai/v1', apiKey: world.token })
const tools = [{ type: 'function', name: world.tool, parameters: { type: 'object', properties: { city: { type: 'string' } } } }]

// answer asks and gives the events up to the one of that type.
async function answer(rt, text, until, response = {}) {
  const events = []
  const ended = new Promise((resolve) => {
    const hear = (event) => {
      events.push(event)
      if (event.type === until) resolve(rt.off('event', hear))
    }
    rt.on('event', hear)
  })
  rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] } })
  rt.send({ type: 'response.create', response })
  await ended
  return events
}

async function open(model) {
  const rt = new OpenAIRealtimeWS({ model }, client)
  rt.on('error', () => {})
  await once(rt.socket, 'open')
  return rt
}

const rt = await open('gpt-realtime')
for (let i = 0; i < 2; i++) {
  const events = await answer(rt, 'plain', 'response.done')
  const deltas = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta)
  assert.equal(deltas.join(''), world.answer)
  assert.equal(events.find((e) => e.type === 'response.output_text.done').text, world.answer)
}
// A rule denies the tool; the session goes on.
const dropping = [{ ...tools[0], name: world.deniedTool }]
rt.send({ type: 'session.update', event_id: 'event_7', session: { type: 'realtime', tools: dropping } })
const [denied] = await once(rt, 'error')
assert.equal(denied.error.event_id, 'event_7')
assert(denied.error.message.includes('no-drop-tool'), denied.error.message)
assert((await answer(rt, 'plain', 'error', { tools: dropping })).at(-1).error.message.includes('no-drop-tool'))
const called = await answer(rt, 'plain', 'response.done', { tools })
assert.deepEqual(JSON.parse(called.find((e) => e.type === 'response.function_call_arguments.done').arguments), { city: world.city })
assert.equal((await answer(rt, 'fail', 'error')).at(-1).error.message, 'the model failed')
rt.close()
await once(rt.socket, 'close')

const slow = await open('gpt-realtime')
assert.equal((await answer(slow, 'slow', 'response.output_text.delta')).at(-1).delta, 'Wait ')
slow.close()
await once(slow.socket, 'close')

const refused = new OpenAIRealtimeWS({ model: world.denied }, client)
const [error] = await new Promise((resolve) => refused.on('error', (...e) => resolve(e)))
assert(error.message.includes('403'), error.message)

// Responses over a WebSocket: each names its own model.
const { ResponsesWS } = require('openai/resources/responses/ws')
const ws = new ResponsesWS(client)
async function respond(more) {
  const ended = new Promise((resolve) => {
    const hear = (event) => {
      if (event.type !== 'response.completed' && event.type !== 'error') return
      ws.off('event', hear)
      resolve(event)
    }
    ws.on('event', hear)
  })
  ws.send({ type: 'response.create', input: 'plain', ...more })
  return ended
}
ws.on('error', () => {})
for (const model of ['gpt-5-mini', world.denied, 'gpt-5-mini']) {
  const event = await respond({ model })
  if (model === world.denied) assert(event.message.includes('known-models'), JSON.stringify(event))
  else assert.equal(event.response.output[0].content[0].text, world.answer)
}
assert((await respond({ model: 'gpt-5-mini', tools: dropping })).error.message.includes('no-drop-tool'))
ws.close()

console.log('ok: openai', version('openai'))
