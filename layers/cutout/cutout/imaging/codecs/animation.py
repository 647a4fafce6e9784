"""Animations: whole frames with their timing out of a file, and into one."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from cutout.errors import InvalidImageError, ResolutionTooHighError
from cutout.imaging.arrays import Bytes
from cutout.imaging.codecs.formats import sniff
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, open_picture
from cutout.imaging.spec import ImageFormat, Limits, SizeName

MAX_FRAMES = 300
MAX_TOTAL_PIXELS = 100_000_000
"""Width times height times frames, at the size of the answer."""
_PLUGINS = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "avif": "AVIF"}
_LEAST_MS = 20
"""Shorter frames are shown for 100 ms by browsers; so are they here."""
_SLOW_MS = 100
_WEBP_FLAGS_AT, _WEBP_ALPHA = 20, 0x10
_HALF = 128


@dataclass(frozen=True, slots=True)
class Animation:
    """Frames as a viewer shows them, each the whole canvas.

    Attributes:
        frames: uint8 [H, W, 4] each, straight alpha.
        durations_ms: How long each is shown.
        plays: How often the animation is shown; 0 is for ever.
        source_width: Pixels of the file.
        source_height: The same.
    """

    frames: Sequence[Bytes]
    durations_ms: Sequence[int]
    plays: int
    source_width: int
    source_height: int


def read_animation(data: bytes, limits: Limits, size: SizeName = SizeName.FULL) -> Animation | None:
    """Read all frames of a GIF, WebP, APNG or AVIF.

    Args:
        data: The file.
        limits: Bounds of the file and of the answer.
        size: The answer's cap.

    Returns:
        The animation; None for a file of another format, or of one frame.

    Raises:
        ResolutionTooHighError: There are more than MAX_FRAMES frames, or more than MAX_TOTAL_PIXELS in all.
        InvalidImageError: A frame is damaged.
    """
    kind = sniff(data) or ""
    if kind not in _PLUGINS or len(data) > limits.max_bytes:
        return None
    try:
        with open_picture(data, _PLUGINS[kind]) as picture:
            count = int(getattr(picture, "n_frames", 1))
            if count < 2:  # noqa: PLR2004
                return None
            target = Plan(limits, size)(*picture.size)
            _check_bounds(count, target)
            frames, durations = [], []
            for number in range(count):
                picture.seek(number)
                frame = picture.convert("RGBA")
                frames.append(
                    np.array(frame if frame.size == target else frame.resize(target, Image.Resampling.LANCZOS))
                )
                duration = round(float(picture.info.get("duration") or 0))
                durations.append(duration if duration >= _LEAST_MS else _SLOW_MS)
            return Animation(frames, durations, _plays(kind, picture), *picture.size)
    except DECODER_ERRORS as error:
        raise InvalidImageError(f"A frame of the {kind.upper()} animation is damaged.", {"format": kind}) from error


def encode_animation(animation: Animation, image_format: ImageFormat) -> bytes:
    """Encode frames with their timing.

    Args:
        animation: Frames uint8 [H, W, 4] or [H, W, 3].
        image_format: WEBP, PNG (APNG) or GIF, whose alpha is cut at one half.

    Returns:
        The file.
    """
    frames = [_one_bit(frame) if image_format is ImageFormat.GIF else frame for frame in animation.frames]
    first, *others = (Image.fromarray(frame) for frame in frames)
    options: dict[ImageFormat, dict[str, object]] = {
        ImageFormat.WEBP: {"format": "WEBP", "quality": 90, "method": 2, "loop": animation.plays},
        ImageFormat.PNG: {"format": "PNG", "compress_level": 3, "blend": 0, "loop": animation.plays},
        ImageFormat.GIF: {"format": "GIF", "disposal": 2} | _gif_loop(animation.plays),
    }
    buffer = BytesIO()
    first.save(
        buffer,
        save_all=True,
        append_images=others,
        duration=list(animation.durations_ms),
        **options[image_format],  # type: ignore[arg-type]
    )
    if image_format is ImageFormat.WEBP and any(frame.shape[2] == 4 for frame in frames):  # noqa: PLR2004
        _announce_alpha(buffer)
    return buffer.getvalue()


def _announce_alpha(webp: BytesIO) -> None:
    """Set the alpha flag, which libwebp leaves out where every changed rectangle is opaque (RFC 9649, section 2.7)."""
    header = webp.getbuffer()
    if bytes(header[12:16]) == b"VP8X":
        header[_WEBP_FLAGS_AT] |= _WEBP_ALPHA


def _check_bounds(count: int, size: tuple[int, int]) -> None:
    total = count * size[0] * size[1]
    if count > MAX_FRAMES or total > MAX_TOTAL_PIXELS:
        raise ResolutionTooHighError(
            f"The animation is too large: {count} frames of {size[0]} x {size[1]}; it may have {MAX_FRAMES} frames and "
            f"{MAX_TOTAL_PIXELS // 10**6} megapixels in all.",
            {"frames": count, "max_frames": MAX_FRAMES, "pixels": total, "max_pixels": MAX_TOTAL_PIXELS},
        )


def _plays(kind: str, picture: Image.Image) -> int:
    """Count how often the file is shown: GIF without a number once, with n once and n times again; 0 is for ever."""
    loop = picture.info.get("loop")
    if kind == "gif":
        return 1 if loop is None else int(loop) + (int(loop) > 0)
    return int(loop or 0)


def _gif_loop(plays: int) -> dict[str, object]:
    return {} if plays == 1 else {"loop": max(0, plays - 1)}


def _one_bit(frame: Bytes) -> Bytes:
    """Cut alpha at one half, as GIF knows only transparent and opaque."""
    if frame.shape[2] == 3:  # noqa: PLR2004
        return frame
    cut = frame.copy()
    cut[..., 3] = np.where(frame[..., 3] >= _HALF, 255, 0)
    cut[frame[..., 3] < _HALF] = 0
    return cut
