/** `fetch` by XMLHttpRequest: in pages only it reports upload progress. */

/** Whether this runtime has it: pages and workers of browsers. */
export function hasXhr (): boolean {
  return 'XMLHttpRequest' in globalThis
}

/**
 * Send a request as `fetch` does, and say how far its body is, in bytes of the body as sent.
 *
 * @throws {TypeError} where the connection fails, as `fetch`; the signal's reason where that ends it
 */
export async function fetchByXhr (
  url: string, init: RequestInit, onUpload: (loaded: number) => void,
): Promise<Response> {
  init.signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const { signal } = init
    const onAbort = (): void => request.abort()
    request.open(init.method ?? 'GET', url)
    request.responseType = 'arraybuffer'
    new Headers(init.headers).forEach((value, name) => request.setRequestHeader(name, value))
    request.upload.addEventListener('progress', event => onUpload(event.loaded))
    request.addEventListener('load', () => resolve(responseOf(request)))
    request.addEventListener('error', () => reject(new TypeError('the connection failed')))
    request.addEventListener('abort', () => reject(signal?.reason))
    request.addEventListener('loadend', () => signal?.removeEventListener('abort', onAbort))
    signal?.addEventListener('abort', onAbort)
    request.send(init.body as XMLHttpRequestBodyInit)
  })
}

function responseOf (request: XMLHttpRequest): Response {
  const lines = request.getAllResponseHeaders().trim().split(/[\r\n]+/).filter(line => line.includes(':'))
  const headers = new Headers(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
  const empty = [204, 205, 304].includes(request.status)
  return new Response(empty ? null : request.response as ArrayBuffer, { status: request.status, headers })
}
