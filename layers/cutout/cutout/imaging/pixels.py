"""Pictures that numpy and Pillow share: RGB in four bytes a pixel, which is how Pillow keeps it.

Every step takes a picture as uint8 [H, W, 3]. Where that is a view of four-byte pixels, Pillow reads it in place, four
bytes are moved at once, and alpha finds its room beside the colours; copying a large photo back and forth would cost
more than all that is done to it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.arrays import Bytes

PackedPixels = NDArray[np.uint32]
"""Pixels of four bytes as one number each."""
_BYTES = 4


def new_pixels(height: int, width: int) -> Bytes:
    """Make room for a picture.

    Args:
        height: Rows.
        width: Columns.

    Returns:
        Colours, uint8 [height, width, 3], as a view of four-byte pixels; their content is undefined.
    """
    return np.empty((height, width, _BYTES), np.uint8)[..., :3]


def four_bytes(colours: Bytes) -> Bytes | None:
    """Find the four-byte pixels of which colours, or a part of them, are a view.

    Args:
        colours: Of any type and shape.

    Returns:
        The same memory with the fourth byte, uint8 [h, w, 4]; None for colours that are kept otherwise.
    """
    whole = colours.base
    if not isinstance(whole, np.ndarray) or whole.dtype != np.uint8 or whole.shape[2:] != (_BYTES,):
        return None
    if colours.shape[2:] != (3,) or colours.strides != whole.strides:
        return None
    top, rest = divmod(_address(colours) - _address(whole), whole.strides[0])
    left, channel = divmod(rest, _BYTES)
    return None if channel else whole[top : top + colours.shape[0], left : left + colours.shape[1]]


def copied(colours: Bytes) -> Bytes:
    """Copy colours.

    Args:
        colours: uint8 [H, W, 3].

    Returns:
        uint8 [H, W, 3], in four bytes a pixel.
    """
    copy = new_pixels(*colours.shape[:2])
    whole = four_bytes(colours)
    if whole is None:
        copy[...] = colours
    else:
        copy.base[...] = whole  # type: ignore[index]
    return copy


def is_packed(colours: Bytes) -> bool:
    """Tell whether colours are all of an array of four-byte pixels.

    Args:
        colours: uint8 [H, W, 3].

    Returns:
        Whether :func:`packed` gives their own memory.
    """
    whole = four_bytes(colours)
    return whole is not None and whole.flags.c_contiguous


def packed(colours: Bytes) -> PackedPixels:
    """Give every pixel as one number.

    Args:
        colours: uint8 [H, W, 3].

    Returns:
        uint32 [H, W], contiguous; on the colours' own memory if they are packed, else a copy.
    """
    whole = four_bytes(colours if is_packed(colours) else copied(colours))
    return whole.view(np.uint32)[..., 0]  # type: ignore[union-attr]


def as_picture(colours: Bytes) -> Image.Image:
    """Show colours to Pillow, without a copy if they are all of an array of four-byte pixels.

    Args:
        colours: uint8 [H, W, 3] or [H, W] (gray).

    Returns:
        A picture in mode RGB or L.
    """
    whole = four_bytes(colours)
    return Image.fromarray(colours) if whole is None else _mapped(np.ascontiguousarray(whole))


def as_pixels(picture: Image.Image) -> Bytes:
    """Copy a picture of Pillow's.

    Args:
        picture: In mode RGB, RGBA or RGBX.

    Returns:
        Its colours, uint8 [H, W, 3], in four bytes a pixel.
    """
    colours = new_pixels(picture.height, picture.width)
    _mapped(colours.base).im.paste(picture.im, (0, 0, *picture.size))  # type: ignore[arg-type]
    return colours


def allocate(picture: Image.Image) -> Bytes:
    """Let Pillow decode a picture into an array.

    Args:
        picture: In mode RGB, not loaded yet.

    Returns:
        Its colours, uint8 [H, W, 3], in four bytes a pixel; undefined until it is loaded.
    """
    colours = new_pixels(picture.height, picture.width)
    picture.im = _core(colours.base)  # type: ignore[arg-type]
    return colours


def _mapped(whole: Bytes) -> Image.Image:
    """Show four-byte pixels as mode RGB, of which Pillow resizes three channels; it would resize all four of RGBX."""
    picture = Image.Image()
    picture.im = _core(whole)
    picture._mode, picture._size = "RGB", (whole.shape[1], whole.shape[0])  # noqa: SLF001 - as Image.frombuffer does
    return picture


def _core(whole: Bytes) -> Any:
    return Image.core.map_buffer(whole, (whole.shape[1], whole.shape[0]), "raw", 0, ("RGB", 0, 1))  # type: ignore[attr-defined]


def _address(array: Bytes) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
