/** Jobs: images that are worked on while nobody waits for the answer. */

import { JobFailedError, RequestTimeoutError } from './errors.js'
import { wireOptions, type ImageOptions } from './options.js'
import { CutoutResult, maskKindOf } from './result.js'
import { callOptions, idempotency, type Service } from './service.js'
import { mediaType, sourceOf, type ImageInput } from './sources.js'
import { sleep, type Answer, type RequestOptions } from './transport.js'
import type { Uploads } from './uploads.js'
import type { Job, JobPage, JobStatus } from './wire.js'

/** The options of a job. */
export interface JobOptions extends ImageOptions, RequestOptions {
  /** Make the mask as a second result. */
  mask?: boolean | undefined
  /** A public URL that hears of the end; `cutout-client/webhooks` verifies what comes there. */
  webhookUrl?: string | URL | undefined
  /** As for `remove`. */
  idempotencyKey?: string | undefined
}

/** How to wait for a job. */
export interface WaitOptions {
  signal?: AbortSignal | undefined
  /** In all. Default: ten minutes. */
  timeoutMs?: number | undefined
  /** Between two looks. Default: 200 ms, then growing to five seconds. */
  pollMs?: number | undefined
}

const ENDED: ReadonlySet<JobStatus> = new Set<JobStatus>(['succeeded', 'failed', 'cancelled'])
const LONGEST_POLL_MS = 5_000

export class Jobs {
  constructor (private readonly service: Service, private readonly uploads: Uploads) {}

  /** Order a job; an image that is not behind an `http(s)` URL is uploaded. */
  async create (image: ImageInput, options: JobOptions = {}): Promise<Job> {
    const source = await sourceOf(image)
    const where = 'url' in source ? { image_url: source.url } : { content_type: await mediaType(source.blob) }
    const document: Record<string, unknown> = { ...wireOptions(options), ...where }
    if (options.mask !== undefined) document['mask'] = options.mask
    if (options.webhookUrl !== undefined) document['webhook_url'] = String(options.webhookUrl)
    const headers = await idempotency(options.idempotencyKey)
    const { upload, ...job } = await this.service.json<Job>('POST', '/v2/jobs', { document, headers, ...callOptions(options) })
    if ('blob' in source && upload) await this.uploads.post(upload, source.blob, options)
    return job
  }

  get (id: string, options: RequestOptions = {}): Promise<Job> {
    return this.service.json('GET', `/v2/jobs/${encodeURIComponent(id)}`, callOptions(options))
  }

  /** Cancel a job that has not ended, and remove all that is kept of it. */
  delete (id: string, options: RequestOptions = {}): Promise<Job> {
    return this.service.json('DELETE', `/v2/jobs/${encodeURIComponent(id)}`, callOptions(options))
  }

  /** One page of the last 24 hours, newest first. */
  page (options: RequestOptions & { limit?: number, cursor?: string, status?: JobStatus } = {}): Promise<JobPage> {
    const { limit, cursor, status } = options
    return this.service.json('GET', '/v2/jobs', { query: { limit, cursor, status }, ...callOptions(options) })
  }

  /** All jobs of the last 24 hours, newest first. */
  async * list (options: RequestOptions & { status?: JobStatus } = {}): AsyncGenerator<Job, void, undefined> {
    let cursor: string | null | undefined
    do {
      const page: JobPage = await this.page({ ...options, limit: 100, ...(cursor ? { cursor } : {}) })
      yield * page.jobs
      cursor = page.next_cursor
    } while (cursor)
  }

  /**
   * Wait for a job's end.
   *
   * @throws {JobFailedError} where it failed or was cancelled
   * @throws {RequestTimeoutError} where it has not ended in time; it goes on
   */
  async wait (id: string, options: WaitOptions = {}): Promise<Job> {
    const { signal, timeoutMs = 600_000 } = options
    const endAt = Date.now() + timeoutMs
    for (let pollMs = options.pollMs ?? 200; ; pollMs = options.pollMs ?? Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
      const job = await this.get(id, { signal })
      if (ENDED.has(job.status)) return succeeded(job)
      if (Date.now() + pollMs > endAt) throw new RequestTimeoutError(`the job ${id} has not ended in ${timeoutMs} ms`)
      await sleep(pollMs, signal)
    }
  }

  /** Fetch the result of a job that has succeeded, and its mask where it was asked for. */
  async result (job: Job, options: RequestOptions = {}): Promise<CutoutResult> {
    const { result } = succeeded(job)
    if (result === undefined) throw new JobFailedError('gone', `nothing is kept of the job ${job.id}`)
    const fetched = await this.fetch(result.url, options)
    const mask = result.mask_url === undefined ? undefined : await this.fetch(result.mask_url, options)
    return new CutoutResult(fetched.bytes, {
      mediaType: result.media_type,
      width: result.width,
      height: result.height,
      requestId: job.id,
      model: result.model,
      timings: result.stages_ms,
      replayed: false,
    }, maskKindOf(job.options), mask?.bytes)
  }

  /** Order a job, wait for it and fetch its result. */
  async run (image: ImageInput, options: JobOptions & Pick<WaitOptions, 'pollMs'> = {}): Promise<CutoutResult> {
    const job = await this.create(image, options)
    const { signal, pollMs } = options
    return this.result(await this.wait(job.id, { signal, pollMs }), options)
  }

  /** From the storage, by a URL that needs no key. */
  private fetch (url: string, options: RequestOptions): Promise<Answer> {
    return this.service.transport.send({ method: 'GET', url: new URL(url), repeat: 'safe', ...callOptions(options) })
  }
}

function succeeded (job: Job): Job {
  if (job.status === 'succeeded') return job
  const { code, message, details } = job.error ?? { code: job.status, message: `the job is ${job.status}`, details: {} }
  throw new JobFailedError(code, message, { requestId: job.id, details })
}
