"""The region of interest: which pixels the model is asked about, and the way back to the whole picture."""

import numpy as np
from numpy.typing import NDArray

from cutout.errors import InvalidOptionError
from cutout.imaging.spec import Region

Window = tuple[slice, slice]
"""Rows and columns."""


def window(region: Region | None, size: tuple[int, int], source: tuple[int, int]) -> Window:
    """The pixels of a picture of ``size`` (H, W) inside ``region``, which counts in pixels of ``source`` (H, W).

    The edges may come in any order. Raises InvalidOptionError; details["reason"] is "exceeds_bounds" or "empty".
    """
    if region is None:
        return slice(0, size[0]), slice(0, size[1])
    down = sorted((region.top.px(source[0]), region.bottom.px(source[0])))
    across = sorted((region.left.px(source[1]), region.right.px(source[1])))
    if min(down[0], across[0]) < 0 or down[1] > source[0] or across[1] > source[1]:
        raise _wrong("lies partly outside the image", "exceeds_bounds", source)
    if down[0] == down[1] or across[0] == across[1]:
        raise _wrong("is empty", "empty", source)
    return _pixels(down, size[0] / source[0], size[0]), _pixels(across, size[1] / source[1], size[1])


def outside(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], image: NDArray[np.uint8], part: Window
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours [h, w, 3] and alpha [h, w] of the window set back into the whole image [H, W, 3]: alpha 0 around."""
    if alpha.shape == image.shape[:2]:
        return colours, alpha
    whole, cover = image.copy(), np.zeros(image.shape[:2], np.uint8)
    whole[part], cover[part] = colours, alpha
    return whole, cover


def _pixels(edges: list[float], scale: float, limit: int) -> slice:
    """Whole pixels, at least one."""
    first = min(round(edges[0] * scale), limit - 1)
    return slice(first, max(first + 1, round(edges[1] * scale)))


def _wrong(what: str, reason: str, source: tuple[int, int]) -> InvalidOptionError:
    details = {"option": "roi", "reason": reason, "width": source[1], "height": source[0]}
    return InvalidOptionError(f"roi {what}.", details)
