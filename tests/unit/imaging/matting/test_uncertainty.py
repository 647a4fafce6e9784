"""One number for how undecided a model was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cutout.imaging.matting.refine import HIGH, LOW, stretch, uncertainty
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, Limits, OwnAlpha
from tests.unit.imaging.pictures import StubSegmenter, saved


def plane(value: float, side: int = 32) -> np.ndarray:
    return np.full((side, side), value, np.float32)


def disc(edge_px: float, side: int = 160) -> np.ndarray:
    """A subject with an edge that is soft over so many pixels."""
    y, x = np.mgrid[:side, :side] - side / 2
    return np.clip((side / 4 - np.hypot(x, y)) / edge_px + 0.5, 0, 1).astype(np.float32)


def test_what_is_sure_everywhere_has_none():
    alpha = plane(0)
    alpha[8:24, 8:24] = 1
    assert uncertainty(stretch(alpha)) == 0


def test_a_model_that_says_one_half_everywhere_is_as_undecided_as_it_can_be_and_still_find_something():
    assert uncertainty(stretch(plane(0.5))) == pytest.approx(0.5, abs=1e-4)  # measured in bytes


@pytest.mark.parametrize("alpha", [plane(0), plane(LOW), plane(0.0001)], ids=["nothing", "low", "traces"])
def test_nothing_found_is_nothing_to_be_sure_of(alpha):
    assert uncertainty(stretch(alpha)) == 1


def test_a_subject_that_never_gets_beyond_faint_is_no_subject():
    assert uncertainty(stretch(plane(0.2))) == 1


def test_what_counts_as_certain_when_the_mask_is_made_is_certain_here():
    alpha = plane(LOW)
    alpha[:16] = HIGH
    assert uncertainty(stretch(alpha)) == pytest.approx(0, abs=1e-6)


def test_the_softer_the_edge_the_higher():
    scores = [uncertainty(stretch(disc(edge))) for edge in (1, 4, 16, 40)]
    assert scores == sorted(scores)
    assert scores[0] < 0.05
    assert scores[-1] > 0.3


def test_the_room_around_the_subject_does_not_count():
    alpha = disc(6)
    assert uncertainty(stretch(np.pad(alpha, 100))) == pytest.approx(uncertainty(stretch(alpha)))


def test_the_parts_add_up_as_the_rule_says():
    alpha = np.array([[1, 1, 0.5, 0]], np.float32)
    assert uncertainty(stretch(alpha)) == pytest.approx(1 / (1 + 3), abs=1e-4)


@given(arrays(np.float32, (7, 5), elements=st.floats(0, 1, width=32)))
def test_it_stays_between_0_and_1(alpha):
    assert 0 <= uncertainty(stretch(alpha)) <= 1


def test_a_result_says_how_undecided_the_model_was_and_nothing_where_none_was_asked():
    pixels = np.full((16, 16, 4), 200, np.uint8)
    data = saved(pixels, "PNG")
    found = StubSegmenter(plane(0.5))
    assert cut_out(data, CutoutSpec(), found, Limits()).uncertainty == pytest.approx(0.5, abs=1e-4)
    assert cut_out(data, CutoutSpec(own_alpha=OwnAlpha.KEEP), found, Limits()).uncertainty is None
