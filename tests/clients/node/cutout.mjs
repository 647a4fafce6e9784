/**
 * Uses the JavaScript client as an order on stdin says, and prints what came of it.
 *
 * The order: `package` (its main module), `baseUrl`, `apiKey`, `client` (further settings), `method` (`remove`,
 * `jobs.run`, ...), `arguments`. A string that begins with `base64:` in the first argument is bytes.
 */

import { text } from 'node:stream/consumers'

const order = JSON.parse(await text(process.stdin))
const { Cutout, CutoutResult } = await import(order.package)
const client = new Cutout({ baseUrl: order.baseUrl, apiKey: order.apiKey, ...order.client })
const path = order.method.split('.')
const owner = path.slice(0, -1).reduce((object, name) => object[name], client)
const [first, ...others] = order.arguments ?? []
const bytes = typeof first === 'string' && first.startsWith('base64:') ? Buffer.from(first.slice(7), 'base64') : first

async function described (value) {
  if (!(value instanceof CutoutResult)) return value
  const { bytes, mediaType, width, height, requestId, model, timings, replayed } = value
  const visible = await value.foregroundBox().then(async box => ({ box, mask: Buffer.from(await value.mask()).toString('base64') }), error => ({ masked: error.code }))
  return { bytes: Buffer.from(bytes).toString('base64'), mediaType, width, height, requestId, model, timings, replayed, ...visible }
}

const progress = []
const options = order.progress ? [{ ...others[0], onProgress: event => progress.push(event) }] : others
try {
  let value = owner[path.at(-1)](bytes, ...options)
  if (Symbol.asyncIterator in Object(value)) {
    const outcomes = []
    for await (const outcome of value) outcomes.push({ ...outcome, result: await described(outcome.result), error: outcome.error?.code })
    value = outcomes
  }
  console.log(JSON.stringify({ value: await described(await value), progress }))
} catch (error) {
  const { name, code, status, requestId, retryAfterMs, message } = error
  console.log(JSON.stringify({ error: { name, code, status, requestId, retryAfterMs, message }, progress }))
}
