/** Images as callers have them, as the client sends them. */

import { files } from './runtime.js'

/**
 * An image: its bytes, a stream of them, a path of a file (Node.js, Deno, Bun; a string or a `file:` URL), a `data:` or
 * `blob:` URL, or an `http(s)` URL, which the service fetches: it has to be public.
 */
export type ImageInput = Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | URL | string

/** What is sent: the bytes, or where the service finds them. */
export type Source = { url: string } | { blob: Blob }

/** Resolve an image to what is sent; streams and files are read, so that an attempt can be repeated. */
export async function sourceOf (image: ImageInput): Promise<Source> {
  if (typeof image === 'string' || image instanceof URL) {
    const text = String(image)
    return /^https?:/i.test(text) ? { url: text } : { blob: await blobAt(text) }
  }
  return { blob: await blobOf(image) }
}

/** The bytes of an image that is not behind an `http(s)` URL. */
export async function localBlob (image: ImageInput): Promise<Blob> {
  const source = await sourceOf(image)
  if ('url' in source) throw new TypeError('an image behind a URL cannot be used here: fetch it first')
  return source.blob
}

async function blobOf (image: Exclude<ImageInput, URL | string>): Promise<Blob> {
  if (image instanceof Blob) return image
  if (image instanceof ReadableStream) return new Response(image).blob()
  if (image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return new Blob([image as BlobPart])
  throw new TypeError('an image is a Blob, File, ArrayBuffer, typed array, ReadableStream, URL or path')
}

async function blobAt (text: string): Promise<Blob> {
  if (/^(data|blob):/i.test(text)) return (await fetch(text)).blob()
  const bytes = await (await files()).readFile(/^file:/i.test(text) ? new URL(text) : text)
  return new Blob([bytes as BlobPart])
}

const MAGIC: ReadonlyArray<[string, RegExp]> = [
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/bmp', /^BM/],
  ['image/tiff', /^(II\*\0|MM\0\*)/],
]

/** The media type by the first bytes; image/jpeg where they say nothing, which the service then decides about. */
export async function mediaType (blob: Blob): Promise<string> {
  const head = String.fromCharCode(...new Uint8Array(await blob.slice(0, 12).arrayBuffer()))
  return MAGIC.find(([, start]) => start.test(head))?.[0] ?? 'image/jpeg'
}
