/** Masks: where they are, and how they are enlarged. Pure functions. */

/** A rectangle in pixels. */
export interface Box { left: number, top: number, width: number, height: number }

/** The bounds of what is above a value in a gray picture; null where nothing is. */
export function boundsOf (gray: Uint8Array, width: number, height: number, above: number): Box | null {
  let [left, right, top, bottom] = [width, -1, height, -1]
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (gray[at]! <= above) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** For the pixels along one axis: the cell before each, and the share of the cell after it (bilinear, centres). */
export function taps (cells: number, pixels: number): { low: Int32Array, share: Float32Array } {
  const low = new Int32Array(pixels)
  const share = new Float32Array(pixels)
  for (let at = 0; at < pixels; at++) {
    const centre = Math.min(cells - 1, Math.max(0, (at + 0.5) * (cells / pixels) - 0.5))
    low[at] = Math.min(Math.floor(centre), Math.max(0, cells - 2))
    share[at] = centre - low[at]!
  }
  return { low, share }
}

/**
 * For the pixels along one axis: the first of the four cells around each, -2 and more, and the cells' weights (Keys:
 * Cubic Convolution Interpolation, 1981, a = -1/2; Pillow's BICUBIC).
 */
export function cubicTaps (cells: number, pixels: number): { first: Int32Array, weights: Float32Array } {
  const first = new Int32Array(pixels)
  const weights = new Float32Array(pixels * 4)
  for (let at = 0; at < pixels; at++) {
    const centre = (at + 0.5) * (cells / pixels) - 0.5
    first[at] = Math.floor(centre) - 1
    for (let tap = 0; tap < 4; tap++) weights[at * 4 + tap] = keys(Math.abs(centre - first[at]! - tap))
  }
  return { first, weights }
}

function keys (distance: number): number {
  if (distance < 1) return (1.5 * distance - 2.5) * distance ** 2 + 1
  return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0
}
