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
