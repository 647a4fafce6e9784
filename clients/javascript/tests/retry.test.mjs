import assert from 'node:assert/strict'
import { test } from 'node:test'

import { apiError, ConnectionError, RequestTimeoutError } from '../dist/esm/errors.js'
import { DEFAULT_RETRY, judge, pauseMs, retryAfterMs } from '../dist/esm/retry.js'
import { idempotency } from '../dist/esm/service.js'

const problem = (code, status, retryAfterMs) => apiError(code, code, { status, retryAfterMs })

test('pauses are drawn from a range that doubles up to its cap', () => {
  const longest = [0, 1, 2, 3, 4, 5, 9].map(attempt => pauseMs(DEFAULT_RETRY, attempt, 0, 1))
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 8000, 8000])
  assert.equal(pauseMs(DEFAULT_RETRY, 3, 0, 0), 0)
})

test('what the service asks for is waited for, and the jitter comes on top', () => {
  assert.equal(pauseMs(DEFAULT_RETRY, 0, 3000, 0), 3000)
  assert.equal(pauseMs(DEFAULT_RETRY, 0, 3000, 0.5), 3250)
})

test('Retry-After is read as seconds and as a date', () => {
  const now = Date.UTC(2026, 10, 20, 12, 0, 0)
  assert.equal(retryAfterMs('7'), 7000)
  assert.equal(retryAfterMs('Fri, 20 Nov 2026 12:00:05 GMT', now), 5000)
  assert.equal(retryAfterMs('Fri, 20 Nov 2026 11:00:00 GMT', now), 0)
  assert.equal(retryAfterMs('soon'), undefined)
  assert.equal(retryAfterMs(null), undefined)
})

test('faults and lost connections are tried again, refusals are not', () => {
  for (const error of [problem('internal_error', 500), problem('service_unavailable', 503), problem('timeout', 504),
    new ConnectionError('lost'), new RequestTimeoutError('late')]) assert.equal(judge(error, 'safe'), 'failed')
  for (const error of [problem('invalid_option', 400), problem('quota_exceeded', 402), problem('invalid_api_key', 403),
    problem('conflict', 409), problem('idempotency_mismatch', 422), new Error('a bug')]) {
    assert.equal(judge(error, 'safe'), 'final')
  }
})

test('a rate limit and a request at work are waited for', () => {
  assert.equal(judge(problem('rate_limited', 429, 1000), 'safe'), 'asked')
  assert.equal(judge(problem('job_running', 409, 1000), 'safe'), 'asked')
})

test('what might be done twice is only tried again where nothing was done', () => {
  assert.equal(judge(new ConnectionError('lost'), 'unsafe'), 'final')
  assert.equal(judge(problem('internal_error', 500), 'unsafe'), 'final')
  assert.equal(judge(problem('rate_limited', 429, 1000), 'unsafe'), 'asked')
})

test('idempotency keys are all different and of characters that the service takes', async () => {
  const keys = await Promise.all(Array.from({ length: 1000 }, async () => (await idempotency())['idempotency-key']))
  assert.equal(new Set(keys).size, 1000)
  assert.ok(keys.every(key => /^[0-9a-f]{32}$/.test(key)))
})
