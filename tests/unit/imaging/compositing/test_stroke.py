import numpy as np
import pytest

from cutout.imaging.compositing.stroke import outline, reach_px, width_px
from cutout.imaging.spec import Length, LengthUnit, Stroke

Y, X = np.mgrid[0:400, 0:400]
RADII = np.hypot(X - 200, Y - 200)


def disc(radius: float) -> np.ndarray:
    return (np.clip(radius - RADII + 0.5, 0, 1) * 255 + 0.5).astype(np.uint8)


@pytest.mark.parametrize("width", [1, 3, 16, 17, 40, 80])
def test_the_outline_of_a_disc_is_a_disc_wider_by_its_width(width: int) -> None:
    cover = outline(disc(90), Stroke(Length(width)), 180).astype(float) / 255
    for angle in np.linspace(0, np.pi / 2, 13):
        steps = np.arange(0, 190, 0.25)
        ray = cover[
            np.round(200 + steps * np.sin(angle)).astype(int), np.round(200 + steps * np.cos(angle)).astype(int)
        ]
        assert ray.sum() / 4 == pytest.approx(90 + width, abs=1.5)
    assert (1 - (1 - disc(90) / 255) * (1 - cover))[RADII < 90].min() > 0.95  # no seam between it and the subject
    edge = cover[200, 200:]
    assert 1 <= ((edge > 0.05) & (edge < 0.95)).sum() <= 4  # smooth, and not blurred


def test_softness_blurs_the_outer_edge_around_the_same_place() -> None:
    sharp = outline(disc(90), Stroke(Length(20)), 180)[200, 200:].astype(float) / 255
    soft = outline(disc(90), Stroke(Length(20), softness=Length(5)), 180)[200, 200:].astype(float) / 255
    assert soft.sum() == pytest.approx(sharp.sum(), abs=1)
    assert 10 <= ((soft > 0.05) & (soft < 0.95)).sum() <= 20


def test_faint_pixels_get_no_outline_and_firm_ones_a_whole_one() -> None:
    faint, firm = (outline((disc(90) > 0) * np.uint8(value), Stroke(Length(6)), 180) for value in (60, 170))
    assert not faint.any()
    assert firm.max() == 255


def test_an_outline_is_not_cut_before_it_reaches_the_edge_of_the_canvas() -> None:
    square = np.zeros((60, 60), np.uint8)
    square[20:, 20:40] = 255
    cover = outline(square, Stroke(Length(6)), 40)
    assert (cover[-1, 15:45] > 250).all()
    assert cover[0].max() == 0


def test_widths_are_whole_pixels_or_percent_of_the_side_and_what_is_seen_stays_within_reach() -> None:
    assert width_px(None, 100) == reach_px(None, 100) == 0
    assert width_px(Stroke(Length(0.2)), 100) == 1
    assert width_px(Stroke(Length(5, LengthUnit.PERCENT)), 200) == 10
    for stroke in (Stroke(Length(4)), Stroke(Length(30)), Stroke(Length(9), softness=Length(6))):
        cover = outline(disc(90), stroke, 180)
        assert cover[91 + reach_px(stroke, 180) < RADII].max() <= 25
