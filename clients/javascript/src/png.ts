/**
 * PNG as the service writes it: 8 bits, gray, RGB or RGBA, not interlaced (W3C PNG, third edition). Compression is the
 * runtime's own (Compression Streams).
 */

import { MalformedAnswerError } from './errors.js'

/** Pixels in rows, `channels` bytes each: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA (straight alpha). */
export interface Pixels {
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  data: Uint8Array
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const CHANNELS: Record<number, Pixels['channels']> = { 0: 1, 2: 3, 4: 2, 6: 4 }
const COLOUR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 } as const

/** Decode a PNG of 8 bits. */
export async function decodePng (png: Uint8Array): Promise<Pixels> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  if (SIGNATURE.some((byte, at) => png[at] !== byte)) throw new MalformedAnswerError('this is not a PNG')
  const parts: Uint8Array[] = []
  let head: DataView | undefined
  for (let at = 8; at + 12 <= png.length;) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8))
    const data = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR' && data.length === 13) head = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (type === 'IDAT') parts.push(data)
    at += length + 12
  }
  const channels = head && CHANNELS[head.getUint8(9)]
  if (head === undefined || channels === undefined || head.getUint8(8) !== 8 || head.getUint8(12) !== 0) {
    throw new MalformedAnswerError('only PNG of 8 bits without palette and interlacing is read here')
  }
  const [width, height] = [head.getUint32(0), head.getUint32(4)]
  const rows = await through(new Blob(parts as BlobPart[]), new DecompressionStream('deflate'))
  if (rows.length !== height * (width * channels + 1)) throw new MalformedAnswerError('the PNG is cut short')
  return { width, height, channels, data: unfiltered(rows, width * channels, height, channels) }
}

/** Encode as PNG, with the filter Up for every row. */
export async function encodePng ({ width, height, channels, data }: Pixels): Promise<Uint8Array> {
  const head = new Uint8Array(13)
  new DataView(head.buffer).setUint32(0, width)
  new DataView(head.buffer).setUint32(4, height)
  head.set([8, COLOUR_TYPES[channels]], 8)
  const stride = width * channels
  const rows = new Uint8Array(height * (stride + 1))
  for (let y = 0, to = 0; y < height; y++) {
    rows[to++] = 2
    for (let x = 0, at = y * stride; x < stride; x++, at++) rows[to++] = data[at]! - (y > 0 ? data[at - stride]! : 0)
  }
  const deflated = await through(new Blob([rows]), new CompressionStream('deflate'))
  const chunks = [chunk('IHDR', head), chunk('IDAT', deflated), chunk('IEND', new Uint8Array())]
  return new Uint8Array(await new Blob([new Uint8Array(SIGNATURE), ...chunks] as BlobPart[]).arrayBuffer())
}

async function through (blob: Blob, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  try {
    return new Uint8Array(await new Response(blob.stream().pipeThrough(transform)).arrayBuffer())
  } catch (error) {
    throw new MalformedAnswerError('the compressed data is damaged', { cause: error })
  }
}

/** Undo the rows' filters; `step` is the distance to the same channel of the pixel before. */
function unfiltered (rows: Uint8Array, stride: number, height: number, step: number): Uint8Array {
  const data = new Uint8Array(stride * height)
  let above = new Uint8Array(stride)
  for (let y = 0; y < height; y++) {
    const from = y * (stride + 1)
    const row = data.subarray(y * stride, (y + 1) * stride)
    row.set(rows.subarray(from + 1, from + 1 + stride))
    undo(rows[from]!, row, above, step)
    above = row
  }
  return data
}

/** One row, in place. The service's own filter, Up, has a loop of its own: it is most of the time of decoding. */
function undo (filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  if (filter === 0) return
  if (filter === 2) {
    for (let x = 0; x < row.length; x++) row[x]! += above[x]!
    return
  }
  const predict = PREDICTIONS[filter]
  if (predict === undefined) throw new MalformedAnswerError(`there is no PNG filter ${filter}`)
  for (let x = 0; x < row.length; x++) {
    const [left, corner] = x < step ? [0, 0] : [row[x - step]!, above[x - step]!]
    row[x]! += predict(left, above[x]!, corner)
  }
}

const PREDICTIONS: Record<number, (left: number, above: number, corner: number) => number> = {
  1: left => left,
  3: (left, above) => (left + above) >> 1,
  4: paeth,
}

function paeth (left: number, above: number, corner: number): number {
  const [byLeft, byAbove, byCorner] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)]
  if (byLeft <= byAbove && byLeft <= byCorner) return left
  return byAbove <= byCorner ? above : corner
}

function chunk (type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set([...type].map(letter => letter.charCodeAt(0)), 4)
  bytes.set(data, 8)
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)))
  return bytes
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32 (bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = CRC[(value ^ byte) & 0xff]! ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}
