// What the HTTP clients' scripts share. The world is JSON in SALLYPORT_WORLD: see http_real_test.go.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

export const require = createRequire(process.env.SALLYPORT_TEST_NODE + '/')
export const world = JSON.parse(process.env.SALLYPORT_WORLD)
export const version = (name) =>
  JSON.parse(readFileSync(`${process.env.SALLYPORT_TEST_NODE}/node_modules/${name}/package.json`)).version

// counted is fetch, and how often it was called.
export const sent = { n: 0 }
export const counted = (...args) => (sent.n++, fetch(...args))

// refusedOnce runs what must be refused, and refused at the first try.
export async function refusedOnce(what, check) {
  sent.n = 0
  await assert.rejects(what, (e) => (check(e), true))
  assert.equal(sent.n, 1, `${sent.n} requests for one refusal`)
}

export const user = (content) => [{ role: 'user', content }]
