/** HTTP with retries, timeouts and typed errors. Knows nothing of images. */

import { apiError, ConnectionError, CutoutError, MalformedAnswerError, RequestTimeoutError } from './errors.js'
import { inBrowser } from './runtime.js'
import { judge, pauseMs, retryAfterMs, type Repeat, type RetryPolicy } from './retry.js'
import { fetchByXhr, hasXhr } from './xhr.js'

/**
 * How far a call is. Browsers report uploads as they go and downloads when they are complete; elsewhere uploads are
 * reported when they begin and when they are answered, and downloads as they come.
 */
export interface Progress {
  stage: 'upload' | 'download' | 'retry'
  /** Bytes of this stage so far. */
  loaded: number
  /** Bytes of this stage in all; undefined where nobody says. */
  total: number | undefined
  /** Counts from 1. */
  attempt: number
}

/** What every call takes. */
export interface RequestOptions {
  /** Ends the call, retries included; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Of one attempt, its answer's body included. */
  timeoutMs?: number | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

/** A request that can be made anew for every attempt. */
export interface Call extends RequestOptions {
  method: string
  url: URL
  headers?: Record<string, string>
  body?: BodyInit | undefined
  /** Of the body, for progress. */
  bodyBytes?: number | undefined
  repeat: Repeat
}

/** An answer, read to its end. */
export interface Answer {
  status: number
  headers: Headers
  bytes: Uint8Array
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Sends calls, each as often as the policy allows. */
export class Transport {
  constructor (
    private readonly policy: RetryPolicy,
    readonly timeoutMs: number,
    private readonly fetch?: Fetch,
  ) {}

  /**
   * Send a call until it is answered for good.
   *
   * @throws {CutoutError} the last attempt's error; the signal's reason where the caller gave up
   */
  async send (call: Call): Promise<Answer> {
    let failures = 0
    let waitLeftMs = this.policy.maxWaitMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(call, attempt)
      } catch (error) {
        const verdict = judge(error, call.repeat)
        const askedMs = error instanceof CutoutError ? error.retryAfterMs ?? 0 : 0
        const pause = pauseMs(this.policy, attempt - 1, askedMs)
        waitLeftMs -= verdict === 'asked' || askedMs > 0 ? pause : 0
        failures += verdict === 'failed' ? 1 : 0
        if (verdict === 'final' || failures > this.policy.maxRetries || waitLeftMs < 0) throw error
        call.onProgress?.({ stage: 'retry', loaded: 0, total: undefined, attempt })
        await sleep(pause, call.signal)
      }
    }
  }

  private async attempt (call: Call, attempt: number): Promise<Answer> {
    call.signal?.throwIfAborted()
    const timeoutMs = call.timeoutMs ?? this.timeoutMs
    const limit = new Limit(timeoutMs, call.signal)
    try {
      const report = (stage: Progress['stage'], loaded: number, total?: number): void =>
        call.onProgress?.({ stage, loaded, total, attempt })
      const size = call.bodyBytes ?? 0
      const onUpload = (loaded: number): void => { if (size > 0) report('upload', Math.min(loaded, size), size) }
      onUpload(0)
      const response = await this.ask(call, limit.signal, onUpload)
      onUpload(size)
      const bytes = await readBody(response, (loaded, total) => report('download', loaded, total))
      return checked({ status: response.status, headers: response.headers, bytes })
    } catch (error) {
      if (error instanceof CutoutError) throw error
      call.signal?.throwIfAborted()
      const message = `${call.method} ${call.url.origin}${call.url.pathname}`
      if (limit.passed) throw new RequestTimeoutError(`${message} took more than ${timeoutMs} ms`, { cause: error })
      throw new ConnectionError(`${message}: ${reason(error)}`, { cause: error })
    } finally {
      limit.done()
    }
  }

