import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'

import { MalformedAnswerError } from '../dist/esm/errors.js'
import { boundsOf, taps } from '../dist/esm/mask.js'
import { decodePng, encodePng } from '../dist/esm/png.js'
import { storedFile } from '../dist/esm/zip.js'

/** Numbers that look like chance and are always the same. */
function noise (length, seed = 1) {
  let state = seed
  return Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) % 2147483648) >> 16)
}

for (const channels of [1, 2, 3, 4]) {
  test(`a picture of ${channels} channels comes back as it was`, async () => {
    for (const [width, height] of [[1, 1], [7, 5], [64, 3]]) {
      const picture = { width, height, channels, data: noise(width * height * channels) }
      assert.deepEqual(await decodePng(await encodePng(picture)), picture)
    }
  })
}

test('every filter is undone', async () => {
  const [width, height] = [5, 5]
  const data = noise(width * height * 3)
  const at = (x, y) => x < 0 || y < 0 ? 0 : data[y * 15 + x]
  const paeth = (a, b, c) => [a, b, c].reduce((best, value) =>
    Math.abs(a + b - c - value) < Math.abs(a + b - c - best) ? value : best)
  const predict = [() => 0, (a) => a, (a, b) => b, (a, b) => Math.floor((a + b) / 2), paeth]
  const rows = Buffer.concat(Array.from({ length: height }, (_, y) => Buffer.from([
    y, ...Array.from({ length: 15 }, (_, x) => at(x, y) - predict[y](at(x - 3, y), at(x, y - 1), x < 3 ? 0 : at(x - 3, y - 1))),
  ])))
  const plain = await encodePng({ width, height, channels: 3, data })
  const deflated = deflateSync(rows)
  const head = plain.slice(0, 33)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(deflated.length)
  const file = Buffer.concat([head, length, Buffer.from('IDAT'), deflated, Buffer.alloc(4), plain.slice(-12)])
  assert.deepEqual((await decodePng(file)).data, data)
})

test('a PNG of another writer is read: a plot of the capacity model', async () => {
  const { width, height, channels, data } = await decodePng(await readFile(new URL('../../../docs/images/capacity-queue.png', import.meta.url)))
  assert.deepEqual([width, height, channels, data.length], [480, 320, 4, 480 * 320 * 4])
})

test('what is no PNG, or half of one, is a malformed answer', async () => {
  const whole = await encodePng({ width: 40, height: 40, channels: 1, data: noise(1600) })
  for (const bytes of [new Uint8Array(), new Uint8Array(100), whole.slice(0, 20), whole.slice(0, 200)]) {
    await assert.rejects(decodePng(bytes), MalformedAnswerError)
  }
})

test('bounds hold exactly what is above the value', () => {
  const gray = new Uint8Array(6 * 4)
  gray[1 * 6 + 2] = 65
  gray[3 * 6 + 4] = 200
  gray[0] = 64
  assert.deepEqual(boundsOf(gray, 6, 4, 64), { left: 2, top: 1, width: 3, height: 3 })
  assert.deepEqual(boundsOf(gray, 6, 4, 10), { left: 0, top: 0, width: 5, height: 4 })
  assert.equal(boundsOf(gray, 6, 4, 200), null)
})

test('taps lie between the centres of two cells, and stay inside', () => {
  const { low, share } = taps(2, 4)
  assert.deepEqual([...low], [0, 0, 0, 0])
  assert.deepEqual([...share], [0, 0.25, 0.75, 1])
  assert.deepEqual([...taps(1, 3).share], [0, 0, 0])
})

test('a stored file of an archive is found by its name', () => {
  const entry = (name, text) => {
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50)
    head.writeUInt32LE(text.length, 18)
    head.writeUInt16LE(name.length, 26)
    return Buffer.concat([head, Buffer.from(name), Buffer.from(text)])
  }
  const archive = Buffer.concat([entry('color.jpg', 'colours'), entry('alpha.png', 'mask')])
  assert.equal(Buffer.from(storedFile(archive, 'alpha.png')).toString(), 'mask')
  assert.throws(() => storedFile(archive, 'beta.png'), MalformedAnswerError)
  assert.throws(() => storedFile(archive.subarray(0, -2), 'alpha.png'), MalformedAnswerError)
})
