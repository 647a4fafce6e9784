import numpy as np
import pytest

from cutout.imaging.compositing.background import fit_backdrop, remove_subject
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.spec import Box, Fit
from cutout.imaging.srgb import LINEAR, dither, encode_srgb
from tests.unit.imaging.pictures import soft_disc, to_bytes


def canvas(width: int, height: int) -> Layout:
    whole = Box(0, 0, width, height)
    return Layout(width, height, whole, whole, whole, whole)


def quarters() -> np.ndarray:
    """120 x 60: red, green, blue and white stripes of 30 columns each."""
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)
    return np.tile(np.repeat(colours, 30, axis=0)[None], (60, 1, 1))


def test_bytes_survive_the_way_to_linear_light_and_back() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(encode_srgb(LINEAR[every]), every)
    assert encode_srgb(np.array([-1, 2], np.float32)).tolist() == [0, 255]


def test_a_slow_gradient_gets_no_steps_and_an_even_plane_no_noise() -> None:
    ramp = np.tile(np.linspace(0.2, 0.21, 256, dtype=np.float32), (64, 1))  # two bytes apart
    made = encode_srgb(ramp, dither(64, 256)).astype(float)
    exact = 255 * (1.055 * ramp ** (1 / 2.4) - 0.055)
    patches = (made - exact).reshape(8, 8, 32, 8).mean(axis=(1, 3))
    assert np.abs(patches).max() < 0.15  # rounding alone is half a byte off
    even = np.full((8, 8), 77, np.uint8)
    assert np.array_equal(encode_srgb(LINEAR[even], dither(8, 8)), even)


def test_a_background_of_the_canvas_size_is_taken_as_it_is() -> None:
    made = fit_backdrop(quarters(), None, canvas(120, 60), Fit.COVER, 0)
    assert np.array_equal(made.colours, quarters())
    assert made.cover is None


def test_cover_fills_the_canvas_with_the_middle_of_the_background() -> None:
    made = fit_backdrop(quarters(), None, canvas(60, 60), Fit.COVER, 0)
    assert made.cover is None
    assert (made.colours[:, 5:25] == (0, 255, 0)).all()
    assert (made.colours[:, 35:55] == (0, 0, 255)).all()


def test_fit_shows_all_of_the_background_and_leaves_the_rest_free() -> None:
    made = fit_backdrop(quarters(), None, canvas(60, 60), Fit.FIT, 0)
    assert made.cover is not None
    assert (made.cover[15:45] == 255).all()
    assert not made.cover[:15].any()
    assert not made.cover[45:].any()
    assert (made.colours[20:40, 3:12] == (255, 0, 0)).all()
    assert (made.colours[20:40, 48:57] == 255).all()


@pytest.mark.parametrize("fit", list(Fit))
def test_a_transparent_background_keeps_its_alpha_and_hides_its_hidden_colours(fit: Fit) -> None:
    own = np.zeros((60, 120), np.uint8)
    own[:, 60:] = 255
    made = fit_backdrop(quarters(), own, canvas(240, 120), fit, 0)
    assert made.cover is not None
    assert not made.cover[:, :110].any()
    assert (made.cover[:, 130:] == 255).all()
    edge = (made.cover > 0) & (made.cover < 255)
    assert edge.any()
    assert made.colours[edge][:, 1].max() == 0  # the green beyond the edge is hidden and stays out


def test_blur_mixes_light_not_bytes() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    made = fit_backdrop(stripes, None, canvas(64, 64), Fit.COVER, 100).colours
    assert abs(int(made[32, 32, 0]) - 188) <= 2  # half the light is byte 188; half the byte would be 128


def test_hidden_colours_of_a_background_do_not_bleed_into_its_blur() -> None:
    own = np.zeros((60, 120), np.uint8)
    own[:, 30:60] = 255  # the green stripe alone
    made = fit_backdrop(quarters(), own, canvas(120, 60), Fit.COVER, 100)
    assert made.cover is not None
    assert np.abs(made.colours[made.cover > 0].astype(int) - (0, 255, 0)).max() <= 2


def test_blur_is_a_share_of_the_canvas_so_a_preview_looks_like_the_answer() -> None:
    step = np.zeros((100, 100, 3), np.uint8)
    step[:, 50:] = 255
    small = fit_backdrop(step, None, canvas(100, 100), Fit.COVER, 60).colours
    large = fit_backdrop(np.kron(step, np.ones((4, 4, 1), np.uint8)), None, canvas(400, 400), Fit.COVER, 60).colours
    assert np.abs(large.reshape(100, 4, 100, 4, 3).mean(axis=(1, 3)) - small).max() < 6


def test_the_subject_leaves_no_glow_in_the_background() -> None:
    alpha = to_bytes(soft_disc(200, 200, 0.04))
    share = alpha[..., None] / 255
    photo = (np.array([255, 40, 0]) * share + np.array([40, 90, 120]) * (1 - share) + 0.5).astype(np.uint8)
    empty = remove_subject(photo, alpha)
    assert np.abs(empty.astype(int) - (40, 90, 120)).max() <= 2
    made = fit_backdrop(empty, None, canvas(200, 200), Fit.COVER, 50).colours
    assert np.abs(made.astype(int) - (40, 90, 120)).max() <= 3


def test_a_photo_that_is_all_subject_still_has_a_background() -> None:
    photo = np.full((20, 30, 3), 77, np.uint8)
    assert np.abs(remove_subject(photo, np.full((20, 30), 255, np.uint8)).astype(int) - 77).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1)])
@pytest.mark.parametrize("fit", list(Fit))
def test_backgrounds_of_any_shape_fit_canvases_of_any_shape(size: tuple[int, int], fit: Fit) -> None:
    for width, height in ((1, 1), (50, 1), (1, 50), (7, 9)):
        made = fit_backdrop(np.full((size[1], size[0], 3), 9, np.uint8), None, canvas(width, height), fit, 30)
        assert made.colours.shape == (height, width, 3)
        shown = made.colours if made.cover is None else made.colours[made.cover > 0]
        assert shown.size
        assert (shown == 9).all()
