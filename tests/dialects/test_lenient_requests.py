"""Requests that mean what they do not quite say: text that lost its plus signs, data URLs, coded bodies, options twice.

Each on every contract that takes such requests: a cutout of the very image, charged once, or an error and no charge.
"""

import base64
import json
import zlib
from urllib.parse import quote, urlencode

import pytest

from cutout.container import container
from local.cloud import client
from tests.dialects.callers import images_of
from tests.dialects.fal_bench import work
from tests.dialects.pictures import cat, opened, pixels
from tests.dialects.wire import FORMS, KEY, KEYS, Form, picture_of, spread
from tests.support.builders import gzipped, multipart
from tests.support.in_process_api import URL

PHOTO = cat()
TEXT = base64.b64encode(PHOTO).decode()
LOST = TEXT.replace("+", " ")
DATA_URLS = {
    "base64": f"data:image/png;base64,{TEXT}",
    "base64, percent-encoded": f"data:image/png;base64,{quote(TEXT, safe='')}",
    "base64 that lost its plus signs": f"data:image/png;base64,{LOST}",
    "percent-encoded": f"data:image/png,{quote(PHOTO, safe='')}",
    "upper case and parameters": f" DATA:image/png;name=a.png;BASE64,{TEXT}",
}
JSON = {**KEYS, "content-type": "application/json", "authorization": f"Key {KEY}"}
URLENCODED = {**KEYS, "content-type": "application/x-www-form-urlencoded"}
BASE64_FIELDS = {
    "/v2": "image_base64",
    "/v1.0/removebg": "image_file_b64",
    "/v2.0/remove_image_background": "source_image_base64",
    "/tools/1.0/removebg": "image",
    "/v1/results": "image",
}
URL_FIELDS = {
    "/v2": "image_url",
    "/v1.0/removebg": "image_url",
    "/v2.0/remove_image_background": "source_image_url",
    "/tools/1.0/removebg": "image_url",
    "/v1/results": "url",
}


def test_the_photo_has_plus_signs():
    assert LOST.count(" ") > 100


@pytest.mark.parametrize("route", BASE64_FIELDS)
def test_a_plus_may_arrive_as_a_space(api, route):
    field = BASE64_FIELDS[route]
    answers = [
        api.post(f"{URL}{route}", data=f"{field}={TEXT}", headers=URLENCODED),
        api.post(f"{URL}{route}", data=json.dumps({field: LOST}), headers=JSON),
    ]
    assert [opened(picture_of(answer)).size for answer in answers] == [(120, 80)] * 2
    assert images_of() == 2


@pytest.mark.parametrize("kind", DATA_URLS)
@pytest.mark.parametrize("route", URL_FIELDS)
def test_a_url_may_be_a_data_url(api, route, kind):
    document = {URL_FIELDS[route]: DATA_URLS[kind]}
    answers = [
        api.post(f"{URL}{route}", data=json.dumps(document), headers=JSON),
        api.post(f"{URL}{route}", data=urlencode(document), headers=URLENCODED),
    ]
    assert [opened(picture_of(answer)).size for answer in answers] == [(120, 80)] * 2
    assert images_of() == 2


@pytest.mark.parametrize("kind", DATA_URLS)
def test_a_data_url_in_a_query_and_in_fal_s_input(api, kind):
    small = (
        DATA_URLS[kind].replace(TEXT, base64.b64encode(cat(60, 40)).decode()) if kind == "base64" else DATA_URLS[kind]
    )
    assert picture_of(api.get(f"{URL}/api/remove", params={"url": small}, headers=KEYS))
    run = api.post(f"{URL}/fal-ai/ben/v2/image", data=json.dumps({"image_url": DATA_URLS[kind]}), headers=JSON)
    assert opened(picture_of(run)).size == (120, 80)
    assert images_of() == 2


@pytest.mark.parametrize("kind", DATA_URLS)
def test_a_job_may_have_a_data_url(api, kind):
    made = api.post(
        f"{URL}/v2/jobs", data=json.dumps({"image_url": DATA_URLS[kind], "channels": "alpha"}), headers=JSON
    )
    assert (made.status_code, made.json()["status"]) == (202, "queued")
    work()
    job = api.get(f"{URL}/v2/jobs/{made.json()['id']}", headers=KEYS).json()
    assert (job["status"], job["result"]["width"], images_of()) == ("succeeded", 120, 1)


def test_a_background_may_be_a_data_url(api):
    red = f"data:image/png;base64,{base64.b64encode(cat(1, 1)).decode()}"
    answer = api.post(f"{URL}/v2", files={"image_file": PHOTO}, data={"bg_image_url": red}, headers=KEYS)
    assert pixels(answer.content).shape == (80, 120, 3)  # opaque


@pytest.mark.parametrize("url", ["data:", "data:image/png", "data:image/png;base64,%%%", "data:image/png;base64,iVBOR"])
@pytest.mark.parametrize("route", URL_FIELDS)
def test_a_broken_data_url_is_a_client_s_fault(api, route, url):
    answer = api.post(f"{URL}{route}", data=json.dumps({URL_FIELDS[route]: url}), headers=JSON)
    assert answer.status_code in {400, 422} or (route, answer.status_code) == ("/v1/results", 200)
    assert images_of() == 0


