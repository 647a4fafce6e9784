"""From the model's small alpha to a sharp alpha at full size, and how uncertain that small alpha is.

Edge-aware upsampling by the fast guided filter (He, Sun: Fast Guided Filter, arXiv:1505.00996) with a colour guide:
on a coarse grid, alpha is regressed on colour in every small window (ridge regression), and the smooth coefficients
are applied to the full-size colours. The grid is a little coarser than the model's alpha, because its edges are
blurred over about two of its pixels. Only the uncertain band is touched, patch by patch (``patches``), and colours
only where alpha is steep, so that the cost is that of the band and the memory small.
"""

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bools, Bytes, Floats, row_bands
from cutout.imaging.matting.grid import GridSampler, dilate, neighbourhood_extremes
from cutout.imaging.matting.guided_filter import fit_guided_filter
from cutout.imaging.matting.islands import remove_small_islands
from cutout.imaging.matting.patches import Axis, CellValues, Indices, Patches, parts, reached
from cutout.imaging.matting.strips import soft_pixels
from cutout.imaging.pixels import PackedPixels, packed
from cutout.imaging.resampling import neighbours
from cutout.imaging.threads import do_all

LOW, HIGH = 0.04, 0.96
"""Alpha at or below LOW is background, at or above HIGH foreground; in between it is stretched to 0..1.

Fixed numbers, never taken from the image: a network's sigmoid hardly reaches 0 and 1.
"""
GRID_SHARE = 0.6
"""Side of the grid in sides of the model's alpha; it never has more cells than the guide has pixels, which are about
half as many where the model sees 1024 or more."""
FLAT, STEEP = 0.1, 0.4
"""Range of alpha within a 3 x 3 neighbourhood up to which it counts as level, and from which on as a step."""
_ROWS = 64


def stretch(alpha: Floats) -> Bytes:
    """Stretch LOW..HIGH to 0..255; what lies beyond is certain.

    Args:
        alpha: The model's, float32 [h, w] in 0..1.

    Returns:
        uint8 [h, w].
    """
    stretched = np.empty(alpha.shape, np.uint8)
    for rows in row_bands(len(alpha), _ROWS):
        values = alpha[rows] * np.float32(255 / (HIGH - LOW))
        values += np.float32(0.5 - 255 * LOW / (HIGH - LOW))
        stretched[rows] = np.clip(values, 0, 255, out=values)
    return stretched


def refine_alpha(image: Bytes, alpha: Bytes, guide: Bytes | None = None) -> Bytes:
    """Upsample the model's alpha along the edges of the image.

    Certain pixels keep their value (0 or 255); a band about two coarse pixels wide follows the image's edges; small
    faint islands are removed. For an image smaller than its alpha, the cost is that of the image.

    Args:
        image: uint8 [H, W, 3].
        alpha: The model's, stretched (``stretch``), uint8 [h, w], of any size and aspect.
        guide: The same image, smaller (``grid.guide_of``); None for the image itself.

    Returns:
        Alpha, uint8 [H, W].
    """
    size = (image.shape[0], image.shape[1])
    longest = max(32, round(max(alpha.shape) * GRID_SHARE))
    whole, alpha = alpha, remove_small_islands(_limit_size(alpha, size))
    axes = Axis(alpha.shape[0], size[0]), Axis(alpha.shape[1], size[1])
    low, high = neighbourhood_extremes(alpha)
    band = uncertain_band(alpha, low, high)
    steep = reached(high - low > np.uint8(255 * FLAT), axes)
    if alpha.shape == size:
        refined = alpha.copy()
    else:
        refined = _enlarge_level(alpha, size)
        _enlarge_soft(alpha, reached(band, axes) & ~steep, axes, refined)
    if steep.any():
        of_photo = guide is None or guide is image  # then both have its pixels
        fit = fit_guided_filter(image if guide is None else guide, alpha if of_photo else whole, longest, band)
        values = _values_of((alpha, low, high), fit)
        colours = packed(image)

        def follow(chosen: Indices) -> None:
            patches = Patches.at(chosen, axes)
            followed = _follow_colours(np.take(colours, patches.places), patches.interpolate(values))
            refined.reshape(-1)[patches.places] = followed

        do_all(follow, parts(steep, axes))
    return refined


def uncertainty(alpha: Bytes) -> float:
    """Measure how undecided the model was: the share of soft pixels among what it found.

    A pixel is as soft as 4 a (1 - a): 0 where the model is certain, 1 at one half; pixels from one half on are the
    subject. It is measured at the model's own size, so a small copy of an image scores as the image does; edges are
    soft everywhere, so 0 is not reached in practice. On 158 photos with true masks (objects, people, cats, pets) it
    ranks them as 1 - IoU does, Spearman 0.77.

    Args:
        alpha: The model's, stretched (``stretch``), uint8 [h, w].

    Returns:
        0..1; 1 when nothing was found at all, because there is no cutout to be certain of.
    """
    counts = np.bincount(np.take(alpha, soft_pixels(alpha)), minlength=256)
    counts[255] = np.count_nonzero(alpha == 255)  # noqa: PLR2004
    shares = np.arange(256) / 255
    soft = float(4 * (counts * shares * (1 - shares)).sum())
    subject = int(counts[shares >= 0.5].sum())  # noqa: PLR2004
    return soft / (soft + subject) if soft + subject > 0 else 1.0


