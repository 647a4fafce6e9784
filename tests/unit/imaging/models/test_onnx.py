from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from cutout.errors import ServiceUnavailableError
from cutout.imaging.models.manifest import Activation, Model, Resize, Scale, Stretch, load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter, postprocess, preprocess, self_test
from cutout.imaging.resampling import squash
from tests.unit.imaging.onnx_models import tiny_onnx
from tests.unit.imaging.pictures import StubSegmenter, photo, to_bytes

MANIFEST = load_manifest(Path(__file__).parents[4] / "models")
ROWS = list(MANIFEST.models.values())
IMAGE = to_bytes(photo("rocket.jpg", 333, 211) * 0.8)
OURS = MANIFEST.select("")
FILTERS = {Resize.BILINEAR: Image.Resampling.BILINEAR, Resize.LANCZOS: Image.Resampling.LANCZOS}


def plain_input(image: np.ndarray, model: Model) -> np.ndarray:
    """The textbook form in float64: divide, shift, divide, channels first."""
    pixels = image.astype(np.float64)
    pixels /= 255 if model.scale is Scale.BYTE else pixels.max()
    return ((pixels - model.mean) / model.std).transpose(2, 0, 1)[None]


@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.name)
def test_every_row_is_normalised_as_written_in_the_textbook(model: Model) -> None:
    tensor = preprocess(IMAGE, model)
    assert tensor.dtype == np.float32
    assert tensor.shape == (1, 3, model.size_px, model.size_px)
    seen = squash(IMAGE, model.size_px, FILTERS[model.resize])
    assert np.abs(tensor - plain_input(seen, model)).max() < 2e-6 * 10


def test_our_model_sees_byte_128_as_zero_and_255_as_about_one() -> None:
    assert abs(float(preprocess(np.full((9, 9, 3), 128, np.uint8), OURS).max())) < 1e-5
    assert abs(float(preprocess(np.full((9, 9, 3), 255, np.uint8), OURS).max()) - 0.992) < 1e-3
    assert abs(float(preprocess(np.zeros((9, 9, 3), np.uint8), OURS).min()) + 1) < 1e-5


def test_a_black_picture_is_not_divided_by_zero() -> None:
    assert np.isfinite(preprocess(np.zeros((5, 5, 3), np.uint8), MANIFEST.select("u2net"))).all()


@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.name)
def test_every_row_runs_on_a_model_of_its_shape(model: Model, tmp_path: Path) -> None:
    path = tmp_path / model.file
    path.write_bytes(tiny_onnx(model.size_px, half=model.name == "ben2", outputs=7 if "u2net" in model.name else 1))
    segmenter = OnnxSegmenter(model, path, threads=1)
    alpha = segmenter.alpha(IMAGE)
    raw = plain_input(segmenter.squash(IMAGE), model).mean(axis=1)[0]
    expected = 1 / (1 + np.exp(-raw)) if model.activation is Activation.SIGMOID else raw
    if model.stretch is Stretch.MINMAX:
        expected = (expected - expected.min()) / (expected.max() - expected.min())
    assert segmenter.name == model.name
    assert alpha.dtype == np.float32
    assert alpha.shape == (model.size_px, model.size_px)
    assert np.abs(alpha - np.clip(expected, 0, 1)).max() < (2e-3 if model.name == "ben2" else 1e-5)
    self_test(segmenter)


def test_the_wanted_output_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_onnx(32, outputs=3, gain=0.1))
    row = replace(OURS, size_px=32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    white = np.full((8, 8, 3), 255, np.uint8)
    values = [OnnxSegmenter(replace(row, output=i), path).alpha(white)[0, 0] for i in range(3)]
    assert values == pytest.approx([0.1, 0.2, 0.3], abs=1e-6)


def test_min_max_is_left_out_when_there_is_hardly_any_contrast() -> None:
    row = MANIFEST.select("isnet-general-use")
    faint = np.linspace(0, 0.09, 100, dtype=np.float32).reshape(1, 1, 10, 10)
    assert np.allclose(postprocess(faint, row), faint[0, 0])
    clear = np.linspace(0.2, 0.4, 100, dtype=np.float32).reshape(1, 1, 10, 10)
    assert postprocess(clear, row).min() == 0
    assert postprocess(clear, row).max() == 1


@given(
    arrays.arrays(
        np.float16, st.sampled_from([(1, 1, 4, 5), (1, 4, 5), (4, 5)]), elements=st.floats(-100, 100, width=16)
    ),
    st.sampled_from(ROWS),
)
def test_any_finite_output_becomes_an_alpha_in_range(raw: np.ndarray, model: Model) -> None:
    alpha = postprocess(raw, model)
    assert alpha.shape == (4, 5)
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() <= 1


def test_a_missing_broken_or_foreign_file_makes_the_service_unavailable(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    (tmp_path / "half.onnx").write_bytes(tiny_onnx(OURS.size_px)[:150])
    (tmp_path / "other.onnx").write_bytes(tiny_onnx(64))
    for name in ("none.onnx", "empty.onnx", "broken.onnx", "half.onnx"):
        with pytest.raises(ServiceUnavailableError, match="loaded") as caught:
            OnnxSegmenter(OURS, tmp_path / name)
        assert caught.value.__cause__ is not None
        assert str(tmp_path) not in caught.value.message
    with pytest.raises(ServiceUnavailableError, match="does not fit"):
        OnnxSegmenter(OURS, tmp_path / "other.onnx")
    with pytest.raises(ServiceUnavailableError, match="does not fit"):
        OnnxSegmenter(replace(OURS, size_px=64, output=1), tmp_path / "other.onnx")


def test_a_model_that_answers_no_number_fails_the_check() -> None:
    self_test(StubSegmenter())
    for alpha in (np.full((4, 4), np.nan, np.float32), np.full((4, 4), 2, np.float32), np.zeros((1, 4, 4), np.float32)):
        with pytest.raises(ServiceUnavailableError):
            self_test(StubSegmenter(alpha))
