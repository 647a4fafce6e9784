"""A picture in which nothing is found: every contract says so, and nobody pays for it."""

import base64
import json

import boto3
import pytest
from PIL import Image

from cutout.container import container
from tests.dialects.callers import images_of
from tests.dialects.fal_bench import RUN, SUBMIT, data_uri, work
from tests.dialects.pictures import cat, encoded, opened, pixels, plain
from tests.dialects.wire import FORMS, KEY, KEYS, Form, picture_of, post_form
from tests.support.in_process_api import URL

NOTHING = plain(90, 60, colour="gray")
JSON = {**KEYS, "content-type": "application/json", "authorization": f"Key {KEY}"}
EMPTY = {
    "gray": NOTHING,
    "white": plain(64, 64, colour="white"),
    "a strip of black": plain(300, 20, "JPEG", colour="black"),
    "one pixel": plain(1, 1),
    "transparent": encoded(Image.new("RGBA", (40, 30), (200, 30, 30, 0))),
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("route", [route for route in FORMS if route != "/v1.0/removebg"])
def test_the_answer_says_so_and_is_not_charged(api, route, kind):
    answer = post_form(api, route, Form(FORMS[route], EMPTY[kind]))
    assert opened(picture_of(answer)).size == opened(EMPTY[kind]).size
    assert answer.headers["x-foreground"] == "none"
    assert images_of() == 0


@pytest.mark.parametrize("route", FORMS)
def test_what_is_found_is_said_too_and_charged(api, route):
    answer = post_form(api, route, Form(FORMS[route], cat()))
    assert answer.headers["x-foreground"] == "found"
    assert images_of() == 1


@pytest.mark.parametrize("kind", EMPTY)
def test_remove_bg_has_an_error_of_its_own(api, kind):
    answer = post_form(api, "/v1.0/removebg", Form("image_file", EMPTY[kind]))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_foreground")
    assert images_of() == 0


def test_credits_are_not_said_to_be_used(api):
    clipdrop = post_form(api, "/remove-background/v1", Form("image_file", NOTHING))
    assert clipdrop.headers["x-credits-consumed"] == "0"
    fal = api.post(f"{URL}{RUN}", data=json.dumps({"image_url": data_uri(NOTHING)}), headers=JSON)
    assert (fal.headers["x-foreground"], fal.headers.get("x-fal-billable-units")) == ("none", None)
    ben = api.post(f"{URL}/", data=json.dumps({"image": base64.b64encode(NOTHING).decode()}), headers=JSON)
    assert (ben.headers["x-foreground"], images_of()) == ("none", 0)


def test_fal_s_queue_says_so_with_the_result(api):
    request_id = api.post(f"{URL}{SUBMIT}", data=json.dumps({"image_url": data_uri(NOTHING)}), headers=JSON).json()[
        "request_id"
    ]
    work()
    result = api.get(f"{URL}/fal-ai/ben/requests/{request_id}", headers=JSON)
    assert (result.status_code, result.headers["x-foreground"]) == (200, "none")
    assert "x-fal-billable-units" not in result.headers
    assert images_of() == 0


@pytest.mark.parametrize("channels", ["alpha", "rgba"])
@pytest.mark.parametrize(("picture", "found"), [(NOTHING, "none"), (cat(), "found")])
def test_json_says_it_as_a_member(api, channels, picture, found):
    document = {"image_base64": base64.b64encode(picture).decode(), "channels": channels}
    answer = api.post(f"{URL}/v2", data=json.dumps(document), headers=JSON)
    assert answer.json()["foreground"] == found


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("more", [{}, {"channels": "alpha"}, {"bg_color": "red", "format": "jpg"}, {"crop": "true"}])
def test_an_error_may_be_asked_for(api, kind, more):
    data = {"on_empty": "Error", **more}
    answer = api.post(f"{URL}/v2", files={"image_file": EMPTY[kind]}, data=data, headers=KEYS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "nothing_found")
    assert images_of() == 0


@pytest.mark.parametrize("on_empty", ["image", "IMAGE", "error"])
def test_the_option_changes_nothing_where_something_is_found(api, on_empty):
    asked = {"files": {"image_file": cat()}, "headers": KEYS}
    answer = api.post(f"{URL}/v2?on_empty={on_empty}", **asked)
    assert (pixels(answer.content) == pixels(api.post(f"{URL}/v2", **asked).content)).all()


def test_another_value_is_refused(api):
    answer = api.post(f"{URL}/v2?on_empty=maybe", files={"image_file": NOTHING}, headers=KEYS)
    assert answer.json()["error"]["details"]["allowed"] == ["image", "error"]


def test_a_background_is_the_whole_picture(api):
    answer = api.post(f"{URL}/v2?bg_color=red", files={"image_file": NOTHING}, headers=KEYS)
    assert (pixels(answer.content)[..., :3] == (255, 0, 0)).all()
    assert (answer.headers["x-foreground"], images_of()) == ("none", 0)


@pytest.mark.parametrize(("on_empty", "status", "code"), [("image", 200, None), ("error", 422, "nothing_found")])
def test_under_an_idempotency_key_it_is_said_again_and_never_charged(api, on_empty, status, code):
    headers = {**KEYS, "idempotency-key": f"empty-{on_empty}"}
    for _ in range(2):
        answer = api.post(f"{URL}/v2?on_empty={on_empty}", files={"image_file": NOTHING}, headers=headers)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code if code else answer.headers["x-foreground"] == "none"
    assert images_of() == 0


@pytest.mark.parametrize("on_empty", ["image", "error"])
def test_a_job_ends_as_it_was_asked_to_and_is_not_charged(api, on_empty):
    asked = json.dumps({"image_url": data_uri(NOTHING), "on_empty": on_empty})
    job_id = api.post(f"{URL}/v2/jobs", data=asked, headers=JSON).json()["id"]
    work()
    job = api.get(f"{URL}/v2/jobs/{job_id}", headers=KEYS).json()
    if on_empty == "error":
        assert (job["status"], job["error"]["code"]) == ("failed", "nothing_found")
    else:
        assert (job["status"], job["result"]["foreground"]) == ("succeeded", "none")
    stored = boto3.client("s3").list_objects_v2(Bucket=container().settings.results_bucket, Prefix="results/")
    names = {entry["Key"].rpartition("/")[2] for entry in stored.get("Contents", [])}
    assert ("cutout.png" in names) == (on_empty == "image")
    assert images_of() == 0
