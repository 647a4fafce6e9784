/** What a removal ends with. */

import { MaskUnavailableError } from './errors.js'
import { boundsOf, type Box } from './mask.js'
import { decodePng, encodePng, type Pixels } from './png.js'
import { files } from './runtime.js'
import { storedFile } from './zip.js'

/** What is known of a result beyond its bytes. */
export interface ResultFacts {
  mediaType: string
  width: number | undefined
  height: number | undefined
  requestId: string | undefined
  model: string | undefined
  timings: Record<string, number>
  replayed: boolean
}

/** How a result's mask is found: in its transparency, as a whole, or not at all. */
export type MaskKind = 'alpha' | 'itself' | 'hidden'

/** A cutout, or a mask, as the service encoded it. */
export class CutoutResult {
  /** The encoded file. */
  readonly bytes: Uint8Array
  /** For instance `image/png`. */
  readonly mediaType: string
  /** In pixels; undefined where a browser hid the service's headers (answers above 6 MB). */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Names the request in the service's logs. */
  readonly requestId: string | undefined
  /** The model that made the mask. */
  readonly model: string | undefined
  /** Milliseconds per stage in the service. */
  readonly timings: Readonly<Record<string, number>>
  /** Whether the image was made for an earlier request under the same idempotency key. */
  readonly replayed: boolean

  constructor (
    bytes: Uint8Array, facts: ResultFacts, private readonly maskKind: MaskKind, private readonly givenMask?: Uint8Array,
  ) {
    this.bytes = bytes
    this.mediaType = facts.mediaType
    this.width = facts.width
    this.height = facts.height
    this.requestId = facts.requestId
    this.model = facts.model
    this.timings = facts.timings
    this.replayed = facts.replayed
  }

  /** The file as a Blob, for `URL.createObjectURL`, forms and storage. */
  get blob (): Blob {
    return new Blob([this.bytes as BlobPart], { type: this.mediaType })
  }

  /**
   * The mask, as a gray PNG.
   *
   * @throws {MaskUnavailableError} where the answer does not show it: ask for `png` or `zip` without a scene, or for
   *   `channels: 'alpha'`
   */
  async mask (): Promise<Uint8Array> {
    const file = this.maskFile()
    return file ?? encodePng(await this.maskPixels())
  }

  /**
   * Where the subject is, in pixels of the answer (alpha above 64 of 255, or above 10 if all is fainter, as the service
   * counts); null: nowhere.
   *
   * @throws {MaskUnavailableError} as `mask`
   */
  async foregroundBox (): Promise<Box | null> {
    const { width, height, data } = await this.maskPixels()
    return boundsOf(data, width, height, 64) ?? boundsOf(data, width, height, 10)
  }

  /** Write the file (Node.js, Deno, Bun). */
  async save (path: string | URL): Promise<void> {
    await (await files()).writeFile(path, this.bytes)
  }

  private maskFile (): Uint8Array | undefined {
    if (this.givenMask !== undefined) return this.givenMask
    if (this.maskKind === 'itself') return this.bytes
    return this.mediaType === 'application/zip' && this.maskKind === 'alpha' ? storedFile(this.bytes, 'alpha.png') : undefined
  }

  private async maskPixels (): Promise<Pixels> {
    const file = this.maskFile()
    if (file !== undefined) return decodePng(file)
    if (this.maskKind === 'hidden' || this.mediaType !== 'image/png') {
      throw new MaskUnavailableError(`this ${this.mediaType} does not show its mask`)
    }
    const { width, height, channels, data } = await decodePng(this.bytes)
    const own = channels === 4 || channels === 2
    const alpha = Uint8Array.from({ length: width * height }, (_, at) => own ? data[(at + 1) * channels - 1]! : 255)
    return { width, height, channels: 1, data: alpha }
  }
}

/** How the mask of an answer is found, by its options' names on the wire. */
export function maskKindOf (options: Record<string, unknown>): MaskKind {
  if (options['channels'] === 'alpha') return 'itself'
  const set = (name: string): boolean => !['', '0', 'none', 'undefined', 'null'].includes(String(options[name]))
  const scene = ['bg_color', 'bg_image_url', 'bg_blur', 'shadow', 'stroke_width'].some(set)
  return scene ? 'hidden' : 'alpha'
}

/** Milliseconds per name of a `Server-Timing` header (W3C). */
export function timingsOf (header: string | null): Record<string, number> {
  const pairs = (header ?? '').split(',').map(part => /^\s*([^;\s]+)\s*;.*\bdur=([\d.]+)/.exec(part))
  return Object.fromEntries(pairs.flatMap(pair => pair ? [[pair[1], Number(pair[2])]] : []))
}
