/** The service's calls, as the parts of the client make them: an address, a key, and a transport. */

import type { Repeat } from './retry.js'
import { randomBytes } from './runtime.js'
import { json, type Answer, type RequestOptions, type Transport } from './transport.js'

/** What a call to the service adds to its options. */
export interface ServiceCall extends RequestOptions {
  query?: Record<string, string | number | undefined>
  headers?: Record<string, string>
  body?: BodyInit
  bodyBytes?: number
  /** Sent as JSON in the place of a body. */
  document?: unknown
  repeat?: Repeat
}

export class Service {
  constructor (private readonly baseUrl: string, private readonly apiKey: string, readonly transport: Transport) {}

  /** Send a call with the key. `/v2` is part of the path. */
  send (method: string, path: string, call: ServiceCall = {}): Promise<Answer> {
    const url = new URL(this.baseUrl + path)
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const headers = { ...call.headers }
    if (this.apiKey !== '') headers['authorization'] = `Bearer ${this.apiKey}`
    if (call.document !== undefined) headers['content-type'] = 'application/json'
    const { signal, timeoutMs, onProgress, bodyBytes } = call
    const body = call.document === undefined ? call.body : JSON.stringify(call.document)
    return this.transport.send(
      { method, url, headers, body, bodyBytes, repeat: call.repeat ?? 'safe', signal, timeoutMs, onProgress })
  }

  /** Send a call and decode its JSON answer. */
  async json<T> (method: string, path: string, call: ServiceCall = {}): Promise<T> {
    return json<T>(await this.send(method, path, call))
  }
}

/** The header that makes a charged request one request, however often it is sent. Default: a new key of 128 bits. */
export async function idempotency (key?: string): Promise<Record<string, string>> {
  return { 'idempotency-key': key ?? hex(await randomBytes(16)) }
}

function hex (bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Of any options those that every call takes. */
export function callOptions ({ signal, timeoutMs, onProgress }: RequestOptions): RequestOptions {
  return { signal, timeoutMs, onProgress }
}
