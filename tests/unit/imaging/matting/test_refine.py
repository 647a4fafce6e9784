"""Tolerances are measured on these very scenes and rounded up: SAD in the edge band, in 1/255 per pixel."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from cutout.imaging.matting import guided_filter, patches
from cutout.imaging.matting.grid import neighbourhood_extremes, shrink, upsample_rows
from cutout.imaging.matting.refine import refine_alpha, stretch, uncertain_band
from tests.unit.imaging.pictures import Scene, polygon, scene, soft_disc, strands, to_bytes

SCENES = {
    "strands": scene(strands(768, 768), "astronaut.png", "brick.png"),
    "many strands": scene(strands(768, 768, 5, 400), "retina.jpg", "coffee.png"),
    "polygon": scene(polygon(768, 768), "chelsea.png", "gravel.png"),
    "wide": scene(polygon(1100, 500), "coffee.png", "rocket.jpg"),
}


def plain(picture: Scene) -> np.ndarray:
    """What is to be beaten: the model's alpha enlarged bilinearly."""
    height, width = picture.alpha.shape
    return upsample_rows(picture.coarse(), (height, width), slice(0, height))


def sad(picture: Scene, alpha: np.ndarray) -> float:
    return float(np.abs(alpha - picture.alpha)[picture.edge].mean() * 255)


@pytest.mark.parametrize(
    ("name", "share"), [("strands", 0.72), ("many strands", 0.55), ("polygon", 0.25), ("wide", 0.12)]
)
def test_edges_are_closer_to_the_truth_than_bilinear_enlargement(name: str, share: float) -> None:
    picture = SCENES[name]
    refined = refine_alpha(picture.image, stretch(picture.coarse())) / 255
    assert sad(picture, refined) < share * sad(picture, plain(picture))


@pytest.mark.parametrize(("name", "most"), [("strands", 10.5), ("many strands", 8.5), ("polygon", 1.7), ("wide", 1.2)])
def test_an_alpha_finer_than_the_photo_is_refined_too(name: str, most: float) -> None:
    picture = SCENES[name]
    refined = refine_alpha(picture.image, stretch(picture.coarse(1280))) / 255
    assert sad(picture, refined) < most


def test_a_truly_soft_edge_stays_soft() -> None:
    picture = scene(soft_disc(768, 768))
    refined = refine_alpha(picture.image, stretch(picture.coarse())) / 255
    assert sad(picture, refined) < 7.5
    soft = (picture.alpha > 0.2) & (picture.alpha < 0.8)
    assert ((refined > 0) & (refined < 1))[soft].mean() > 0.97


def test_certain_pixels_keep_their_value() -> None:
    picture = SCENES["polygon"]
    coarse = picture.coarse()
    alpha = refine_alpha(picture.image, stretch(coarse))
    stretched = to_bytes((coarse - 0.04) / 0.92)
    certain = np.where(uncertain_band(stretched, *neighbourhood_extremes(stretched)), 0.5, coarse)
    whole = np.asarray(Image.fromarray(certain.astype(np.float32)).resize((768, 768), Image.Resampling.NEAREST))
    inner = np.asarray(Image.fromarray(to_bytes(whole)).filter(_erode())) == 255
    outer = np.asarray(Image.fromarray(to_bytes(1 - whole)).filter(_erode())) == 255
    assert inner.sum() > 50_000
    assert outer.sum() > 50_000
    assert (alpha[inner] == 255).all()
    assert (alpha[outer] == 0).all()


def _erode() -> object:
    from PIL import ImageFilter  # noqa: PLC0415

    return ImageFilter.MinFilter(9)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0), (1.0, 255), (0.03, 0), (0.97, 255)])
def test_a_picture_without_subject_stays_empty_and_one_all_subject_full(value: float, expected: int) -> None:
    alpha = refine_alpha(SCENES["strands"].image, stretch(np.full((64, 64), value, np.float32)))
    assert (alpha == expected).all()


