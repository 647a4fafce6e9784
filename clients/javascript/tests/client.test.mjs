import assert from 'node:assert/strict'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { CanvasUnavailableError, Cutout, CutoutResult, encodePng, MalformedAnswerError, MaskUnavailableError } from '../dist/esm/index.js'
import { stretched } from '../dist/esm/ben.js'
import { wireOptions } from '../dist/esm/options.js'
import { maskKindOf, timingsOf } from '../dist/esm/result.js'
import { mediaType, sourceOf } from '../dist/esm/sources.js'

const PNG = await encodePng({ width: 2, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 255) })

/** A client whose service answers every request alike, and what it was asked. */
function answered (answer, options = {}) {
  const asked = []
  const fetch = async (url, init) => { asked.push({ url, ...init }); return answer.clone() }
  return { asked, cutout: new Cutout({ apiKey: 'k', baseUrl: 'http://service.example/base/', fetch, ...options }) }
}

const picture = () => new Response(PNG, { headers: { 'content-type': 'image/png', 'x-image-width': '2', 'x-image-height': '1', 'x-model': 'm', 'x-request-id': 'req_1', 'server-timing': 'decode;dur=1.5, predict;dur=20' } })

test('an image in every form becomes the same bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cutout-'))
  const path = join(folder, 'a b.png')
  await writeFile(path, PNG)
  const stream = new Blob([PNG]).stream()
  const forms = [new Blob([PNG]), PNG, PNG.buffer.slice(PNG.byteOffset, PNG.byteOffset + PNG.byteLength), Buffer.from(PNG), stream, path,
    pathToFileURL(path), String(pathToFileURL(path)), `data:image/png;base64,${Buffer.from(PNG).toString('base64')}`]
  for (const form of forms) {
    const { blob } = await sourceOf(form)
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), Buffer.from(PNG))
  }
  assert.deepEqual(await sourceOf(new URL('https://shop.example/a.jpg')), { url: 'https://shop.example/a.jpg' })
  await assert.rejects(sourceOf(42), TypeError)
  await assert.rejects(sourceOf(join(folder, 'nothing')), { code: 'ENOENT' })
})

test('the first bytes decide the media type', async () => {
  const heads = { 'image/png': PNG, 'image/jpeg': [0xff, 0xd8, 0xff, 0xe0], 'image/gif': 'GIF89a', 'image/webp': 'RIFF\x10\x00\x00\x00WEBP', 'image/bmp': 'BM', 'image/tiff': 'II*\0' }
  for (const [type, head] of Object.entries(heads)) assert.equal(await mediaType(new Blob([typeof head === 'string' ? head : Uint8Array.from(head)])), type)
})

test('options are sent by their names on the wire, and those that are not set are not', () => {
  assert.deepEqual(wireOptions({ bgColor: '#fff', crop: true, cropMargin: '10%', shadowOffsetX: -4, size: undefined }),
    { crop: 'true', crop_margin: '10%', bg_color: '#fff', shadow_offset_x: '-4' })
})

test('a misspelt option is the caller\'s mistake', async () => {
  const { asked, cutout } = answered(picture())
  await assert.rejects(cutout.remove(PNG, { bg_color: 'red' }), /no option bg_color/)
  assert.equal(asked.length, 0)
})

test('a removal is one form with the key and an idempotency key', async () => {
  const { asked, cutout } = answered(picture())
  const result = await cutout.remove(PNG, { format: 'png' })
  const [{ url, method, headers, body }] = asked
  assert.deepEqual([url, method, headers.authorization], ['http://service.example/base/v2', 'POST', 'Bearer k'])
  assert.match(headers['idempotency-key'], /^[0-9a-f]{32}$/)
  assert.deepEqual([...body.keys()], ['format', 'image_file'])
  assert.deepEqual([result.width, result.height, result.model, result.requestId, result.mediaType], [2, 1, 'm', 'req_1', 'image/png'])
  assert.deepEqual(result.timings, { decode: 1.5, predict: 20 })
  assert.deepEqual(await result.foregroundBox(), { left: 1, top: 0, width: 1, height: 1 })
  assert.deepEqual(Buffer.from(await result.blob.arrayBuffer()), Buffer.from(result.bytes))
})

test('a URL and an upload are named in the place of bytes', async () => {
  const { asked, cutout } = answered(picture())
  await cutout.remove(new URL('https://shop.example/a.jpg'))
  await cutout.remove({ uploadId: 'upl_1' }, { idempotencyKey: 'mine' })
  assert.deepEqual(asked.map(({ body }) => [...body]), [[['image_url', 'https://shop.example/a.jpg']], [['upload_id', 'upl_1']]])
  assert.equal(asked[1].headers['idempotency-key'], 'mine')
})

test('an answer that is no image is malformed', async () => {
  for (const answer of [Response.json({ mask: 'x' }), new Response('<p>', { headers: { 'content-type': 'text/html' } }), new Response('', { headers: { 'content-type': 'image/png' } })]) {
    await assert.rejects(answered(answer).cutout.remove(PNG), MalformedAnswerError)
  }
})

test('a result is saved as it came', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'cutout-')), 'out.png')
  await (await answered(picture()).cutout.remove(PNG)).save(path)
  assert.deepEqual(await readFile(path), Buffer.from(PNG))
})

test('an answer that shows no mask says so', async () => {
  const facts = { mediaType: 'image/jpeg', timings: {}, replayed: false }
  await assert.rejects(new CutoutResult(PNG, facts, 'alpha').mask(), MaskUnavailableError)
  for (const scene of [{ bg_color: 'red' }, { bg_image_url: 'x' }, { bg_blur: '30' }, { shadow: 'drop' }, { stroke_width: '3px' }]) {
    await assert.rejects(new CutoutResult(PNG, { ...facts, mediaType: 'image/png' }, maskKindOf(scene)).foregroundBox(), MaskUnavailableError)
  }
  assert.equal(maskKindOf({ shadow: 'none', bg_blur: '0', bg_color: null }), 'alpha')
})

test('the mask-first mode says where it cannot work, and what it does not take', async () => {
  const { cutout } = answered(picture())
  await assert.rejects(cutout.remove(PNG, { maskFirst: true }), CanvasUnavailableError)
  await assert.rejects(cutout.remove(PNG, { maskFirst: true, format: 'jpg' }), TypeError)
})

test('Server-Timing is read with and without spaces and descriptions', () => {
  assert.deepEqual(timingsOf('decode;dur=1.5,predict;desc="a b";dur=2, idle'), { decode: 1.5, predict: 2 })
  assert.deepEqual(timingsOf(null), {})
})

test('a mask is stretched from its least to its greatest value, as BEN\'s SDK does', () => {
  assert.deepEqual([...stretched(Uint8Array.of(50, 100, 150))], [0, 128, 255])
  assert.deepEqual([...stretched(Uint8Array.of(9, 9))], [9, 9])
})

test('both builds have the same names', async () => {
  const require = createRequire(import.meta.url)
  for (const entry of ['cutout-client', 'cutout-client/webhooks', 'cutout-client/ben']) {
    assert.deepEqual(Object.keys(require(entry)).filter(name => name !== '__esModule').sort(), Object.keys(await import(entry)).sort())
  }
})
