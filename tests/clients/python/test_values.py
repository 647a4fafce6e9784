"""The Python client's tables against the contract, and its values: images, results, errors."""

import inspect
import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import cutout_client
from cutout_client import AsyncCutout, Cutout, Result, errors
from cutout_client.async_resources import AsyncJobs, AsyncKeys
from cutout_client.images import Picture, RemoteImage, read_image
from cutout_client.messages import Answer
from cutout_client.options import NAMES, to_fields
from cutout_client.resources import Jobs, Keys
from cutout_client.results import is_whole
from local import ROOT
from tests.dialects.pictures import cat, encoded

CONTRACT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))


def test_every_error_code_of_the_contract_has_a_class_and_no_other_has() -> None:
    problem = CONTRACT["components"]["schemas"]["Problem"]["properties"]["error"]["properties"]["code"]
    assert set(errors.CODES) == set(problem["enum"])


def test_every_option_of_the_contract_can_be_asked_for_and_no_other() -> None:
    parameters = CONTRACT["paths"]["/v2"]["post"]["parameters"]
    named = {each["$ref"].rpartition("/")[2] for each in parameters} - {"prefer", "idempotencyKey"}
    assert named == NAMES


@pytest.mark.parametrize(("blocking", "awaited"), [(Cutout, AsyncCutout), (Jobs, AsyncJobs), (Keys, AsyncKeys)])
def test_the_asynchronous_client_has_the_same_methods_and_parameters(blocking, awaited) -> None:
    def methods(cls: type) -> dict[str, list[str]]:
        found = inspect.getmembers(cls, inspect.isfunction)
        return {name: list(inspect.signature(each).parameters) for name, each in found if not name.startswith("_")}

    assert methods(blocking) == methods(awaited)


def test_all_names_of_the_package_are_there() -> None:
    for name in cutout_client.__all__:
        assert getattr(cutout_client, name) is not None
    with pytest.raises(AttributeError):
        cutout_client.nothing  # noqa: B018


def test_verifying_webhooks_and_the_local_pipeline_load_no_http_client() -> None:
    modules = "cutout_client.webhooks, cutout_client.local, cutout_client.cli.app"
    code = f"import sys, {modules}; sys.exit('httpx' in sys.modules)"
    path = {"PYTHONPATH": f"{ROOT / 'clients' / 'python'}:{':'.join(sys.path)}"}
    assert subprocess.run([sys.executable, "-c", code], env=path, check=False).returncode == 0


def test_errors_tell_their_code_their_request_and_survive_pickling() -> None:
    error = errors.api_error("rate_limited", "Too fast.", status=429, request_id="req_1", retry_after_s=1.0)
    assert isinstance(error, errors.RateLimitedError)
    assert str(error) == "rate_limited: Too fast. (req_1)"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.status, again.retry_after_s) == (type(error), 429, 1.0)


def test_an_image_may_be_a_path_bytes_or_a_file(tmp_path: Path) -> None:
    data = cat(40, 30, "JPEG")
    path = tmp_path / "cat.jpg"
    path.write_bytes(data)
    with path.open("rb") as file:
        found = [
            read_image(image)
            for image in (path, str(path), data, bytearray(data), memoryview(data), file, io.BytesIO(data))
        ]
    assert all(isinstance(each, Picture) and each.data == data and each.media_type == "image/jpeg" for each in found)
    assert [each.name for each in found] == ["cat.jpg", "cat.jpg", "image", "image", "image", "cat.jpg", "image"]


def test_an_image_may_be_a_url() -> None:
    assert read_image("HTTPS://example.com/a.jpg") == RemoteImage("image_url", "HTTPS://example.com/a.jpg")


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 4)])
def test_an_array_is_sent_without_loss(shape) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    picture = read_image(array)
    assert picture.media_type == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(picture.data))) == array).all()


@pytest.mark.parametrize("array", [np.zeros((5, 4), np.float32), np.zeros((5, 4, 2), np.uint8), np.zeros(3, np.uint8)])
def test_another_array_is_refused(array) -> None:
    with pytest.raises(TypeError, match="uint8"):
        read_image(array)


@pytest.mark.parametrize("nothing", [None, 3, {"a": 1}, io.StringIO("text")])
def test_what_is_no_image_is_refused(nothing) -> None:
    with pytest.raises(TypeError):
        read_image(nothing)


def test_a_pillow_image_is_sent_upright_with_its_profile() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.open(io.BytesIO(encoded(Image.new("RGB", (6, 4)), "JPEG", exif=exif, icc_profile=b"profile")))
    sent = Image.open(io.BytesIO(read_image(turned).data))
    assert sent.size == (4, 6)
    assert sent.getexif().get(0x0112, 1) == 1
    assert sent.info["icc_profile"] == b"profile"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "HSV", "F", "RGBa"])
def test_modes_that_png_lacks_are_converted(mode) -> None:
    source = Image.new("RGBA" if mode == "RGBa" else "RGB", (6, 4), "red")
    picture = (
        source.convert("L").convert("F")
        if mode == "F"
        else Image.new(mode, (6, 4))
        if mode == "LAB"
        else source.convert(mode)
    )
    assert Image.open(io.BytesIO(read_image(picture).data)).size == (6, 4)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("crop", False, "false"), ("bg_color", "red", "red"), ("shadow_color", [1, 2, 3, 4], "#01020304"),
        ("roi", (0, 0, "50%", 100), "0 0 50% 100"), ("scale", 80.0, "80"), ("shadow_opacity", 33.3333333, "33.333333"),
        ("crop_margin", ["10%", 5], "10% 5"), ("position", (50, 100), "50 100"),
        ("stroke_width", 1_000_000.0, "1000000"),
    ],
)  # fmt: skip
def test_values_of_options_become_text(name, value, text) -> None:
    assert to_fields({name: value}) == {name: text}


def test_a_result_shows_picture_mask_and_box() -> None:
    picture = Image.new("RGBA", (20, 10))
    picture.paste((9, 9, 9, 255), (3, 2, 8, 7))
    picture.putpixel((19, 9), (9, 9, 9, 20))
    result = Result(encoded(picture))
    assert result.image.size == (20, 10)
    assert result.mask.getextrema() == (0, 255)
    assert result.foreground_box == (3, 2, 8, 7), "what is faint is no subject"
    assert Result(encoded(Image.new("RGBA", (4, 4)))).foreground_box is None
    assert Result(encoded(Image.new("L", (4, 4), 255))).foreground_box == (0, 0, 4, 4)


def test_a_flat_result_has_no_mask() -> None:
    with pytest.raises(ValueError, match="flat"):
        Result(encoded(Image.new("RGB", (4, 4)), "JPEG"), "image/jpeg").mask  # noqa: B018


def test_a_result_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    assert Result(b"abc").save(tmp_path / "a.png").read_bytes() == b"abc"
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        Result(b"abc").save(tmp_path / "folder")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.png", "folder"]


@pytest.mark.parametrize(
    ("image_format", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_an_image_without_its_end_is_noticed(image_format, media_type) -> None:
    data = cat(40, 30, image_format)
    assert is_whole(Answer(200, {"content-type": media_type}, data))
    for size in (0, 5, len(data) // 2, len(data) - 1):
        assert not is_whole(Answer(200, {"content-type": media_type}, data[:size])), size
