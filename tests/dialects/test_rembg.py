"""rembg's server: a picture by a form or by a URL, its options, and FastAPI's errors."""

import shutil
from typing import Any

import numpy as np
import pytest
import requests

from cutout.container import container
from cutout.imaging.models.manifest import load_manifest
from local import ROOT
from tests.dialects.callers import LOCAL, customer, images_of, second_stands_still
from tests.dialects.pictures import astronaut, cat, opened, pixels, plain
from tests.dialects.shapes import problem_of_rembg, success_of_rembg
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY
from tests.unit.imaging.onnx_models import tiny_onnx

KEY = {"x-api-key": LIVE_KEY}
REMOVE = f"{URL}/api/remove"
PHOTO = cat()


def post(api: requests.Session, query: str = "", image: bytes | None = PHOTO, **form: str) -> requests.Response:
    files = {"file": ("cat.png", image)} if image is not None else {"other": ("x", b"x")}
    return api.post(REMOVE + query, files=files, data=form, headers=KEY)


def made(response: requests.Response) -> np.ndarray:
    assert response.status_code == 200, response.content
    success_of_rembg(response)
    return pixels(response.content)


def faults_of(response: requests.Response) -> list[dict[str, Any]]:
    assert response.status_code == 422
    problem_of_rembg(response)
    assert images_of() == 0
    return list(response.json()["detail"])


