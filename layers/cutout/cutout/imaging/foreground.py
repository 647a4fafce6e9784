"""Clean colours for soft edges, so that no halo of the old background remains. Alpha is given and not changed.

The observed colour is I = alpha F + (1 - alpha) B. Local means of sure foreground and of sure background give first
guesses, and the correction of blur fusion (Forte: Approximate Fast Foreground Colour Estimation, ICIP 2021) makes
them agree with I. The means live on the coarse grid, the formula runs at full size in the soft band only.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.grid import Floats, grid_shape, read, shrink, spread

ROWS = 256
"""Rows of a full-size band."""


def clean_colours(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours uint8 [H, W, 3]: untouched where alpha is 255, estimated in 1..254, black where it is 0."""
    height, width = alpha.shape
    result = np.empty_like(image)
    guess: Floats | None = None
    for top in range(0, height, ROWS):
        rows = slice(top, top + ROWS)
        shown = alpha[rows] > 0
        np.multiply(image[rows], shown[..., None], out=result[rows])
        soft = np.flatnonzero(shown & (alpha[rows] < 255))  # noqa: PLR2004
        if not soft.size:
            continue
        if guess is None:
            guess = local_colours(image, alpha)
        at = np.divmod(soft, width)
        near = read(guess, at[0] + top, at[1], (height, width))
        result[rows][at] = _unmixed(image[rows][at], alpha[rows][at], near)
    return result


def seen(image: NDArray[np.uint8], own: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """What a viewer sees of a file with transparency: ``image`` on white. Hidden colours must mislead no model."""
    if own is None:
        return image
    share = own[..., None].astype(np.uint16)
    return ((image * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def honour_own_alpha(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], image: NDArray[np.uint8], own: NDArray[np.uint8] | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours and alpha after the file's ``own`` alpha: never more opaque than it was, hidden colours black.

    Where the file was translucent its colours are unmixed already, and are taken as they are.
    """
    if own is None:
        return colours, alpha
    alpha = np.minimum(alpha, own)
    colours = np.where((own < 255)[..., None], image, colours)  # noqa: PLR2004
    colours[alpha == 0] = 0
    return colours, alpha


def local_colours(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Floats:
    """Local foreground and background colours on the grid: float32 [h, w, 6] in 0..1, foreground first."""
    shape = grid_shape(*alpha.shape)
    colours = shrink(image, shape)
    cover = shrink(alpha, shape)[..., None]
    return np.concatenate([spread(colours, cover**8), spread(colours, (1 - cover) ** 8)], axis=-1)


def _unmixed(observed: NDArray[np.uint8], alpha: NDArray[np.uint8], near: Floats) -> NDArray[np.uint8]:
    share = (alpha.astype(np.float32) / np.float32(255))[:, None]
    front, back = near[:, :3], near[:, 3:]
    residue = observed.astype(np.float32) / np.float32(255) - share * front - (1 - share) * back
    colour = front + residue * share
    clean: NDArray[np.uint8] = (np.clip(colour, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return clean
