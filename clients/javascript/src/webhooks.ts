/**
 * Verify the webhooks that Cutout sends (Standard Webhooks 1.0). For servers: it needs `node:crypto`, as in Node.js, Deno
 * and Bun.
 *
 * Use it on the body as it came, before any JSON is parsed from it, for instance with Express:
 *
 *   import { verify } from 'cutout-client/webhooks'
 *
 *   app.post('/cutout', express.raw({ type: '*\/*' }), (request, response) => {
 *     let event
 *     try {
 *       event = verify(request.body, request.headers, process.env.CUTOUT_WEBHOOK_SECRET)
 *     } catch {
 *       return response.sendStatus(400)
 *     }
 *     handleOnce(event.id, event)
 *     response.sendStatus(204)
 *   })
 *
 * The secret is what GET /v2/account/webhook-secret shows. While it is being rotated both the old and the new one
 * verify, and so does either of them when both are given here. An event may arrive more than once: its id stays the
 * same, so remember those that you have handled.
 */

import { Buffer } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'

import type { WebhookEvent } from './wire.js'

export type { WebhookEvent } from './wire.js'

/** How old, or how far in the future, an event may be, in seconds: older ones may be replays. */
export const TOLERANCE_S = 300

/** The request is not an event of ours, was changed on its way, or is too old. */
export class WebhookVerificationError extends Error {
  override name = 'WebhookVerificationError'
}

/** Headers as `fetch` or as Node.js's `http` has them. */
export type GivenHeaders = Headers | Record<string, string | string[] | undefined>

export interface VerifyOptions {
  toleranceS?: number
  /** Seconds since 1970; by default the clock's. */
  nowS?: number
}

/**
 * Return the event in a body if one of your secrets signed it.
 *
 * @param body as it came, unparsed
 * @param headers of the request, in any case
 * @param secrets `whsec_...`, one or several
 * @throws {WebhookVerificationError} and TypeError for a malformed secret
 */
export function verify (
  body: Uint8Array | string, headers: GivenHeaders, secrets: string | readonly string[],
  { toleranceS = TOLERANCE_S, nowS = Date.now() / 1000 }: VerifyOptions = {},
): WebhookEvent {
  const given = lowerCased(headers)
  const eventId = given['webhook-id'] ?? ''
  const timestamp = given['webhook-timestamp'] ?? ''
  if (!eventId || !/^[0-9]+$/.test(timestamp)) {
    throw new WebhookVerificationError('the headers webhook-id and webhook-timestamp are missing or malformed')
  }
  if (Math.abs(nowS - Number(timestamp)) > toleranceS) {
    throw new WebhookVerificationError('the event is too old, or the clocks differ')
  }
  const expected = [secrets].flat().map(secret =>
    createHmac('sha256', key(secret)).update(`${eventId}.${timestamp}.`).update(body).digest())
  const sent = signatures(given['webhook-signature'] ?? '')
  if (!expected.some(one => sent.some(other => one.length === other.length && timingSafeEqual(one, other)))) {
    throw new WebhookVerificationError('no signature fits')
  }
  return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as WebhookEvent
}

function lowerCased (headers: GivenHeaders): Record<string, string | undefined> {
  const entries = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), [value].flat()[0]]))
}

/** The signatures of version 1 in a header: `v1,<base64> v1,<base64> ...`. */
function signatures (header: string): Buffer[] {
  const parts = header.split(' ').filter(part => part.startsWith('v1,'))
  return parts.map(part => Buffer.from(part.slice(3), 'base64'))
}

function key (secret: string): Buffer {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1]
  if (!text) throw new TypeError('a webhook secret is whsec_ and base64')
  return Buffer.from(text, 'base64')
}
