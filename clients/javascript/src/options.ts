/** The options of a removal, as JavaScript spells them, and their names on the wire. */

import type { ImageInput } from './sources.js'
import type { RequestOptions } from './transport.js'

/** A length: pixels (`12`, `'12px'`) or percent (`'4%'`). */
export type Length = number | string

/** How the answer looks. The service's reference (docs/openapi.yaml) describes each in full, with its bounds. */
export interface ImageOptions {
  /** Output format; jpg, bmp and gif are flattened. zip holds color.jpg and alpha.png. Default png. */
  format?: 'png' | 'jpg' | 'jpeg' | 'webp' | 'avif' | 'bmp' | 'tiff' | 'tif' | 'gif' | 'zip' | undefined
  /** `rgba`: the cutout; `alpha`: its mask, a gray PNG. Default rgba. */
  channels?: 'rgba' | 'alpha' | undefined
  /** Caps the output at about 0.25, 1.5, 4 or 50 megapixels. Default full. */
  size?: 'preview' | 'medium' | 'hd' | 'full' | 'auto' | undefined
  /** Crop to the subject. */
  crop?: boolean | undefined
  /** Space around the cropped subject, up to 500px or 50%; one, two or four lengths. Only with `crop`. */
  cropMargin?: Length | undefined
  /** CSS colour name, or 3, 4, 6 or 8 hex digits. */
  bgColor?: string | undefined
  /** Take reflected background colour out of the edges. */
  despill?: boolean | undefined
  /** Keep regions that are half transparent, such as windows. Default true. */
  semitransparency?: boolean | undefined
  /** What becomes of the transparency that the image brings along. Default honour. */
  ownAlpha?: 'honour' | 'keep' | 'discard' | undefined
  /** What comes where nothing is found: an empty picture or a `NothingFoundError`; neither is charged. Default image. */
  onEmpty?: 'image' | 'error' | undefined
  /** `all`: an animation comes back as an animation, in format png (APNG), webp or gif. Default first. */
  frames?: 'first' | 'all' | undefined
  /** 16: all bits of a 16-bit image, as png or tiff. Default 8. */
  depth?: 8 | 16 | '8' | '16' | undefined
  /** `keep`: the image's own ICC profile instead of sRGB. */
  profile?: 'srgb' | 'keep' | undefined
  /** `keep`: the image's EXIF; `keep_gps`: with the place. Default none. */
  metadata?: 'none' | 'keep' | 'keep_gps' | undefined
  /** The part that may be foreground: two opposite corners, `x1 y1 x2 y2`, pixels or percent. */
  roi?: string | undefined
  /** Share of the canvas that the subject takes, 10 to 100 percent, or `original`. */
  scale?: number | string | undefined
  /** `original`, `center`, a side, a corner such as `top-left`, or percentages across and down. */
  position?: number | string | undefined
  /** Size of the answer: `original`, `background`, or `1200x800`. */
  canvas?: string | undefined
  /** How the photo fills the canvas. Only with `canvas`. */
  canvasFit?: 'cover' | 'fit' | undefined
  /** A public URL of the background image. */
  bgImageUrl?: string | URL | undefined
  /** How the background image fills the canvas. */
  bgFit?: 'cover' | 'fit' | undefined
  /** 0 to 100; without a background image the photo's own background is blurred. */
  bgBlur?: number | string | undefined
  shadow?: 'none' | 'drop' | 'contact' | 'car' | undefined
  shadowOffsetX?: Length | undefined
  shadowOffsetY?: Length | undefined
  shadowBlur?: Length | undefined
  /** 0 to 100. */
  shadowOpacity?: number | string | undefined
  shadowColor?: string | undefined
  strokeWidth?: Length | undefined
  strokeColor?: string | undefined
  /** 0 to 100. */
  strokeOpacity?: number | string | undefined
  strokeSoftness?: Length | undefined
}

/** The options of `remove`. */
export interface RemoveOptions extends ImageOptions, RequestOptions {
  /** The background image itself, sent along; a URL is rather given as `bgImageUrl`. */
  bgImage?: ImageInput | undefined
  /**
   * Send a JPEG of at most 1024 pixels a side and compose the cutout here at full size (browsers). Takes none of the
   * image options above but `semitransparency`.
   */
  maskFirst?: boolean | undefined
  /** Under one key a request is done, and charged, once in 24 hours. Default: a random key for every call. */
  idempotencyKey?: string | undefined
}

/** The names of `ImageOptions`, for checks and for playgrounds. */
export const IMAGE_OPTIONS = [
  'format', 'channels', 'size', 'crop', 'cropMargin', 'bgColor', 'despill', 'semitransparency', 'ownAlpha', 'onEmpty', 'frames',
  'depth', 'profile', 'metadata', 'roi', 'scale', 'position', 'canvas', 'canvasFit', 'bgImageUrl', 'bgFit', 'bgBlur', 'shadow', 'shadowOffsetX',
  'shadowOffsetY', 'shadowBlur', 'shadowOpacity', 'shadowColor', 'strokeWidth', 'strokeColor', 'strokeOpacity',
  'strokeSoftness',
] as const satisfies ReadonlyArray<keyof ImageOptions>

type Missing = Exclude<keyof ImageOptions, (typeof IMAGE_OPTIONS)[number]>
const _allAreNamed: Missing extends never ? true : Missing = true
void _allAreNamed

const CALL_OPTIONS = new Set<string>([
  'bgImage', 'maskFirst', 'idempotencyKey', 'signal', 'timeoutMs', 'onProgress', 'mask', 'webhookUrl', 'pollMs',
])

/**
 * The image options that are set, by their names on the wire.
 *
 * @throws {TypeError} for an option that there is not: a misspelt one would be left out in silence
 */
export function wireOptions (options: ImageOptions): Record<string, string> {
  const unknown = Object.keys(options).filter(name =>
    !CALL_OPTIONS.has(name) && !(IMAGE_OPTIONS as readonly string[]).includes(name))
  if (unknown.length > 0) throw new TypeError(`there is no option ${unknown.join(', ')}`)
  return Object.fromEntries(IMAGE_OPTIONS.flatMap(name => {
    const value = options[name]
    return value === undefined || value === null ? [] : [[wireName(name), String(value)]]
  }))
}

/** `shadowOffsetX` as `shadow_offset_x`. */
export function wireName (name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
