import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cleanColours, cutOut, enlargeInto } from '../dist/esm/compose.js'

/** A photo, opaque, of `colour(x, y)`. */
function photo (width, height, colour) {
  const data = new Uint8ClampedArray(width * height * 4)
  for (let at = 0; at < width * height; at++) data.set([...colour(at % width, Math.floor(at / width)), 255], at * 4)
  return { width, height, data }
}

const mask = (width, height, value) => ({
  width, height, channels: 1, data: Uint8Array.from({ length: width * height }, (_, at) => value(at % width, Math.floor(at / width))),
})
const alphas = ({ data }) => [...data].filter((_, at) => at % 4 === 3)

test('a mask of the same size becomes the alpha as it is', () => {
  const picture = photo(9, 7, () => [10, 20, 30])
  const given = mask(9, 7, (x, y) => x * 20 + y)
  enlargeInto(picture, given)
  assert.deepEqual(alphas(picture), [...given.data])
})

test('a smaller mask is enlarged evenly: a ramp stays a ramp', () => {
  const picture = photo(64, 4, () => [0, 0, 0])
  enlargeInto(picture, mask(16, 1, x => x * 16))
  const row = alphas(picture).slice(0, 64)
  row.slice(6, 58).forEach((value, at) => assert.ok(Math.abs(value - ((at + 6.5) * 4 - 8)) <= 1, `${value} at ${at + 6}`))
})

test('a smaller mask is enlarged as Pillow does it', () => {
  // Image.fromarray(numpy.array([[0, 10, 200, 255, 255]], 'f')).resize((12, 1), BICUBIC)
  const picture = photo(12, 1, () => [0, 0, 0])
  enlargeInto(picture, mask(5, 1, x => [0, 10, 200, 255, 255][x]))
  assert.deepEqual(alphas(picture), [0, 0, 0, 6, 74, 166, 221, 244, 255, 255, 255, 255])
})

test('nothing becomes more opaque than it was', () => {
  const picture = photo(4, 4, () => [1, 2, 3])
  picture.data[3] = 7
  enlargeInto(picture, mask(2, 2, () => 255))
  assert.deepEqual(alphas(picture).slice(0, 2), [7, 255])
})

test('soft edges lose the colour of the old background', () => {
  const [width, height] = [320, 240]
  const [subject, ground] = [[200, 40, 30], [20, 220, 60]]
  const alphaAt = x => Math.min(1, Math.max(0, (x - 150) / 20))
  const seen = x => subject.map((value, channel) => Math.round(alphaAt(x) * value + (1 - alphaAt(x)) * ground[channel]))
  const picture = photo(width, height, seen)
  cutOut(picture, mask(width, height, x => Math.round(255 * alphaAt(x))))
  for (let x = 152; x < width; x++) {
    const at = (120 * width + x) * 4
    const off = Math.max(...subject.map((value, channel) => Math.abs(picture.data[at + channel] - value)))
    assert.ok(off <= 8, `${off} levels from the subject's colour at ${x}, where it was ${seen(x)}`)
  }
})

test('opaque and clear pixels keep their colours', () => {
  const picture = photo(50, 40, (x, y) => [x * 5, y * 6, 77])
  const before = picture.data.slice()
  enlargeInto(picture, mask(50, 40, x => x < 20 ? 0 : x < 30 ? 128 : 255))
  cleanColours(picture)
  for (let at = 0; at < before.length; at += 4) {
    if (picture.data[at + 3] === 128) continue
    assert.deepEqual(picture.data.slice(at, at + 3), before.slice(at, at + 3))
  }
})

test('pictures of any size and masks without any sure place are composed', () => {
  for (const [width, height] of [[1, 1], [3, 500], [17, 16], [1, 33]]) {
    const picture = photo(width, height, () => [100, 150, 200])
    cutOut(picture, mask(2, 2, () => 128))
    assert.ok(alphas(picture).every(alpha => alpha === 128))
    assert.ok(picture.data.every(Number.isFinite))
  }
})
