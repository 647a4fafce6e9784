"""Animations as other programs write them: disposal, offsets, blending, no delay, hidden pictures, profiles."""

import struct
import zlib
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cutout.errors import InvalidImageError, ResolutionTooHighError
from cutout.imaging.codecs.animation import Animation, encode_animation, read_animation
from cutout.imaging.codecs.decode import Decoded, decode
from cutout.imaging.codecs.loaders.png_chunks import write_chunk
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import Channels, CutoutSpec, Frames, ImageFormat, Limits, OwnAlpha
from tests.unit.imaging.codecs.test_colour import DISPLAY_P3, SRGB_CURVE
from tests.unit.imaging.codecs.test_phone_formats import FILES
from tests.unit.imaging.pictures import StubSegmenter, icc_profile, saved
from tests.unit.imaging.test_animate import FindsRed, moving, shown

LIMITS = Limits()
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 60), (30, 60, 220)
SIZE = (24, 16)


def read(data: bytes, **options: Any) -> Animation[Decoded]:
    animation = read_animation(data, LIMITS, **options)
    assert animation is not None
    return animation


def colours(animation: Animation[Decoded], x: int, y: int) -> list[tuple[int, ...] | None]:
    """The colour of one place in every frame; None where nothing is seen."""
    return [
        None if each.alpha is not None and each.alpha[y, x] == 0 else tuple(int(part) for part in each.image[y, x])
        for each in animation.frames
    ]


# -- GIF, written by hand -------------------------------------------------------------------------------------------


def gif(frames: list[tuple[tuple[int, int, int, int], int, int, int]], loop: bytes = b"") -> bytes:
    """Frames of one colour: (left, top, width, height), number in the palette (3 is transparent), delay, disposal."""
    palette = bytes((*RED, *GREEN, *BLUE, 0, 0, 0))
    parts = [b"GIF89a", struct.pack("<HHBBB", *SIZE, 0x91, 0, 0), palette, loop]
    for (left, top, width, height), colour, delay, disposal in frames:
        parts.append(b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2 | 1, delay, 3) + b"\0")
        parts.append(b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + lzw(colour, width * height))
    return b"".join([*parts, b";"])


def lzw(colour: int, count: int) -> bytes:
    """One colour again and again, without compression: a clear code before every second pixel keeps codes at 3 bits."""
    codes = [code for start in range(0, count, 2) for code in (4, *[colour] * min(2, count - start))] + [5]
    bits = sum(code << 3 * place for place, code in enumerate(codes))
    data = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    blocks = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"\2" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


WHOLE, PART = (0, 0, *SIZE), (4, 2, 6, 5)


def test_disposal_to_background_clears_the_part_that_was_drawn() -> None:
    animation = read(gif([(WHOLE, 0, 10, 1), (PART, 1, 10, 2), ((12, 8, 3, 3), 2, 10, 1)]))
    assert colours(animation, 5, 3) == [RED, GREEN, None]
    assert colours(animation, 13, 9) == [RED, RED, BLUE]
    assert colours(animation, 0, 0) == [RED, RED, RED]


def test_disposal_to_previous_brings_back_what_was_below() -> None:
    animation = read(gif([(WHOLE, 0, 10, 1), (PART, 1, 10, 3), ((12, 8, 3, 3), 2, 10, 1)]))
    assert colours(animation, 5, 3) == [RED, GREEN, RED]
    assert colours(animation, 13, 9) == [RED, RED, BLUE]


def test_a_frame_that_is_larger_than_the_canvas_is_no_bomb() -> None:
    with pytest.raises(InvalidImageError):
        read(gif([(WHOLE, 0, 10, 1), ((0, 0, 200, 200), 1, 10, 1)]))
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + lzw(1, 9)
    with pytest.raises((InvalidImageError, ResolutionTooHighError)):
        read(gif([(WHOLE, 0, 10, 1)])[:-1] + frame + b";")


def test_a_frame_without_a_palette_is_damaged() -> None:
    """Pillow gives up on it by an assertion. Found by test_mutated_files, made of NASA's portrait of an astronaut."""
    with pytest.raises(InvalidImageError):
        read((FILES / "no-palette.gif").read_bytes())


def test_a_transparent_part_leaves_what_was_there() -> None:
    animation = read(gif([(WHOLE, 0, 10, 1), (PART, 3, 10, 1), (PART, 1, 10, 1)]))
    assert colours(animation, 5, 3) == [RED, RED, GREEN]


def test_delays_of_nothing_are_those_that_browsers_show() -> None:
    animation = read(gif([(WHOLE, 0, 0, 1), (PART, 1, 1, 1), (PART, 2, 2, 1), (WHOLE, 1, 65_535, 1)]))
    assert animation.durations_ms == [100, 100, 20, 600_000]
    assert animation.plays == 1


