"""Array types, and the two idioms of every full-size step: rows in bands, and rounding to bytes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint16]
Colours = NDArray[np.unsignedinteger[Any]]
"""A picture of 8 or 16 bits a channel; 257 times a byte is the same value in 16."""


def row_bands(height: int, rows: int) -> Iterator[slice]:
    """Divide an image into bands of rows, so that temporary arrays stay small and in the processor's cache.

    Args:
        height: Rows of the image.
        rows: Rows of a band; the last band may have fewer.

    Yields:
        Slices with start and stop, from top to bottom.
    """
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def to_bytes(values: Floats) -> Bytes:
    """Round values in 0..1 to bytes.

    Args:
        values: float32 of any shape, in 0..1; not clipped here.

    Returns:
        uint8 of the same shape, in 0..255.
    """
    return (values * np.float32(255) + np.float32(0.5)).astype(np.uint8)
