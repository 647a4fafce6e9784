/** Images that are too large for one request: they go to the storage by a presigned form. */

import { ApiError, UploadRefusedError } from './errors.js'
import { callOptions, type Service } from './service.js'
import { localBlob, mediaType, type ImageInput } from './sources.js'
import type { RequestOptions } from './transport.js'
import type { UploadForm } from './wire.js'

/** Uploads may take longer than answers: a line that is slower than this (bytes a millisecond) is given up. */
const SLOWEST_LINE = 50

export class Uploads {
  constructor (private readonly service: Service) {}

  /**
   * Upload an image; `remove` takes its `uploadId` for 24 hours, as often as you like.
   *
   * @throws {UploadRefusedError} where the storage refuses it, for instance above 30 MB
   */
  async create (image: ImageInput, options: RequestOptions = {}): Promise<{ uploadId: string }> {
    const blob = await localBlob(image)
    const type = await mediaType(blob)
    const form = await this.service.json<UploadForm & { upload_id: string }>('POST', '/v2/uploads', {
      document: { content_type: type }, signal: options.signal,
    })
    await this.post(form, blob, options)
    return { uploadId: form.upload_id }
  }

  /** Post an image to a form. It may be posted twice: the second takes the first one's place. */
  async post (form: UploadForm, image: Blob, options: RequestOptions = {}): Promise<void> {
    if (image.size > form.max_bytes) {
      throw new UploadRefusedError(`the image has ${image.size} bytes, the storage takes ${form.max_bytes}`)
    }
    const body = new FormData()
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value)
    body.append('file', image, 'image')
    const { transport } = this.service
    const timeoutMs = options.timeoutMs ?? Math.max(transport.timeoutMs, image.size / SLOWEST_LINE)
    const call = { method: 'POST', url: new URL(form.url), body, bodyBytes: image.size, repeat: 'safe' as const }
    try {
      await transport.send({ ...call, ...callOptions(options), timeoutMs })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error // the storage answers in XML: only its status is of use
      throw new UploadRefusedError(`the storage refused the image (${error.status})`, { status: error.status, cause: error })
    }
  }
}
