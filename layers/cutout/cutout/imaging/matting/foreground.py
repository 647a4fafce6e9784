"""Foreground colours of soft edges, so that no halo of the old background remains. Alpha is given and not changed.

The observed colour is I = alpha F + (1 - alpha) B. Local means of certain foreground and certain background (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021) are first guesses of F and B; the pair nearest to them that
explains I (least squares) gives F. The means live on a coarse grid; the formula runs at full size, on soft pixels only.

Where alpha is too large, I is the background itself, and F would be too: a bright rim around dark hair. So where the
subject differs strongly from the background, F may lie only a little way from its own colour towards the other.
"""

import numpy as np

from cutout.imaging.arrays import Bytes, Floats, to_bytes
from cutout.imaging.matting.grid import double, grid_shape, halve, pull_push, shrink
from cutout.imaging.matting.strips import LANES, Sampler, soft_pixels, spread
from cutout.imaging.pixels import PackedPixels, copied, is_packed, packed

GRID_PX = 384
"""Longest side of the grid; 768 is not visibly better on estimated alpha and costs three times as much."""
CONFIDENT = 0.8
"""Cells covered by the foreground (or the background) to a smaller share are mixed; their colour is that of neither."""
_RIDGE = 0.03
"""Keeps F near its guess; 0 would explain noise, 1 is plain blur fusion."""
_INTERIOR_HALVINGS = 4
"""The subject's own colour is taken from about 2**4 cells inside the edge."""
_SHALLOW = 0.001
"""Weight of the rim in the subject's own colour; thin subjects have nothing else."""
_ALIKE, _UNLIKE = 0.3, 0.55
"""Root mean square difference of subject and background, 0..1, up to which F is free, and from which on it is bound."""
_FREE_WAY, _FREE_EXPONENT = 0.15, 8
"""Share of the way to the background's colour that F may take: the first at alpha 0, all of it at alpha 1."""
_FREE = (_FREE_WAY + (1 - _FREE_WAY) * (np.arange(256) / 255) ** _FREE_EXPONENT).astype(np.float32)
"""The same for every alpha in bytes."""


def estimate_foreground(image: Bytes, alpha: Bytes, overview: Bytes | None = None, *, in_place: bool = False) -> Bytes:
    """Estimate the foreground colour of every soft pixel.

    Args:
        image: The photo, uint8 [H, W, 3].
        alpha: uint8 [H, W].
        overview: The same photo, smaller but not below GRID_PX; None for the photo itself.
        in_place: Whether the photo may be overwritten, which spares its copy.

    Returns:
        uint8 [H, W, 3]: estimated where alpha is 1..254, the photo's colours elsewhere.
    """
    result = image if in_place and is_packed(image) else copied(image)
    colours = packed(result)
    size = (alpha.shape[0], alpha.shape[1])
    means: Sampler | None = None
    for pixels in soft_pixels(alpha):
        means = means or Sampler(local_colours(image if overview is None else overview, alpha), size)
        solved = _solve_foreground(pixels.take(colours), pixels.take(alpha), *means(pixels))
        pixels.put(solved, colours)
    return result


def local_colours(image: Bytes, alpha: Bytes) -> list[Floats]:
    """Compute local means of the foreground's, the background's and the subject's own colours on a grid.

    Args:
        image: uint8 [h, w, 3], of any size.
        alpha: uint8 [H, W].

    Returns:
        Each float32 [rows, columns, 4] in 0..1: RGB, and a value without meaning, of the nearest foreground, of the
        background, and of the subject's interior.
    """
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    colours = shrink(image, shape)
    cover = shrink(alpha, shape)
    means = []
    for weight in (confident_weight(cover), confident_weight(1 - cover), interior_weight(cover)):
        mean = np.zeros((*shape, LANES), np.float32)
        mean[..., :3] = pull_push(colours, weight).transpose(1, 2, 0)
        means.append(mean)
    return means


def confident_weight(share: Floats) -> Floats:
    """Weigh a cell's colour by how pure the cell is.

    Args:
        share: Share of the cell that is foreground (or background), float32 of any shape in 0..1.

    Returns:
        float32 of the same shape: 0 up to CONFIDENT, then rising to 1.
    """
    weight: Floats = np.clip((share - np.float32(CONFIDENT)) / np.float32(1 - CONFIDENT), 0, 1)
    return weight


def interior_weight(cover: Floats) -> Floats:
    """Weigh a cell's colour by how deep inside the subject it lies, out of reach of the background's light.

    Args:
        cover: Share of each cell that is foreground, float32 [1, h, w] in 0..1.

    Returns:
        float32 [1, h, w] in 0..1.
    """
    nearness = 1 - cover
    for _ in range(_INTERIOR_HALVINGS):
        nearness = halve(nearness)
    for _ in range(_INTERIOR_HALVINGS):
        nearness = double(nearness)
    weight: Floats = confident_weight(cover) * np.maximum(1 - 4 * np.minimum(nearness * 4, 1), np.float32(_SHALLOW))
    return weight


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


def _solve_foreground(
    observed: PackedPixels, cover: Bytes, front: Floats, back: Floats, subject: Floats
) -> PackedPixels:
    """Solve for F of packed pixels [n] under alpha ``cover`` [n].

    ``front`` and ``back`` are the guesses of F and B, ``subject`` the subject's own colour, each [4 n].
    """
    share = spread(cover) * np.float32(1 / 255)
    rest = 1 - share
    gain = share / (share * share + rest * rest + np.float32(_RIDGE))
    residue = observed.view(np.uint8) * np.float32(1 / 255)
    residue -= share * front
    rest *= back
    residue -= rest
    residue *= gain
    residue += front
    np.clip(residue, 0, 1, out=residue)
    _bound_to_subject(residue, cover, subject, back)
    return to_bytes(residue).view(np.uint32)


def _bound_to_subject(colours: Floats, cover: Bytes, subject: Floats, back: Floats) -> None:
    """Limit, in place, how far colours lie from the subject's own towards the background's, each [4 n]."""
    way = back - subject
    length = _sum_colours(way * way)
    gate = np.clip((np.sqrt(length * np.float32(1 / 3)) - np.float32(_ALIKE)) / np.float32(_UNLIKE - _ALIKE), 0, 1)
    if not gate.any():
        return
    taken = _sum_colours((colours - subject) * way) / np.maximum(length, np.float32(_ALIKE**2))
    way *= spread(gate * np.maximum(taken - np.take(_FREE, cover), 0))
    colours -= way
    np.clip(colours, 0, 1, out=colours)


def _sum_colours(values: Floats) -> Floats:
    """Add up the three colours of every pixel: [4 n] to [n]."""
    red, green, blue, _ = values.reshape(-1, LANES).T
    total: Floats = red + green
    total += blue
    return total
