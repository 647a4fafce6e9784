"""The order of the steps and their times, nothing else.

Decode; the model and the refinement see the region of interest only; what is half transparent becomes solid, if
wanted, before colours are cleaned (a window keeps the colours that are seen through it); what was outside the region
comes back as background; the layout is decided from the alpha; composition has its own order (``compose``).
"""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from cutout.errors import CutoutError
from cutout.imaging.codecs.decode import Decoded, decode
from cutout.imaging.codecs.encode import chosen, encode
from cutout.imaging.compositing.background import Backdrop, backdrop, without_subject
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import Layout, lay_out
from cutout.imaging.compositing.place import placed
from cutout.imaging.matting.despill import despill
from cutout.imaging.matting.foreground import clean_colours, honour_own_alpha, seen
from cutout.imaging.matting.postprocess import binary, solid
from cutout.imaging.matting.refine import refine_alpha, uncertainty
from cutout.imaging.matting.region import outside, window
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.spec import Channels, CutoutResult, CutoutSpec, Fit, ImageFormat, Limits, OwnAlpha


def cut_out(
    data: bytes,
    spec: CutoutSpec,
    segmenter: Segmenter,
    limits: Limits,
    background: bytes | None = None,
    *,
    with_mask: bool = False,
) -> CutoutResult:
    """From the bytes of a picture to the bytes of its cutout (or mask, which has one channel).

    The answer is upright sRGB and has the file's size unless ``spec`` or ``limits`` say otherwise. background: the
    encoded background image. with_mask: make the mask too, pixel for pixel where the answer has the subject, without
    stroke and shadow.

    Raises the errors of :func:`~cutout.imaging.codecs.decode.decode` (for the background with ``details["image"] ==
    "background"``), InvalidOptionError for a region outside the picture, ServiceUnavailableError when the model fails.
    """
    clock = _Clock()
    decoded = decode(data, limits, spec.size)
    own = None if spec.own_alpha is OwnAlpha.DISCARD else decoded.alpha
    kept = own is not None and spec.own_alpha is OwnAlpha.KEEP
    behind = None if background is None else _decode_background(background, limits)
    size = (decoded.image.shape[0], decoded.image.shape[1])
    part = window(spec.roi, size, (decoded.source_height, decoded.source_width))
    clock.lap("decode")
    visible = seen(decoded.image, own)
    coarse = None if kept else segmenter.alpha(visible[part])
    clock.lap("predict")
    colours, alpha = outside(*_subject(visible[part], coarse, spec), visible, part)
    colours, alpha = honour_own_alpha(colours, alpha, decoded.image, own)
    clock.lap("refine")
    layout = lay_out(alpha, spec, limits, None if behind is None else behind.image.shape[1::-1])
    picture = compose(colours, alpha, spec, layout, _ground(behind, visible, alpha, layout, spec))
    clock.lap("compose")
    picture, image_format = chosen(picture, spec)
    encoded = encode(picture, image_format)
    mask = encode(placed(colours, alpha, layout)[1], ImageFormat.PNG) if with_mask else None
    clock.lap("encode")
    return CutoutResult(
        data=encoded,
        media_type=image_format.media_type,
        width=layout.width,
        height=layout.height,
        source_width=decoded.source_width,
        source_height=decoded.source_height,
        model=segmenter.name,
        stages_ms=clock.stages_ms,
        foreground=layout.foreground,
        mask=mask,
        own_alpha_kept=kept,
        uncertainty=None if coarse is None else uncertainty(coarse),
    )


def _subject(
    image: NDArray[np.uint8], coarse: NDArray[np.float32] | None, spec: CutoutSpec
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours and alpha at full size; a mask has no use for clean colours. coarse: None where all is foreground."""
    if coarse is None:
        return image, np.full(image.shape[:2], 255, np.uint8)
    alpha = refine_alpha(image, coarse)
    if not spec.semitransparency:
        alpha = solid(alpha)
    if spec.binary:
        alpha = binary(alpha)
    if spec.channels is Channels.ALPHA:
        return image, alpha
    colours = clean_colours(image, alpha)
    return despill(colours, alpha, image) if spec.despill and not spec.is_flat else colours, alpha


def _ground(
    behind: Decoded | None, photo: NDArray[np.uint8], alpha: NDArray[np.uint8], layout: Layout, spec: CutoutSpec
) -> Backdrop | None:
    """The background image, or the photo itself to be blurred; None where a colour, or nothing, is behind."""
    if spec.channels is Channels.ALPHA:
        return None
    if behind is not None:
        return backdrop(behind.image, behind.alpha, layout, spec.bg_fit, spec.bg_blur)
    if spec.bg_blur == 0:
        return None
    frame = layout.frame
    shown = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
    return backdrop(without_subject(photo, alpha)[shown], None, layout, Fit.COVER, spec.bg_blur)


def _decode_background(data: bytes, limits: Limits) -> Decoded:
    try:
        return decode(data, limits)
    except CutoutError as error:
        raise error.about_background() from error.__cause__


class _Clock:
    """Laps in milliseconds."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.stages_ms[stage] = (now - self._last) * 1000
        self._last = now
