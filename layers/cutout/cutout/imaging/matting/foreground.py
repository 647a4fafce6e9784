"""Foreground colours of soft edges, so that no halo of the old background remains. Alpha is given and not changed.

The observed colour is I = alpha F + (1 - alpha) B. Local means of certain foreground and certain background (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021) are first guesses of F and B; the pair nearest to them that
explains I (least squares) gives F. The means live on a coarse grid; the formula runs at full size, on soft pixels only.

Where alpha is too large, I is the background itself, and F would be too: a bright rim around dark hair. So where the
subject differs strongly from the background, F may lie only a little way from its own colour towards the other.
"""

import numpy as np

from cutout.imaging.arrays import Bytes, Floats, row_bands
from cutout.imaging.matting.grid import grid_shape
from cutout.imaging.matting.local_colours import ALIKE, LocalColours, local_colours
from cutout.imaging.matting.strips import FOUR_FLOATS, LANES, PIXELS, GridLines, Runs, soft_pixels
from cutout.imaging.pixels import PackedPixels, copied, is_packed, packed
from cutout.imaging.threads import do_all

GRID_PX = 384
"""Longest side of the grid; 768 is not visibly better on estimated alpha and costs three times as much."""
_RIDGE = 0.03
"""Keeps F near its guess; 0 would explain noise, 1 is plain blur fusion."""
_UNLIKE = 0.55
"""Root mean square difference of subject and background, 0..1, from which on F is bound; up to ALIKE it is free."""
_FREE_WAY, _FREE_EXPONENT = 0.15, 8
"""Share of the way to the background's colour that F may take: the first at alpha 0, all of it at alpha 1."""
_SHARE = np.arange(256) / 255
_FREE = (_FREE_WAY + (1 - _FREE_WAY) * _SHARE**_FREE_EXPONENT).astype(np.float32)
"""The same for every alpha in bytes."""
_GAIN = _SHARE / (_SHARE**2 + (1 - _SHARE) ** 2 + _RIDGE)
_FRONT, _OBSERVED = (
    np.repeat(weight, LANES).astype(np.float32).view(FOUR_FLOATS) for weight in (1 - _GAIN * _SHARE, _GAIN)
)
"""F less the guess of B is a weighted sum: of the guess of F, and of I, both less that of B. The weights for every
alpha in bytes, LANES times."""


def estimate_foreground(image: Bytes, alpha: Bytes, guide: Bytes | None = None, *, in_place: bool = False) -> Bytes:
    """Estimate the foreground colour of every soft pixel.

    Args:
        image: The photo, uint8 [H, W, 3].
        alpha: uint8 [H, W].
        guide: The same photo, smaller (``grid.guide_of``); None for the photo itself.
        in_place: Whether the photo may be overwritten, which spares its copy.

    Returns:
        uint8 [H, W, 3]: estimated where alpha is 1..254, the photo's colours elsewhere.
    """
    result = image if in_place and is_packed(image) else copied(image)
    soft = soft_pixels(alpha)
    if not soft.size:
        return result
    size = (alpha.shape[0], alpha.shape[1])
    lines = GridLines(grid_shape(*size, GRID_PX), size)
    means = local_colours(image if guide is None else guide, alpha, lines.cells_around(soft))
    colours = packed(result).reshape(-1)

    def solve(part: slice) -> None:
        places = soft[part].astype(np.intp)
        runs = lines.runs(places, means.slots)
        colours[places] = _solve_foreground(np.take(colours, places), np.take(alpha, places), runs, means)

    do_all(solve, list(row_bands(soft.size, PIXELS)))
    return result


def over_white(image: Bytes, own_alpha: Bytes | None) -> Bytes:
    """Composite an image that has transparency over white, as a viewer shows it.

    Colours that transparency hides must not mislead the model.

    Args:
        image: uint8 [H, W, 3].
        own_alpha: The file's transparency, uint8 [H, W]; None when the file is opaque.

    Returns:
        uint8 [H, W, 3].
    """
    if own_alpha is None:
        return image
    share = own_alpha[..., None].astype(np.uint16)
    return ((image * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def apply_own_alpha(colours: Bytes, alpha: Bytes, image: Bytes, own_alpha: Bytes | None) -> tuple[Bytes, Bytes]:
    """Limit the alpha to the file's own transparency: nothing becomes more opaque than it was.

    Where the file was translucent its colours are unmixed already, and are taken as they are.

    Args:
        colours: Estimated foreground colours, uint8 [H, W, 3].
        alpha: Estimated alpha, uint8 [H, W].
        image: The file's colours, uint8 [H, W, 3].
        own_alpha: The file's transparency, uint8 [H, W]; None when the file is opaque.

    Returns:
        Colours uint8 [H, W, 3] and alpha uint8 [H, W].
    """
    if own_alpha is None:
        return colours, alpha
    return np.where((own_alpha < 255)[..., None], image, colours), np.minimum(alpha, own_alpha)  # noqa: PLR2004


def _solve_foreground(observed: PackedPixels, cover: Bytes, runs: Runs, means: LocalColours) -> PackedPixels:
    """Solve for F of packed pixels [n], which form runs, under alpha ``cover`` [n]."""
    back = runs.interpolate(means.back)
    solved = _unmix(observed.view(np.uint8), cover, runs.interpolate(means.front), back)
    pixels, part = runs.where(np.logical_or.reduce(np.take(means.differ, runs.corners)))
    if pixels.size:
        some, behind = (np.take(each.view(FOUR_FLOATS), pixels).view(np.float32) for each in (solved, back))
        _bound_to_subject(some, np.take(cover, pixels), part.interpolate(means.subject), behind)
        solved.view(FOUR_FLOATS)[pixels] = some.view(FOUR_FLOATS)
    solved += np.float32(0.5)
    return solved.astype(np.uint8).view(np.uint32)


def _unmix(observed: Bytes, cover: Bytes, front: Floats, back: Floats) -> Floats:
    """Solve for F, [4 n] in 0..255, of I [4 n] under alpha [n], from guesses of F (overwritten) and B, [4 n]."""
    cover = cover.astype(np.intp)
    front -= back
    front *= np.take(_FRONT, cover).view(np.float32)
    seen = observed - back
    seen *= np.take(_OBSERVED, cover).view(np.float32)
    front += seen
    front += back
    return np.clip(front, 0, 255, out=front)


def _bound_to_subject(colours: Floats, cover: Bytes, subject: Floats, back: Floats) -> None:
    """Limit, in place, how far colours lie from the subject's own towards the background's, each [4 n] in 0..255."""
    way = back - subject
    length = _sum_colours(way * way)
    gate = np.clip((np.sqrt(length * np.float32(1 / 3)) / 255 - np.float32(ALIKE)) / np.float32(_UNLIKE - ALIKE), 0, 1)
    taken = _sum_colours((colours - subject) * way) / np.maximum(length, np.float32((255 * ALIKE) ** 2))
    way *= np.repeat(gate * np.maximum(taken - np.take(_FREE, cover), 0), LANES)
    colours -= way
    np.clip(colours, 0, 255, out=colours)


def _sum_colours(values: Floats) -> Floats:
    """Add up the three colours of every pixel: [4 n] to [n]."""
    red, green, blue, _ = values.reshape(-1, LANES).T
    total: Floats = red + green
    total += blue
    return total
