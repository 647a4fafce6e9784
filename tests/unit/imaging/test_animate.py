"""Animations in, animations out: frames, timing, loops, disposal, and masks that do not flicker."""

from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from cutout.errors import AnimationTooLargeError, InvalidImageError, NothingFoundError
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import Canvas, CutoutResult, CutoutSpec, Frames, ImageFormat, Limits, OnEmpty, SizeName
from tests.unit.imaging.pictures import photo, saved, to_bytes

LIMITS = Limits()
DURATIONS = [100, 200, 50, 300]
GROUND = to_bytes(photo("gravel.png", 120, 90))


def frame(left: int) -> NDArray[np.uint8]:
    """A red square before gravel."""
    picture = GROUND.copy()
    picture[30:60, left : left + 30] = (220, 30, 30)
    return picture


FRAMES = [frame(10), frame(40), frame(40), frame(80)]
FIRST = saved(FRAMES[0], "GIF")


class FindsRed:
    """A segmenter that answers where the picture is red, and a little noise that differs every time."""

    name = "red"

    def __init__(self, noise: float = 0.03) -> None:
        self.runs, self._noise = 0, noise
        self._random = np.random.default_rng(0)

    def squash(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image

    def alpha(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.runs += 1
        small = np.asarray(Image.fromarray(image).resize((160, 160), Image.Resampling.BOX), np.int16)
        red = ((small[..., 0] - small[..., 1]) > 100).astype(np.float32)
        return np.clip(red + self._random.uniform(-self._noise, self._noise, red.shape), 0, 1).astype(np.float32)


def moving(file_format: str, frames: list[NDArray[np.uint8]] | None = None, **options: Any) -> bytes:
    pictures = [Image.fromarray(each) for each in frames or FRAMES]
    extra = {"WEBP": {"lossless": True}}.get(file_format, {})
    options = {"duration": DURATIONS[: len(pictures)], "loop": 0} | extra | options
    return saved(pictures[0], file_format, save_all=True, append_images=pictures[1:], **options)


def cut(data: bytes, **options: Any) -> CutoutResult:
    return cut_out(data, spec(**options), FindsRed(), LIMITS)


def spec(**options: Any) -> CutoutSpec:
    return CutoutSpec(**({"format": ImageFormat.WEBP, "frames": Frames.ALL} | options))


def shown(data: bytes) -> list[tuple[NDArray[np.uint8], int]]:
    with Image.open(BytesIO(data)) as picture:
        result = []
        for each in ImageSequence.Iterator(picture):
            pixels = np.asarray(each.convert("RGBA"))
            result.append((pixels, round(each.info["duration"])))
        return result


def on_timeline(data: bytes) -> list[NDArray[np.uint8]]:
    """What is shown in the middle of every 50 ms: equal neighbours may have been joined by the encoder."""
    return [pixels for pixels, duration in shown(data) for _ in range(duration // 50)]


@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("image_format", [ImageFormat.WEBP, ImageFormat.PNG, ImageFormat.GIF])
def test_every_frame_is_cut_out_and_keeps_its_time(source: str, image_format: ImageFormat) -> None:
    result = cut(moving(source), format=image_format)
    assert result.media_type == image_format.media_type
    assert (result.width, result.height) == (120, 90)
    timeline = on_timeline(result.data)
    assert len(timeline) == sum(DURATIONS) // 50
    expected = [left for left, duration in zip((10, 40, 40, 80), DURATIONS, strict=True) for _ in range(duration // 50)]
    for pixels, left in zip(timeline, expected, strict=True):
        assert (pixels[35:55, left + 5 : left + 25, 3] > 250).all()
        outside = np.delete(pixels[..., 3], np.s_[left - 10 : left + 40], axis=1)
        assert outside.max() < 40  # nothing of the frame before is left


@pytest.mark.parametrize(
    ("source", "loop", "plays"),
    [("GIF", 0, 0), ("GIF", None, 1), ("GIF", 2, 3), ("WEBP", 0, 0), ("WEBP", 4, 4), ("PNG", 5, 5)],
)
def test_the_number_of_plays_is_kept(source: str, loop: int | None, plays: int) -> None:
    data = moving(source, **({} if loop is None else {"loop": loop}))
    if loop is None:
        data = saved(
            Image.fromarray(FRAMES[0]), "GIF", save_all=True, append_images=[Image.fromarray(FRAMES[3])], duration=100
        )
    for image_format, key in ((ImageFormat.WEBP, plays), (ImageFormat.PNG, plays)):
        with Image.open(BytesIO(cut(data, format=image_format).data)) as made:
            assert made.info["loop"] == key
    with Image.open(BytesIO(cut(data, format=ImageFormat.GIF).data)) as made:
        assert made.info.get("loop") == (None if plays == 1 else max(0, plays - 1))


def test_a_gif_has_one_bit_of_alpha() -> None:
    for pixels, _ in shown(cut(moving("WEBP"), format=ImageFormat.GIF).data):
        assert set(np.unique(pixels[..., 3])) <= {0, 255}
        assert (pixels[..., 3] == 0).any()


def test_equal_frames_are_asked_once_and_come_out_equal() -> None:
    segmenter = FindsRed()
    frames = [FRAMES[0], FRAMES[3], FRAMES[0], FRAMES[3], FRAMES[0]]
    data = moving("WEBP", frames, duration=[100] * 5)
    result = cut_out(data, spec(format=ImageFormat.PNG), segmenter, LIMITS)
    assert segmenter.runs == 2
    assert result.frames == 5
    made = [pixels for pixels, _ in shown(result.data)]
    assert np.array_equal(made[0], made[2])
    assert np.array_equal(made[1], made[3])


def test_the_mask_of_what_does_not_move_does_not_flicker() -> None:
    random = np.random.default_rng(1)
    grainy = [
        np.clip(FRAMES[0].astype(int) + random.integers(-2, 3, FRAMES[0].shape), 0, 255).astype(np.uint8)
        for _ in range(4)
    ]
    result = cut_out(moving("PNG", grainy), spec(format=ImageFormat.PNG), FindsRed(noise=0.3), LIMITS)
    masks = [pixels[..., 3].astype(int) for pixels, _ in shown(result.data)]
    assert len(masks) == 4
    for one, other in pairwise(masks):
        assert np.abs(one - other).max() <= 12


def test_the_crop_is_that_of_all_frames_together() -> None:
    result = cut(moving("WEBP"), crop=True)
    assert 95 <= result.width <= 112  # from the first square's left to the last one's right
    assert 28 <= result.height <= 42
    assert len(shown(result.data)) >= 3


def test_a_colour_behind_and_a_smaller_size_hold_for_every_frame() -> None:
    made = shown(cut(moving("WEBP"), bg_color=(10, 200, 30, 255)).data)
    for pixels, _ in made:
        assert (pixels[..., 3] == 255).all()
        assert np.abs(pixels[5, 5, :3].astype(int) - (10, 200, 30)).max() < 8
    large = [np.repeat(np.repeat(each, 8, axis=0), 8, axis=1) for each in FRAMES[:2]]
    result = cut(moving("WEBP", large), size=SizeName.PREVIEW)
    assert result.width * result.height <= 250_000


def test_a_translucent_animation_becomes_no_more_opaque() -> None:
    frames = [np.dstack([each, np.full((90, 120), 200, np.uint8)]) for each in FRAMES]
    for pixels, _ in shown(cut(moving("WEBP", frames)).data):
        assert 150 < pixels[..., 3].max() <= 201


def test_single_pictures_and_other_formats_are_left_to_the_ordinary_way() -> None:
    for data in (saved(FRAMES[0], "GIF"), saved(FRAMES[0], "JPEG"), saved(FRAMES[0], "PNG")):
        result = cut(data)
        assert (result.frames, len(shown(result.data))) == (1, 1)
        assert result.data == cut(data, frames=Frames.FIRST).data
    assert cut(moving("GIF"), format=ImageFormat.JPEG).data == cut(FIRST, format=ImageFormat.JPEG).data


@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize(
    ("limits", "options"),
    [
        (Limits(max_frames=3), {}),
        (Limits(max_frames_px=120 * 90 * 4 - 1), {}),
        (Limits(max_frames_px=120 * 90 * 4), {"canvas": Canvas(121, 90)}),
    ],
)
def test_frames_and_pixels_are_bounded_and_the_bounds_are_named(
    source: str, limits: Limits, options: dict[str, Any]
) -> None:
    data = moving(source, [frame(10), frame(40), frame(60), frame(80)])
    assert cut_out(data, spec(), FindsRed(), Limits(max_frames=4, max_frames_px=120 * 90 * 4)).frames == 4
    with pytest.raises(AnimationTooLargeError) as caught:
        cut_out(data, spec(**options), FindsRed(), limits)
    assert str(limits.max_frames) in caught.value.message
    assert f"{limits.max_frames_px / 1e6:g} megapixels" in caught.value.message
    assert (caught.value.details["max_frames"], caught.value.details["max_pixels"]) == (
        limits.max_frames,
        limits.max_frames_px,
    )


@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG"])
def test_a_cut_file_is_damaged_and_never_a_traceback(source: str) -> None:
    data = moving(source)
    for share in (0.4, 0.7, 0.95):
        try:
            cut(data[: int(len(data) * share)])
        except InvalidImageError as error:
            assert error.details == {"format": source.lower()}  # noqa: PT017


@pytest.mark.parametrize("file_format", ["WEBP", "GIF", "PNG"])
def test_an_animation_in_which_nothing_is_found_may_be_an_error(file_format: str) -> None:
    empty = [np.full((60, 80, 3), value, np.uint8) for value in (90, 150, 200)]
    nothing = moving(file_format, empty)
    assert cut(nothing).foreground is None
    with pytest.raises(NothingFoundError):
        cut(nothing, on_empty=OnEmpty.ERROR)
    one_of_three = moving(file_format, [GROUND, frame(10), GROUND])
    assert cut(one_of_three, on_empty=OnEmpty.ERROR).foreground is not None
