import numpy as np
import pytest

from cutout.imaging.compositing.layout import lay_out
from cutout.imaging.compositing.place import place_on_canvas
from cutout.imaging.spec import Canvas, CutoutSpec, Fit, Length, Limits, Margins, Position
from tests.unit.imaging.pictures import soft_disc, to_bytes

RANDOM = np.random.default_rng(3)
COLOURS = RANDOM.integers(0, 256, (60, 90, 3), np.uint8)
ALPHA = np.zeros((60, 90), np.uint8)
ALPHA[20:40, 30:70] = RANDOM.integers(1, 256, (20, 40), np.uint8)
ALPHA[20, 30] = ALPHA[39, 69] = 255


def place(spec: CutoutSpec, colours: np.ndarray = COLOURS, alpha: np.ndarray = ALPHA) -> tuple[np.ndarray, np.ndarray]:
    return place_on_canvas(colours, alpha, lay_out(alpha, spec, Limits()))


def test_what_is_not_moved_is_not_copied() -> None:
    colours, alpha = place(CutoutSpec())
    assert np.shares_memory(colours, COLOURS)
    assert np.array_equal(alpha, ALPHA)
    assert np.shares_memory(place(CutoutSpec(crop=True))[1], ALPHA)


@pytest.mark.parametrize("position", [Position(0, 0), Position(100, 100), Position(50, 50)])
def test_a_moved_subject_keeps_every_pixel(position: Position) -> None:
    colours, alpha = place(CutoutSpec(position=position))
    left, top = round(50 * position.x / 100), round(40 * position.y / 100)
    assert np.array_equal(alpha[top : top + 20, left : left + 40], ALPHA[20:40, 30:70])
    assert np.array_equal(colours[top : top + 20, left : left + 40], COLOURS[20:40, 30:70])
    assert alpha.astype(int).sum() == ALPHA.astype(int).sum()


def test_margins_beyond_the_photo_are_empty() -> None:
    far = Length(50)
    colours, alpha = place(CutoutSpec(crop=True, crop_margin=Margins(far, far, far, far)))
    assert alpha.shape == (120, 140)
    assert np.array_equal(alpha[50:70, 50:90], ALPHA[20:40, 30:70])
    assert np.array_equal(colours[30:90, 20:110], COLOURS)
    alpha[50:70, 50:90] = 0
    assert not alpha.any()


def test_scaling_never_mixes_hidden_colours_into_the_edge() -> None:
    alpha = to_bytes(soft_disc(90, 60, 0.2))
    colours = np.where(alpha[..., None] > 0, np.uint8(200), np.uint8(0)) * np.ones(3, np.uint8)
    for spec in (
        CutoutSpec(scale=40),
        CutoutSpec(canvas=Canvas(300, 200)),
        CutoutSpec(canvas=Canvas(50, 90, Fit.COVER)),
    ):
        made, cover = place(spec, colours, alpha)
        shown = cover > 0
        assert shown.any()
        assert np.abs(made[shown].astype(int) - 200).max() <= 1


def test_scaling_keeps_the_covered_area() -> None:
    alpha = to_bytes(soft_disc(300, 200, 0.05))
    colours = np.full((200, 300, 3), 90, np.uint8)
    before = alpha.sum() / 255
    _, half = place(CutoutSpec(canvas=Canvas(150, 100)), colours, alpha)
    assert half.sum() / 255 == pytest.approx(before / 4, rel=0.01)
    _, double = place(CutoutSpec(canvas=Canvas(600, 400)), colours, alpha)
    assert double.sum() / 255 == pytest.approx(before * 4, rel=0.01)


def test_a_hard_edge_gets_no_ring() -> None:
    alpha = np.zeros((40, 40), np.uint8)
    alpha[10:30, 10:30] = 255
    _, cover = place(CutoutSpec(canvas=Canvas(160, 160)), np.zeros((40, 40, 3), np.uint8), alpha)
    row = cover[80].astype(int)
    assert (np.diff(row[:80]) >= 0).all()
    assert (row[48:112] == 255).all()


def test_a_frame_far_larger_than_the_canvas_costs_no_more_than_the_canvas() -> None:
    alpha = np.full((1, 4000), 255, np.uint8)
    colours = np.zeros((1, 4000, 3), np.uint8)
    made, cover = place(CutoutSpec(canvas=Canvas(300, 300, Fit.COVER)), colours, alpha)  # 1.2 million px wide, if whole
    assert made.shape == (300, 300, 3)
    assert (cover == 255).all()
