"""sRGB bytes to linear light and back (IEC 61966-2-1). Tables only: they are exact and faster than powers."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DARK = np.float32(0.0031308)
"""Linear light below which the sRGB curve is a straight line."""
_TONES = np.arange(256) / 255
LINEAR: Floats = np.where(_TONES <= 12.92 * DARK, _TONES / 12.92, ((_TONES + 0.055) / 1.055) ** 2.4).astype(np.float32)
"""Linear light, 0..1, of each sRGB byte."""
_LIGHTS = np.arange(65536) / 65535
_CURVED = np.where(_LIGHTS <= DARK, _LIGHTS * 12.92, 1.055 * np.maximum(_LIGHTS, DARK) ** (1 / 2.4) - 0.055)
_BYTES: Floats = (_CURVED * 255).astype(np.float32)


def srgb_bytes(linear: Floats, rounding: Floats | None = None) -> NDArray[np.uint8]:
    """Bytes in sRGB of linear light of any shape; what lies outside 0..1 is clipped. Inverse of LINEAR.

    rounding: what is added before a byte is cut off, 0..1, one half unless given; :func:`dither` gives a pattern.
    """
    steps = (np.clip(linear, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    values = _BYTES[steps]
    values += np.float32(0.5) if rounding is None else rounding
    return values.astype(np.uint8)


def dither(height: int, width: int) -> Floats:
    """A rounding for smooth pictures, [H, W]: slow gradients get no visible steps, and even planes no noise.

    The ordered pattern of Bayer (1973), 8 x 8, from 0.1 to 0.9.
    """
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    tile = (0.1 + 0.8 * (pattern + 0.5) / pattern.size).astype(np.float32)
    repeats = -(-height // len(tile)), -(-width // len(tile))
    return np.tile(tile, repeats)[:height, :width]
