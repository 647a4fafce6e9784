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
_BYTES: NDArray[np.uint8] = (_CURVED * 255 + 0.5).astype(np.uint8)


def srgb_bytes(linear: Floats) -> NDArray[np.uint8]:
    """Bytes in sRGB of linear light of any shape; what lies outside 0..1 is clipped. Inverse of LINEAR."""
    steps = (np.clip(linear, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    return _BYTES[steps]
