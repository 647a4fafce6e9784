/**
 * A drop-in for `predictImage` of BEN's Node.js SDK: the same arguments, the same two PNG buffers, null where it fails.
 *
 * The URL argument works (the SDK has it in its examples and ignores it), no image library is needed, and the photo's
 * own orientation is applied.
 */

import { Cutout } from './client.js'
import { decodePng, encodePng } from './png.js'

/** What is found: `mask`, a gray PNG, and `foreground`, the image with that mask as its transparency. */
export interface Prediction { mask: Uint8Array, foreground: Uint8Array }

/**
 * Remove the background of an image.
 *
 * @param imageBuffer an encoded image
 * @param apiKey of the service
 * @param apiUrl of `POST /v2`; default: the local service's
 * @returns Buffers where the runtime has them; null where it fails, after a line on the console
 */
export async function predictImage (
  imageBuffer: Uint8Array | ArrayBuffer, apiKey: string, apiUrl = 'http://127.0.0.1:8585/v2',
): Promise<Prediction | null> {
  try {
    const baseUrl = new URL(apiUrl)
    baseUrl.pathname = baseUrl.pathname.replace(/\/v2\/?$/, '')
    const { bytes } = await new Cutout({ apiKey, baseUrl }).remove(imageBuffer, { format: 'png' })
    const pixels = await decodePng(bytes)
    const { width, height, channels, data } = pixels
    if (channels !== 4) throw new TypeError('the answer has no transparency')
    const alpha = stretched(Uint8Array.from({ length: width * height }, (_, at) => data[at * 4 + 3]!))
    alpha.forEach((value, at) => { data[at * 4 + 3] = value })
    const mask = await encodePng({ width, height, channels: 1, data: alpha })
    return { mask: asBuffer(mask), foreground: asBuffer(await encodePng(pixels)) }
  } catch (error) {
    console.error('Error in predictImage:', error)
    return null
  }
}

/** As the SDK does: the least value becomes 0, the greatest 255; a mask of one value stays as it is. */
export function stretched (mask: Uint8Array): Uint8Array {
  const [low, high] = mask.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [255, 0])
  return high > low ? mask.map(value => Math.round((value - low) / (high - low) * 255)) : mask
}

function asBuffer (bytes: Uint8Array): Uint8Array {
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: typeof Buffer }
  return NodeBuffer ? NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes
}
