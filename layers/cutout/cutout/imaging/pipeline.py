"""The order of the steps and their times, nothing else."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.compose import compose
from cutout.imaging.decode import decode
from cutout.imaging.despill import despill
from cutout.imaging.encode import encode
from cutout.imaging.foreground import clean_colours, honour_own_alpha, seen
from cutout.imaging.predict import Segmenter
from cutout.imaging.refine import refine_alpha
from cutout.imaging.spec import Channels, CutoutResult, CutoutSpec, ImageFormat, Limits


def cut_out(data: bytes, spec: CutoutSpec, segmenter: Segmenter, limits: Limits) -> CutoutResult:
    """From the bytes of a picture to the bytes of its cutout (or mask, which is always an 8-bit gray PNG).

    The answer is upright sRGB and has the file's size unless ``spec`` or ``limits`` cap it. Raises the errors of
    :func:`~cutout.imaging.decode.decode`, and ServiceUnavailableError when the model fails.
    """
    clock = _Clock()
    decoded = decode(data, limits, spec.size)
    clock.lap("decode")
    visible = seen(decoded.image, decoded.alpha)
    coarse = segmenter.alpha(visible)
    clock.lap("predict")
    alpha = refine_alpha(visible, coarse)
    colours = _colours(visible, alpha, spec)
    colours, alpha = honour_own_alpha(colours, alpha, decoded.image, decoded.alpha)
    clock.lap("refine")
    picture = compose(colours, alpha, spec)
    clock.lap("compose")
    image_format = ImageFormat.PNG if spec.channels is Channels.ALPHA else spec.format
    encoded = encode(picture, image_format)
    clock.lap("encode")
    return CutoutResult(
        data=encoded,
        media_type=image_format.media_type,
        width=picture.shape[1],
        height=picture.shape[0],
        source_width=decoded.source_width,
        source_height=decoded.source_height,
        model=segmenter.name,
        stages_ms=clock.stages_ms,
    )


def _colours(visible: NDArray[np.uint8], alpha: NDArray[np.uint8], spec: CutoutSpec) -> NDArray[np.uint8]:
    """Clean colours for a picture; a mask has no use for them."""
    if spec.channels is Channels.ALPHA:
        return visible
    colours = clean_colours(visible, alpha)
    return despill(colours, alpha, visible) if spec.despill and not spec.is_flat else colours


class _Clock:
    """Laps in milliseconds."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.stages_ms[stage] = (now - self._last) * 1000
        self._last = now
