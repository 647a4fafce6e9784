import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb, rgb2lab

from cutout.imaging.matting.despill import despill, from_lab, to_lab
from tests.unit.imaging.pictures import Scene, photo, soft_disc, to_bytes


def green_screen() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey disc whose rim is lit green by the screen behind it: colours, alpha, picture."""
    alpha = soft_disc(400, 400, 0.04)
    lit = np.clip(soft_disc(400, 400, 0.04) - soft_disc(400, 400, 0.1) * 0.999, 0, 1)[..., None]
    front = np.full((400, 400, 3), 0.5, np.float32) * (1 - 0.3 * lit) + np.array([0.1, 0.8, 0.1]) * 0.3 * lit
    image = to_bytes(Scene.over(alpha, front, np.array([0.1, 0.8, 0.1])))
    return to_bytes(front.astype(np.float32)), to_bytes(alpha), image


def test_lab_agrees_with_scikit_image_both_ways() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    lab = to_lab(colours)
    assert np.abs(lab - rgb2lab(colours)).max() < 0.05
    nothing = np.zeros((40, 50, 2), np.float32)
    assert np.abs(from_lab(lab, nothing) - colours / 255).max() < 1e-3
    inside = np.full_like(nothing, 3)
    grey = np.full_like(lab, (50, 5, -4))
    assert np.abs(from_lab(grey, inside) - lab2rgb(grey + np.array([0, 3, 3], np.float32))).max() < 1e-3


def test_green_light_leaves_the_rim_and_lightness_stays() -> None:
    colours, alpha, image = green_screen()
    clean = despill(colours, alpha, image)
    rim = (alpha > 60) & (rgb2lab(colours)[..., 1] < -6)
    assert rim.sum() > 3000
    before, after = rgb2lab(colours[rim]), rgb2lab(clean[rim])
    assert np.abs(after[:, 1]).mean() < 0.45 * np.abs(before[:, 1]).mean()
    assert np.abs(after[:, 0] - before[:, 0]).mean() < 0.3
    assert np.abs(after[:, 0] - before[:, 0]).max() < 1.5


def test_pixels_away_from_every_edge_and_hidden_ones_stay_as_they_are() -> None:
    colours, alpha, image = green_screen()
    clean = despill(colours, alpha, image)
    y, x = np.mgrid[0:400, 0:400]
    deep = np.hypot(x - 200, y - 200) < 100
    assert np.array_equal(clean[deep], colours[deep])
    assert np.array_equal(clean[alpha == 0], colours[alpha == 0])


def test_a_background_of_the_same_colour_is_no_spill() -> None:
    alpha = soft_disc(200, 200)
    front = photo("coffee.png", 200, 200) * 0 + np.array([0.6, 0.4, 0.3], np.float32)
    image = to_bytes(front)
    assert np.abs(despill(image, to_bytes(alpha), image).astype(int) - image).max() <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_lightness_hardly_moves_whatever_comes(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    # Middle colours: at the border of sRGB a change of chroma must clip, and clipping moves lightness.
    image = random.integers(70, 186, (height, width, 3), np.uint8)
    alpha = random.choice(np.array([0, 90, 255], np.uint8), (height, width))
    clean = despill(image, alpha, image)
    moved = np.abs(rgb2lab(clean)[..., 0] - rgb2lab(image)[..., 0])
    assert moved.max() < 1.0


def test_an_opaque_picture_has_no_edge_to_clean() -> None:
    image = to_bytes(photo("coffee.png", 50, 40))
    assert np.array_equal(despill(image, np.full((40, 50), 255, np.uint8), image), image)


NAVY, SKIN, BLUE, GREEN, RED = (30, 35, 90), (200, 150, 120), (40, 70, 200), (20, 190, 40), (190, 30, 40)


@pytest.mark.parametrize(
    ("ramp", "size"),
    [(0.01, (300, 420)), (0.03, (300, 300)), (0.1, (640, 480)), (0.2, (256, 320)), (0.002, (500, 400))],
)
@pytest.mark.parametrize(
    ("upper", "lower", "ground"), [(SKIN, NAVY, BLUE), (NAVY, SKIN, RED), (RED, GREEN, GREEN), (SKIN, GREEN, GREEN)]
)
def test_nothing_deeper_inside_than_the_soft_edge_is_wide_changes(
    ramp: float,
    size: tuple[int, int],
    upper: tuple[int, int, int],
    lower: tuple[int, int, int],
    ground: tuple[int, int, int],
) -> None:
    height, width = size
    alpha = soft_disc(width, height, ramp)
    colours = np.where(np.arange(height)[:, None, None] < height // 2, upper, lower) * np.ones((1, width, 1))
    image = to_bytes(Scene.over(alpha, colours / 255, np.array(ground) / 255))
    cleaned = despill(colours.astype(np.uint8), to_bytes(alpha), image)
    y, x = np.mgrid[0:height, 0:width]
    inner_radius = (0.35 - ramp / 2) * min(size)
    deep = np.hypot(x - width / 2, y - height / 2) < inner_radius - max(2.0, ramp * min(size)) - 1
    assert deep.sum() > 400
    assert np.array_equal(cleaned[deep], colours.astype(np.uint8)[deep])


def test_a_wide_soft_edge_elsewhere_opens_no_way_deeper_at_a_hard_one() -> None:
    alpha = np.zeros((200, 300), np.float32)
    alpha[:, 100:200] = 1
    alpha[:, 60:100] = np.linspace(0, 1, 40)  # forty pixels wide on the left, one on the right
    alpha[:, 200] = 0.5
    colours = np.full((200, 300, 3), GREEN, np.uint8)
    colours[:, 120:180] = SKIN
    image = to_bytes(Scene.over(alpha, colours / 255, np.array(GREEN) / 255))
    cleaned = despill(colours, to_bytes(alpha), image)
    assert np.array_equal(cleaned[:, 140:200], colours[:, 140:200])
    assert (cleaned[:, 80:95] != colours[:, 80:95]).any()
