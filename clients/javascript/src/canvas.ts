/** What the mask-first mode needs of a browser: decode, shrink, encode as JPEG. */

import type { Photo } from './compose.js'
import { CanvasUnavailableError, InvalidImageError } from './errors.js'

type Canvas = OffscreenCanvas | HTMLCanvasElement

/** A photo at full size, upright, and a JPEG of it that is at most `longest` pixels a side. */
export interface Drawn { photo: Photo, jpeg: Blob }

/** Whether this runtime can draw: a browser's page or worker. */
export function hasCanvas (): boolean {
  return typeof createImageBitmap === 'function' && ('OffscreenCanvas' in globalThis || 'document' in globalThis)
}

/**
 * Decode a photo and make a small JPEG of it.
 *
 * @throws {CanvasUnavailableError} without a canvas, or where it cannot be read (some privacy settings)
 * @throws {InvalidImageError} where the browser cannot decode the image
 */
export async function draw (image: Blob, longest: number): Promise<Drawn> {
  if (!hasCanvas()) throw new CanvasUnavailableError('the mask-first mode needs a canvas, which this runtime has not')
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(image)
  } catch (error) {
    throw new InvalidImageError('invalid_image', 'this browser cannot decode the image', { cause: error })
  }
  try {
    const { width, height } = bitmap
    const { data } = context(canvasOf(width, height), bitmap).getImageData(0, 0, width, height)
    const scale = Math.min(1, longest / Math.max(width, height))
    const small = canvasOf(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)))
    context(small, bitmap, 'white')
    return { photo: { width, height, data: data as Uint8ClampedArray }, jpeg: await jpegOf(small) }
  } finally {
    bitmap.close()
  }
}

function canvasOf (width: number, height: number): Canvas {
  if ('OffscreenCanvas' in globalThis) return new OffscreenCanvas(width, height)
  return Object.assign(document.createElement('canvas'), { width, height })
}

function context (
  canvas: Canvas, bitmap: ImageBitmap, ground?: string,
): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D {
  const drawing = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null
  if (drawing === null) throw new CanvasUnavailableError('this runtime has no 2D canvas')
  drawing.imageSmoothingQuality = 'high'
  if (ground !== undefined) {
    drawing.fillStyle = ground
    drawing.fillRect(0, 0, canvas.width, canvas.height)
  }
  drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return drawing
}

async function jpegOf (canvas: Canvas): Promise<Blob> {
  const [type, quality] = ['image/jpeg', 0.9]
  if (!('toBlob' in canvas)) return canvas.convertToBlob({ type, quality })
  const blob = await new Promise<Blob | null>(resolve => { canvas.toBlob(resolve, type, quality) })
  if (blob === null) throw new CanvasUnavailableError('the canvas cannot be read')
  return blob
}
