// Pinecone's JavaScript library: the control plane, and the index at the host that its description names; the
// provider's error, refused, cancelled.
import assert from 'node:assert/strict'
import { counted, refusedOnce, require, version, world } from './common.mjs'

const { Pinecone, Errors } = require('@pinecone-database/pinecone')
const at = { apiKey: world.token, controllerHostUrl: world.http + '/pinecone' }
const pc = new Pinecone({ ...at, fetchApi: counted })
const vector = [0.1, 0.2, 0.3]

const description = await pc.describeIndex('notes')
assert(description.host.startsWith(world.http + '/pinecone/'), description.host)
assert.equal(description.privateHost, description.host)
assert.deepEqual((await pc.listIndexes()).indexes.map((i) => i.name), ['notes'])

// By its name, and by the host alone as programs keep it.
for (const index of [pc.index({ name: 'notes' }), pc.index({ host: description.host })]) {
  await index.upsert({ records: [{ id: 'n1', values: vector, metadata: { note: 'plain' } }] })
  const found = await index.query({ vector, topK: 1, includeMetadata: true })
  assert.equal(found.matches[0].metadata.email, world.mark)
  assert.equal((await index.describeIndexStats()).totalRecordCount, 1)
}

const notes = (namespace, more = {}) => new Pinecone({ ...at, fetchApi: counted, ...more }).index({ name: 'notes', namespace })
await refusedOnce(notes('fail').query({ vector, topK: 1 }), (e) => {
  assert(e instanceof Errors.PineconeBadRequestError, e)
  assert(e.message.includes('the model failed'), e.message)
})
await refusedOnce(pc.deleteIndex('notes'), (e) => assert(e.message.includes('no-drop'), e.message))

const impatient = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(500) })
await assert.rejects(notes('slow', { fetchApi: impatient }).query({ vector, topK: 1 }), Errors.PineconeConnectionError)
await assert.rejects(new Pinecone({ ...at, apiKey: 'nobody' }).describeIndex('notes'), Errors.PineconeAuthorizationError)

console.log('ok: pinecone', version('@pinecone-database/pinecone'))
