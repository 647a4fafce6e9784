"""The order of the steps, and how long each takes.

Decode; find the subject (``isolate``); the layout is derived from its alpha; composition has its own order
(``compose``); encode. An animation of which all frames are wanted goes another way (``animate``).
"""

from dataclasses import replace

import numpy as np

from cutout.errors import CutoutError
from cutout.imaging.animate import cut_out_animation
from cutout.imaging.arrays import Bytes, Words, row_bands
from cutout.imaging.clock import StageClock
from cutout.imaging.codecs.animation import read_animation
from cutout.imaging.codecs.decode import Decoded, decode
from cutout.imaging.codecs.encode import encode, encode_while_read, select_output
from cutout.imaging.codecs.metadata import kept_exif
from cutout.imaging.compositing.background import backdrop_for
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import lay_out
from cutout.imaging.compositing.place import place_on_canvas
from cutout.imaging.isolate import isolate
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.spec import Channels, CutoutResult, CutoutSpec, ImageFormat, Limits, SizeName

_ROWS = 64


def cut_out(
    data: bytes,
    spec: CutoutSpec,
    segmenter: Segmenter,
    limits: Limits,
    background: bytes | None = None,
    *,
    with_mask: bool = False,
    encode_later: bool = False,
) -> CutoutResult:
    """Cut the subject out of an image, or out of every frame of an animation.

    Args:
        data: The encoded image.
        spec: What to make of it: the cutout, or its mask (one channel).
        segmenter: The model.
        limits: Bounds of input and output.
        background: The encoded background image; None without one.
        with_mask: Whether to make the mask as well: pixel for pixel where the answer shows the subject, without
            stroke and shadow.
        encode_later: Whether a PNG is encoded only while it is read, so that it can be sent meanwhile.

    Returns:
        The encoded answer: upright sRGB of the file's size, unless ``spec`` or ``limits`` say otherwise.

    Raises:
        ImageTooLargeError, UnsupportedImageFormatError, ResolutionTooHighError, InvalidImageError: The image cannot
            be decoded; for the background image with ``details["image"] == "background"``.
        AnimationTooLargeError: An animation has too many frames, or pixels in all.
        InvalidOptionError: The region lies partly outside the image.
        NothingFoundError: Nothing is found, and ``spec`` wants no empty picture.
        ServiceUnavailableError: The model does not run.
    """
    clock = StageClock()
    caps, size = _decoding_caps(spec, limits)
    keep_profile = spec.keep_profile and spec.channels is Channels.RGBA
    if spec.is_moving and (animation := read_animation(data, caps, size, keep_profile=keep_profile)):
        behind = _decode_background(background, limits)
        clock.lap("decode")
        return cut_out_animation(animation, spec, segmenter, limits, clock=clock, behind=behind, with_mask=with_mask)
    decoded = decode(data, caps, size, keep_profile=keep_profile, deep=spec.is_deep)
    behind = _decode_background(background, limits)
    clock.lap("decode")
    subject = isolate(decoded, spec, segmenter, clock)
    colours, alpha = subject.colours, subject.alpha
    layout = lay_out(alpha, spec, limits, None if behind is None else behind.image.shape[1::-1])
    shown = colours if decoded.deep is None else _deepen(colours, decoded.image, decoded.deep)
    picture = compose(shown, alpha, spec, layout, backdrop_for(behind, subject.visible, alpha, layout, spec))
    clock.lap("compose")
    picture, image_format = select_output(picture, spec)
    exif = kept_exif(decoded.exif, gps=spec.keep_gps) if spec.keep_metadata else b""
    encoded = (encode_while_read if encode_later else encode)(picture, image_format, decoded.profile, exif)
    mask = encode(place_on_canvas(colours, alpha, layout)[1], ImageFormat.PNG) if with_mask else None
    if isinstance(encoded, bytes):
        clock.lap("encode")
    return CutoutResult(
        file=encoded,
        media_type=image_format.media_type,
        width=layout.width,
        height=layout.height,
        source_width=decoded.source_width,
        source_height=decoded.source_height,
        model=segmenter.name,
        stages_ms=clock.stages_ms,
        foreground=layout.foreground,
        mask=mask,
        own_alpha_kept=subject.own_alpha_kept,
        uncertainty=subject.uncertainty,
    )


def _decoding_caps(spec: CutoutSpec, limits: Limits) -> tuple[Limits, SizeName]:
    """Find the caps to decode at: the answer's, or larger ones where only a part of the photo fills the answer.

    ``size`` caps the final picture, so a crop must not be made of fewer pixels than it may have.
    """
    if spec.crop or spec.scale is not None or spec.canvas is not None:
        return replace(limits, max_output_mp=SizeName.FULL.max_mp), SizeName.FULL
    return limits, spec.size


def _deepen(colours: Bytes, image: Bytes, deep: Words) -> Words:
    """Apply what matting has changed in 8 bits to the same image in 16: uint16 [H, W, 3]."""
    result = np.empty_like(deep)
    for rows in row_bands(len(deep), _ROWS):
        changed = (colours[rows].astype(np.int32) - image[rows]) * 257
        result[rows] = np.clip(deep[rows] + changed, 0, 65535)
    return result


def _decode_background(data: bytes | None, limits: Limits) -> Decoded | None:
    if data is None:
        return None
    try:
        return decode(data, limits)
    except CutoutError as error:
        raise type(error)(error.message, {**error.details, "image": "background"}) from error