  /**
   * One request. An answer that stands elsewhere (303) is fetched from there without our headers; its own headers are
   * those of the service, which name the request and the model. Browsers hide redirects, and follow them themselves:
   * they drop `Authorization` on the way to another origin (Fetch standard, HTTP-redirect fetch, step 13).
   */
  private async ask (call: Call, signal: AbortSignal, onUpload: (loaded: number) => void): Promise<Response> {
    const init: RequestInit = { method: call.method, headers: call.headers ?? {}, signal }
    if (call.body !== undefined) init.body = call.body
    if (call.onProgress && call.bodyBytes && this.fetch === undefined && hasXhr()) {
      return fetchByXhr(call.url.href, init, onUpload)
    }
    const fetch = this.fetch ?? globalThis.fetch
    if (inBrowser()) return fetch(call.url.href, init)
    const response = await fetch(call.url.href, { ...init, redirect: 'manual' })
    const location = response.headers.get('location')
    if (response.status !== 303 || location === null) return response
    await response.arrayBuffer()
    const there = await fetch(new URL(location, call.url).href, { signal })
    const headers = new Headers(response.headers)
    for (const name of ['content-type', 'content-length', 'content-encoding']) {
      const value = there.headers.get(name)
      value === null ? headers.delete(name) : headers.set(name, value)
    }
    return new Response(there.body, { status: there.status, headers })
  }
}

/** A signal that ends an attempt: by the caller's signal, or by time. */
class Limit {
  passed = false
  private readonly controller = new AbortController()
  private readonly timer: ReturnType<typeof setTimeout>
  private readonly onAbort = (): void => this.controller.abort(this.caller?.reason)

  constructor (timeoutMs: number, private readonly caller: AbortSignal | undefined) {
    this.timer = setTimeout(() => {
      this.passed = true
      this.controller.abort()
    }, timeoutMs)
    caller?.addEventListener('abort', this.onAbort)
  }

  get signal (): AbortSignal { return this.controller.signal }

  done (): void {
    clearTimeout(this.timer)
    this.caller?.removeEventListener('abort', this.onAbort)
  }
}

/** Wait, unless the signal ends it. */
export async function sleep (ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => { clearTimeout(timer); reject(signal?.reason) }
    const timer = setTimeout(() => { signal?.removeEventListener('abort', onAbort); resolve() }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Decode JSON from an answer. */
export function json<T> (answer: Answer): T {
  try {
    return JSON.parse(new TextDecoder().decode(answer.bytes)) as T
  } catch (error) {
    throw new MalformedAnswerError('the answer is not JSON', { status: answer.status, cause: error })
  }
}

async function readBody (response: Response, report: (loaded: number, total?: number) => void): Promise<Uint8Array> {
  const encoded = response.headers.get('content-encoding') !== null
  const length = response.headers.get('content-length')
  const total = encoded || length === null ? undefined : Number(length)
  const chunks: Uint8Array[] = []
  let loaded = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    chunks.push(part.value)
    loaded += part.value.length
    report(loaded, total)
  }
  if (total !== undefined && loaded !== total) throw new Error(`${loaded} of ${total} bytes came`)
  const bytes = new Uint8Array(loaded)
  chunks.reduce((at, chunk) => { bytes.set(chunk, at); return at + chunk.length }, 0)
  return bytes
}

function checked (answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer
  const requestId = answer.headers.get('x-request-id') ?? undefined
  const facts = { status: answer.status, requestId, retryAfterMs: retryAfterMs(answer.headers.get('retry-after')) }
  const problem = problemIn(answer.bytes)
  if (problem === undefined) {
    const code = answer.status === 429 ? 'rate_limited' : answer.status >= 500 ? 'service_unavailable' : 'unexpected_answer'
    throw apiError(code, `the answer was ${answer.status}, without a reason`, facts)
  }
  throw apiError(problem.code, problem.message, { ...facts, requestId: requestId ?? problem.request_id, details: problem.details })
}

interface Problem { code: string, message: string, request_id?: string, details?: Record<string, unknown> }

function problemIn (bytes: Uint8Array): Problem | undefined {
  try {
    const problem = (JSON.parse(new TextDecoder().decode(bytes)) as { error?: Problem }).error
    return typeof problem?.code === 'string' && typeof problem.message === 'string' ? problem : undefined
  } catch {
    return undefined // a page of a proxy: the status says it
  }
}

function reason (error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error instanceof Error ? error.message : String(error)}${cause}`
}
