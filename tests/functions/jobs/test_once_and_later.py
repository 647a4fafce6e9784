"""POST /v2 under an Idempotency-Key, which is done once, and with Prefer: respond-async, which is done later."""

import base64
import json
from dataclasses import replace

import pytest

from cutout.aws import clients
from cutout.container import container
from tests.functions.jobs.asking import (
    OTHER_KEY,
    PHOTO,
    SYNTHETIC_KEY,
    A,
    ask,
    images_charged,
    messages,
)
from tests.support.builders import multipart
from tests.support.local_service import LIVE_KEY


def test_a_removal_under_a_key_is_done_and_charged_once():
    first, again = (
        ask("POST", "/v2", PHOTO, media_type="image/jpeg", query={"format": "webp"}, idempotency_key="k-2")
        for _ in range(2)
    )
    assert first.status == again.status == 200
    assert first.body == again.body
    assert first.headers["content-type"] == again.headers["content-type"] == "image/webp"
    for name in ("x-image-width", "x-image-height", "x-model", "server-timing"):
        assert first.headers[name] == again.headers[name]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert images_charged() == 1


def test_a_form_with_another_boundary_is_the_same_request(monkeypatch):
    answers = []
    for boundary in ("one", "two"):
        monkeypatch.setattr("tests.support.builders.BOUNDARY", boundary)
        body, media_type = multipart({"format": "png"}, {"image_file": (f"{boundary}.jpg", PHOTO, "image/jpeg")})
        answers.append(ask("POST", "/v2", body, media_type=media_type, idempotency_key="k-3"))
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[1].headers["idempotency-replayed"] == "true"


def test_another_image_under_the_same_key_is_a_422():
    ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-4")
    other = ask("POST", "/v2", PHOTO + b"\0", media_type="image/jpeg", idempotency_key="k-4")
    assert other.code == (422, "idempotency_mismatch")
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-4", prefer="respond-async").code == (
        422,
        "idempotency_mismatch",
    )
    mine = ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-4", key=OTHER_KEY)
    assert (mine.status, "idempotency-replayed" in mine.headers) == (200, False)


def test_a_refused_image_is_refused_again_in_the_same_words_and_costs_nothing():
    first, again = (ask("POST", "/v2", PHOTO[:500], media_type="image/jpeg", idempotency_key="k-5") for _ in range(2))
    assert first.code == again.code == (400, "invalid_image")
    assert first.json["error"]["message"] == again.json["error"]["message"]
    assert images_charged() == 0


def test_while_one_is_at_work_the_other_gets_a_409_that_says_when_to_ask_again(monkeypatch):
    true, during = container().removals, []

    true_make = true._make

    def slow(*arguments):
        during.append(ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-6"))
        return true_make(*arguments)

    monkeypatch.setattr(true, "_make", slow)
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-6").status == 200
    (busy,) = during
    assert (busy.code, busy.headers["retry-after"]) == ((409, "job_running"), "1")
    assert images_charged() == 1


def test_a_fault_of_ours_is_not_kept_under_the_key(monkeypatch):
    with monkeypatch.context() as patch:
        results = container().results
        patch.setattr(results, "_bucket", replace(results._bucket, name="no-such-bucket"))
        failed = ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-8")
    assert failed.code == (503, "service_unavailable")
    assert (images_charged(), failed.headers["retry-after"]) == (0, "1")
    answer = ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-8")
    assert (answer.status, images_charged()) == (200, 1)


def test_a_result_that_was_deleted_is_gone_and_not_made_again():
    ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-9")
    (job,) = ask("GET", "/v2/jobs").json["jobs"]
    assert (job["source"], job["status"]) == ({"kind": "request"}, "succeeded")
    ask("DELETE", f"/v2/jobs/{job['id']}")
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-9").code == (410, "gone")
    assert images_charged() == 1


def test_without_a_key_every_request_is_charged_and_synthetic_ones_never():
    for key, headers in (
        (LIVE_KEY, {}),
        (LIVE_KEY, {}),
        (SYNTHETIC_KEY, {}),
        (SYNTHETIC_KEY, {"idempotency_key": "s"}),
    ):
        assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", key=key, **headers).status == 200
    assert images_charged() == 2


BODY, FORM = multipart({"size": "preview"}, {"image_file": ("a.jpg", PHOTO, "image/jpeg")})


B64 = base64.b64encode(PHOTO).decode()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (PHOTO, "image/jpeg"),
        (PHOTO, ""),
        (BODY, FORM),
        (json.dumps({"image": B64}).encode(), "application/json"),
        (json.dumps({"image_base64": f"data:image/jpeg;base64,{B64}"}).encode(), "application/json"),
    ],
    ids=["raw", "untyped", "form", "legacy", "base64"],
)
def test_an_image_in_any_dress_becomes_a_job_when_the_client_prefers_one(body, media_type):
    answer = ask("POST", "/v2", body, media_type=media_type, prefer="wait=5, respond-async")
    assert (answer.status, answer.headers["preference-applied"]) == (202, "respond-async")
    assert answer.headers["location"] == f"/v2/jobs/{answer.json['id']}"
    assert (answer.json["source"], answer.json["status"]) == ({"kind": "request"}, "queued")
    assert messages() == [answer.json["id"]]
    job = container().jobs.find(answer.json["id"])
    stored = clients.s3_client().get_object(Bucket=job.source.bucket, Key=job.source.key)["Body"].read()
    assert stored == PHOTO
    assert images_charged() == 0, "a job is charged when it succeeds"


def test_a_url_and_an_upload_become_jobs_too():
    link = ask("POST", "/v2", {"image_url": "https://example.com/a.jpg"}, prefer="respond-async").json
    assert link["source"] == {"kind": "url", "url": "https://example.com/a.jpg"}
    upload = ask("POST", "/v2/uploads", {}).json
    missing = ask("POST", "/v2", {"upload_id": upload["upload_id"]}, prefer="respond-async")
    assert missing.code == (404, "not_found")
    container().uploads.store(upload["fields"]["key"], PHOTO)
    job = ask("POST", "/v2", {"upload_id": upload["upload_id"]}, prefer="respond-async").json
    assert container().jobs.find(job["id"]).source.key == upload["fields"]["key"]
    assert sorted(messages()) == sorted([link["id"], job["id"]])


@pytest.mark.parametrize("prefer", ["wait=10", "return=minimal", "respond-asynchronously", "", ";,="])
def test_other_preferences_are_ignored(prefer):
    answer = ask("POST", "/v2", PHOTO, media_type="image/jpeg", prefer=prefer)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"image_url": "http://127.0.0.1/a"}, (400, "image_url_fetch_failed")),
        ({"image": "!!!"}, (400, "invalid_base64")),
        ({}, (400, "missing_image")),
        ({"image": B64, "formt": "png"}, (400, "invalid_option")),
        ({"upload_id": "../x"}, (400, "invalid_request")),
        (b"", (400, "invalid_request")),
    ],
)
def test_what_would_be_refused_at_once_is_refused_at_once(body, code):
    assert ask("POST", "/v2", body, prefer="respond-async").code == code
    assert container().jobs.page(A, 10).jobs == ()


def test_a_later_answer_under_a_key_is_one_job():
    send = {"media_type": "image/jpeg", "prefer": "respond-async", "idempotency_key": "k-10"}
    first, again = (ask("POST", "/v2", PHOTO, **send) for _ in range(2))
    assert first.json == again.json
    assert again.headers["idempotency-replayed"] == "true"
