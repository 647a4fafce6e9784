/** When to try again: the arithmetic alone, without clocks and sockets. */

import { ApiError, ConnectionError, CutoutError, RequestTimeoutError } from './errors.js'

/** How a client tries again. */
export interface RetryPolicy {
  /** Attempts after the first one that failed by connection, time or a fault of the service. */
  maxRetries: number
  /** For how long in all to wait where the service asks for it: rate limit, or the same request at work. */
  maxWaitMs: number
  /** The first pause is drawn from 0 to this; it doubles each time. */
  baseMs: number
  /** No pause is drawn from above this. */
  capMs: number
}

export const DEFAULT_RETRY: RetryPolicy = { maxRetries: 4, maxWaitMs: 120_000, baseMs: 500, capMs: 8_000 }

/**
 * What a repeated request may do harm to.
 *
 * - `safe`: nothing, by its method or its idempotency key.
 * - `unsafe`: it might be done twice, so only answers that say that nothing was done allow another attempt.
 */
export type Repeat = 'safe' | 'unsafe'

/** `asked`: the service asked for a pause, nothing was done. `failed`: nobody knows. `final`: do not try again. */
export type Verdict = 'asked' | 'failed' | 'final'

const FAULTS = new Set([500, 502, 503, 504])

/** Say whether an error may be gone at the next attempt. */
export function judge (error: unknown, repeat: Repeat): Verdict {
  if (!(error instanceof CutoutError)) return 'final'
  if (error.status === 429) return 'asked'
  if (repeat === 'unsafe') return 'final'
  if (error.status === 409) return error.retryAfterMs === undefined ? 'final' : 'asked'
  if (error instanceof ConnectionError || error instanceof RequestTimeoutError) return 'failed'
  return error instanceof ApiError && FAULTS.has(error.status ?? 0) ? 'failed' : 'final'
}

/**
 * The pause before an attempt, in milliseconds: full jitter, on top of what the service asks for.
 *
 * @param attempt counts from 0
 * @param retryAfterMs of the answer, if it had one
 * @param random from 0 to 1
 */
export function pauseMs (policy: RetryPolicy, attempt: number, retryAfterMs = 0, random = Math.random()): number {
  return retryAfterMs + random * Math.min(policy.capMs, policy.baseMs * 2 ** attempt)
}

/** `Retry-After` (RFC 9110, 10.2.3), seconds or a date, as milliseconds from now; undefined if it is neither. */
export function retryAfterMs (header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