def test_sixty_frames_a_second_stay_sixty_and_do_not_drift_in_a_gif() -> None:
    frames = [np.full((8, 8, 3), level, np.uint8) for level in range(0, 240, 4)]
    durations = [17, 17, 16] * 20
    webp = encode_animation(Animation(frames, durations, 0), ImageFormat.WEBP)
    assert [duration for _, duration in shown(webp)] == durations
    assert sum(
        duration for _, duration in shown(encode_animation(Animation(frames, durations, 0), ImageFormat.GIF))
    ) in range(995, 1250)
    steady = [33] * 60
    made = shown(encode_animation(Animation(frames, steady, 0), ImageFormat.GIF))
    assert abs(sum(duration for _, duration in made) - sum(steady)) <= 10


@pytest.mark.parametrize("image_format", [ImageFormat.GIF, ImageFormat.PNG, ImageFormat.WEBP])
def test_frames_that_are_all_equal_and_last_for_ever_are_written_all_the_same(image_format: ImageFormat) -> None:
    frames = [np.full((8, 8, 4), 200, np.uint8)] * 5
    for durations in ([100] * 5, [600_000] * 5):
        with Image.open(BytesIO(encode_animation(Animation(frames, durations, 0), image_format))) as made:
            assert made.size == (8, 8)
            assert made.convert("RGBA").getpixel((3, 3))[3] == (200 if image_format is not ImageFormat.GIF else 255)


# -- APNG, written by hand ------------------------------------------------------------------------------------------


