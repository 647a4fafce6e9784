"""Animations: whole frames with their timing out of a file, and into one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import accumulate, count, pairwise
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image, ImageFile

from cutout.errors import AnimationTooLargeError, InvalidImageError, ResolutionTooHighError
from cutout.imaging.arrays import Bytes
from cutout.imaging.codecs.colour import to_8bit
from cutout.imaging.codecs.decode import Decoded, finish
from cutout.imaging.codecs.encoding import ColourEncoding
from cutout.imaging.codecs.formats import sniff
from cutout.imaging.codecs.loaders.apng import read_apng
from cutout.imaging.codecs.loaders.gif import frame_edges
from cutout.imaging.codecs.loaders.heif import read_encoding
from cutout.imaging.codecs.loaders.png import load_png
from cutout.imaging.codecs.loaders.png_chunks import read_png
from cutout.imaging.codecs.loaders.raster import (
    DECODER_ERRORS,
    Plan,
    Raster,
    open_picture,
    read_exif,
    read_orientation,
)
from cutout.imaging.codecs.loaders.webp import without_damaged_metadata
from cutout.imaging.spec import ImageFormat, Limits, SizeName

Frame = TypeVar("Frame")

_PLUGINS = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "avif": "AVIF"}
_HURRIED_MS, _SLOWED_MS = 10, 100
"""Frames of at most so long are shown for 100 ms by browsers (Chromium, Firefox); so are they here."""
_LONGEST_MS = 600_000
"""The longest time of one frame: GIF counts to 655 s, and ten minutes are for ever."""
_GIF_TICK_MS = 10
_LEAST_GIF_MS = 20
_WEBP_FLAGS_AT, _WEBP_ALPHA = 20, 0x10
_HALF = 128


@dataclass(frozen=True, slots=True)
class Animation(Generic[Frame]):
    """Frames with their timing, each the whole canvas as a viewer shows it.

    Attributes:
        frames: The pictures, in order.
        durations_ms: How long each is shown, 11 to 600,000.
        plays: How often the animation is shown; 0 is for ever.
    """

    frames: Sequence[Frame]
    durations_ms: Sequence[int]
    plays: int


def read_animation(
    data: bytes, limits: Limits, size: SizeName = SizeName.FULL, *, keep_profile: bool = False
) -> Animation[Decoded] | None:
    """Read all frames of a GIF, WebP, APNG or AVIF.

    Args:
        data: The file.
        limits: Bounds of the file and of the answer.
        size: The answer's cap.
        keep_profile: Whether colours stay as they are where the file has an ICC profile for RGB.

    Returns:
        The animation, upright, in sRGB unless its frames have a profile; None for a file of another format, or of
        one frame.

    Raises:
        AnimationTooLargeError: It has more frames, or pixels in all, than the limits.
        ResolutionTooHighError: One frame has more pixels, or a longer side, than the limits.
        InvalidImageError: A frame is damaged or missing.
    """
    kind = sniff(data) or ""
    if kind not in _PLUGINS or len(data) > limits.max_bytes:
        return None
    plan = Plan(limits, size)
    try:
        if kind == "png":
            apng = read_apng(data, read_png(data))
            if apng is None:
                return None
            require_bounds(len(apng.stored), *apng.png.size, limits)
            return _finish(apng.frames(plan), load_png(data, plan), apng.plays, plan, keep_profile=keep_profile)
        with open_picture(without_damaged_metadata(data) if kind == "webp" else data, _PLUGINS[kind]) as picture:
            if not getattr(picture, "is_animated", False):
                return None
            if kind == "gif":
                _check_gif(data, *picture.size, limits)
            encoding = read_encoding(data) if kind == "avif" else None
            return _read(picture, encoding, plan, keep_profile=keep_profile)
    except Image.DecompressionBombError as error:
        raise ResolutionTooHighError("The image has too many pixels.", {"max_pixels": limits.max_pixels}) from error
    except DECODER_ERRORS as error:
        raise InvalidImageError(f"A frame of the {kind.upper()} animation is damaged.", {"format": kind}) from error


def require_bounds(frames: int, width: int, height: int, limits: Limits) -> None:
    """Require that an animation is within the limits.

    Args:
        frames: Frames, as far as they are known.
        width: Pixels of each.
        height: The same.
        limits: The bounds.

    Raises:
        AnimationTooLargeError: There are too many frames, or pixels in all.
    """
    if frames > limits.max_frames or frames * width * height > limits.max_frames_px:
        raise AnimationTooLargeError(
            f"The animation is too large: it may have {limits.max_frames} frames and, frames times width times height, "
            f"{limits.max_frames_px / 1e6:g} megapixels.",
            {"width": width, "height": height, "max_frames": limits.max_frames, "max_pixels": limits.max_frames_px},
        )


def encode_animation(
    animation: Animation[Bytes], image_format: ImageFormat, profile: bytes | None = None, exif: bytes = b""
) -> bytes:
    """Encode frames with their timing.

    Args:
        animation: Frames uint8 [H, W, 4], [H, W, 3] or [H, W] (gray).
        image_format: WEBP, PNG (APNG) or GIF, whose alpha is cut at one half.
        profile: The ICC profile of the colours; None for sRGB. GIF carries none.
        exif: An EXIF block; empty without one. GIF carries none.

    Returns:
        The file.
    """
    frames, durations = _joined(animation)
    options: dict[str, Any] = {"loop": animation.plays}
    if image_format is ImageFormat.GIF:
        frames, durations = [_one_bit(frame) for frame in frames], _to_gif_time(durations)
        options = {"disposal": 2}
        if animation.plays != 1:
            options["loop"] = max(0, animation.plays - 1)
    else:
        options |= {name: value for name, value in (("icc_profile", profile), ("exif", exif)) if value}
        options |= {"quality": 90, "method": 2} if image_format is ImageFormat.WEBP else {"compress_level": 3}
    first, *others = (Image.fromarray(frame) for frame in frames)
    buffer = BytesIO()
    first.save(
        buffer,
        image_format.name,
        save_all=True,
        append_images=others,
        duration=durations if others else durations[0],
        **options,
    )
    if image_format is ImageFormat.WEBP and any(frame.shape[2:] == (4,) for frame in frames):
        _announce_alpha(buffer)
    return buffer.getvalue()


def _announce_alpha(webp: BytesIO) -> None:
    """Set the alpha flag, which libwebp leaves out where every changed rectangle is opaque (RFC 9649, section 2.7)."""
    header = webp.getbuffer()
    if bytes(header[12:16]) == b"VP8X":
        header[_WEBP_FLAGS_AT] |= _WEBP_ALPHA


def _read(
    picture: ImageFile.ImageFile, encoding: ColourEncoding | None, plan: Plan, *, keep_profile: bool
) -> Animation[Decoded]:
    """Read what Pillow reads."""
    plan(*picture.size)
    require_bounds(1 if picture.format == "GIF" else int(getattr(picture, "n_frames", 1)), *picture.size, plan.limits)
    picture.load()
    profile = picture.info.get("icc_profile")
    common = Raster(
        picture,
        *picture.size,
        read_orientation(picture),
        profile if isinstance(profile, bytes) else None,
        None if profile else encoding,
        exif=read_exif(picture),
    )
    drawn = ((to_8bit(picture), picture.info.get("duration")) for _ in _turn_pages(picture))
    return _finish(drawn, common, _plays(picture), plan, keep_profile=keep_profile)


def _check_gif(data: bytes, width: int, height: int, limits: Limits) -> None:
    for number, (right, bottom) in enumerate(frame_edges(data), 1):
        require_bounds(number, width, height, limits)
        if right > width or bottom > height:
            raise ValueError("a frame outside the canvas")


def _finish(
    drawn: Iterable[tuple[Image.Image, object]], common: Raster, plays: int, plan: Plan, *, keep_profile: bool
) -> Animation[Decoded]:
    """Reduce, turn and convert the frames, of which ``common`` tells colours and orientation."""
    target = plan(common.width, common.height)
    frames: list[Decoded] = []
    durations: list[int] = []
    for picture, duration in drawn:
        require_bounds(len(frames) + 1, common.width, common.height, plan.limits)
        frames.append(finish(replace(common, picture=picture), target, keep_profile=keep_profile))
        durations.append(_shown_ms(duration))
    return Animation(frames, durations, plays)


def _turn_pages(picture: ImageFile.ImageFile) -> Iterator[None]:
    """Turn to one frame after the other; a GIF does not say how many it has."""
    for number in count():
        try:
            picture.seek(number)
        except EOFError:
            if picture.format != "GIF" and number < int(getattr(picture, "n_frames", 1)):
                raise
            return
        picture.load()
        yield


def _shown_ms(duration: object) -> int:
    shown = round(float(duration)) if isinstance(duration, int | float) else 0
    return min(shown, _LONGEST_MS) if shown > _HURRIED_MS else _SLOWED_MS


def _plays(picture: ImageFile.ImageFile) -> int:
    """Count how often the file is shown: GIF without a number once, with n once and n times again; 0 is for ever."""
    loop = picture.info.get("loop")
    if picture.format == "GIF":
        return 1 if loop is None else int(loop) + (int(loop) > 0)
    return int(loop or 0)


def _joined(animation: Animation[Bytes]) -> tuple[list[Bytes], list[int]]:
    """Join equal neighbours to one frame that is shown as long."""
    frames: list[Bytes] = []
    durations: list[int] = []
    for frame, duration in zip(animation.frames, animation.durations_ms, strict=True):
        if frames and (frame is frames[-1] or np.array_equal(frame, frames[-1])):
            durations[-1] = min(durations[-1] + duration, _LONGEST_MS)
        else:
            frames.append(frame)
            durations.append(duration)
    return frames, durations


def _to_gif_time(durations_ms: Sequence[int]) -> list[int]:
    """Round to hundredths of a second so that the ends do not drift; less than two are shown as ten by browsers."""
    ends = [round(end / _GIF_TICK_MS) for end in accumulate(durations_ms, initial=0)]
    return [max(_LEAST_GIF_MS, (end - start) * _GIF_TICK_MS) for start, end in pairwise(ends)]


def _one_bit(frame: Bytes) -> Bytes:
    """Cut alpha at one half, as GIF knows only transparent and opaque."""
    if frame.ndim == 2 or frame.shape[2] == 3:  # noqa: PLR2004
        return frame
    cut = frame.copy()
    cut[..., 3] = np.where(frame[..., 3] >= _HALF, 255, 0)
    cut[frame[..., 3] < _HALF] = 0
    return cut
