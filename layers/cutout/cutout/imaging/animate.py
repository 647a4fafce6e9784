"""Every frame of an animation cut out, with a mask that is steady over time.

Equal frames are cut out once, so they cannot flicker. Between others the model's alpha moves only where the picture
does: where a frame looks as the one before, its alpha stays. Crop, canvas and position are those of all frames
together, so the subject does not jump.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats
from cutout.imaging.clock import StageClock
from cutout.imaging.codecs.animation import Animation, encode_animation, require_bounds
from cutout.imaging.codecs.decode import Decoded
from cutout.imaging.codecs.metadata import kept_exif
from cutout.imaging.compositing.background import backdrop_for
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import Layout, lay_out
from cutout.imaging.compositing.place import place_on_canvas
from cutout.imaging.isolate import Subject, isolate
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.spec import CutoutResult, CutoutSpec, ImageFormat, Limits

_STILL, _MOVED = 6.0, 24.0
"""Difference of two frames, of 255, up to which a place counts as the same, and from which on as another."""


def cut_out_animation(
    animation: Animation[Decoded],
    spec: CutoutSpec,
    segmenter: Segmenter,
    limits: Limits,
    *,
    clock: StageClock,
    behind: Decoded | None = None,
    with_mask: bool = False,
) -> CutoutResult:
    """Cut the subject out of every frame.

    Args:
        animation: The frames.
        spec: What to make of them; its format can move.
        segmenter: The model.
        limits: Bounds of the output.
        clock: Measures the stages.
        behind: The background image; None without one.
        with_mask: Whether to make the masks as well, as an APNG.

    Returns:
        The encoded animation, with the facts of all frames together.

    Raises:
        AnimationTooLargeError: The answer has more pixels in all than the limits.
        InvalidOptionError: The region lies partly outside the picture.
        NothingFoundError: Nothing is found in any frame, and ``spec`` wants no empty picture.
        ServiceUnavailableError: The model does not run.
    """
    order, distinct = _distinct(animation.frames)
    steady = SteadySegmenter(segmenter)
    subjects = [isolate(frame, spec, steady, clock) for frame in distinct]
    layout = lay_out(
        reduce(np.maximum, (subject.alpha for subject in subjects)),
        spec,
        limits,
        None if behind is None else behind.image.shape[1::-1],
    )
    require_bounds(len(order), layout.width, layout.height, limits)
    pictures = _compose(subjects, behind, layout, spec)
    clock.lap("compose")
    first = distinct[0]
    exif = kept_exif(first.exif, gps=spec.keep_gps) if spec.keep_metadata else b""
    moving = Animation([pictures[number] for number in order], animation.durations_ms, animation.plays)
    encoded = encode_animation(moving, spec.moving_format, first.profile, exif)
    mask = _masks(animation, subjects, order, layout) if with_mask else None
    clock.lap("encode")
    return CutoutResult(
        file=encoded,
        media_type=spec.moving_format.media_type,
        width=layout.width,
        height=layout.height,
        source_width=first.source_width,
        source_height=first.source_height,
        model=segmenter.name,
        stages_ms=clock.stages_ms,
        foreground=layout.foreground,
        mask=mask,
        own_alpha_kept=any(subject.own_alpha_kept for subject in subjects),
        uncertainty=max((subject.uncertainty for subject in subjects if subject.uncertainty is not None), default=None),
        frames=len(order),
    )


class SteadySegmenter:
    """A model whose alpha does not flicker: where a picture looks as the one before, its alpha stays.

    Args:
        segmenter: The model.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._before: tuple[Bytes, Floats] | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._segmenter.name

    def squash(self, image: Bytes) -> Bytes:
        """Resize a picture to what the model sees: uint8 [H, W, 3] to [S, S, 3]."""
        return self._segmenter.squash(image)

    def alpha(self, image: Bytes) -> Floats:
        """Ask the model about the next picture.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            Its alpha, float32 [h, w] in 0..1.
        """
        alpha = self._segmenter.alpha(image)
        if self._before is not None and self._before[1].shape == alpha.shape:
            alpha = self._before[1] + _movement(image, self._before[0], alpha.shape) * (alpha - self._before[1])
        self._before = image, alpha
        return alpha


def _movement(image: Bytes, before: Bytes, shape: tuple[int, ...]) -> Floats:
    """Measure where a picture has changed, float32 [h, w] in 0..1."""
    small = [
        np.asarray(Image.fromarray(each).resize((shape[1], shape[0]), Image.Resampling.BOX), np.float32)
        for each in (image, before)
    ]
    moved: Floats = np.clip((np.abs(small[0] - small[1]).max(axis=-1) - _STILL) / (_MOVED - _STILL), 0, 1)
    return moved


def _distinct(frames: Sequence[Decoded]) -> tuple[list[int], list[Decoded]]:
    """Find which frame is shown when: numbers of the distinct ones, and these."""
    numbers: dict[bytes, int] = {}
    order: list[int] = []
    distinct: list[Decoded] = []
    for frame in frames:
        digest = hashlib.blake2b(np.ascontiguousarray(frame.image).data)
        if frame.alpha is not None:
            digest.update(np.ascontiguousarray(frame.alpha).data)
        number = numbers.setdefault(digest.digest(), len(distinct))
        if number == len(distinct):
            distinct.append(frame)
        order.append(number)
    return order, distinct


def _compose(subjects: Sequence[Subject], behind: Decoded | None, layout: Layout, spec: CutoutSpec) -> list[Bytes]:
    # GIF's own flattening is for single pictures: of an animation it keeps one bit of alpha.
    shown = replace(spec, format=ImageFormat.PNG) if spec.format is ImageFormat.GIF else spec
    pictures = []
    fixed = None
    for subject in subjects:
        backdrop = fixed or backdrop_for(behind, subject.visible, subject.alpha, layout, spec)
        fixed = backdrop if behind is not None else None
        picture = compose(subject.colours, subject.alpha, shown, layout, backdrop)
        pictures.append(picture.astype(np.uint8, copy=False))
    return pictures


def _masks(animation: Animation[Decoded], subjects: Sequence[Subject], order: Sequence[int], layout: Layout) -> bytes:
    masks = [place_on_canvas(subject.colours, subject.alpha, layout)[1] for subject in subjects]
    frames = [masks[number] for number in order]
    return encode_animation(Animation(frames, animation.durations_ms, animation.plays), ImageFormat.PNG)
