"""From the model's small alpha to a sharp alpha at full size, and how uncertain that small alpha is.

Edge-aware upsampling by the fast guided filter (He, Sun: Fast Guided Filter, arXiv:1505.00996) with a colour guide:
on a coarse grid, alpha is regressed on colour in every small window (ridge regression), and the smooth coefficients
are applied to the full-size colours. The grid is a little coarser than the model's alpha, because its edges are
blurred over about two of its pixels: a sharper guide would explain the blur instead of the edge. Only the uncertain
band is touched, row band by row band, so that the cost is linear and the memory small.
"""

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats, row_bands, to_bytes
from cutout.imaging.matting.grid import grid_shape, halve, sample_bilinear, shrink
from cutout.imaging.matting.islands import remove_small_islands

LOW, HIGH = 0.04, 0.96
"""Alpha at or below LOW is background, at or above HIGH foreground; in between it is stretched to 0..1.

Fixed numbers, never taken from the image: a network's sigmoid hardly reaches 0 and 1.
"""
GRID_SHARE = 0.6
"""Side of the grid in sides of the model's alpha; best of 0.4..1.6 on the synthetic composites of the tests."""
RIDGE = 5e-5
"""Regularisation, in squared colour of 0..1: the variance below which colour says nothing (noise)."""
ROWS = 256
"""Rows that are processed at once at full size."""
FLAT, STEEP = 0.1, 0.4
"""Range of alpha within a 3 x 3 neighbourhood up to which it counts as level, and from which on as a step."""
_CELL_HALVINGS = 2
"""A cell of the regression is 4 x 4 grid pixels, a window 3 x 3 cells."""
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def refine_alpha(image: Bytes, coarse: Floats) -> Bytes:
    """Upsample the model's alpha along the edges of the image.

    Certain pixels keep their value (0 or 255); a band about two coarse pixels wide follows the image's edges; small
    faint islands are removed. For an image smaller than its alpha, the cost is that of the image.

    Args:
        image: uint8 [H, W, 3].
        coarse: The model's alpha, float32 [h, w] in 0..1, of any size and aspect.

    Returns:
        Alpha, uint8 [H, W].
    """
    size = (image.shape[0], image.shape[1])
    longest = max(32, round(max(coarse.shape) * GRID_SHARE))
    alpha = remove_small_islands(_stretch(_limit_size(coarse, size)))
    band = uncertain_band(alpha)
    is_soft = bool(band.any())
    fit = fit_guided_filter(image, alpha, longest) if is_soft else alpha[None]
    bounds = alpha_bounds(alpha) if is_soft else alpha[None]
    refined = np.empty(size, np.uint8)
    for rows in row_bands(size[0], ROWS):
        plane = upsample_rows(alpha, size, rows)
        inside = np.flatnonzero(upsample_rows(band, size, rows)) if is_soft else np.empty(0, np.intp)
        if inside.size:
            colours = np.take(image[rows].reshape(-1, 3), inside, axis=0)
            low, high, trust = sample_bilinear(bounds, inside, rows.start, size)
            filtered = np.clip(apply_guided_filter(colours, sample_bilinear(fit, inside, rows.start, size)), low, high)
            plain = np.take(plane, inside)
            plane.reshape(-1)[inside] = plain + trust * (filtered - plain)
        refined[rows] = to_bytes(plane)
    return refined


def uncertainty(alpha: Floats) -> float:
    """Measure how undecided the model was: the share of soft pixels among what it found.

    A pixel is as soft as 4 a (1 - a): 0 where the model is certain, 1 at one half; pixels from one half on are the
    subject. It is measured at the model's own size, so a small copy of an image scores as the image does; edges are
    soft everywhere, so 0 is not reached in practice. On 158 photos with true masks (objects, people, cats, pets) it
    ranks them as 1 - IoU does, Spearman 0.77.

    Args:
        alpha: The model's alpha, float32 [h, w] in 0..1.

    Returns:
        0..1; 1 when nothing was found at all, because there is no cutout to be certain of.
    """
    stretched = _stretch(alpha)
    soft = float(4 * (stretched * (1 - stretched)).sum(dtype=np.float64))
    subject = int(np.count_nonzero(stretched >= 0.5))  # noqa: PLR2004
    return soft / (soft + subject) if soft + subject > 0 else 1.0


def uncertain_band(alpha: Floats) -> Floats:
    """Mark where alpha is neither 0 nor 1 or steps from one to the other, and one pixel around.

    Args:
        alpha: float32 [h, w] in 0..1.

    Returns:
        float32 [h, w]: 1 in the band, 0 elsewhere.
    """
    low, high = _neighbourhood_extremes(alpha)
    band = (alpha > 0) & (alpha < 1) | (high != low)
    return _neighbourhood_extremes(band.astype(np.float32))[1]


