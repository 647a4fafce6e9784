/** The client. */

import { account, dailyUsage, Keys, usage, WebhookSecrets } from './account.js'
import { Jobs } from './jobs.js'
import { mapInOrder, type Outcome } from './map.js'
import type { RemoveOptions } from './options.js'
import { Removal } from './removal.js'
import type { CutoutResult } from './result.js'
import { DEFAULT_RETRY, type RetryPolicy } from './retry.js'
import { environment } from './runtime.js'
import { callOptions, Service } from './service.js'
import type { ImageInput } from './sources.js'
import { Transport, type Fetch, type RequestOptions } from './transport.js'
import { Uploads } from './uploads.js'
import type { Account, DayUsage, Health, Usage } from './wire.js'

/** How a client is made. */
export interface CutoutOptions {
  /** Default: the environment variable `CUTOUT_API_KEY`, where there is an environment. */
  apiKey?: string | undefined
  /** Where the service is, without `/v2`. Default: `CUTOUT_BASE_URL`, else the local service's `http://127.0.0.1:8585`. */
  baseUrl?: string | URL | undefined
  /** Of one attempt. Default: 60 seconds; the service itself takes at most 29. */
  timeoutMs?: number | undefined
  retry?: Partial<RetryPolicy> | undefined
  /** Images above this go by upload, unasked. Default: 4.4 million bytes, what AWS Lambda takes. */
  directBytes?: number | undefined
  /** Another `fetch`, for instance one with a proxy. */
  fetch?: Fetch | undefined
}

/** The options of `map`. */
export interface MapOptions extends Omit<RemoveOptions, 'idempotencyKey' | 'onProgress'> {
  /** How many at a time. Default 4. */
  concurrency?: number | undefined
  /** Called when an image has ended, in the order of the inputs. */
  onProgress?: ((done: { done: number, failed: number }) => void) | undefined
}

const DIRECT_BYTES = 4_400_000
const TIMEOUT_MS = 60_000

/** A client of a Cutout service. It keeps no state but its settings: make one and share it. */
export class Cutout {
  readonly jobs: Jobs
  readonly uploads: Uploads
  readonly keys: Keys
  readonly webhookSecret: WebhookSecrets
  private readonly service: Service
  private readonly removal: Removal

  constructor (options: CutoutOptions = {}) {
    const baseUrl = new URL(options.baseUrl ?? environment('CUTOUT_BASE_URL') ?? 'http://127.0.0.1:8585')
    const apiKey = options.apiKey ?? environment('CUTOUT_API_KEY') ?? ''
    const policy = { ...DEFAULT_RETRY, ...options.retry }
    const transport = new Transport(policy, options.timeoutMs ?? TIMEOUT_MS, options.fetch)
    this.service = new Service(baseUrl.href.replace(/\/+$/, ''), apiKey, transport)
    this.uploads = new Uploads(this.service)
    this.jobs = new Jobs(this.service, this.uploads)
    this.keys = new Keys(this.service)
    this.webhookSecret = new WebhookSecrets(this.service)
    this.removal = new Removal(this.service, this.uploads, options.directBytes ?? DIRECT_BYTES)
  }

  /**
   * Remove the background of one image.
   *
   * @param image bytes, a Blob or File, a stream, a path, a URL, or an upload
   * @throws {CutoutError} one class per code, see `ERRORS`; the signal's reason where you gave up
   */
  remove (image: ImageInput | { uploadId: string }, options: RemoveOptions = {}): Promise<CutoutResult> {
    return this.removal.remove(image, options)
  }

  /**
   * Remove the backgrounds of many images, a few at a time. Yields what became of each, in their order; one that fails
   * does not stop the others. Memory stays bounded: images are taken only as fast as you take results.
   */
  async * map<I extends ImageInput> (
    images: Iterable<I> | AsyncIterable<I>, options: MapOptions = {},
  ): AsyncGenerator<Outcome<I, CutoutResult>, void, undefined> {
    const { concurrency = 4, onProgress, signal, ...others } = options
    const counts = { done: 0, failed: 0 }
    const work = (image: I, ended: AbortSignal): Promise<CutoutResult> => this.remove(image, { ...others, signal: ended })
    for await (const outcome of mapInOrder(images, work, { concurrency, signal })) {
      counts[outcome.ok ? 'done' : 'failed'] += 1
      onProgress?.({ ...counts })
      yield outcome
    }
  }

  /** Whose the key is, and what was used this month. */
  account (options: RequestOptions = {}): Promise<Account> {
    return account(this.service, options)
  }

  /** What was used this month. */
  usage (options: RequestOptions = {}): Promise<Usage> {
    return usage(this.service, options)
  }

  /** What was used in a month (`yyyy-mm`; by default the current one) by day and key. */
  dailyUsage (options: RequestOptions & { month?: string } = {}): Promise<DayUsage[]> {
    return dailyUsage(this.service, options)
  }

  /** Is the service up; with `deep`, does its model load and run. Needs no key. */
  health (options: RequestOptions & { deep?: boolean } = {}): Promise<Health> {
    return this.service.json('GET', '/v2/health', { query: options.deep ? { deep: 'true' } : {}, ...callOptions(options) })
  }
}
