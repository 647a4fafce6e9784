"""Every frame of an animation cut out, with a mask that is steady over time.

Equal frames are cut out once, so they cannot flicker. Between others the model's alpha moves only where the picture
does: where a frame looks as the one before, its alpha stays.
"""

import hashlib
from dataclasses import replace
from time import perf_counter

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats
from cutout.imaging.codecs.animation import Animation, encode_animation, read_animation
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import lay_out
from cutout.imaging.matting.foreground import apply_own_alpha, over_white
from cutout.imaging.matting.grid import overview
from cutout.imaging.matting.refine import uncertainty
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.pipeline import matte
from cutout.imaging.spec import CutoutResult, CutoutSpec, ImageFormat, Limits

FORMATS = frozenset({ImageFormat.WEBP, ImageFormat.PNG, ImageFormat.GIF})
"""Formats that an animation can have."""
_STILL, _MOVED = 6.0, 24.0
"""Difference of two frames, of 255, up to which a place counts as the same, and from which on as another."""


def cut_out_animation(data: bytes, spec: CutoutSpec, segmenter: Segmenter, limits: Limits) -> CutoutResult | None:
    """Cut the subject out of every frame.

    Crop, canvas and position are those of all frames together, so the subject does not jump. A region, a background
    image, a blurred background and masks are for single pictures.

    Args:
        data: The encoded animation.
        spec: What to make of it; its format is one of FORMATS.
        segmenter: The model.
        limits: Bounds of input and output.

    Returns:
        The encoded animation; None where the file has one frame only, or the format is none of FORMATS.

    Raises:
        ResolutionTooHighError, InvalidImageError: The animation is too large, or damaged.
        ServiceUnavailableError: The model does not run.
    """
    started = perf_counter()
    source = read_animation(data, limits, spec.size) if spec.format in FORMATS else None
    if source is None:
        return None
    decoded = perf_counter()
    mattes, undecided = _mattes(source, spec, segmenter)
    together = np.maximum.reduce([alpha for _, alpha in mattes])
    layout = lay_out(together, spec, limits)
    kept = replace(spec, format=ImageFormat.PNG) if spec.format is ImageFormat.GIF else spec
    frames = [compose(colours, alpha, kept, layout) for colours, alpha in mattes]
    cut = perf_counter()
    encoded = encode_animation(replace(source, frames=frames), spec.format)
    return CutoutResult(
        data=encoded,
        media_type=spec.format.media_type,
        width=layout.width,
        height=layout.height,
        source_width=source.source_width,
        source_height=source.source_height,
        model=segmenter.name,
        stages_ms={
            "decode": (decoded - started) * 1000,
            "predict": (cut - decoded) * 1000,
            "encode": (perf_counter() - cut) * 1000,
        },
        foreground=layout.foreground,
        uncertainty=undecided,
        frames=len(frames),
    )


def _mattes(source: Animation, spec: CutoutSpec, segmenter: Segmenter) -> tuple[list[tuple[Bytes, Bytes]], float]:
    """Compute colours and alpha of every frame, and how uncertain the most uncertain one is."""
    known: dict[bytes, tuple[Bytes, Bytes]] = {}
    result = []
    before: tuple[Bytes, Floats] | None = None
    undecided = 0.0
    for frame in source.frames:
        digest = hashlib.blake2b(np.ascontiguousarray(frame).data).digest()
        if digest not in known:
            own = None if frame[..., 3].min() == 255 else np.ascontiguousarray(frame[..., 3])  # noqa: PLR2004
            image = np.ascontiguousarray(frame[..., :3])
            visible = over_white(image, own)
            coarse = _steady(segmenter.alpha(visible), visible, before)
            before = visible, coarse
            undecided = max(undecided, uncertainty(coarse))
            known[digest] = apply_own_alpha(*matte(visible, overview(visible), coarse, spec), image, own)
        result.append(known[digest])
    return result, undecided


def _steady(alpha: Floats, image: Bytes, before: tuple[Bytes, Floats] | None) -> Floats:
    """Keep the alpha of the frame before, float32 [h, w], where the picture has not changed."""
    if before is None or before[1].shape != alpha.shape:
        return alpha
    size = (alpha.shape[1], alpha.shape[0])
    here, there = (
        np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX), np.float32) for each in (image, before[0])
    )
    moved = np.clip((np.abs(here - there).max(axis=-1) - _STILL) / (_MOVED - _STILL), 0, 1)
    steady: Floats = before[1] + moved * (alpha - before[1])
    return steady
