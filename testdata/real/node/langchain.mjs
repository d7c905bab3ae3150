// LangChain and LangGraph in JavaScript: a chat model and a graph with a tool, on OpenAI's and Anthropic's API.
import assert from 'node:assert/strict'
import { require, version, world } from './common.mjs'

const { ChatOpenAI } = require('@langchain/openai')
const { ChatAnthropic } = require('@langchain/anthropic')
const { tool } = require('@langchain/core/tools')
const { StateGraph, MessagesAnnotation, END, START } = require('@langchain/langgraph')
const { ToolNode } = require('@langchain/langgraph/prebuilt')

const openai = (model = world.openai) =>
  new ChatOpenAI({ model, apiKey: world.token, configuration: { baseURL: world.http + '/openai/v1' } })
const anthropic = (model = world.anthropic) =>
  new ChatAnthropic({ model, apiKey: world.token, anthropicApiUrl: world.http + '/anthropic', maxTokens: 100 })

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
for (const make of [openai, anthropic]) {
  const model = make()
  assert.equal((await model.invoke('plain')).text, world.answer)
  let text = ''
  for await (const chunk of await model.stream('plain')) text += chunk.text
  assert.equal(text, world.answer)
  await assert.rejects(model.invoke('fail'), /the model failed/)
  const start = Date.now()
  await assert.rejects(make(world.denied).invoke('plain'), (e) => {
    assert(/known-models/.test(e.message), e.message)
    return true
  })
  assert(Date.now() - start < 60_000)

  const cities = []
  const lookup = tool(async ({ city }) => (cities.push(city), 'sunny'), { name: world.tool, description: 'the weather', schema })
  const bound = make().bindTools([lookup])
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('plan', async (state) => ({ messages: [await bound.invoke(state.messages)] }))
    .addNode('act', new ToolNode([lookup]))
    .addEdge(START, 'plan')
    .addConditionalEdges('plan', (state) => (state.messages.at(-1).tool_calls?.length ? 'act' : END))
    .addEdge('act', 'plan')
    .compile()
  const out = await graph.invoke({ messages: [{ role: 'user', content: 'plain' }] })
  assert.deepEqual(cities, [world.city])
  assert.equal(out.messages.at(-1).text, world.answer)
  cities.length = 0
  for await (const [message] of await graph.stream({ messages: [{ role: 'user', content: 'plain' }] }, { streamMode: 'messages' })) void message
  assert.deepEqual(cities, [world.city])

  const of = (inner) =>
    new StateGraph(MessagesAnnotation)
      .addNode('plan', async (state, config) => ({ messages: [await inner.invoke(state.messages, config)] }))
      .addEdge(START, 'plan')
      .compile()
  const asked = (content) => ({ messages: [{ role: 'user', content }] })
  await assert.rejects(of(make(world.denied)).invoke(asked('plain')), /known-models/)
  await assert.rejects(of(make()).invoke(asked('fail')), /the model failed/)
  const leave = new AbortController()
  setTimeout(() => leave.abort(), 500)
  await assert.rejects(of(make()).invoke(asked('slow'), { signal: leave.signal }))

  const abort = new AbortController()
  await assert.rejects(async () => {
    for await (const chunk of await model.stream('slow', { signal: abort.signal })) {
      if (chunk.text) abort.abort()
    }
  })
}
console.log('ok: @langchain/openai', version('@langchain/openai'), '@langchain/anthropic', version('@langchain/anthropic'), '@langchain/langgraph', version('@langchain/langgraph'))
