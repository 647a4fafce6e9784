"""Jobs, uploads, and POST /v2 later or once, through the true handlers in this process, with moto behind them.

What a worker makes of a job is in test_process_upload.py; both together, over HTTP, in tests/contract/test_jobs_api.py.
"""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.aws import clients, telemetry, warm
from cutout.imaging.spec import CutoutResult
from functions.jobs import app as jobs_app
from functions.remove_background import app as remove_app
from local import ROOT
from local.resources import Template
from tests.builders import multipart, proxy_event
from tests.local_service import LIVE_KEY

PHOTO = (ROOT / "docs" / "images" / "chelsea.jpg").read_bytes()
OTHER_KEY, SYNTHETIC_KEY = "ct_live_other", "ct_synthetic_local"
CONTEXT = SimpleNamespace(
    function_name="jobs",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:jobs",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 29_000,
)
A = "acct_local"


class Answer:
    """An integration answer, taken apart."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.status: int = answer["statusCode"]
        self.headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        text = answer["body"]
        self.body: bytes = base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.json["error"]["code"]


def kept(*, keys: bool = True) -> list[Any]:
    """What lives between invocations, the loaded model excepted; without ``keys`` also what knows the callers."""
    spared = {warm.segmenter} | (set() if keys else {warm.admission, warm.key_store})
    states = {value for value in (*vars(warm).values(), *vars(clients).values()) if hasattr(value, "cache_clear")}
    return list(states - spared)


@pytest.fixture(autouse=True)
def _fresh(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh warm state, the loaded model excepted; a second account, and a synthetic key."""
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(ROOT / "models"))
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    for value in kept():
        value.cache_clear()
    warm.accounts().create_account(Account.on_plan("acct_other", "b@example.com", PLANS["unlimited"]))
    warm.accounts().create_key("acct_other", OTHER_KEY, KeyMode.LIVE)
    warm.accounts().create_key(A, SYNTHETIC_KEY, KeyMode.SYNTHETIC)
    yield
    for value in kept():
        value.cache_clear()


