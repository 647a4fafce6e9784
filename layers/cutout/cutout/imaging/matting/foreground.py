"""Clean colours for soft edges, so that no halo of the old background remains. Alpha is given and not changed.

The observed colour is I = alpha F + (1 - alpha) B. Local means of sure foreground and sure background (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021) are first guesses of F and B; the pair nearest to them that
explains I (least squares) gives F. The means live on a coarse grid, the formula runs at full size on soft pixels only.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.matting.grid import Floats, grid_shape, read, shrink, spread

GRID_PX = 384
"""Longest side of the grid; 768 is not visibly better on estimated alpha and costs three times as much."""
ROWS = 256
"""Rows that are worked on at once at full size."""
SURE = 0.8
"""Cells covered (or open) by less than this share are mixed, and their colour is nobody's."""
_RIDGE = 0.03
"""Keeps F near its guess; 0 would explain noise, 1 is plain blur fusion."""


def clean_colours(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours uint8 [H, W, 3]: estimated where alpha is 1..254, untouched elsewhere."""
    result = image.copy()
    guess: Floats | None = None
    for top in range(0, len(alpha), ROWS):
        cover = alpha[top : top + ROWS].reshape(-1)
        soft = np.flatnonzero((cover - np.uint8(1)) < 254)  # 0 wraps around to 255  # noqa: PLR2004
        if not soft.size:
            continue
        if guess is None:
            guess = local_colours(image, alpha)
        pixels = result[top : top + ROWS].reshape(-1, 3)
        observed = np.take(pixels, soft, axis=0)
        pixels[soft] = _unmixed(observed, np.take(cover, soft), read(guess, soft, top, alpha.shape))
    return result


def local_colours(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Floats:
    """Local foreground and background colours on a grid: float32 [6, h, w] in 0..1, foreground first."""
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    colours = shrink(image, shape)
    cover = shrink(alpha, shape)
    return np.concatenate([spread(colours, sure(cover)), spread(colours, sure(1 - cover))])


def sure(share: Floats) -> Floats:
    """Weight of a cell's colour by its share: 0 up to SURE, then rising to 1."""
    weight: Floats = np.clip((share - np.float32(SURE)) / np.float32(1 - SURE), 0, 1)
    return weight


def seen(image: NDArray[np.uint8], own: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """What a viewer sees of a file with transparency: ``image`` on white. Hidden colours must mislead no model."""
    if own is None:
        return image
    share = own[..., None].astype(np.uint16)
    return ((image * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def honour_own_alpha(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], image: NDArray[np.uint8], own: NDArray[np.uint8] | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours and alpha after the file's ``own`` alpha: nothing becomes more opaque than it was.

    Where the file was translucent its colours are unmixed already, and are taken as they are.
    """
    if own is None:
        return colours, alpha
    return np.where((own < 255)[..., None], image, colours), np.minimum(alpha, own)  # noqa: PLR2004


def _unmixed(observed: NDArray[np.uint8], cover: NDArray[np.uint8], guess: Floats) -> NDArray[np.uint8]:
    """Foreground colours [n, 3] of ``observed`` [n, 3] under ``cover`` [n]; guess: [6, n], changed in place."""
    share = cover * np.float32(1 / 255)
    rest = 1 - share
    gain = share / (share * share + rest * rest + np.float32(_RIDGE))
    clean = np.empty_like(observed)
    for channel in range(3):
        front, back = guess[channel], guess[channel + 3]
        back *= rest
        residue = observed[:, channel] * np.float32(1 / 255)
        residue -= share * front
        residue -= back
        residue *= gain
        front += residue
        clean[:, channel] = np.clip(front, 0, 1, out=front) * np.float32(255) + np.float32(0.5)
    return clean
