"""Colour errors are means over the soft pixels after compositing on magenta, in 1/255; measured, then rounded up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from cutout.imaging.matting import foreground
from cutout.imaging.matting.foreground import apply_own_alpha, estimate_foreground, over_white
from cutout.imaging.matting.refine import refine_alpha, stretch
from tests.unit.imaging.pictures import Scene, polygon, scene, soft_disc, strands, to_bytes

MAGENTA = np.array([1, 0, 1], np.float32)
SCENES = {
    "strands": scene(strands(768, 768), "astronaut.png", "brick.png"),
    "disc": scene(soft_disc(768, 768), "coffee.png", "rocket.jpg"),
    "polygon": scene(polygon(700, 500), "chelsea.png", "gravel.png"),
}


def halo(picture: Scene, alpha: np.ndarray, colours: np.ndarray) -> float:
    truth = Scene.over(picture.alpha, picture.front, MAGENTA)
    made = Scene.over(alpha, colours / np.float32(255), MAGENTA)
    return float(np.abs(made - truth)[picture.edge].mean() * 255)


@pytest.mark.parametrize(("name", "share"), [("strands", 0.65), ("disc", 0.4), ("polygon", 0.5)])
def test_with_the_true_alpha_little_of_the_old_background_remains(name: str, share: float) -> None:
    picture = SCENES[name]
    exact = to_bytes(picture.alpha)
    cleaned = halo(picture, picture.alpha, estimate_foreground(picture.image, exact))
    assert cleaned < share * halo(picture, picture.alpha, picture.image)


def test_with_the_refined_alpha_a_soft_edge_loses_its_halo() -> None:
    picture = SCENES["disc"]
    alpha = refine_alpha(picture.image, stretch(picture.coarse()))
    cleaned = halo(picture, alpha / np.float32(255), estimate_foreground(picture.image, alpha))
    assert cleaned < 0.5 * halo(picture, alpha / np.float32(255), picture.image)


def test_flat_colours_are_solve_foreground_almost_exactly() -> None:
    alpha = soft_disc(200, 300, 0.2)
    front, back = np.array([0.9, 0.5, 0.1]), np.array([0.1, 0.3, 0.8])
    image = to_bytes(Scene.over(alpha, front, back))
    cleaned = estimate_foreground(image, to_bytes(alpha))
    seen_error = np.abs(cleaned / 255 - front) * alpha[..., None]  # what is left of it on another background
    assert seen_error.max() < 0.03
    assert (np.abs(image / 255 - front) * alpha[..., None]).max() > 0.15


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_only_soft_pixels_change(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    alpha = random.choice(np.array([0, 1, 100, 254, 255], np.uint8), (height, width))
    before = image.copy()
    cleaned = estimate_foreground(image, alpha)
    hard = (alpha == 0) | (alpha == 255)
    assert cleaned.shape == image.shape
    assert np.array_equal(cleaned[hard], image[hard])
    assert np.array_equal(image, before)


def test_parts_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = SCENES["disc"]
    monkeypatch.setattr(foreground, "PIXELS", 999)
    in_parts = estimate_foreground(picture.image, to_bytes(picture.alpha))
    monkeypatch.setattr(foreground, "PIXELS", 1 << 30)
    at_once = estimate_foreground(picture.image, to_bytes(picture.alpha))
    assert np.array_equal(in_parts, at_once)


def test_the_formula_is_the_least_squares_answer() -> None:
    # Minimise |I - aF - (1-a)B|^2 + r|F - F0|^2 + r|B - B0|^2 for one channel, solved as a plain 2 x 2 system.
    random = np.random.default_rng(0)
    for _ in range(50):
        observed, cover, front, back = random.integers(0, 256), random.integers(1, 255), *random.random(2)
        share, ridge = cover / 255, foreground._RIDGE
        matrix = np.array([[share**2 + ridge, share * (1 - share)], [share * (1 - share), (1 - share) ** 2 + ridge]])
        aim = observed / 255 * np.array([share, 1 - share]) + ridge * np.array([front, back])
        expected = np.clip(np.linalg.solve(matrix, aim)[0], 0, 1) * 255
        guesses = [np.full(4, 255 * guess, np.float32) for guess in (front, back)]
        got = foreground._unmix(np.full(4, observed, np.uint8), np.uint8([cover]), *guesses)
        assert np.abs(got - expected).max() <= 0.01


def test_an_uploaded_alpha_is_seen_on_white_and_never_exceeded() -> None:
    random = np.random.default_rng(2)
    image = random.integers(0, 256, (20, 30, 3), np.uint8)
    own = random.integers(0, 256, (20, 30), np.uint8)
    own[:5], own[5:10] = 0, 255
    visible = over_white(image, own)
    assert (visible[:5] == 255).all()
    assert np.array_equal(visible[5:10], image[5:10])
    found = random.integers(0, 256, (20, 30), np.uint8)
    estimated = np.full_like(image, 7)
    colours, alpha = apply_own_alpha(estimated, found, image, own)
    assert np.array_equal(alpha, np.minimum(found, own))
    assert np.array_equal(colours[own < 255], image[own < 255])
    assert (colours[own == 255] == 7).all()


def test_without_an_uploaded_alpha_nothing_changes() -> None:
    image, found = np.ones((3, 3, 3), np.uint8), np.ones((3, 3), np.uint8)
    assert over_white(image, None) is image
    assert apply_own_alpha(image, found, image, None) == (image, found)


def widened(alpha: np.ndarray, px: int, blur: float) -> np.ndarray:
    """An alpha that reaches ``px`` beyond the true one, as a network's often does around fur."""
    wide = Image.fromarray(to_bytes(alpha)).filter(ImageFilter.MaxFilter(2 * px + 1))
    return np.asarray(wide.filter(ImageFilter.GaussianBlur(blur)))


@pytest.mark.parametrize(
    ("size", "px", "blur", "most"),
    [(768, 8, 5, 0.22), (768, 4, 4, 0.11), (768, 6, 8, 0.1), (400, 4, 3, 0.22), (1200, 9, 9, 0.13)],
)
@pytest.mark.parametrize("dark_subject", [True, False])
def test_no_rim_of_the_old_background_stays_around_dark_hair_on_black_or_light_hair_on_white(
    size: int,
    px: int,
    blur: float,
    most: float,
    dark_subject: bool,  # noqa: FBT001
) -> None:
    alpha = soft_disc(size, size, 0.01)
    picture = scene(alpha, "chelsea.png", "gravel.png")
    picture = Scene(picture.front * 0.25, 0.75 + 0.2 * picture.back, alpha)
    if not dark_subject:
        picture = Scene(1 - picture.front, 1 - picture.back, alpha)
    wide = widened(alpha, px, blur)
    rim = (wide > 5) & (wide < 255) & (alpha < 0.5)
    ground = np.full(3, 0 if dark_subject else 1)
    seen = Scene.over(wide / np.float32(255), estimate_foreground(picture.image, wide) / np.float32(255), ground)
    assert np.abs(seen - ground)[rim].mean() < most


def test_bright_details_of_a_dark_subject_stay_bright() -> None:
    picture = scene(soft_disc(600, 600, 0.05), "rocket.jpg", "coffee.png")
    with_bound = halo(picture, picture.alpha, estimate_foreground(picture.image, to_bytes(picture.alpha)))
    assert with_bound < 0.4 * halo(picture, picture.alpha, picture.image)