def apng(
    frames: list[tuple[tuple[int, int, int, int], tuple[int, ...], int, int]],
    *,
    still: tuple[int, ...] | None = None,
    announced: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """RGBA frames of one colour: (left, top, width, height), colour, dispose_op, blend_op. still: hidden default."""
    header = struct.pack(">IIBBBBB", *SIZE, 8, 6, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", write_chunk(b"IHDR", header), extra]
    parts.append(write_chunk(b"acTL", struct.pack(">II", announced or len(frames), 2)))
    sequence = 0
    if still:
        parts.append(write_chunk(b"IDAT", plain(still, *SIZE)))
    for number, ((left, top, width, height), colour, dispose, blend) in enumerate(frames):
        control = struct.pack(">IIIIIHHBB", sequence, width, height, left, top, 1, 4, dispose, blend)
        parts.append(write_chunk(b"fcTL", control))
        sequence += 1
        if number == 0 and not still:
            parts.append(write_chunk(b"IDAT", plain(colour, width, height)))
        else:
            parts.append(write_chunk(b"fdAT", struct.pack(">I", sequence) + plain(colour, width, height)))
            sequence += 1
    return b"".join([*parts, write_chunk(b"IEND", b"")])


def plain(colour: tuple[int, ...], width: int, height: int) -> bytes:
    return zlib.compress((b"\0" + bytes(colour) * width) * height)


OPAQUE_RED, HALF_BLUE, NOTHING = (*RED, 255), (*BLUE, 128), (0, 0, 0, 0)
SOURCE, OVER = 0, 1


def test_blending_over_mixes_and_source_replaces() -> None:
    frames = [(WHOLE, OPAQUE_RED, 0, SOURCE), (PART, HALF_BLUE, 0, OVER), (PART, HALF_BLUE, 0, SOURCE)]
    animation = read(apng(frames))
    mixed, replaced = animation.frames[1], animation.frames[2]
    assert np.abs(mixed.image[3, 5].astype(int) - (np.array(RED) + BLUE) / 2).max() <= 2
    assert mixed.alpha is None or mixed.alpha[3, 5] == 255
    assert replaced.alpha is not None
    assert replaced.alpha[3, 5] == 128
    assert tuple(replaced.image[3, 5]) == BLUE
    assert colours(animation, 0, 0) == [RED] * 3
    assert animation.durations_ms == [250] * 3
    assert animation.plays == 2


@pytest.mark.parametrize(("dispose", "after"), [(0, GREEN), (1, None), (2, RED)])
def test_each_disposal_of_an_apng(dispose: int, after: tuple[int, int, int] | None) -> None:
    green = (*GREEN, 255)
    frames = [(WHOLE, OPAQUE_RED, 0, SOURCE), (PART, green, dispose, SOURCE), ((12, 8, 3, 3), OPAQUE_RED, 0, SOURCE)]
    assert colours(read(apng(frames)), 5, 3) == [RED, GREEN, after]


def test_the_picture_for_viewers_without_motion_is_no_frame() -> None:
    frames = [(WHOLE, OPAQUE_RED, 0, SOURCE), (WHOLE, (*GREEN, 255), 0, SOURCE)]
    data = apng(frames, still=(*BLUE, 255))
    assert colours(read(data), 5, 3) == [RED, GREEN]
    assert tuple(decode(data, LIMITS).image[3, 5]) == BLUE


def test_metadata_never_decides_whether_an_animation_is_good() -> None:
    frames = [(WHOLE, OPAQUE_RED, 0, SOURCE), (WHOLE, (*GREEN, 255), 0, SOURCE)]
    wrong_crc = struct.pack(">I", 5) + b"tEXtk\0abc" + b"\1\2\3\4"
    huge = write_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(3 << 20)))
    assert colours(read(apng(frames, extra=wrong_crc + huge)), 5, 3) == [RED, GREEN]
    webp = bytearray(moving("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    webp[4:8] = struct.pack("<I", len(webp) + 100)
    assert len(read(bytes(webp)).frames) == 3  # two equal ones were joined by the encoder


def test_frames_that_were_announced_and_are_missing_are_a_client_s_fault() -> None:
    frames = [(WHOLE, OPAQUE_RED, 0, SOURCE), (WHOLE, (*GREEN, 255), 0, SOURCE)]
    with pytest.raises(InvalidImageError, match="PNG animation"):
        read(apng(frames, announced=3))


# -- colours, orientation, steadiness -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["WEBP", "PNG"])
def test_colours_and_orientation_are_those_of_the_first_frame_as_a_photo(source: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = moving(source, icc_profile=icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3), exif=exif.tobytes())
    still, first = decode(data, LIMITS), read(data).frames[0]
    assert first.image.shape == (120, 90, 3)
    assert np.array_equal(first.image, still.image)
    assert not np.array_equal(first.image, read(data, keep_profile=True).frames[0].image)


@pytest.mark.parametrize("image_format", [ImageFormat.WEBP, ImageFormat.PNG])
def test_profile_and_metadata_are_kept_on_request_only(image_format: ImageFormat) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    profile = icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3)
    data = moving("WEBP", icc_profile=profile, exif=exif.tobytes())
    for keep in (True, False):
        spec = CutoutSpec(image_format, frames=Frames.ALL, keep_profile=keep, keep_metadata=keep)
        with Image.open(BytesIO(cut_out(data, spec, FindsRed(), LIMITS).data)) as made:
            assert made.n_frames == 3
            assert made.info.get("icc_profile") == (profile if keep else None)
            assert made.getexif().get(0x010F) == ("maker" if keep else None)


def squares(*lefts: int) -> list[NDArray[np.uint8]]:
    frames = []
    for left in lefts:
        picture = np.full((*SIZE[::-1], 3), 128, np.uint8)
        picture[4:12, left : left + 8] = RED
        frames.append(picture)
    return frames


@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG"])
def test_equal_frames_have_equal_masks_wherever_they_stand(source: str) -> None:
    data = moving(source, squares(2, 12, 2, 2, 12), duration=[50, 60, 70, 80, 90])
    spec = CutoutSpec(ImageFormat.PNG, Channels.ALPHA, frames=Frames.ALL)
    result = cut_out(data, spec, FindsRed(noise=0.4), LIMITS)
    assert result.media_type == "image/png"
    made = shown(result.data)
    assert [duration for _, duration in made] == [50, 60, 150, 90]
    masks = [pixels[..., 0] for pixels, _ in made]
    assert np.array_equal(masks[0], masks[2])
    assert np.array_equal(masks[1], masks[3])
    assert not np.array_equal(masks[0], masks[1])


def test_the_masks_of_a_job_move_as_the_answer_does() -> None:
    spec = CutoutSpec(ImageFormat.WEBP, frames=Frames.ALL)
    result = cut_out(moving("GIF"), spec, FindsRed(), LIMITS, with_mask=True)
    assert result.mask is not None
    with Image.open(BytesIO(result.mask)) as mask:
        assert (mask.format, mask.mode, mask.size, mask.n_frames) == ("PNG", "L", (120, 90), 3)


def test_region_background_and_own_transparency_hold_for_every_frame() -> None:
    behind = saved(Image.new("RGB", (50, 50), (10, 240, 10)), "PNG")
    data = moving("WEBP", duration=[100] * 4)
    result = cut_out(data, CutoutSpec(ImageFormat.PNG, frames=Frames.ALL), FindsRed(), LIMITS, behind)
    for pixels, _ in shown(result.data):
        assert tuple(pixels[85, 5]) == (10, 240, 10, 255)
    holed = [np.dstack([each, np.full(SIZE[::-1], 255, np.uint8)]) for each in squares(2, 12)]
    for each in holed:
        each[:, 20:, 3] = 0
    spec = CutoutSpec(ImageFormat.PNG, frames=Frames.ALL, own_alpha=OwnAlpha.KEEP)
    kept = cut_out(moving("PNG", holed), spec, StubSegmenter(np.zeros((9, 9), np.float32)), LIMITS)
    assert kept.own_alpha_kept
    for pixels, _ in shown(kept.data):
        assert (pixels[:, :20, 3] == 255).all()
        assert (pixels[:, 20:, 3] == 0).all()


def test_a_blurred_background_moves_with_its_frame() -> None:
    spec = CutoutSpec(ImageFormat.PNG, frames=Frames.ALL, bg_blur=20)
    levels = [np.full((*SIZE[::-1], 3), level, np.uint8) for level in (40, 120, 200)]
    made = shown(cut_out(moving("PNG", levels), spec, StubSegmenter(np.zeros((9, 9), np.float32)), LIMITS).data)
    for one, other in pairwise([int(pixels[8, 8, 0]) for pixels, _ in made]):
        assert other - one > 60
