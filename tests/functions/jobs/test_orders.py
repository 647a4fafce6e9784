"""Jobs: ordered, looked at, listed, deleted, and ordered twice under one Idempotency-Key.

What a worker makes of a job is in tests/functions/process_upload; both together, over HTTP, in
tests/contract/test_jobs_api.py.
"""

from dataclasses import replace

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.container import container
from tests.functions.jobs.asking import (
    OTHER_KEY,
    PHOTO,
    A,
    ask,
    images_charged,
    keys,
    messages,
    succeed,
)


def test_a_job_is_ordered_with_a_form_for_its_image():
    answer = ask("POST", "/v2/jobs", {"format": "webp", "mask": True, "content_type": "image/png"})
    document = answer.json
    assert (answer.status, document["status"]) == (202, "queued")
    assert answer.headers["location"] == f"/v2/jobs/{document['id']}"
    assert (document["options"]["format"], document["options"]["mask"]) == ("webp", True)
    form = document["upload"]
    assert form["fields"]["key"] == f"uploads/{A}/{document['id']}/image"
    assert form["fields"]["Content-Type"] == "image/png"
    assert form["max_bytes"] == 30 * 1024 * 1024
    assert ask("GET", f"/v2/jobs/{document['id']}").json == {k: v for k, v in document.items() if k != "upload"}


def test_a_job_for_a_url_is_handed_to_a_worker_at_once():
    answer = ask("POST", "/v2/jobs", {"image_url": "https://example.com/a.jpg", "webhook_url": "https://example.com/w"})
    document = answer.json
    assert (answer.status, messages()) == (202, [document["id"]])
    assert document["source"] == {"kind": "url", "url": "https://example.com/a.jpg"}
    assert document["webhook_url"] == "https://example.com/w"
    assert "upload" not in document


def test_a_finished_job_has_urls_that_work_without_a_key():
    job_id = ask("POST", "/v2/jobs", {}).json["id"]
    succeed(job_id)
    document = ask("GET", f"/v2/jobs/{job_id}").json
    assert (document["status"], document["attempts"]) == ("succeeded", 1)
    assert f"/results/{A}/{job_id}/cutout.png?" in document["result"]["url"]
    assert "X-Amz-Signature" in document["result"]["mask_url"]


def test_jobs_are_listed_newest_first_page_by_page_and_by_status():
    ids = [ask("POST", "/v2/jobs", {}).json["id"] for _ in range(5)]
    ask("POST", "/v2/jobs", {}, key=OTHER_KEY)
    succeed(ids[2])
    listed, cursor = [], ""
    for size in (2, 2, 1):
        page = ask("GET", "/v2/jobs", query={"limit": "2", "cursor": cursor}).json
        assert len(page["jobs"]) == size
        listed += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert (listed, cursor) == (ids[::-1], None)
    (done,) = ask("GET", "/v2/jobs", query={"status": "succeeded"}).json["jobs"]
    assert (done["id"], done["result"]["bytes"]) == (ids[2], 6)


def test_a_cursor_of_another_account_shows_nothing_of_it():
    for _ in range(3):
        ask("POST", "/v2/jobs", {}, key=OTHER_KEY)
    cursor = ask("GET", "/v2/jobs", key=OTHER_KEY, query={"limit": "1"}).json["next_cursor"]
    assert ask("GET", "/v2/jobs", query={"cursor": cursor}).json == {"jobs": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"status": "done"}, {"cursor": "x"}, {"cursor": "é" * 900},
     {"cursor": "eyJhIjoxfQ=="}, {"cursor": "e30"}, {"cursor": "c" * 5_000}, {"cursor": "\x00"}, {"cursor": "AAAA"}],
    ids=str,
)  # fmt: skip
def test_a_list_asked_for_wrongly_is_a_400(query):
    ask("POST", "/v2/jobs", {})
    assert ask("GET", "/v2/jobs", query=query).code == (400, "invalid_option")


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_another_account_s_job_and_one_that_never_was_are_the_same_404(method):
    mine = ask("POST", "/v2/jobs", {}).json["id"]
    foreign = ask(method, f"/v2/jobs/{mine}", key=OTHER_KEY)
    missing = ask(method, "/v2/jobs/job_" + "0" * 32, key=OTHER_KEY)
    assert foreign.status == missing.status == 404
    if method != "HEAD":
        assert foreign.json["error"]["message"] == missing.json["error"]["message"]
    assert ask("GET", f"/v2/jobs/{mine}").json["status"] == "queued"


@pytest.mark.parametrize(
    "name", ["x", "job_1", "..%2F..", "job_" + "0" * 31, "j" * 3_000, "%00", "OBJECT%23" + "0" * 64]
)
def test_an_id_that_cannot_be_one_is_a_404(name):
    assert ask("GET", f"/v2/jobs/{name}").code == (404, "not_found")
    assert ask("DELETE", f"/v2/jobs/{name}").code == (404, "not_found")


