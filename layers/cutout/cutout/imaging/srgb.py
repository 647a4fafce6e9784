"""sRGB bytes to linear light and back (IEC 61966-2-1), by tables: exact, and faster than powers."""

from functools import cache

import numpy as np

from cutout.imaging.arrays import Bytes, Floats

DARK = np.float32(0.0031308)
"""Linear light below which the sRGB curve is a straight line."""
_TONES = np.arange(256) / 255
LINEAR: Floats = np.where(_TONES <= 12.92 * DARK, _TONES / 12.92, ((_TONES + 0.055) / 1.055) ** 2.4).astype(np.float32)
"""Linear light of each sRGB byte: float32 [256] in 0..1."""


@cache
def _curve() -> Floats:
    """Make the table of the inverse, for each 16-bit linear light: float32 [65536] in 0..255."""
    lights = np.arange(65536) / 65535
    curved = np.where(lights <= DARK, lights * 12.92, 1.055 * np.maximum(lights, DARK) ** (1 / 2.4) - 0.055)
    table: Floats = (curved * 255).astype(np.float32)
    return table


def encode_srgb(linear: Floats, rounding: Floats | None = None) -> Bytes:
    """Encode linear light as sRGB bytes; the inverse of ``LINEAR``.

    Args:
        linear: float32 of any shape; values outside 0..1 are clipped.
        rounding: What is added before a value is truncated, in 0..1 and of a shape that broadcasts; one half by
            default, see :func:`dither`.

    Returns:
        uint8 of the shape of ``linear``, in 0..255.
    """
    steps = (np.clip(linear, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    values = _curve()[steps]
    values += np.float32(0.5) if rounding is None else rounding
    return values.astype(np.uint8)


def dither(height: int, width: int) -> Floats:
    """Make a rounding pattern for smooth images: slow gradients get no visible steps, and even areas no noise.

    Args:
        height: Rows.
        width: Columns.

    Returns:
        float32 [height, width] in 0.1..0.9: the ordered 8 x 8 pattern of Bayer (1973).
    """
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    tile = (0.1 + 0.8 * (pattern + 0.5) / pattern.size).astype(np.float32)
    repeats = -(-height // len(tile)), -(-width // len(tile))
    return np.tile(tile, repeats)[:height, :width]