def fit_guided_filter(image: Bytes, alpha: Floats, longest: int) -> Floats:
    """Regress alpha on colour in every window of a grid over the image.

    Args:
        image: The guide, uint8 [H, W, 3].
        alpha: float32 [h, w] in 0..1, of any size.
        longest: Cells along the grid's longer side, at most.

    Returns:
        Three slopes and the offset per cell, float32 [4, rows, columns].
    """
    shape = grid_shape(image.shape[0], image.shape[1], longest)
    colour = shrink(image, shape)
    target = upsample_rows(alpha, shape, slice(0, shape[0]))[None]
    products = [colour[i : i + 1] * colour[j : j + 1] for i, j in _PAIRS]
    moments = np.concatenate([colour, target, colour * target, *products])
    for _ in range(_CELL_HALVINGS):
        moments = halve(moments)
    moments = np.stack([_neighbourhood(plane).mean(axis=0) for plane in moments])
    means, share, mixed, squares = moments[:3], moments[3:4], moments[4:7], moments[7:]
    scatter = np.empty((*moments.shape[1:], 3, 3), np.float32)
    for square, (i, j) in zip(squares, _PAIRS, strict=True):
        scatter[..., i, j] = scatter[..., j, i] = square - means[i] * means[j] + np.float32(RIDGE * (i == j))
    covariance = (mixed - means * share).transpose(1, 2, 0)[..., None]
    slopes = np.linalg.solve(scatter, covariance)[..., 0].transpose(2, 0, 1)
    return np.concatenate([slopes, share - (slopes * means).sum(axis=0, keepdims=True)])


def apply_guided_filter(colours: Bytes, fit: Floats) -> Floats:
    """Compute alpha from colour by the coefficients of :func:`fit_guided_filter`.

    Args:
        colours: uint8 [n, 3].
        fit: Coefficients at those pixels, float32 [4, n]; overwritten.

    Returns:
        float32 [n], not bounded.
    """
    alpha: Floats = fit[3]
    for channel in range(3):
        slope = fit[channel]
        slope *= colours[:, channel]
        slope *= np.float32(1 / 255)
        alpha += slope
    return alpha


def alpha_bounds(alpha: Floats) -> Floats:
    """Bound how far colour may move a pixel from the model's alpha.

    The bounds are twice as far from 0 and 1 as the neighbourhood is: texture tears no holes into what the model calls
    solid, and what it calls half solid is free to be anything. Trust is 1 where alpha steps, and 0 where it is level
    or a ramp that the model sees by itself: an edge out of focus is soft, and colour must not sharpen it.

    Args:
        alpha: float32 [h, w] in 0..1.

    Returns:
        Lowest alpha, highest alpha and trust in colour, float32 [3, h, w] in 0..1.
    """
    low, high = _neighbourhood_extremes(alpha)
    trust = np.clip((high - low - FLAT) / (STEEP - FLAT), 0, 1)
    return np.stack([np.maximum(low * 2 - 1, 0), np.minimum(high * 2, 1), trust])


def upsample_rows(plane: Floats, size: tuple[int, int], rows: slice) -> Floats:
    """Resize a plane, bilinear, and return some rows: the same numbers as resizing all of it.

    Args:
        plane: float32 [h, w] in 0..1.
        size: Rows and columns of the full size, (H, W).
        rows: The rows to return; start and stop given.

    Returns:
        float32 [rows, W] in 0..1.
    """
    scale = plane.shape[0] / size[0]
    box = (0.0, rows.start * scale, float(plane.shape[1]), rows.stop * scale)
    part = Image.fromarray(plane).resize((size[1], rows.stop - rows.start), Image.Resampling.BILINEAR, box=box)
    values: Floats = np.clip(np.asarray(part), 0, 1)
    return values


def _stretch(alpha: Floats) -> Floats:
    stretched: Floats = np.clip((alpha - np.float32(LOW)) / np.float32(HIGH - LOW), 0, 1)
    return stretched


def _limit_size(alpha: Floats, size: tuple[int, int]) -> Floats:
    """Average alpha down to ``size`` (H, W) along the sides that are longer."""
    shape = (min(alpha.shape[0], size[0]), min(alpha.shape[1], size[1]))
    if shape == alpha.shape:
        return alpha
    averaged: Floats = np.asarray(Image.fromarray(alpha).resize(shape[::-1], Image.Resampling.BOX))
    return averaged


def _neighbourhood_extremes(plane: Floats) -> tuple[Floats, Floats]:
    """Find the lowest and the highest value in the 3 x 3 neighbourhood of every pixel, edges repeated."""
    padded = np.pad(plane, 1, mode="edge")

    def reduce(extreme: np.ufunc) -> Floats:
        rows = extreme(extreme(padded[:-2], padded[1:-1]), padded[2:])
        found: Floats = extreme(extreme(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
        return found

    return reduce(np.minimum), reduce(np.maximum)


def _neighbourhood(plane: Floats) -> Floats:
    """Stack the 3 x 3 neighbourhood of every pixel, edges repeated: [9, h, w]."""
    padded = np.pad(plane, 1, mode="edge")
    height, width = plane.shape
    return np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])
