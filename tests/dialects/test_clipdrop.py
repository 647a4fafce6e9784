"""Clipdrop: the picture in the format that Accept asks for, own transparency, credits, errors, keys and limits."""

from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from cutout import errors
from cutout.accounts import KeyMode
from cutout.api.dialects.clipdrop import DIALECT
from cutout.api.request import Request
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.pictures import CAT, cat, encoded, pixels, plain
from tests.dialects.shapes import problem_of_clipdrop, success_of_clipdrop
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

KEY = {"x-api-key": LIVE_KEY}
REMOVE = f"{URL}/remove-background/v1"
PHOTO = cat()
FILE = {"image_file": ("cat.png", PHOTO)}


def post(api: requests.Session, accept: str | None = None, **request: Any) -> requests.Response:
    """accept: None sends what requests sends, ``*/*``."""
    headers = request.pop("headers", KEY) | ({} if accept is None else {"accept": accept})
    return api.post(REMOVE, **{"files": FILE, "headers": headers} | request)


def made(response: requests.Response) -> np.ndarray:
    assert response.status_code == 200, response.content
    success_of_clipdrop(response)
    return pixels(response.content)


def refused(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.content
    problem_of_clipdrop(response)
    assert images_of() == 0
    return str(response.json()["error"])


def half_transparent() -> Image.Image:
    """The cat with a transparent left third and a translucent middle; its face is below both."""
    picture = Image.open(CAT).convert("RGBA").resize((120, 80))
    picture.putalpha(Image.fromarray(np.tile(np.repeat(np.array([0, 128, 255], np.uint8), 40), (80, 1))))
    return picture


@pytest.mark.covers("happy")
def test_a_form_becomes_a_png_of_its_size_without_its_background(api):
    response = post(api)
    assert response.headers["content-type"] == "image/png"
    cutout, photo = made(response), pixels(PHOTO)
    assert cutout.shape == (80, 120, 4)
    assert (cutout[20:60, 20:60, 3] > 250).all()  # the cat
    assert (cutout[:40, -8:] == 0).all()  # the wall
    solid = cutout[..., 3] == 255
    assert np.array_equal(cutout[solid][:, :3], photo[solid])


@pytest.mark.covers("happy")
def test_credits_are_told_and_an_image_is_charged_once(api):
    account, key = customer("free", used=7)
    headers = post(api, headers={"x-api-key": key}).headers
    assert (headers["x-remaining-credits"], headers["x-credits-consumed"]) == ("42", "1")
    assert images_of(account) == 8
    _, synthetic = customer("free", mode=KeyMode.SYNTHETIC)
    headers = post(api, headers={"x-api-key": synthetic}).headers
    assert (headers["x-remaining-credits"], headers["x-credits-consumed"]) == ("50", "0")


@pytest.mark.covers("options")
@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        ("png", [None, "", "*/*", "image/*", "image/png", "image/gif, */*;q=0.5"]),
        ("png", ["application/json, text/plain, */*"]),  # axios
        ("webp", ["image/webp", "image/png;q=0.1, image/webp;q=0.7, image/jpg;q=0.3", "image/png;q=0, */*"]),
        ("jpeg", ["image/jpeg", "image/jpg", "IMAGE/JPG;q=0.9", "image/jpeg, */*;q=0.1"]),
    ],
)
def test_accept_chooses_the_format(api, kind, spellings):
    for accept in spellings:
        response = post(api, accept)
        assert response.headers["content-type"] == f"image/{kind}", accept
        assert made(response).shape == (80, 120, 3 if kind == "jpeg" else 4)


@pytest.mark.covers("options")
def test_a_jpeg_lies_on_white_and_a_webp_is_the_png_but_for_its_compression(api):
    png = made(post(api))
    nothing, solid = png[..., 3] == 0, png[..., 3] == 255
    jpeg, webp = made(post(api, "image/jpg")), made(post(api, "image/webp"))
    assert jpeg[nothing].mean() > 252
    assert np.abs(jpeg - png[..., :3])[solid].mean() < 6
    assert np.array_equal(webp[..., 3], png[..., 3])
    assert np.abs(webp - png)[solid].mean() < 6


@pytest.mark.covers("options")
def test_a_format_that_is_not_made_is_not_acceptable(api):
    for accept in ("image/gif", "application/json", "text/html, image/avif", "*/*;q=0"):
        assert "image/png, image/webp, image/jpeg" in refused(post(api, accept), 406)


@pytest.mark.covers("options")
@pytest.mark.parametrize(
    ("data", "accept"),
    [
        (encoded(half_transparent(), "PNG", compress_level=1), "*/*"),
        (encoded(half_transparent(), "WEBP", lossless=True), "image/webp"),
    ],
    ids=["png", "webp"],
)
def test_a_transparent_image_comes_back_byte_for_byte(api, data, accept):
    for times, handling in enumerate(({}, {"transparency_handling": "return_input_if_non_opaque"}), 1):
        response = post(api, accept, files={"image_file": ("x", data)}, data=handling)
        success_of_clipdrop(response)
        assert response.content == data
        assert response.headers["x-credits-consumed"] == "1"
        assert images_of() == times


@pytest.mark.covers("options")
def test_a_transparent_image_of_another_format_is_coded_anew_with_its_own_transparency(api):
    picture = half_transparent()
    own = np.array(picture).astype(int)
    files = {"image_file": ("x", encoded(picture))}
    webp, jpeg = (made(post(api, accept, files=files)) for accept in ("image/webp", "image/jpeg"))
    assert np.array_equal(webp[..., 3], own[..., 3])
    assert jpeg[:, :36].min() > 250
    assert np.abs(jpeg[:, 84:] - own[:, 84:, :3]).mean() < 6  # the wall of the opaque third is still there
    png = made(post(api, files={"image_file": ("x", encoded(picture, "WEBP", lossless=True))}))
    assert np.array_equal(png[:, 40:], own[:, 40:])