@pytest.fixture
def web(api: requests.Session, file_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A web server that may be fetched from."""
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    container.cache_clear()
    return file_server


@pytest.mark.covers("happy")
def test_the_part_file_becomes_a_png_of_its_size(api):
    response = post(api)
    cutout, photo = made(response), pixels(PHOTO)
    assert cutout.shape == (80, 120, 4)
    assert (cutout[20:60, 20:60, 3] > 250).all()  # the cat
    assert (cutout[:40, -8:] == 0).all()  # the wall
    solid = cutout[..., 3] == 255
    assert np.array_equal(cutout[solid][:, :3], photo[solid])
    assert response.headers["x-model"] == "cutout-s"
    assert images_of() == 1


@pytest.mark.covers("happy")
def test_a_picture_behind_a_url_becomes_the_same_png(api, web):
    (web.folder / "cat.png").write_bytes(PHOTO)
    response = api.get(REMOVE, params={"url": f"{web.url}/cat.png"}, headers=KEY)
    assert np.array_equal(made(response), made(post(api)))
    assert images_of() == 2


@pytest.mark.covers("happy")
@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_whatever_comes_in_a_png_goes_out(image_format, api):
    assert made(post(api, image=cat(60, 40, image_format))).shape == (40, 60, 4)


@pytest.mark.covers("options")
@pytest.mark.parametrize("value", ["true", "1", "on", "yes", "True", "T", "y"])
def test_only_the_mask_is_a_gray_png(value, api):
    response = post(api, om=value)
    mask = made(response)
    assert opened(response.content).mode == "L"
    assert np.array_equal(mask, made(post(api))[..., 3])


@pytest.mark.covers("options")
@pytest.mark.parametrize("value", ["false", "0", "off", "no", "N", "f", ""])
def test_what_is_off_is_as_if_it_were_not_there(value, api):
    assert np.array_equal(made(post(api, om=value, ppm=value, dc=value)), made(post(api)))


@pytest.mark.covers("options")
def test_a_mask_that_is_post_processed_has_no_half_tones(api):
    plainly, processed = made(post(api, om="1")), made(post(api, om="1", ppm="1"))
    assert len(np.unique(plainly)) > 10
    assert set(np.unique(processed)) == {0, 255}
    assert ((processed > 127) != (plainly > 127)).mean() < 0.03
    assert set(np.unique(made(post(api, ppm="1"))[..., 3])) == {0, 255}


@pytest.mark.covers("options")
def test_a_background_colour_is_laid_below(api):
    flat, cutout = made(post(api, "?bgc=10,200,30,255")), made(post(api))
    assert (flat[:40, -8:, :3] == [10, 200, 30]).all()
    inside = cutout[..., 3] == 255
    assert np.array_equal(flat[inside][:, :3], cutout[inside][:, :3])


@pytest.mark.covers("options")
def test_a_background_colour_may_be_half_transparent(api):
    half = made(post(api, "?bgc=10,200,30,128"))
    assert (half[:40, -8:] == [10, 200, 30, 128]).all()
    assert (half[20:60, 20:60, 3] == 255).all()


@pytest.mark.covers("options")
def test_a_background_colour_stands_in_the_query_or_in_the_form_and_not_below_a_mask(api, web):
    (web.folder / "cat.png").write_bytes(PHOTO)
    flat = made(post(api, "?bgc=255,0,0,255"))
    assert np.array_equal(made(post(api, bgc="255, 0, 0, 255")), flat)
    by_url = api.get(REMOVE, params={"url": f"{web.url}/cat.png", "bgc": "255,0,0,255"}, headers=KEY)
    assert np.array_equal(made(by_url), flat)
    assert np.array_equal(made(post(api, "?bgc=255,0,0,255", om="true")), made(post(api, om="true")))


@pytest.mark.covers("options")
def test_decontaminated_edges_are_those_of_our_own_despill(api):
    photo = astronaut()
    plainly, decontaminated = made(post(api, image=photo)), made(post(api, image=photo, dc="true"))
    assert np.array_equal(plainly[..., 3], decontaminated[..., 3])
    assert (plainly != decontaminated).any()
    ours = api.post(f"{URL}/v2", files={"image_file": photo}, data={"despill": "true"}, headers=KEY)
    assert np.array_equal(decontaminated, pixels(ours.content))


@pytest.mark.covers("options")
@pytest.mark.parametrize(
    "form",
    [{"a": "true"}, {"a": "1", "af": "240", "ab": "10", "ae": "10"}, {"af": "0", "ab": "255", "ae": "9999"},
     {"vm": "on"}, {"af": " 12 ", "ab": "7.0"}, {"other": "x"}],
)  # fmt: skip
def test_options_of_the_matting_are_taken_and_change_nothing_since_edges_are_always_refined(form, api):
    assert np.array_equal(made(post(api, **form)), made(post(api)))


@pytest.mark.covers("options")
@pytest.mark.parametrize("extras", ['{"sam_prompt": []}', "{bad json", "", "[]"])
def test_extras_are_ignored_even_where_they_are_no_json(extras, api):
    assert made(post(api, "?extras=" + requests.utils.quote(extras))).shape == (80, 120, 4)


@pytest.mark.covers("options")
def test_options_of_a_form_are_not_read_from_the_query(api):
    assert opened(post(api, "?om=true&af=900").content).mode == "RGBA"


MODELS = (
    "u2net", "u2netp", "u2net_human_seg", "u2net_cloth_seg", "u2net_custom", "silueta", "isnet-general-use",
    "isnet-anime", "dis_custom", "sam", "birefnet-general", "birefnet-general-lite", "birefnet-portrait",
    "birefnet-dis", "birefnet-hrsod", "birefnet-cod", "birefnet-massive", "birefnet-general-fp16", "ben_custom",
    "bria-rmbg", "withoutbg", "atlascloud",
)  # fmt: skip


@pytest.mark.covers("options")
def test_every_name_that_contains_a_known_one_is_taken_and_the_answer_tells_the_real_model(api):
    for model in (*MODELS, "my-u2net-v2", "sample"):
        response = post(api, image=plain(16, 16), model=model)
        assert response.status_code == 200, model
        assert response.headers["x-model"] == "cutout-s"


@pytest.mark.covers("options")
@pytest.mark.parametrize(("asked", "file"), [("u2netp", "u2netp"), ("ben_custom", "ben2")])
def test_a_model_whose_file_is_installed_does_the_work(asked, file, api, tmp_path, monkeypatch):
    row = load_manifest(ROOT / "models").select(file)
    shutil.copy(ROOT / "models" / "manifest.toml", tmp_path)
    (tmp_path / row.file).write_bytes(tiny_onnx(row.size_px))
    shutil.copy(ROOT / "models" / "cutout-s.onnx", tmp_path)
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(tmp_path))
    container.cache_clear()
    striped = made(post(api, model=asked, om="1"))
    assert post(api, model=asked).headers["x-model"] == row.name
    assert post(api, model="sam").headers["x-model"] == "cutout-s", "its file is not there"
    brightness = pixels(PHOTO).mean(axis=2)
    assert np.corrcoef(striped.ravel(), brightness.ravel())[0, 1] > 0.9, "the tiny model's alpha is the brightness"


# ---------------------------------------------------------------- Errors


WRONG = (
    ("model", "u3net", "string_pattern_mismatch"), ("model", "U2NET", "string_pattern_mismatch"),
    ("a", "maybe", "bool_parsing"), ("om", "2", "bool_parsing"), ("ppm", "-", "bool_parsing"),
    ("dc", "tru", "bool_parsing"), ("vm", "null", "bool_parsing"),
    ("af", "256", "less_than_equal"), ("af", "-1", "greater_than_equal"), ("af", "x", "int_parsing"),
    ("ab", "1e3", "int_parsing"), ("ab", "999999999999", "less_than_equal"), ("ae", "-1", "greater_than_equal"),
    ("ae", "1.5", "int_parsing"), ("ae", "9" * 5000, "int_parsing"),
)  # fmt: skip


@pytest.mark.covers("errors")
def test_a_value_that_does_not_fit_is_told_as_fastapi_does(api, web):
    for name, value, kind in WRONG:
        (fault,) = faults_of(post(api, **{name: value}))
        assert (fault["type"], fault["loc"], fault["input"]) == (kind, ["body", name], value[:200])
        query = {"url": f"{web.url}/cat.png", name: value}
        (fault,) = faults_of(api.get(REMOVE, params=query, headers=KEY))
        assert (fault["type"], fault["loc"]) == (kind, ["query", name])


@pytest.mark.covers("errors")
def test_all_faults_are_told_at_once(api):
    faults = faults_of(post(api, image=None, a="x", af="900", model="y"))
    assert [fault["loc"][1] for fault in faults] == ["file", "model", "a", "af"]
    assert faults[0] == {"type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": None}


@pytest.mark.covers("errors")
@pytest.mark.parametrize("body", [{"json": {"file": "x"}}, {"data": {"file": "x"}}, {"data": b"\xff\xd8"}, {}])
def test_a_post_without_the_part_file_is_told_what_is_missing(body, api):
    (fault,) = faults_of(api.post(REMOVE, headers=KEY, **body))
    assert (fault["type"], fault["loc"]) == ("missing", ["body", "file"])


@pytest.mark.covers("errors")
@pytest.mark.parametrize("query", ["", "?url=", "?link=http://example.com"])
def test_a_get_without_a_url_is_told_what_is_missing(query, api):
    (fault,) = faults_of(api.get(REMOVE + query, headers=KEY))
    assert (fault["type"], fault["loc"]) == ("missing", ["query", "url"])


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/a.jpg", "http://169.254.169.254/latest", "http://localhost:1/", "ftp://example.com/a.jpg",
     "file:///etc/passwd", "no url", "http://[::ffff:127.0.0.1]/", "http://missing.invalid/a.jpg"],
)  # fmt: skip
def test_what_cannot_be_fetched_is_400(url, api):
    response = api.get(REMOVE, params={"url": url}, headers=KEY)
    assert response.status_code == 400
    problem_of_rembg(response)
    assert images_of() == 0


@pytest.mark.covers("errors")
def test_what_is_behind_a_url_and_is_no_picture_or_is_not_there_is_400(api, web):
    (web.folder / "page.html").write_text("<html>")
    for path in ("page.html", "missing.png"):
        response = api.get(REMOVE, params={"url": f"{web.url}/{path}"}, headers=KEY)
        assert response.status_code == 400
        problem_of_rembg(response)


@pytest.mark.covers("errors")
@pytest.mark.parametrize("bgc", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "256,0,0,0", "-1,0,0,0", "1,2,3,", "red", "1" * 999])
def test_a_background_colour_that_is_none_is_400(bgc, api):
    response = post(api, f"?bgc={bgc}")
    assert response.status_code == 400
    problem_of_rembg(response)
    assert "bgc" in response.json()["detail"]


@pytest.mark.covers("errors")
@pytest.mark.parametrize("image", [b"no picture", PHOTO[:200], b"\x89PNG\r\n\x1a\n"])
def test_what_does_not_decode_is_400(image, api):
    response = post(api, image=image)
    assert response.status_code == 400
    problem_of_rembg(response)
    assert images_of() == 0


@pytest.mark.covers("errors")
def test_a_broken_form_is_400(api):
    response = api.post(REMOVE, data=b"--x\r\n", headers=KEY | {"content-type": "multipart/form-data; boundary=x"})
    assert response.status_code == 400
    problem_of_rembg(response)


@pytest.mark.covers("errors")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_405_and_a_head_costs_nothing(method, api, web):
    (web.folder / "cat.png").write_bytes(PHOTO)
    response = api.request(method, f"{REMOVE}?url={web.url}/cat.png", headers=KEY)
    assert response.status_code == 405
    assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))
    assert method == "HEAD" or response.json() == {"detail": "Method Not Allowed"}
    assert images_of() == 0


# ---------------------------------------------------------------- Keys and limits


@pytest.mark.covers("auth")
@pytest.mark.parametrize("headers", [KEY, {"authorization": f"Bearer {LIVE_KEY}"}])
def test_a_key_may_be_sent_as_elsewhere(headers, api):
    assert api.post(REMOVE, files={"file": PHOTO}, headers=headers).status_code == 200


@pytest.mark.covers("auth")
@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-api-key": "wrong"}, 403)])
def test_without_a_good_key_nothing_is_done(headers, status, api):
    response = api.post(REMOVE, files={"file": PHOTO}, headers=headers)
    assert response.status_code == status
    problem_of_rembg(response)


@pytest.mark.covers("auth")
def test_no_key_is_needed_where_the_owner_answers_for_it_and_a_wrong_one_is_still_wrong(api, monkeypatch):
    monkeypatch.setenv("CUTOUT_OPEN_ACCOUNT", LOCAL)
    container.cache_clear()
    made(api.post(REMOVE, files={"file": PHOTO}))
    assert images_of(LOCAL) == 1
    assert api.post(REMOVE, files={"file": PHOTO}, headers={"x-api-key": "wrong"}).status_code == 403


@pytest.mark.covers("auth")
def test_the_open_account_has_its_quota_and_its_rate(api, monkeypatch):
    account, _ = customer("free", used=50, rate=2)
    monkeypatch.setenv("CUTOUT_OPEN_ACCOUNT", account)
    container.cache_clear()
    with second_stands_still():
        answers = [api.post(REMOVE, files={"file": PHOTO}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [402, 402, 429]
    for answer in answers:
        problem_of_rembg(answer)
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.covers("limits")
def test_a_picture_above_the_limits_is_413_in_a_form_and_400_behind_a_url(api, web, monkeypatch):
    (web.folder / "cat.png").write_bytes(PHOTO)
    for limit in ({"CUTOUT_MAX_IMAGE_BYTES": "1000"}, {"CUTOUT_MAX_PIXELS": "100"}, {"CUTOUT_MAX_SIDE_PX": "100"}):
        with monkeypatch.context() as environment:
            for name, value in limit.items():
                environment.setenv(name, value)
            container.cache_clear()
            by_form = post(api)
            by_url = api.get(REMOVE, params={"url": f"{web.url}/cat.png"}, headers=KEY)
        assert (by_form.status_code, by_url.status_code) == (413, 400)
        problem_of_rembg(by_form)
        problem_of_rembg(by_url)
    assert images_of() == 0
