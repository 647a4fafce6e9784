import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.imaging.compositing import compose as composing
from cutout.imaging.compositing.layout import alpha_peaks, bounding_box, lay_out
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat, Limits

RANDOM = np.random.default_rng(4)
COLOURS = RANDOM.integers(0, 256, (131, 77, 3), np.uint8)
ALPHA = RANDOM.integers(0, 256, (131, 77), np.uint8)
ALPHA[:9], ALPHA[120:], ALPHA[:, :5] = 0, 8, 0
FLAT = [ImageFormat.JPEG, ImageFormat.BMP, ImageFormat.GIF]
CLEAR = [ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.TIFF]


def compose(colours: np.ndarray, alpha: np.ndarray, spec: CutoutSpec) -> np.ndarray:
    """Composed by the layout that the alpha and the spec ask for."""
    return composing.compose(colours, alpha, spec, lay_out(alpha, spec, Limits()))


def over(colours: np.ndarray, alpha: np.ndarray, ground: tuple[int, ...]) -> np.ndarray:
    share = alpha[..., None] / 255
    return colours * share + np.array(ground[:3]) * (1 - share)


@pytest.mark.parametrize("image_format", CLEAR)
def test_a_cutout_keeps_colours_and_alpha_and_hides_nothing_behind_them(image_format: ImageFormat) -> None:
    picture = compose(COLOURS, ALPHA, CutoutSpec(format=image_format))
    assert np.array_equal(picture[..., 3], ALPHA)
    assert np.array_equal(picture[ALPHA > 0][:, :3], COLOURS[ALPHA > 0])
    assert (picture[ALPHA == 0] == 0).all()


@pytest.mark.parametrize("image_format", FLAT)
def test_formats_without_alpha_are_flattened_on_white(image_format: ImageFormat) -> None:
    picture = compose(COLOURS, ALPHA, CutoutSpec(format=image_format))
    assert picture.shape == COLOURS.shape
    assert np.abs(picture - over(COLOURS, ALPHA, (255, 255, 255))).max() <= 0.51


@pytest.mark.parametrize("image_format", list(ImageFormat))
def test_a_background_colour_flattens_every_format(image_format: ImageFormat) -> None:
    picture = compose(COLOURS, ALPHA, CutoutSpec(format=image_format, bg_color=(12, 200, 99, 255)))
    assert picture.shape == COLOURS.shape
    assert np.abs(picture - over(COLOURS, ALPHA, (12, 200, 99))).max() <= 0.51
    assert np.array_equal(picture[ALPHA == 255], COLOURS[ALPHA == 255])
    assert (picture[ALPHA == 0] == (12, 200, 99)).all()


def test_a_translucent_background_colour_stays_translucent_where_the_format_can() -> None:
    spec = CutoutSpec(bg_color=(12, 200, 99, 51))
    picture = compose(COLOURS, ALPHA, spec)
    expected = ALPHA + (255 - ALPHA.astype(float)) * 0.2
    assert np.abs(picture[..., 3] - expected).max() <= 0.51
    assert (picture[ALPHA == 0] == (12, 200, 99, 51)).all()
    assert np.array_equal(picture[ALPHA == 255][:, :3], COLOURS[ALPHA == 255])
    # Laid on grey, it is the same as laying the cutout on the colour on grey.
    on_grey = over(picture[..., :3], picture[..., 3], (128, 128, 128))
    ground = np.array((12, 200, 99)) * 0.2 + 128 * 0.8
    assert np.abs(on_grey - over(COLOURS, ALPHA, tuple(ground))).max() < 1.6


def test_a_translucent_background_colour_lies_on_white_where_the_format_cannot() -> None:
    picture = compose(COLOURS, ALPHA, CutoutSpec(format=ImageFormat.JPEG, bg_color=(0, 0, 0, 51)))
    assert np.abs(picture - over(COLOURS, ALPHA, (204, 204, 204))).max() <= 0.51


def test_a_fully_transparent_background_colour_is_no_background() -> None:
    spec = CutoutSpec(bg_color=(9, 9, 9, 0))
    assert np.array_equal(compose(COLOURS, ALPHA, spec), compose(COLOURS, ALPHA, CutoutSpec()))


def test_a_mask_is_the_alpha_itself_whatever_the_format() -> None:
    for image_format in ImageFormat:
        spec = CutoutSpec(format=image_format, channels=Channels.ALPHA, bg_color=(1, 2, 3, 255))
        assert np.array_equal(compose(COLOURS, ALPHA, spec), ALPHA)


def test_a_cutout_is_cropped_to_alpha_above_ten_and_a_mask_to_anything() -> None:
    assert compose(COLOURS, ALPHA, CutoutSpec(crop=True)).shape == (111, 72, 4)
    assert compose(COLOURS, ALPHA, CutoutSpec(crop=True, channels=Channels.ALPHA)).shape == (122, 72)
    jpeg = compose(COLOURS, ALPHA, CutoutSpec(crop=True, format=ImageFormat.JPEG))
    assert np.array_equal(jpeg, compose(COLOURS, ALPHA, CutoutSpec(format=ImageFormat.JPEG))[9:120, 5:])


def test_an_empty_cutout_is_not_cropped() -> None:
    nothing = np.full_like(ALPHA, 10)
    assert compose(COLOURS, nothing, CutoutSpec(crop=True)).shape == (131, 77, 4)
    assert compose(COLOURS, nothing * 0, CutoutSpec(crop=True, channels=Channels.ALPHA)).shape == (131, 77)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 254), st.integers(0, 2**32 - 1))
def test_bounds_hold_every_visible_pixel_and_touch_one_on_each_side(
    height: int, width: int, above: int, seed: int
) -> None:
    alpha = (np.random.default_rng(seed).random((height, width)) ** 8 * 255).astype(np.uint8)
    box = bounding_box(alpha_peaks(alpha), above)
    seen = alpha > above
    assert (box is None) == (not seen.any())
    if box is not None:
        inside = seen[box.top : box.top + box.height, box.left : box.left + box.width]
        assert inside.shape == (box.height, box.width)
        assert inside.sum() == seen.sum()
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()