@pytest.mark.covers("options")
def test_a_discarded_alpha_layer_shows_what_it_hid_and_the_background_goes(api):
    files = {"image_file": ("x", encoded(half_transparent()))}
    discarded = made(post(api, files=files, data={"transparency_handling": "Discard_alpha_layer"}))
    opaque = made(post(api, files={"image_file": ("x", encoded(half_transparent().convert("RGB")))}))
    assert np.array_equal(discarded, opaque)
    assert (discarded[20:60, 10:50, 3] > 200).all()
    assert (discarded[:40, -8:, 3] == 0).all()


@pytest.mark.covers("options")
def test_an_opaque_image_with_an_alpha_channel_is_cut_out(api):
    rgba = encoded(Image.open(CAT).convert("RGBA").resize((120, 80)))
    assert (made(post(api, files={"image_file": ("x", rgba)}))[:40, -8:, 3] == 0).all()


@pytest.mark.covers("options")
def test_the_image_itself_as_the_body_is_taken_too(api):
    expected = post(api).content
    for kind in ({"content-type": "application/octet-stream"}, {"content-type": "image/png"}, {}):
        assert post(api, files=None, data=PHOTO, headers=KEY | kind).content == expected


@pytest.mark.covers("options")
def test_names_and_types_of_the_part_and_other_fields_do_not_matter(api):
    form = {"image_file": ("blob", cat(image_format="JPEG"), "text/plain")}
    assert made(post(api, files=form, data={"size": "9", "transparency_handling": ""})).shape == (80, 120, 4)


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("request_", "text"),
    [
        pytest.param({"files": {"image": ("x.png", PHOTO)}}, "image_file is missing", id="another field"),
        pytest.param({"files": {"image_file": ("x.png", b"")}}, "image_file is missing", id="empty file"),
        pytest.param({"files": None, "data": b""}, "image_file is missing", id="no body"),
        pytest.param({"files": None, "json": {"image_file": "x"}}, "image_file is missing", id="json"),
        pytest.param({"files": {"image_file": ("x.png", b"text")}}, "is text, not an image", id="text"),
        pytest.param({"files": {"image_file": ("x.png", PHOTO[:300])}}, "incomplete", id="truncated"),
        pytest.param({"files": {"image_file": ("x", cat(image_format="GIF"))}}, "send PNG, JPG or WEBP", id="gif"),
        pytest.param({"files": {"image_file": ("x", cat(image_format="TIFF"))}}, "send PNG, JPG or WEBP", id="tiff"),
        pytest.param({"data": {"transparency_handling": "keep"}}, "discard_alpha_layer", id="handling"),
        pytest.param(
            {"files": None, "data": b"--", "headers": KEY | {"content-type": "multipart/form-data"}},
            "boundary",
            id="form",
        ),
    ],
)
def test_what_cannot_be_worked_on_is_a_400_in_words(api, request_, text):
    assert text in refused(post(api, **request_), 400)


@pytest.mark.covers("limits")
def test_thirty_mib_and_twenty_five_megapixels_are_the_most(api):
    small = cat(image_format="JPEG")
    many_bytes, many_pixels = small.ljust(30 * 2**20 + 1, b"\0"), plain(5001, 5000)
    assert "too large" in refused(post(api, files={"image_file": ("x", many_bytes)}), 400)
    assert "too many pixels" in refused(post(api, files={"image_file": ("x", many_pixels)}), 400)
    assert made(post(api, files={"image_file": ("x", small.ljust(30 * 2**20, b"\0"))})).shape == (80, 120, 4)


@pytest.mark.covers("limits")
def test_beyond_the_rate_there_is_a_429_that_says_when_to_come_back(api):
    account, key = customer(rate=1)
    with second_stands_still():
        first, second = (post(api, headers={"x-api-key": key}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    problem_of_clipdrop(second)
    assert second.headers["retry-after"] == "1"
    assert images_of(account) == 1


@pytest.mark.covers("auth")
def test_the_key_comes_by_its_header(api):
    for headers in (KEY, {"X-API-KEY": LIVE_KEY}, {"Authorization": f"Bearer {LIVE_KEY}"}):
        made(post(api, headers=headers))


@pytest.mark.covers("auth")
def test_without_a_good_key_or_credits_there_is_an_error(api):
    assert refused(post(api, headers={}), 401) == "No api key provided"
    assert refused(post(api, headers={"x-api-key": ""}), 401) == "No api key provided"
    refused(post(api, headers={"x-api-key": "wrong"}), 403)
    refused(post(api, headers={"x-api-key": customer(status="suspended")[1]}), 403)
    account, spent = customer("free", used=50)
    refused(post(api, headers={"x-api-key": spent}), 402)
    assert images_of(account) == 50


@pytest.mark.covers("errors")
def test_another_method_is_refused_in_their_shape(api):
    response = api.get(REMOVE, headers=KEY)
    assert (refused(response, 405), response.headers["allow"]) == ("GET is not allowed here; use POST.", "POST")


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.CutoutError("Something went wrong on our side."), 500),
        (errors.ServiceUnavailableError("Not just now.", {"retry_after_s": 3, "table": "accounts"}), 503),
        (errors.DeadlineError("Too slow."), 504),
    ],
)
def test_our_own_faults_tell_nothing_more(error, status):
    response = DIALECT.problem(error, Request("POST", "/remove-background/v1", "/remove-background/v1"))
    assert (response.status, response.body) == (status, b'{"error": "%s"}' % error.message.encode())
    assert response.headers == ({"retry-after": "3"} if status == 503 else {})
