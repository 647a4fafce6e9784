/** One removal: the form that is sent, and the answer as a result. */

import { draw } from './canvas.js'
import { cutOut } from './compose.js'
import { MalformedAnswerError } from './errors.js'
import { wireOptions, type RemoveOptions } from './options.js'
import { decodePng, encodePng } from './png.js'
import { CutoutResult, maskKindOf, timingsOf, type ResultFacts } from './result.js'
import { callOptions, idempotency, type Service } from './service.js'
import { localBlob, sourceOf, type ImageInput, type Source } from './sources.js'
import type { Answer } from './transport.js'
import type { Uploads } from './uploads.js'

/** Longest side of what the mask-first mode sends, in pixels: what the models see. */
const MASK_FIRST_PX = 1024

/** Makes removals. `directBytes`: what is above goes by upload. */
export class Removal {
  constructor (
    private readonly service: Service, private readonly uploads: Uploads, private readonly directBytes: number,
  ) {}

  async remove (image: ImageInput | { uploadId: string }, options: RemoveOptions): Promise<CutoutResult> {
    if (options.maskFirst) return this.maskFirst(image, options)
    const fields = wireOptions(options)
    const ground = options.bgImage === undefined ? undefined : await localBlob(options.bgImage)
    const source = isUpload(image) ? image : await this.sendable(await sourceOf(image), ground, options)
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    if (ground) form.append('bg_image_file', ground, 'background')
    if ('url' in source) form.append('image_url', source.url)
    else if ('uploadId' in source) form.append('upload_id', source.uploadId)
    else form.append('image_file', source.blob, 'image')
    const bodyBytes = ('blob' in source ? source.blob.size : 0) + (ground?.size ?? 0)
    const answer = await this.service.send('POST', '/v2', {
      body: form, bodyBytes, headers: await idempotency(options.idempotencyKey), ...callOptions(options),
    })
    return new CutoutResult(answer.bytes, factsOf(answer), maskKindOf({ ...fields, ...(ground && { bg_image_url: 'sent' }) }))
  }

  /** The source itself, or its upload where the request would be too large. */
  private async sendable (
    source: Source, ground: Blob | undefined, options: RemoveOptions,
  ): Promise<Source | { uploadId: string }> {
    if ('url' in source || source.blob.size + (ground?.size ?? 0) <= this.directBytes) return source
    return this.uploads.create(source.blob, options)
  }

  private async maskFirst (image: ImageInput | { uploadId: string }, options: RemoveOptions): Promise<CutoutResult> {
    const { semitransparency, ...others } = options
    if (isUpload(image) || options.bgImage !== undefined || Object.keys(wireOptions(others)).length > 0) {
      throw new TypeError('maskFirst composes here, at full size, as PNG: it takes no image option but semitransparency')
    }
    const { photo, jpeg } = await draw(await localBlob(image), MASK_FIRST_PX)
    const small = await this.remove(jpeg, { ...callOptions(options), idempotencyKey: options.idempotencyKey, semitransparency, channels: 'alpha' })
    cutOut(photo, await decodePng(small.bytes))
    const { width, height, data } = photo
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const bytes = await encodePng({ width, height, channels: 4, data: pixels })
    const { requestId, model, timings, replayed } = small
    return new CutoutResult(bytes, { mediaType: 'image/png', width, height, requestId, model, timings, replayed }, 'alpha')
  }
}

function isUpload (image: ImageInput | { uploadId: string }): image is { uploadId: string } {
  return typeof image === 'object' && 'uploadId' in image
}

function factsOf ({ headers, bytes }: Answer): ResultFacts {
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim() ?? ''
  if (!/^image\/|^application\/zip$/.test(mediaType) || bytes.length === 0) {
    throw new MalformedAnswerError(`the answer is no image but ${mediaType || 'nothing'}`, { status: 200 })
  }
  const number = (name: string): number | undefined => headers.has(name) ? Number(headers.get(name)) : undefined
  return {
    mediaType,
    width: number('x-image-width'),
    height: number('x-image-height'),
    requestId: headers.get('x-request-id') ?? undefined,
    model: headers.get('x-model') ?? undefined,
    timings: timingsOf(headers.get('server-timing')),
    replayed: headers.get('idempotency-replayed') === 'true',
  }
}
