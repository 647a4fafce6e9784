/** The archives of `format: 'zip'`: two stored files (PKWARE APPNOTE 4.3.7, local file headers). */

import { MalformedAnswerError } from './errors.js'

/**
 * The bytes of a stored file.
 *
 * @throws {MalformedAnswerError} where there is no such file, or it is compressed
 */
export function storedFile (archive: Uint8Array, name: string): Uint8Array {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  for (let at = 0; at + 30 <= archive.length && view.getUint32(at, true) === 0x04034b50;) {
    const method = view.getUint16(at + 8, true)
    const size = view.getUint32(at + 18, true)
    const nameEnd = at + 30 + view.getUint16(at + 26, true)
    const start = nameEnd + view.getUint16(at + 28, true)
    const found = new TextDecoder().decode(archive.subarray(at + 30, nameEnd)) === name
    if (found && method === 0 && start + size <= archive.length) return archive.subarray(start, start + size)
    at = start + size
  }
  throw new MalformedAnswerError(`the archive has no stored file ${name}`)
}