CODINGS = {
    "gzip": gzipped,
    "x-gzip": gzipped,
    "deflate": zlib.compress,
    "Deflate": lambda body: zlib.compress(body, wbits=-15),
    "gzip, deflate": lambda body: zlib.compress(gzipped(body)),
    "identity": bytes,
    "utf-8": bytes,
}


@pytest.mark.parametrize(("route", "coding"), spread(CODINGS))
def test_a_body_may_be_compressed(api, route, coding):
    form = Form(FORMS[route], PHOTO)
    headers = {**KEYS, "content-type": form.content_type, "content-encoding": coding}
    answer = api.post(f"{URL}{route}", data=CODINGS[coding](form.body()), headers=headers)
    assert opened(picture_of(answer)).size == (120, 80)
    assert images_of() == 1


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "aes128gcm", "gzip, br"])
@pytest.mark.parametrize("route", FORMS)
def test_an_unknown_coding_is_named(api, route, coding):
    headers = {**KEYS, "content-type": "multipart/form-data; boundary=XX", "content-encoding": coding}
    answer = api.post(f"{URL}{route}", data=Form(FORMS[route], PHOTO).body(), headers=headers)
    assert answer.status_code in {400, 415}
    assert coding.rpartition(" ")[2] in answer.text
    assert answer.headers["accept-encoding"] == "gzip, deflate"
    assert images_of() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (PHOTO, "invalid_request"),
        (gzipped(PHOTO)[:-9], "invalid_request"),
        (gzipped(PHOTO) + b"more", "invalid_request"),
        (b"", "missing_image"),
        (gzipped(bytes(64 * 2**20 + 1), 1), "image_too_large"),
        (gzipped(b"") * 20, "invalid_request"),
    ],
    ids=["not compressed", "cut off", "more after it", "empty", "a bomb", "many in a row"],
)
def test_a_body_that_cannot_be_decoded_is_refused(api, body, code):
    answer = api.post(f"{URL}/v2", data=body, headers={**KEYS, "content-type": "image/png", "content-encoding": "gzip"})
    assert (answer.json()["error"]["code"], images_of()) == (code, 0)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("format=webp", {"format": "webp"}),
        ("FORMAT=webp&crop=true", {"format": "webp", "crop": "true"}),
        ("bg_color=%23ff0000&format=webp", {"bg_color": "#ff0000"}),
        ("size=hd&size=hd&format=webp", {"size": "hd"}),
        ("format=webp&format=webp", {"Format": "webp"}),
    ],
)
def test_one_option_in_form_and_query_with_one_value_is_one_option(api, query, fields):
    form = api.post(f"{URL}/v2?{query}", files={"image_file": PHOTO}, data=fields, headers=KEYS)
    urlencoded = api.post(f"{URL}/v2?{query}", data=urlencode({**fields, "image_base64": TEXT}), headers=URLENCODED)
    assert [answer.headers["content-type"] for answer in (form, urlencoded)] == ["image/webp"] * 2


@pytest.mark.parametrize(("query", "fields"), [("format=png", {"format": "webp"}), ("crop=true", {"crop": "false"})])
def test_one_option_with_two_values_is_refused(api, query, fields):
    answer = api.post(f"{URL}/v2?{query}", files={"image_file": PHOTO}, data=fields, headers=KEYS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("/v2", "bg_color"),
        ("/v1.0/removebg", "bg_color"),
        ("/v1/segment", "bg_color"),
        ("/tools/1.0/removebg", "bg_color"),
    ],
)
@pytest.mark.parametrize(
    "text", ["rgb(255, 0, 0)", "rgb(255 0 0 / 100%)", "hsl(0deg 100% 50%)", "rgba(255,0,0,1)", "f00"]
)
def test_a_colour_may_be_a_function_of_css(api, route, field, text):
    body, kind = multipart({field: text}, {FORMS[route]: ("a.png", PHOTO, "image/png")})
    answer = api.post(f"{URL}{route}", data=body, headers={**KEYS, "content-type": kind})
    made = opened(picture_of(answer)).convert("RGBA")
    assert made.getpixel((119, 2)) in {(255, 0, 0, 255), (254, 0, 0, 255)}  # the latter: JPEG


@pytest.mark.parametrize("name", ["api_key", "apikey", "key", "token", "x-api-key"])
@pytest.mark.parametrize("route", ["/v2", "/v1.0/removebg", "/remove-background/v1", "/v1/results", "/api/remove"])
def test_the_key_may_be_a_field_of_a_form_where_that_is_allowed(api, monkeypatch, route, name):
    monkeypatch.setenv("CUTOUT_OPEN_ACCOUNT", "")
    body, kind = multipart({name: KEY}, {FORMS[route]: ("a.png", PHOTO, "image/png")})
    container.cache_clear()
    assert api.post(f"{URL}{route}", data=body, headers={"content-type": kind}).status_code in {401, 403}
    monkeypatch.setenv("CUTOUT_LEGACY_KEYS", "true")
    container.cache_clear()
    assert picture_of(api.post(f"{URL}{route}", data=body, headers={"content-type": kind}))
    assert images_of() == 1


def test_the_image_of_a_job_with_a_data_url_is_stored_as_an_upload(api):
    api.post(f"{URL}/v2/jobs", data=json.dumps({"image_url": DATA_URLS["base64"]}), headers=JSON)
    bucket = container().settings.uploads_bucket
    (entry,) = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert client("s3").get_object(Bucket=bucket, Key=entry["Key"])["Body"].read() == PHOTO