def ask(
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = LIVE_KEY,
    query: Mapping[str, str] | None = None,
    media_type: str = "application/json",
    **headers: str,
) -> Answer:
    """One request to the function behind its path. headers: with underscores for dashes."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"content-type": media_type} | ({"x-api-key": key} if key else {})
    resource = "/v2/jobs/{id}" if path.startswith("/v2/jobs/") else path
    handler = remove_app.handler if path == "/v2" else jobs_app.handler
    return Answer(handler(proxy_event(method, path, sent, data, query, resource=resource), CONTEXT))


def messages() -> list[str]:
    url = warm.settings().jobs_queue_url
    found = clients.sqs_client().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(message["Body"]) for message in found]
    return [body["job_id"] for body in bodies if "job_id" in body]


def keys(bucket: str) -> list[str]:
    return [item["Key"] for item in clients.s3_client().list_objects_v2(Bucket=bucket).get("Contents", [])]


def images_charged() -> int:
    return warm.usage().total(A, datetime.now(UTC).strftime("%Y-%m")).images


def succeed(job_id: str) -> None:
    """What a worker would do."""
    job = warm.jobs().start(job_id, 60)
    made = CutoutResult(b"cutout", "image/png", 2, 1, 4, 2, "m", {"decode": 1.0}, mask=b"mask")
    warm.jobs().succeed(job, warm.results().put(job, made, made.mask), None)


# ---------------------------------------------------------------- jobs


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
        warm.uploads().put(key, PHOTO)
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
    warm.accounts().create_account(account)
    warm.accounts().create_key("acct_poor", "ct_live_poor", KeyMode.LIVE)
    image = {"media_type": "image/jpeg"}
    wishes: list[tuple[str, object, dict[str, str]]] = [
        ("/v2/jobs", {}, {}),
        ("/v2/jobs", {}, {"idempotency_key": "k"}),
        ("/v2", PHOTO, image),
        ("/v2", PHOTO, image | {"idempotency_key": "k"}),
        ("/v2", PHOTO, image | {"prefer": "respond-async"}),
    ]
    for path, body, more in wishes:
        assert ask("POST", path, body, key="ct_live_poor", **more).code == (402, "quota_exceeded")
    assert warm.jobs().page("acct_poor", 10).jobs == ()


# ---------------------------------------------------------------- Idempotency-Key on /v2/jobs


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
    assert (warm.jobs().page(A, 10).jobs, images_charged()) == ((), 0)


# ---------------------------------------------------------------- POST /v2: once


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
        monkeypatch.setattr("tests.builders.BOUNDARY", boundary)
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
    true, during = warm.removal(), []

    class Slow:
        def make(self, *order):
            during.append(ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-6"))
            return true.make(*order)

    monkeypatch.setattr(warm, "removal", Slow)
    assert ask("POST", "/v2", PHOTO, media_type="image/jpeg", idempotency_key="k-6").status == 200
    (busy,) = during
    assert (busy.code, busy.headers["retry-after"]) == ((409, "job_running"), "1")
    assert images_charged() == 1


def test_a_fault_of_ours_is_not_kept_under_the_key(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(warm.results(), "_bucket", "nowhere")
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


# ---------------------------------------------------------------- POST /v2: later


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
    job = warm.jobs().find(answer.json["id"])
    stored = clients.s3_client().get_object(Bucket=job.source.bucket, Key=job.source.key)["Body"].read()
    assert stored == PHOTO
    assert images_charged() == 0, "a job is charged when it succeeds"


def test_a_url_and_an_upload_become_jobs_too():
    link = ask("POST", "/v2", {"image_url": "https://example.com/a.jpg"}, prefer="respond-async").json
    assert link["source"] == {"kind": "url", "url": "https://example.com/a.jpg"}
    upload = ask("POST", "/v2/uploads", {}).json
    missing = ask("POST", "/v2", {"upload_id": upload["upload_id"]}, prefer="respond-async")
    assert missing.code == (404, "not_found")
    warm.uploads().put(upload["fields"]["key"], PHOTO)
    job = ask("POST", "/v2", {"upload_id": upload["upload_id"]}, prefer="respond-async").json
    assert warm.jobs().find(job["id"]).source.key == upload["fields"]["key"]
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
    assert warm.jobs().page(A, 10).jobs == ()


def test_a_later_answer_under_a_key_is_one_job():
    send = {"media_type": "image/jpeg", "prefer": "respond-async", "idempotency_key": "k-10"}
    first, again = (ask("POST", "/v2", PHOTO, **send) for _ in range(2))
    assert first.json == again.json
    assert again.headers["idempotency-replayed"] == "true"


# ---------------------------------------------------------------- upload_id


def test_an_upload_is_cut_out_by_its_id_as_bytes_or_as_json():
    upload = ask("POST", "/v2/uploads", {"content_type": "image/jpeg"})
    assert (upload.status, upload.json["fields"]["key"]) == (201, f"direct/{A}/{upload.json['upload_id']}")
    wanted = {"upload_id": upload.json["upload_id"]}
    early = ask("POST", "/v2", wanted)
    assert early.code == (404, "not_found")
    assert "POST /v2/uploads" in early.json["error"]["message"]
    warm.uploads().put(upload.json["fields"]["key"], PHOTO)
    body, form = multipart({**wanted, "format": "jpg"})
    assert ask("POST", "/v2", body, media_type=form).headers["content-type"] == "image/jpeg"
    assert ask("POST", "/v2", wanted).headers["content-type"] == "image/png"
    mask = ask("POST", "/v2", {**wanted, "channels": "alpha"})
    assert base64.b64decode(mask.json["mask"]).startswith(b"\x89PNG")
    assert ask("POST", "/v2", wanted, key=OTHER_KEY).code == (404, "not_found")
    assert images_charged() == 3


@pytest.mark.parametrize(
    "upload_id",
    ["x", "../../" + A, "upl_" + "0" * 33, "upl_../" + "0" * 29, "upl_" + "0" * 31 + "/", "u" * 100_000, 7, True],
)
def test_an_upload_id_that_cannot_be_one_is_a_400(upload_id):
    assert ask("POST", "/v2", {"upload_id": upload_id}).code == (400, "invalid_request")


def test_an_upload_id_and_another_image_are_too_many():
    both = {"upload_id": "upl_" + "0" * 32, "image_url": "https://example.com"}
    assert ask("POST", "/v2", both).code == (400, "multiple_sources")


def test_an_upload_above_the_limit_is_a_413(monkeypatch):
    upload = ask("POST", "/v2/uploads").json
    warm.uploads().put(upload["fields"]["key"], PHOTO)
    monkeypatch.setattr(warm.uploads(), "_max_bytes", 1_000)
    for headers in ({}, {"prefer": "respond-async"}):
        assert ask("POST", "/v2", {"upload_id": upload["upload_id"]}, **headers).code == (413, "image_too_large")


# ---------------------------------------------------------------- what is away, and what is logged


@pytest.mark.parametrize("service", ["DYNAMODB", "SQS", "S3"])
def test_what_is_away_is_a_503(service, monkeypatch):
    ask("POST", "/v2/jobs", {})  # the key is known from now on
    for value in kept(keys=False):
        value.cache_clear()
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")  # nobody listens there
    answer = ask("POST", "/v2", PHOTO, media_type="image/jpeg", prefer="respond-async")
    assert (answer.code, answer.headers["retry-after"]) == ((503, "service_unavailable"), "1")


def test_logs_hold_neither_forms_nor_signatures_nor_what_urls_ask_for(monkeypatch):
    stream = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    order = {"image_url": "https://example.com/a.jpg?token=hush", "webhook_url": "https://example.com/w?token=hush"}
    linked = ask("POST", "/v2/jobs", order).json["id"]
    uploaded = ask("POST", "/v2/jobs", {}, idempotency_key="idem-hush").json
    succeed(uploaded["id"])
    ask("GET", f"/v2/jobs/{uploaded['id']}")
    ask("GET", "/v2/jobs")
    ask("POST", "/v2/uploads")
    ask("POST", "/v2/jobs", {"webhook_url": "http://10.0.0.1/?token=hush"})
    ask("DELETE", f"/v2/jobs/{linked}")
    log = stream.getvalue()
    assert linked in log
    for secret in ("hush", "X-Amz", "x-amz-signature", uploaded["upload"]["fields"]["policy"], LIVE_KEY):
        assert secret not in log
