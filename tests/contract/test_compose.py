"""The compose options of POST /v2 through the running service: what each changes, and what is refused."""

import base64
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

import httpx
import numpy as np
import pytest
from PIL import Image

from local import ROOT
from tests.support.local_service import Service

SIZE = (240, 160)


def png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


BLUE = png(Image.new("RGB", (30, 40), (10, 20, 200)))


@pytest.fixture(scope="module")
def photo() -> bytes:
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as image:
        return png(image.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, headers={"x-api-key": service.key}, timeout=60) as client:
        yield client


def pixels(response: httpx.Response) -> np.ndarray:
    assert response.status_code == 200, response.text
    with Image.open(BytesIO(response.content)) as image:
        return np.array(image).astype(int)


@pytest.fixture(scope="module")
def cutout(client: httpx.Client, photo: bytes) -> np.ndarray:
    return pixels(client.post("/v2", files={"image_file": photo}))


@pytest.fixture(scope="module")
def white(client: httpx.Client, photo: bytes) -> np.ndarray:
    return pixels(client.post("/v2", files={"image_file": photo}, data={"bg_color": "white"}))


@pytest.mark.parametrize("field", ["bg_image_file", "bg_image_url", "bg_image_base64"])
def test_a_background_comes_by_every_field(client, file_server, photo, cutout, field):
    (file_server.folder / "blue.png").write_bytes(BLUE)
    files = {"image_file": photo}
    data = {"bg_image_url": f"{file_server.url}/blue.png", "bg_image_base64": base64.b64encode(BLUE).decode()}
    made = pixels(
        client.post("/v2", files=files | {field: BLUE})
        if field == "bg_image_file"
        else client.post("/v2", files=files, data={field: data[field]})
    )
    assert made.shape == (160, 240, 3)
    assert (made[cutout[..., 3] == 0] == (10, 20, 200)).all()
    assert np.array_equal(made[cutout[..., 3] == 255], cutout[cutout[..., 3] == 255][:, :3])


def test_json_takes_a_background_and_numbers(client, photo):
    fields = {
        "image_base64": base64.b64encode(photo).decode(),
        "bg_image_base64": base64.b64encode(BLUE).decode(),
        "bg_blur": 20,
        "scale": 50,
        "semitransparency": False,
    }
    document = client.post("/v2", json=fields).json()
    assert (document["width"], document["height"]) == SIZE


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"canvas": "300x300"}, (300, 300)),
        ({"canvas": "background"}, SIZE),
        ({"scale": "40", "position": "top-left"}, SIZE),
        ({"roi": "0 0 50% 100%"}, SIZE),
        ({"bg_blur": "50"}, SIZE),
        ({"shadow": "drop", "shadow_blur": "3%", "shadow_color": "navy"}, SIZE),
        ({"shadow": "contact"}, SIZE),
        ({"stroke_width": "4", "stroke_color": "red"}, SIZE),
        ({"semitransparency": "false"}, SIZE),
    ],
)
def test_an_option_changes_the_picture_from_the_query_as_from_the_form(client, photo, cutout, options, size):
    by_form = client.post("/v2", files={"image_file": photo}, data=options)
    by_query = client.post("/v2", content=photo, params=options)
    assert by_form.content == by_query.content
    made = pixels(by_form)
    assert made.shape[1::-1] == size
    changes = "semitransparency" not in options and options.get("canvas") != "background"
    assert not changes or made.shape != cutout.shape or not np.array_equal(made, cutout)


def test_a_stroke_and_a_shadow_leave_the_subject_as_it_is(client, photo, cutout, white):
    options = {"bg_color": "white", "shadow": "drop", "stroke_width": "3", "stroke_color": "#00c"}
    made = pixels(client.post("/v2", files={"image_file": photo}, data=options))
    solid = cutout[..., 3] == 255
    assert np.array_equal(made[solid], white[solid])
    assert (made[..., 2] - made[..., 0]).max() > 150
    assert (white[..., 2] - white[..., 0]).max() < 100


def test_margins_surround_the_crop(client, photo):
    crop = pixels(client.post("/v2", files={"image_file": photo}, data={"crop": "1"}))
    wide = pixels(client.post("/v2", files={"image_file": photo}, data={"crop": "1", "crop_margin": "7px 11px"}))
    assert wide.shape == (crop.shape[0] + 14, crop.shape[1] + 22, 4)
    assert np.array_equal(wide[7:-7, 11:-11], crop)


def test_a_zip_holds_colour_and_mask(client, photo, cutout):
    response = client.post("/v2", files={"image_file": photo}, data={"format": "zip"})
    assert response.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(response.content)) as archive:
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        alpha = np.array(Image.open(BytesIO(archive.read("alpha.png"))))
    assert np.array_equal(alpha, cutout[..., 3])


@pytest.mark.parametrize(
    ("fields", "code", "details"),
    [
        ({"bg_image_url": "http://127.0.0.1:9/x.png"}, "image_url_fetch_failed", {"image": "background"}),
        ({"bg_image_url": "http://169.254.169.254/"}, "image_url_fetch_failed", {"image": "background"}),
        ({"bg_image_url": "file:///etc/passwd"}, "image_url_fetch_failed", {"image": "background"}),
        ({"bg_image_base64": "!"}, "invalid_base64", {"image": "background"}),
        ({"bg_image_base64": "iVBORw0KGgo="}, "invalid_image", {"image": "background"}),
        ({"bg_image_base64": "eHh4eA=="}, "unsupported_image_format", {"image": "background"}),
        ({"bg_image_base64": "eA==", "bg_image_url": "http://a"}, "multiple_sources", {}),
        ({"roi": "0 0 241px 10px"}, "invalid_option", {"option": "roi", "reason": "exceeds_bounds"}),
        ({"roi": "5 0 5 10"}, "invalid_option", {"option": "roi", "reason": "empty"}),
        ({"crop_margin": "5"}, "invalid_option", {"option": "crop_margin", "needs": "crop"}),
        ({"canvas": "6001x1"}, "invalid_option", {"option": "canvas"}),
        ({"shadow": "3d"}, "invalid_option", {"option": "shadow"}),
    ],
)
def test_what_cannot_be_composed_is_refused_in_words_that_help(client, photo, fields, code, details):
    response = client.post("/v2", files={"image_file": photo}, data=fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, code)
    assert details.items() <= error["details"].items()
