import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.compositing.layers import colour_layer, composite, image_layer


def over(front: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Porter and Duff's source-over, premultiplied, in double precision; [..., 4] in 0..1."""
    return front + back * (1 - front[..., 3:])


def premultiplied(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return np.concatenate([colours / 255 * share, share], axis=-1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 150), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_layers_lie_over_each_other_as_porter_and_duff_say(height: int, width: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    layers, expected = [], np.zeros((height, width, 4))
    for _ in range(count):
        colours = random.integers(0, 256, (height, width, 3), np.uint8)
        alpha = random.choice(np.array([0, 1, 60, 254, 255], np.uint8), (height, width))
        layers.append(image_layer(colours, alpha))
        expected = over(premultiplied(colours, alpha), expected)
    made = composite(layers, (height, width), opaque=False)
    assert np.abs(made[..., 3] - expected[..., 3] * 255).max() <= 0.501
    seen = made[..., 3] > 0
    straight = expected[seen][:, :3] / expected[seen][:, 3:] * 255
    assert np.abs(made[seen][:, :3] - straight).max(initial=0) <= 0.51
    assert not made[~seen].any()


def test_a_saved_cutout_laid_on_a_ground_is_the_picture_composed_on_it() -> None:
    random = np.random.default_rng(5)
    colours = random.integers(0, 256, (70, 30, 3), np.uint8)
    alpha = random.integers(0, 256, (70, 30), np.uint8)
    shade = random.random((70, 30)).astype(np.float32)
    effects = [colour_layer((20, 0, 60, 255), lambda rows: shade[rows], 0.6), image_layer(colours, alpha)]
    saved = composite(effects, (70, 30), opaque=False)
    there = over(premultiplied(saved[..., :3], saved[..., 3]), np.ones(4)) * 255
    here = composite([colour_layer((255, 255, 255, 255)), *effects], (70, 30), opaque=True)
    assert np.abs(there[..., :3] - here).max() < 1.6


def test_paint_is_as_strong_as_its_mask_its_opacity_and_its_own_alpha() -> None:
    half = np.full((3, 4), 0.5, np.float32)
    made = composite([colour_layer((10, 20, 30, 102), lambda rows: half[rows], 0.5)], (3, 4), opaque=False)
    assert made[0, 0].tolist() == [10, 20, 30, round(255 * 0.5 * 0.5 * 0.4)]
    assert not composite([colour_layer((10, 20, 30, 0))], (3, 4), opaque=False).any()


@pytest.mark.parametrize("value", [-0.2, 1.3])
def test_a_mask_that_overshoots_is_clipped(value: float) -> None:
    plane = np.full((2, 2), value, np.float32)
    made = composite(
        [colour_layer((200, 200, 200, 255)), colour_layer((0, 0, 0, 255), lambda rows: plane[rows])],
        (2, 2),
        opaque=True,
    )
    assert (made == (200 if value < 0 else 0)).all()
