/** What runtimes differ in: files, an environment, global names. All detection is here. */

import { FilesUnavailableError } from './errors.js'

/**
 * A module that only Node.js, Deno and Bun have. The name is no literal at the import, and comments stop
 * bundlers from resolving it.
 */
async function builtin<T> (name: string): Promise<T> {
  return await import(/* webpackIgnore: true */ /* @vite-ignore */ name) as T
}

/**
 * `node:fs/promises`.
 *
 * @throws {FilesUnavailableError} in a browser
 */
export async function files (): Promise<typeof import('node:fs/promises')> {
  try {
    return await builtin('node:fs/promises')
  } catch (error) {
    throw new FilesUnavailableError('this runtime has no files: give a File, a Blob or bytes', error)
  }
}

/** Random bytes; Node.js 18 has Web Crypto, but not as a global. */
export async function randomBytes (length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  if ('crypto' in globalThis) return crypto.getRandomValues(bytes)
  return (await builtin<typeof import('node:crypto')>('node:crypto')).webcrypto.getRandomValues(bytes)
}

/** A variable of the environment; undefined in browsers, and where it may not be read (Deno without permission). */
export function environment (name: string): string | undefined {
  try {
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
    return process?.env?.[name] || undefined
  } catch {
    return undefined
  }
}

/** Whether `fetch` is a browser's, in a page or a worker, which follows redirects by itself and hides them. */
export function inBrowser (): boolean {
  return 'document' in globalThis || ('WorkerGlobalScope' in globalThis && !('Deno' in globalThis))
}