def uncertain_band(alpha: Bytes, low: Bytes, high: Bytes) -> Bools:
    """Mark where alpha is neither 0 nor 255 or steps from one to the other, and one pixel around.

    Args:
        alpha: uint8 [h, w].
        low: Its lowest value in the 3 x 3 neighbourhood of every pixel, uint8 [h, w].
        high: Its highest value there, uint8 [h, w].

    Returns:
        bool [h, w].
    """
    return dilate((alpha - np.uint8(1) < 254) | (high != low))  # 0 wraps around to 255  # noqa: PLR2004


def _enlarge_soft(alpha: Bytes, marked: Bools, axes: tuple[Axis, Axis], refined: Bytes) -> None:
    """Write alpha, bilinear, to ``refined`` in the patches that are marked: colours have no say where it is level."""

    def values(rows: Indices, columns: Indices) -> Floats:
        cells: Floats = np.take(alpha, rows * alpha.shape[1] + columns)[None].astype(np.float32)
        return cells

    def enlarge(chosen: Indices) -> None:
        patches = Patches.at(chosen, axes)
        (enlarged,) = patches.interpolate(values)
        enlarged += np.float32(0.5)
        refined.reshape(-1)[patches.places] = enlarged.astype(np.uint8)

    do_all(enlarge, parts(marked, axes))


def _values_of(planes: tuple[Bytes, Bytes, Bytes], fit: Floats) -> CellValues:
    """Give what :func:`_follow_colours` needs at cells: of alpha and its extremes, uint8 [h, w], and of the filter."""
    sampled = GridSampler(fit, (planes[0].shape[0], planes[0].shape[1]))

    def values(rows: Indices, columns: Indices) -> Floats:
        at = rows * planes[0].shape[1] + columns
        own = [np.take(plane, at) for plane in planes]
        made: Floats = np.concatenate([own, sampled(rows, columns)], dtype=np.float32)
        return made

    return values


def _follow_colours(colours: PackedPixels, values: Floats) -> Bytes:
    """Compute alpha of packed colours [...] from alpha and its extremes in 0..255, slopes and offset: [7, ...].

    The bounds are twice as far from 0 and 255 as the neighbourhood is: texture tears no holes into what the model
    calls solid, and what it calls half solid is free to be anything. Trust is full where alpha steps, and 0 where it
    is level or a ramp that the model sees by itself: an edge out of focus is soft, and colour must not sharpen it.
    """
    alpha, low, high, *slopes, filtered = values
    channels = colours.view(np.uint8)
    for number, slope in enumerate(slopes):
        filtered += slope * channels[..., number::4]  # of four bytes a pixel
    trust = high - low
    trust -= np.float32(255 * FLAT)
    trust *= np.float32(1 / (255 * (STEEP - FLAT)))
    np.clip(trust, 0, 1, out=trust)
    np.maximum(filtered, np.maximum(2 * low - np.float32(255), 0), out=filtered)
    np.minimum(filtered, np.minimum(2 * high, np.float32(255)), out=filtered)
    filtered -= alpha
    filtered *= trust
    filtered += alpha
    filtered += np.float32(0.5)
    followed: Bytes = filtered.astype(np.uint8)
    return followed


def _enlarge_level(alpha: Bytes, size: tuple[int, int]) -> Bytes:
    """Enlarge alpha to ``size`` (H, W) as it is outside the band: the same at all neighbours of a pixel."""
    refined = np.empty(size, np.uint8)
    y, _ = neighbours(alpha.shape[0], size[0], np.arange(size[0]))
    x, _ = neighbours(alpha.shape[1], size[1], np.arange(size[1]))
    for rows in row_bands(size[0], _ROWS):
        lines = np.take(alpha[y[rows.start] : y[rows.stop - 1] + 1], x, axis=1)
        np.take(lines, y[rows] - y[rows.start], axis=0, out=refined[rows], mode="clip")
    return refined


def _limit_size(alpha: Bytes, size: tuple[int, int]) -> Bytes:
    """Average alpha down to ``size`` (H, W) along the sides that are longer."""
    shape = (min(alpha.shape[0], size[0]), min(alpha.shape[1], size[1]))
    return alpha if shape == alpha.shape else _resize(alpha, shape, Image.Resampling.BOX)


def _resize(plane: Bytes, size: tuple[int, int], how: Image.Resampling = Image.Resampling.BILINEAR) -> Bytes:
    resized: Bytes = np.asarray(Image.fromarray(plane).resize(size[::-1], how))
    return resized
