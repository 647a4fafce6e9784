"""The region of interest: which pixels the model sees, and the way back to the whole image."""

import numpy as np

from cutout.errors import InvalidOptionError
from cutout.imaging.arrays import Bytes
from cutout.imaging.pixels import copied
from cutout.imaging.spec import Region

Slices = tuple[slice, slice]
"""Rows and columns."""


def region_slices(region: Region | None, size: tuple[int, int], source: tuple[int, int]) -> Slices:
    """Convert a region of the file to slices of the decoded image.

    Args:
        region: Edges in pixels of ``source`` or in percent, in any order; None for the whole image.
        size: Rows and columns of the decoded image, (H, W).
        source: Rows and columns of the file, (H, W).

    Returns:
        Rows and columns, at least one of each.

    Raises:
        InvalidOptionError: The region lies partly outside the image or is empty; details["reason"] is
            "exceeds_bounds" or "empty".
    """
    if region is None:
        return slice(0, size[0]), slice(0, size[1])
    down = sorted((region.top.px(source[0]), region.bottom.px(source[0])))
    across = sorted((region.left.px(source[1]), region.right.px(source[1])))
    if min(down[0], across[0]) < 0 or down[1] > source[0] or across[1] > source[1]:
        raise _invalid_region("lies partly outside the image", "exceeds_bounds", source)
    if down[0] == down[1] or across[0] == across[1]:
        raise _invalid_region("is empty", "empty", source)
    return _pixels(down, size[0] / source[0], size[0]), _pixels(across, size[1] / source[1], size[1])


def paste_region(colours: Bytes, alpha: Bytes, image: Bytes, region: Slices) -> tuple[Bytes, Bytes]:
    """Put the region's result back into the whole image; everything around it is background.

    Args:
        colours: Colours of the region, uint8 [h, w, 3].
        alpha: Alpha of the region, uint8 [h, w].
        image: The whole image, uint8 [H, W, 3].
        region: Where the region lies in the image.

    Returns:
        Colours uint8 [H, W, 3], the image's own around the region, and alpha uint8 [H, W], 0 around it.
    """
    if alpha.shape == image.shape[:2]:
        return colours, alpha
    whole, cover = copied(image), np.zeros(image.shape[:2], np.uint8)
    whole[region], cover[region] = colours, alpha
    return whole, cover


def _pixels(edges: list[float], scale: float, limit: int) -> slice:
    first = min(round(edges[0] * scale), limit - 1)
    return slice(first, max(first + 1, round(edges[1] * scale)))


def _invalid_region(what: str, reason: str, source: tuple[int, int]) -> InvalidOptionError:
    details = {"option": "roi", "reason": reason, "width": source[1], "height": source[0]}
    return InvalidOptionError(f"roi {what}.", details)