def test_texture_tears_no_holes_into_what_the_model_calls_solid() -> None:
    # Stripes in the colours of the background run through the subject up to its edge.
    image = np.full((400, 400, 3), 30, np.uint8)
    image[:, :200] = 220
    image[::8, :200] = image[1::8, :200] = 30
    coarse = np.zeros((100, 100), np.float32)
    coarse[:, :50] = 1
    coarse[:, 49], coarse[:, 50] = 0.75, 0.25
    alpha = refine_alpha(image, stretch(coarse))
    assert (alpha[:, :190] == 255).all()
    assert (alpha[:, 210:] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.float32, (9, 11), elements=st.floats(0, 1, width=32)),
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(0, 2**32 - 1),
)
def test_any_alpha_on_any_size_gives_an_alpha_of_the_picture(
    coarse: np.ndarray, height: int, width: int, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    alpha = refine_alpha(image, stretch(coarse))
    assert alpha.shape == (height, width)
    assert alpha.dtype == np.uint8


@pytest.mark.parametrize("factor", [(4, 4), (4, 1), (1, 4)])
def test_of_a_picture_smaller_than_its_alpha_the_answer_and_the_work_are_the_pictures(factor: tuple[int, int]) -> None:
    picture = SCENES["polygon"]
    small = np.asarray(Image.fromarray(picture.image).resize((192, 192), Image.Resampling.BOX))
    alpha = np.asarray(Image.fromarray(picture.alpha).resize((192, 192), Image.Resampling.BOX))
    finer = np.kron(alpha, np.ones(factor, np.float32))
    refine_alpha(small, stretch(finer))  # whatever is made once is there
    tracemalloc.start()
    refined = refine_alpha(small, stretch(finer))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(refined / 255 - alpha).mean() < 0.002
    assert peak < 52 * small.size  # bytes; 48 are used


def test_patches_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = SCENES["strands"]
    monkeypatch.setattr(patches, "_PIXELS", 999)
    in_parts = refine_alpha(picture.image, stretch(picture.coarse()))
    monkeypatch.setattr(patches, "_PIXELS", 1 << 30)
    at_once = refine_alpha(picture.image, stretch(picture.coarse()))
    assert np.array_equal(in_parts, at_once)


def test_the_regression_equals_a_slow_plain_one() -> None:
    picture = scene(soft_disc(96, 96, 0.3))
    coarse = picture.coarse(160, 0.1)
    alpha = to_bytes(coarse)
    fit = guided_filter.fit_guided_filter(picture.image, alpha, 96, np.ones(alpha.shape, np.bool_))
    shape = (fit.shape[1] * 4, fit.shape[2] * 4)
    colour, alpha = blurred(shrink(picture.image, shape)), shrink(alpha, shape)[0]
    for y, x in ((1, 1), (5, 7), (fit.shape[1] - 2, fit.shape[2] - 2)):
        rows, columns = slice(4 * y - 4, 4 * y + 8), slice(4 * x - 4, 4 * x + 8)
        samples = colour[:, rows, columns].reshape(3, -1).T.astype(float)
        target = alpha[rows, columns].reshape(-1).astype(float)
        centred = samples - samples.mean(axis=0)
        scatter = centred.T @ centred / len(samples) + guided_filter.RIDGE * np.eye(3)
        slopes = np.linalg.solve(scatter, centred.T @ (target - target.mean()) / len(samples))
        offset = target.mean() - slopes @ samples.mean(axis=0)
        assert np.allclose(fit[:, y, x], [*slopes, offset * 255], atol=0.02, rtol=0.02)


def blurred(planes: np.ndarray) -> np.ndarray:
    """Each pixel weighed with its neighbours, 1 4 1 along both axes, and rounded to bytes: [3, h, w] in 0..1."""
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge").astype(float)
    rows = (padded[:, :-2] + 4 * padded[:, 1:-1] + padded[:, 2:]) / 6
    return np.round((rows[..., :-2] + 4 * rows[..., 1:-1] + rows[..., 2:]) / 6 * 255) / 255


def test_the_regression_of_a_black_and_white_picture_is_exact() -> None:
    random = np.random.default_rng(3)
    grey = random.random((200, 144)) < 0.5
    alpha = np.where(random.random((200, 144)) < 0.8, grey, 0.5)
    samples = np.stack([grey, grey, grey, alpha]).astype(np.float32)
    products = np.stack([(samples[a] * samples[b]).mean(axis=1) for a in range(3) for b in range(a, 4)])
    fit = guided_filter._regress(products, samples.mean(axis=2))
    variance = grey.var(axis=1)
    slope = ((grey * alpha).mean(axis=1) - grey.mean(axis=1) * alpha.mean(axis=1)) / (
        3 * variance + guided_filter.RIDGE
    )
    assert np.abs(fit[:3].sum(axis=0) - 3 * slope).max() < 1e-3
    assert np.abs(fit[:3] - slope).max() < 1e-2
