/**
 * Verify the webhooks that Cutout sends (Standard Webhooks 1.0). Needs Node.js 18 or newer and nothing else.
 *
 * Use it on the body as it came, before any JSON is parsed from it, for instance with Express:
 *
 *   import { verify } from './webhooks.mjs'
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

import { createHmac, timingSafeEqual } from 'node:crypto'

/** How old, or how far in the future, an event may be, in seconds: older ones may be replays. */
export const TOLERANCE_S = 300

/** The request is not an event of ours, was changed on its way, or is too old. */
export class WebhookVerificationError extends Error {
  name = 'WebhookVerificationError'
}

/**
 * Return the event in a body if one of your secrets signed it.
 *
 * @param {Uint8Array | string} body as it came, unparsed
 * @param {Headers | Record<string, string | string[] | undefined>} headers of the request, in any case
 * @param {string | string[]} secrets `whsec_...`, one or several
 * @param {{ toleranceS?: number, nowS?: number }} [options] nowS: seconds since 1970, by default the clock's
 * @returns {{ id: string, type: string, created_at: string, data: object }}
 * @throws {WebhookVerificationError} and TypeError for a malformed secret
 */
export function verify (body, headers, secrets, { toleranceS = TOLERANCE_S, nowS = Date.now() / 1000 } = {}) {
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
  return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body))
}

function lowerCased (headers) {
  const entries = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), [value].flat()[0]]))
}

/** The signatures of version 1 in a header: `v1,<base64> v1,<base64> ...`. */
function signatures (header) {
  const parts = header.split(' ').filter(part => part.startsWith('v1,'))
  return parts.map(part => Buffer.from(part.slice(3), 'base64'))
}

function key (secret) {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1]
  if (!text) throw new TypeError('a webhook secret is whsec_ and base64')
  return Buffer.from(text, 'base64')
}
