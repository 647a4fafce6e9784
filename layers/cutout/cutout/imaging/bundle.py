"""One picture as the two files that a compositor wants: opaque colours and a gray mask, in a ZIP archive.

Colours continue beyond the subject's edge, so that JPEG's blocks mix nothing foreign into it, and nothing of the
old background leaves in hidden pixels.
"""

from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.continuation import continued

Encoder = Callable[[NDArray[np.uint8]], bytes]


def bundle(picture: NDArray[np.uint8], jpeg: Encoder, png: Encoder) -> bytes:
    """A ZIP of exactly color.jpg and alpha.png; cut out by that mask, the colours are the picture again.

    picture: uint8 [H, W, 3], whose mask is white, or [H, W, 4] with straight alpha. jpeg, png: encode [H, W, 3] and
    [H, W].
    """
    if picture.shape[2] == 3:  # noqa: PLR2004
        colours, alpha = picture, np.full(picture.shape[:2], 255, np.uint8)
    else:
        colours, alpha = continued(picture), np.ascontiguousarray(picture[..., 3])
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:  # both files are compressed already
        for name, data in (("color.jpg", jpeg(colours)), ("alpha.png", png(alpha))):
            archive.writestr(ZipInfo(name), data)  # its date is always 1980: the same picture, the same bytes
    return buffer.getvalue()
