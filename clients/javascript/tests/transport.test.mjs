import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as errors from '../dist/esm/errors.js'
import { DEFAULT_RETRY } from '../dist/esm/retry.js'
import { json, Transport } from '../dist/esm/transport.js'

const QUICK = { ...DEFAULT_RETRY, baseMs: 1, capMs: 1 }
const URL_OF_ALL = new URL('http://service.example/v2')

/** A transport whose requests get these answers in turn (functions are called), and what was sent. */
function scripted (answers, policy = QUICK, timeoutMs = 1000) {
  const sent = []
  const fetch = async (url, init) => {
    sent.push({ url, init })
    const answer = answers[Math.min(sent.length, answers.length) - 1]
    return typeof answer === 'function' ? answer(init) : answer.clone()
  }
  return { sent, transport: new Transport(policy, timeoutMs, fetch) }
}

const get = extra => ({ method: 'GET', url: URL_OF_ALL, repeat: 'safe', ...extra })
const problem = (code, status, headers = {}, details = {}) => Response.json(
  { error: { code, message: `it is ${code}`, status, request_id: 'req_1', details } }, { status, headers })
const good = () => Response.json({ fine: true })
const lost = () => { throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') }) }
const never = init => new Promise((resolve, reject) => {
  init.signal.addEventListener('abort', () => reject(init.signal.reason))
})

test('a fault, a lost connection and a rate limit are followed by another attempt', async () => {
  const { sent, transport } = scripted([problem('internal_error', 500), lost, problem('rate_limited', 429, { 'retry-after': '0' }), good])
  assert.deepEqual(json(await transport.send(get())), { fine: true })
  assert.equal(sent.length, 4)
})

test('every attempt sends the same headers', async () => {
  const { sent, transport } = scripted([lost, lost, good])
  await transport.send(get({ method: 'POST', headers: { 'idempotency-key': 'k' }, body: 'b' }))
  assert.deepEqual(sent.map(({ init }) => [init.headers['idempotency-key'], init.body]), [['k', 'b'], ['k', 'b'], ['k', 'b']])
})

test('failures are counted, and the last one is thrown', async () => {
  const { sent, transport } = scripted([lost])
  await assert.rejects(transport.send(get()), error => {
    assert.ok(error instanceof errors.ConnectionError)
    assert.match(error.message, /GET http:\/\/service\.example\/v2: fetch failed: ECONNRESET/)
    return true
  })
  assert.equal(sent.length, 1 + QUICK.maxRetries)
})

test('a refusal is thrown at once, as the class of its code, with all that the service says', async () => {
  const { sent, transport } = scripted([problem('invalid_option', 400, { 'x-request-id': 'req_2' }, { option: 'size' })])
  await assert.rejects(transport.send(get()), error => {
    assert.ok(error instanceof errors.InvalidOptionError && error instanceof errors.ApiError)
    assert.deepEqual([error.name, error.code, error.status, error.requestId, error.details, error.message],
      ['InvalidOptionError', 'invalid_option', 400, 'req_2', { option: 'size' }, 'it is invalid_option'])
    return true
  })
  assert.equal(sent.length, 1)
})

test('every code of the contract has a class of its own', async () => {
  for (const [code, cls] of Object.entries(errors.ERRORS)) {
    const { transport } = scripted([problem(code, 400)])
    await assert.rejects(transport.send(get()), error => error.constructor === cls && error.code === code)
  }
  assert.equal(new Set(Object.values(errors.ERRORS)).size, Object.keys(errors.ERRORS).length)
})

test('a code of a later version is an ApiError with that code', async () => {
  for (const code of ['brand_new', 'constructor']) {
    const { transport } = scripted([problem(code, 418)])
    await assert.rejects(transport.send(get()), error => error.constructor === errors.ApiError && error.code === code)
  }
})

test('an HTML page of a proxy in the place of an answer counts by its status', async () => {
  const { transport } = scripted([new Response('<h1>Bad gateway</h1>', { status: 502 })])
  await assert.rejects(transport.send(get()), error => error instanceof errors.ServiceUnavailableError && error.status === 502)
})

test('a longer pause than the client has patience for is not begun', async () => {
  const { sent, transport } = scripted([problem('rate_limited', 429, { 'retry-after': '3600' })])
  await assert.rejects(transport.send(get()), error => error instanceof errors.RateLimitedError && error.retryAfterMs === 3_600_000)
  assert.equal(sent.length, 1)
})

test('pauses that the service asks for end when the patience does', async () => {
  const { sent, transport } = scripted([problem('rate_limited', 429, { 'retry-after': '0' })], { ...QUICK, baseMs: 20, capMs: 20, maxWaitMs: 100 })
  await assert.rejects(transport.send(get()), errors.RateLimitedError)
  assert.ok(sent.length > 2)
})

test('an attempt that takes too long is given up, and the next one may be quick', async () => {
  const { sent, transport } = scripted([never, good], QUICK, 20)
  assert.deepEqual(json(await transport.send(get())), { fine: true })
  assert.equal(sent.length, 2)
})

test('attempts that all take too long end with a RequestTimeoutError', async () => {
  const { transport } = scripted([never], { ...QUICK, maxRetries: 1 }, 10)
  await assert.rejects(transport.send(get()), errors.RequestTimeoutError)
})

test('a body that stalls counts as time', async () => {
  const stalled = init => new Response(new ReadableStream({
    start (controller) {
      controller.enqueue(new Uint8Array(3))
      init.signal.addEventListener('abort', () => controller.error(init.signal.reason))
    },
  }))
  const { transport } = scripted([stalled], { ...QUICK, maxRetries: 0 }, 20)
  await assert.rejects(transport.send(get()), errors.RequestTimeoutError)
})

test('half a body is a lost connection', async () => {
  const half = () => new Response('half', { headers: { 'content-length': '8' } })
  const { sent, transport } = scripted([half, good])
  assert.deepEqual(json(await transport.send(get())), { fine: true })
  assert.equal(sent.length, 2)
  const { transport: hopeless } = scripted([half])
  await assert.rejects(hopeless.send(get()), errors.ConnectionError)
})

test('the caller can give up during an attempt and during a pause', async () => {
  for (const answers of [[never], [problem('rate_limited', 429, { 'retry-after': '60' })]]) {
    const { sent, transport } = scripted(answers)
    const controller = new AbortController()
    const pending = transport.send(get({ signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await assert.rejects(pending, /enough/)
    assert.equal(sent.length, 1)
  }
})

test('nothing is sent for a caller who has given up already', async () => {
  const { sent, transport } = scripted([good])
  await assert.rejects(transport.send(get({ signal: AbortSignal.abort() })), { name: 'AbortError' })
  assert.equal(sent.length, 0)
})

test('an answer that stands elsewhere is fetched without the key, and keeps the headers of the service', async () => {
  const elsewhere = new Response('', { status: 303, headers: { location: 'http://storage.example/x?sig=1', 'x-model': 'm' } })
  const { sent, transport } = scripted([elsewhere, new Response('picture', { headers: { 'content-type': 'image/png' } })])
  const answer = await transport.send(get({ headers: { authorization: 'Bearer secret' } }))
  assert.equal(new TextDecoder().decode(answer.bytes), 'picture')
  assert.deepEqual([answer.headers.get('content-type'), answer.headers.get('x-model')], ['image/png', 'm'])
  assert.equal(sent[1].url, 'http://storage.example/x?sig=1')
  assert.equal(new Headers(sent[1].init.headers).get('authorization'), null)
})

test('progress reports the upload, the download in bytes, and attempts', async () => {
  const seen = []
  const { transport } = scripted([lost, new Response('12345678', { headers: { 'content-length': '8' } })])
  await transport.send(get({ method: 'POST', body: 'abc', bodyBytes: 3, onProgress: progress => seen.push(progress) }))
  assert.deepEqual(seen.map(({ stage, loaded, total, attempt }) => [stage, loaded, total, attempt]), [
    ['upload', 0, 3, 1], ['retry', 0, undefined, 1], ['upload', 0, 3, 2], ['upload', 3, 3, 2], ['download', 8, 8, 2],
  ])
})
