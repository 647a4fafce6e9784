"""The order of the steps, and how long each takes.

Decode; the model and the matting see the region of interest only; half transparent regions are filled, if asked,
before foreground colours are estimated (glass keeps the colours that are seen through it); everything outside the
region is background; the layout is derived from the alpha; composition has its own order (``compose``).
"""

from dataclasses import replace
from time import perf_counter

import numpy as np

from cutout.errors import CutoutError
from cutout.imaging.arrays import Bytes, Floats, Words, row_bands
from cutout.imaging.codecs.decode import Decoded, decode
from cutout.imaging.codecs.encode import encode, select_output
from cutout.imaging.codecs.metadata import kept_exif
from cutout.imaging.compositing.background import Backdrop, fit_backdrop, remove_subject
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import Layout, lay_out
from cutout.imaging.compositing.place import place_on_canvas
from cutout.imaging.matting.despill import despill
from cutout.imaging.matting.foreground import apply_own_alpha, estimate_foreground, over_white
from cutout.imaging.matting.grid import overview
from cutout.imaging.matting.postprocess import fill_semitransparent, threshold
from cutout.imaging.matting.refine import refine_alpha, uncertainty
from cutout.imaging.matting.region import paste_region, region_slices
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.spec import Channels, CutoutResult, CutoutSpec, Fit, ImageFormat, Limits, OwnAlpha, SizeName

_ROWS = 64


def cut_out(
    data: bytes,
    spec: CutoutSpec,
    segmenter: Segmenter,
    limits: Limits,
    background: bytes | None = None,
    *,
    with_mask: bool = False,
) -> CutoutResult:
    """Cut the subject out of an image.

    Args:
        data: The encoded image.
        spec: What to make of it: the cutout, or its mask (one channel).
        segmenter: The model.
        limits: Bounds of input and output.
        background: The encoded background image; None without one.
        with_mask: Whether to make the mask as well: pixel for pixel where the answer shows the subject, without
            stroke and shadow.

    Returns:
        The encoded answer: upright sRGB of the file's size, unless ``spec`` or ``limits`` say otherwise.

    Raises:
        ImageTooLargeError, UnsupportedImageFormatError, ResolutionTooHighError, InvalidImageError: The image cannot
            be decoded; for the background image with ``details["image"] == "background"``.
        InvalidOptionError: The region lies partly outside the image.
        ServiceUnavailableError: The model does not run.
    """
    clock = _Clock()
    decoded = _decode_for(data, spec, limits)
    own_alpha = None if spec.own_alpha is OwnAlpha.DISCARD else decoded.alpha
    keeps_own_alpha = own_alpha is not None and spec.own_alpha is OwnAlpha.KEEP
    behind = None if background is None else _decode_background(background, limits)
    size = (decoded.image.shape[0], decoded.image.shape[1])
    region = region_slices(spec.roi, size, (decoded.source_height, decoded.source_width))
    clock.lap("decode")
    visible = over_white(decoded.image, own_alpha)
    small = overview(visible[region])
    coarse = None if keeps_own_alpha else segmenter.alpha(small)
    clock.lap("predict")
    colours, alpha = paste_region(*matte(visible[region], small, coarse, spec), visible, region)
    colours, alpha = apply_own_alpha(colours, alpha, decoded.image, own_alpha)
    clock.lap("refine")
    layout = lay_out(alpha, spec, limits, None if behind is None else behind.image.shape[1::-1])
    shown = colours if decoded.deep is None else _deepen(colours, decoded.image, decoded.deep)
    picture = compose(shown, alpha, spec, layout, _backdrop(behind, visible, alpha, layout, spec))
    clock.lap("compose")
    picture, image_format = select_output(picture, spec)
    exif = kept_exif(decoded.exif, gps=spec.keep_gps) if spec.keep_metadata else b""
    encoded = encode(picture, image_format, decoded.profile, exif)
    mask = encode(place_on_canvas(colours, alpha, layout)[1], ImageFormat.PNG) if with_mask else None
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
        own_alpha_kept=keeps_own_alpha,
        uncertainty=None if coarse is None else uncertainty(coarse),
    )


def _decode_for(data: bytes, spec: CutoutSpec, limits: Limits) -> Decoded:
    """Decode at the answer's size, or larger where only a part of the photo fills the answer.

    ``size`` caps the final picture, so a crop must not be made of fewer pixels than it may have.
    """
    if spec.crop or spec.scale is not None or spec.canvas is not None:
        limits, size = replace(limits, max_output_mp=SizeName.FULL.max_mp), SizeName.FULL
    else:
        size = spec.size
    keep_profile = spec.keep_profile and spec.channels is Channels.RGBA
    return decode(data, limits, size, keep_profile=keep_profile, deep=spec.is_deep)


def matte(image: Bytes, small: Bytes, coarse: Floats | None, spec: CutoutSpec) -> tuple[Bytes, Bytes]:
    """Compute foreground colours and alpha at full size.

    Args:
        image: uint8 [H, W, 3].
        small: The same image as its overview.
        coarse: The model's alpha, float32 [h, w] in 0..1; None where all is foreground.
        spec: Which steps are asked for.

    Returns:
        Colours uint8 [H, W, 3] and alpha uint8 [H, W].
    """
    if coarse is None:
        return image, np.full(image.shape[:2], 255, np.uint8)
    alpha = refine_alpha(image, coarse, small)
    if not spec.semitransparency:
        alpha = fill_semitransparent(alpha)
    if spec.binary:
        alpha = threshold(alpha)
    if spec.channels is Channels.ALPHA:  # a mask has no use for colours
        return image, alpha
    colours = estimate_foreground(image, alpha, small)
    return despill(colours, alpha, image) if spec.despill and not spec.is_flat else colours, alpha


def _deepen(colours: Bytes, image: Bytes, deep: Words) -> Words:
    """Apply what matting has changed in 8 bits to the same image in 16: uint16 [H, W, 3]."""
    result = np.empty_like(deep)
    for rows in row_bands(len(deep), _ROWS):
        changed = (colours[rows].astype(np.int32) - image[rows]) * 257
        result[rows] = np.clip(deep[rows] + changed, 0, 65535)
    return result


def _backdrop(
    background: Decoded | None, photo: Bytes, alpha: Bytes, layout: Layout, spec: CutoutSpec
) -> Backdrop | None:
    """Make the background image, or blur the photo's own; None where a colour, or nothing, is behind."""
    if spec.channels is Channels.ALPHA:
        return None
    if background is not None:
        return fit_backdrop(background.image, background.alpha, layout, spec.bg_fit, spec.bg_blur)
    if spec.bg_blur == 0:
        return None
    frame = layout.frame
    shown = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
    return fit_backdrop(remove_subject(photo, alpha)[shown], None, layout, Fit.COVER, spec.bg_blur)


def _decode_background(data: bytes, limits: Limits) -> Decoded:
    try:
        return decode(data, limits)
    except CutoutError as error:
        raise type(error)(error.message, {**error.details, "image": "background"}) from error


class _Clock:
    """Measures stages in milliseconds."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.stages_ms[stage] = (now - self._last) * 1000
        self._last = now
