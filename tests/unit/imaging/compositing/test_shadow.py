from math import erf, sqrt

import numpy as np
import pytest

from cutout.imaging.compositing.layout import alpha_peaks, bounding_box
from cutout.imaging.compositing.shadow import reach_px, shadow_plane
from cutout.imaging.spec import Length, Shadow, ShadowKind

SQUARE = np.zeros((160, 200), np.uint8)
SQUARE[50:90, 60:140] = 255
GROUND = Shadow(ShadowKind.CONTACT)


def darkness(silhouette: np.ndarray, shadow: Shadow) -> np.ndarray:
    box = bounding_box(alpha_peaks(silhouette), 64)
    assert box is not None
    return shadow_plane(silhouette, box, shadow).rows(slice(0, len(silhouette)))


def car() -> np.ndarray:
    """A body 200 wide that ends at row 140, on two wheels that end at row 160."""
    y, x = np.mgrid[0:240, 0:320]
    body = (y >= 80) & (y < 140) & (x >= 60) & (x < 260)
    wheels = (np.hypot(x - 100, y - 140) < 20) | (np.hypot(x - 220, y - 140) < 20)
    return ((body | wheels) * 255).astype(np.uint8)


def test_a_hard_drop_shadow_is_the_silhouette_moved() -> None:
    plane = darkness(SQUARE, Shadow(offset_x=Length(7), offset_y=Length(-4), blur=Length(0)))
    assert np.abs(plane - np.roll(SQUARE, (-4, 7), (0, 1)) / 255).max() < 1e-5


@pytest.mark.parametrize("blur", [6, 20, 40])
def test_a_soft_drop_shadow_has_gaussian_edges_of_half_the_blur(blur: float) -> None:
    plane = darkness(SQUARE, Shadow(offset_x=Length(10), offset_y=Length(5), blur=Length(blur)))

    def covered(at: float, first: float, last: float) -> float:
        return 0.5 * (erf((at - first) / (blur / sqrt(2))) - erf((at - last) / (blur / sqrt(2))))

    exact = [[covered(y + 0.5, 55, 95) * covered(x + 0.5, 70, 150) for x in range(200)] for y in range(160)]
    assert np.abs(plane - np.array(exact)).max() < 0.015


def test_a_drop_shadow_of_a_subject_that_the_canvas_cuts_goes_on_beyond_it() -> None:
    cut = SQUARE.copy()
    cut[90:, 60:140] = 255
    plane = darkness(cut, Shadow(offset_x=Length(0), offset_y=Length(0), blur=Length(20)))
    assert np.abs(plane[-1] - plane[-40]).max() < 0.01


def test_what_is_seen_of_a_shadow_lies_within_its_reach() -> None:
    for shadow in (Shadow(offset_x=Length(9), offset_y=Length(-20), blur=Length(16)), GROUND):
        plane = darkness(SQUARE, shadow) * shadow.opacity * 255
        top, right, bottom, left = (int(np.ceil(reach)) for reach in reach_px(shadow, 80))
        plane[50 - top : 90 + bottom, 60 - left : 140 + right] = 0
        assert plane.max() <= 10


def test_a_ground_shadow_is_darkest_under_the_wheels_and_lies_under_the_body_too() -> None:
    plane = darkness(car(), GROUND)
    assert plane[160, 100] > 0.7
    assert plane[160, 220] > 0.7
    assert 0.2 < plane[158, 160] < plane[160, 100]
    assert plane[158, 160] > 3 * plane[158, 20]
    assert plane[:100].max() < 0.02  # nothing beside or above the body
    assert plane[200:].max() < 0.02


def test_a_ground_shadow_follows_a_slope_from_foot_to_foot() -> None:
    y, x = np.mgrid[0:240, 0:320]
    tilted = ((y < 120 + (x - 160) * 0.1) & (y > 60) & (x > 40) & (x < 280)) | (np.hypot(x - 80, y - 130) < 20)
    tilted |= np.hypot(x - 240, y - 146) < 20
    plane = darkness((tilted * 255).astype(np.uint8), GROUND)
    near, far = np.argmax(plane[:, 80]), np.argmax(plane[:, 240])
    assert abs(int(near) - 150) <= 2
    assert abs(int(far) - 166) <= 2


def test_hands_do_not_stand_on_the_ground() -> None:
    figure = np.zeros((300, 200), np.uint8)
    figure[20:280, 90:110] = 255
    figure[100:160, 60:140] = 255  # arms, 120 rows above the feet
    plane = darkness(figure, GROUND)
    assert plane[280, 100] > 0.7
    assert plane[:240].max() < 0.05


def test_a_ground_shadow_looks_the_same_at_every_size() -> None:
    small = darkness(car(), GROUND)
    large = darkness(np.kron(car(), np.ones((6, 6), np.uint8)), GROUND)
    shrunk = large.reshape(240, 6, 320, 6).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 0.01


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 2)])
@pytest.mark.parametrize("kind", list(ShadowKind))
def test_tiny_silhouettes_cast_a_shadow_too(shape: tuple[int, int], kind: ShadowKind) -> None:
    plane = darkness(np.full(shape, 255, np.uint8), Shadow(kind))
    assert plane.shape == shape
    assert np.isfinite(plane).all()