def test_deleting_a_job_removes_everything_and_can_be_repeated(cloud):
    job_id = ask("POST", "/v2/jobs", {}).json["id"]
    uploads, results = cloud.buckets["UploadsBucket"].name, cloud.buckets["ResultsBucket"].name
    for key in (f"uploads/{A}/{job_id}/image", f"retained/{A}/{job_id}"):
        container().uploads.store(key, PHOTO)
    succeed(job_id)
    for _ in range(2):
        answer = ask("DELETE", f"/v2/jobs/{job_id}")
        assert (answer.status, answer.json["status"]) == (200, "succeeded")
        assert "result" not in answer.json
        assert answer.json["deleted_at"]
        assert (keys(uploads), keys(results)) == ([], [])
    assert ask("GET", f"/v2/jobs/{job_id}").json["deleted_at"]


def test_deleting_a_job_that_waits_cancels_it():
    job_id = ask("POST", "/v2/jobs", {"image_url": "https://example.com/a?secret"}).json["id"]
    document = ask("DELETE", f"/v2/jobs/{job_id}").json
    assert (document["status"], document["source"]) == ("cancelled", {"kind": "url"})


def test_head_is_get_without_a_body():
    job_id = ask("POST", "/v2/jobs", {}).json["id"]
    for path in ("/v2/jobs", f"/v2/jobs/{job_id}"):
        answer = ask("HEAD", path)
        assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"", "application/json")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v2/jobs", "GET, HEAD, POST"),
        ("DELETE", "/v2/jobs", "GET, HEAD, POST"),
        ("POST", "/v2/jobs/job_" + "0" * 32, "DELETE, GET, HEAD"),
        ("GET", "/v2/uploads", "POST"),
    ],
)
def test_a_wrong_method_is_a_405_that_names_the_right_ones(method, path, allow):
    answer = ask(method, path)
    assert (answer.code, answer.headers["allow"]) == ((405, "method_not_allowed"), allow)


@pytest.mark.parametrize("path", ["/v2/jobs", "/v2/uploads"])
def test_nobody_comes_in_without_a_key_and_a_bad_one_is_refused_before_the_body_is_read(path):
    assert ask("POST", path, b"\xff", key=None).code == (401, "missing_api_key")
    assert ask("POST", path, b"\xff", key="wrong").code == (403, "invalid_api_key")
    answer = ask("POST", path, b"\xff")
    assert answer.code == (400, "invalid_request")
    assert answer.headers["x-ratelimit-limit"] == "1000"


def test_an_account_that_has_used_its_quota_up_gets_no_job():
    plan = replace(PLANS["unlimited"], monthly_quota=0)
    account = Account.on_plan("acct_poor", "c@example.com", plan)
    container().keys.create_account(account)
    container().keys.create_key("acct_poor", "ct_live_poor", KeyMode.LIVE)
    image = {"media_type": "image/jpeg"}
    wanted: list[tuple[str, object, dict[str, str]]] = [
        ("/v2/jobs", {}, {}),
        ("/v2/jobs", {}, {"idempotency_key": "k"}),
        ("/v2", PHOTO, image),
        ("/v2", PHOTO, image | {"idempotency_key": "k"}),
        ("/v2", PHOTO, image | {"prefer": "respond-async"}),
    ]
    for path, body, more in wanted:
        assert ask("POST", path, body, key="ct_live_poor", **more).code == (402, "quota_exceeded")
    assert container().jobs.page("acct_poor", 10).jobs == ()


def test_the_same_order_under_one_key_is_one_job_and_another_is_a_422():
    first = ask("POST", "/v2/jobs", {"format": "webp"}, idempotency_key="k-1")
    again = ask("POST", "/v2/jobs", b' { "FORMAT" : "webp" } ', idempotency_key="k-1")
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert again.json["upload"]["fields"]["key"] == first.json["upload"]["fields"]["key"]
    other = ask("POST", "/v2/jobs", {"format": "png"}, idempotency_key="k-1")
    assert other.code == (422, "idempotency_mismatch")
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-1").code == (
        422,
        "idempotency_mismatch",
    )
    assert len(ask("GET", "/v2/jobs").json["jobs"]) == 1


def test_a_repeated_order_shows_what_became_of_the_job():
    first = ask("POST", "/v2/jobs", {}, idempotency_key="k-1").json["id"]
    succeed(first)
    again = ask("POST", "/v2/jobs", {}, idempotency_key="k-1").json
    assert (again["id"], again["status"], "upload" in again) == (first, "succeeded", False)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "a b", "kéy"])
def test_a_key_that_cannot_protect_is_a_400_and_nothing_is_done(key):
    assert ask("POST", "/v2/jobs", {}, idempotency_key=key).code == (400, "invalid_request")
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key=key).code == (400, "invalid_request")
    assert (container().jobs.page(A, 10).jobs, images_charged()) == ((), 0)
