"""The logic of the Python client, without sockets: what it sends, when again, and what it makes of answers."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cutout_client import calls, errors, removal
from cutout_client.documents import Upload
from cutout_client.errors import ConnectionFailedError, IncompleteAnswerError, TimedOutError, UnexpectedAnswerError
from cutout_client.messages import Request
from cutout_client.removal import prepare, remove
from cutout_client.retries import RetryPolicy, send
from tests.clients.python.script import PNG, document, field_values, image, play, problem

POLICY = RetryPolicy(jitter=lambda: 1.0)
GET = Request("GET", "/v2/account")
LOST = ConnectionFailedError("gone")
NOT_SENT = ConnectionFailedError("refused", may_have_arrived=False)
FORM = {
    "upload_id": "upl_" + "0" * 32, "url": "http://storage/", "fields": {"key": "k", "Content-Type": "image/jpeg"},
    "expires_at": "2026-11-27T21:00:00.000+00:00", "max_bytes": 1000,
}  # fmt: skip
JOB = {
    "id": "job_1", "status": "queued", "created_at": "2026-11-27T20:00:00.000+00:00", "started_at": None,
    "finished_at": None, "expires_at": "2026-11-28T20:00:00.000+00:00", "attempts": 0, "options": {}, "source": {},
}  # fmt: skip


def test_a_fault_of_the_service_is_tried_again_with_doubling_pauses_until_the_policy_ends() -> None:
    played = play(send(GET, POLICY), *[problem(503, "service_unavailable")] * 5)
    assert played.pauses == [0.5, 1.0, 2.0, 4.0]
    assert isinstance(played.result, errors.ServiceUnavailableError)
    assert (played.result.status, played.result.request_id, played.result.details) == (503, "req_1", {"a": 1})


def test_pauses_are_drawn_by_chance() -> None:
    draws = iter([0.0, 0.5])
    played = play(send(GET, RetryPolicy(jitter=lambda: next(draws))), LOST, LOST, document(200, {}))
    assert played.pauses == [0.0, 0.5]


def test_a_rate_limit_is_waited_out_as_long_as_the_service_says_and_counts_as_no_fault() -> None:
    policy = RetryPolicy(retries=0, jitter=lambda: 0.0)
    busy = problem(429, "rate_limited", retry_after="3")
    played = play(send(GET, policy), busy, busy, document(200, {"ok": True}))
    assert played.pauses == [3.0, 3.0]
    assert played.result.document() == {"ok": True}


def test_patience_bounds_what_is_waited_for_rate_limits() -> None:
    played = play(
        send(GET, RetryPolicy(patience_s=5, jitter=lambda: 0.0)), *[problem(429, "rate_limited", retry_after="2")] * 3
    )
    assert played.pauses == [2.0, 2.0]
    assert isinstance(played.result, errors.RateLimitedError)
    assert played.result.retry_after_s == 2


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    played = play(send(GET, POLICY), problem(503, "service_unavailable", retry_after=soon), document(200, {}))
    assert played.pauses[0] == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    "outcome", [LOST, TimedOutError("late"), IncompleteAnswerError("half"), problem(500, "internal_error")]
)
def test_what_may_not_be_done_twice_is_not_sent_twice(outcome) -> None:
    played = play(send(Request("POST", "/v2/account/keys", repeatable=False), POLICY), outcome)
    assert (len(played.requests), played.pauses) == (1, [])


def test_what_never_arrived_is_sent_again_in_any_case() -> None:
    played = play(send(Request("POST", "/v2/account/keys", repeatable=False), POLICY), NOT_SENT, document(201, {}))
    assert len(played.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 415, 422])
def test_a_refusal_is_final(status) -> None:
    played = play(send(GET, POLICY), problem(status, "invalid_request", retry_after="1"))
    assert isinstance(played.result, errors.InvalidRequestError)
    assert played.result.status == status


def test_a_body_that_is_not_the_api_s_is_an_error_of_its_own() -> None:
    played = play(send(GET, RetryPolicy(retries=0)), image(502, b"<html>bad gateway", "text/html"))
    assert isinstance(played.result, UnexpectedAnswerError)
    assert "bad gateway" in str(played.result)


def test_a_code_that_is_not_known_yet_is_an_api_error_with_that_code() -> None:
    played = play(send(GET, POLICY), problem(400, "brand_new"))
    assert (type(played.result), played.result.code) == (errors.ApiError, "brand_new")


def test_a_removal_sends_a_form_with_its_options_and_always_an_idempotency_key() -> None:
    options = {"crop": True, "bg_color": (255, 0, 16), "canvas": (800, 600), "scale": 80.5, "despill": None}
    played = play(
        remove(prepare(PNG, None, options, None), POLICY),
        image(200, x_image_width="8", server_timing="decode;dur=1.5, predict;dur=90"),
    )
    (request,) = played.requests
    assert (request.method, request.url) == ("POST", "/v2")
    assert request.headers["idempotency-key"].startswith("cutout-client-")
    assert field_values(request) == {
        "crop": b"true", "bg_color": b"#ff0010", "canvas": b"800x600", "scale": b"80.5", "image_file": PNG,
    }  # fmt: skip
    assert (played.result.content, played.result.width) == (PNG, 8)
    assert played.result.timings_ms == {"decode": 1.5, "predict": 90.0}


def test_a_removal_is_sent_again_under_the_same_key_whatever_was_lost() -> None:
    at_work = problem(409, "job_running", retry_after="1")
    half = image(200, PNG[:10])
    outcomes = [
        LOST,
        TimedOutError("late"),
        at_work,
        problem(503, "service_unavailable"),
        half,
        image(200, idempotency_replayed="true"),
    ]
    played = play(remove(prepare(PNG, None, {}, None), POLICY), *outcomes)
    assert len({request.headers["idempotency-key"] for request in played.requests}) == 1
    assert len(played.requests) == 6
    assert played.result.replayed is True


def test_without_an_idempotency_key_a_removal_is_sent_once() -> None:
    played = play(remove(prepare(PNG, None, {}, ""), POLICY), LOST)
    assert played.result is LOST
    assert "idempotency-key" not in played.requests[0].headers


def test_an_image_that_stays_half_ends_with_an_error() -> None:
    played = play(remove(prepare(PNG, None, {}, None), POLICY), *[image(200, PNG[:10])] * 3)
    assert isinstance(played.result, IncompleteAnswerError)


def test_an_image_above_the_direct_limit_is_uploaded_first() -> None:
    posted = image(204, b"", "")
    played = play(remove(prepare(PNG, None, {"size": "hd"}, None), POLICY, 10), document(201, FORM), posted, image())
    form, upload, removal_ = played.requests
    assert json.loads(form.body) == {"content_type": "image/png"}
    assert upload.url == "http://storage/"
    assert list(field_values(upload).items()) == [("key", b"k"), ("Content-Type", b"image/png"), ("file", PNG)]
    assert field_values(removal_) == {"size": b"hd", "upload_id": FORM["upload_id"].encode()}


def test_an_image_above_all_limits_is_refused_before_it_is_sent() -> None:
    big = PNG + bytes(1000)
    played = play(remove(prepare(big, None, {}, None), POLICY, 10), document(201, FORM))
    assert isinstance(played.result, errors.ImageTooLargeError)
    assert played.result.details == {"size_bytes": len(big), "max_bytes": 1000}


def test_an_answer_elsewhere_is_fetched_without_losing_what_is_told_about_it() -> None:
    elsewhere = image(303, b"", "", location="https://storage/x.png", x_model="cutout-s", x_request_id="req_9")
    played = play(remove(prepare(PNG, None, {}, None), POLICY), elsewhere, LOST, image())
    assert [request.url for request in played.requests] == ["/v2", "https://storage/x.png", "https://storage/x.png"]
    assert (played.result.model, played.result.request_id) == ("cutout-s", "req_9")


@pytest.mark.parametrize("location", ["", "/v2", "file:///etc/passwd"])
def test_an_answer_at_no_url_is_not_followed(location) -> None:
    played = play(remove(prepare(PNG, None, {}, None), POLICY), image(303, b"", "", location=location))
    assert isinstance(played.result, UnexpectedAnswerError)


def test_json_in_the_place_of_an_image_is_unexpected() -> None:
    played = play(remove(prepare(PNG, None, {}, None), POLICY), document(200, {"status": "ok"}))
    assert isinstance(played.result, UnexpectedAnswerError)


def test_urls_and_uploads_are_named_and_backgrounds_go_along() -> None:
    upload = Upload("upl_1", datetime.now(UTC))
    first = play(remove(prepare("https://a/b.jpg", "https://a/c.jpg", {}, None), POLICY), image()).requests[0]
    second = play(remove(prepare(upload, PNG, {}, None), POLICY), image()).requests[0]
    assert field_values(first) == {"image_url": b"https://a/b.jpg", "bg_image_url": b"https://a/c.jpg"}
    assert field_values(second) == {"upload_id": b"upl_1", "bg_image_file": PNG}


def test_an_option_that_does_not_exist_is_named_before_anything_is_sent() -> None:
    with pytest.raises(TypeError, match="'bg_colour'; did you mean 'bg_color'"):
        prepare(PNG, None, {"bg_colour": "red"}, None)


def test_a_job_is_ordered_under_a_key_and_its_image_is_posted_by_its_form() -> None:
    ordered = document(202, {**JOB, "upload": {name: FORM[name] for name in FORM if name != "upload_id"}})
    played = play(
        calls.create_job(removal.read_image(PNG), {"crop": True}, POLICY, mask=True), LOST, ordered, image(204, b"", "")
    )
    assert json.loads(played.requests[0].body) == {"crop": "true", "mask": True, "content_type": "image/png"}
    assert played.requests[0].headers["idempotency-key"] == played.requests[1].headers["idempotency-key"]
    assert field_values(played.requests[2])["file"] == PNG
    assert played.result.id == "job_1"


def test_waiting_looks_less_and_less_often_and_raises_what_the_job_failed_of() -> None:
    failed = {**JOB, "status": "failed", "error": {"code": "invalid_image", "message": "Broken.", "details": {}}}
    played = play(calls.wait_for_job("job_1", POLICY, 60), *[document(200, JOB)] * 3, document(200, failed))
    assert played.pauses == [0.25, 0.375, 0.5625]
    assert isinstance(played.result, errors.InvalidImageError)
    assert played.result.message == "Broken."


def test_waiting_ends_when_the_time_is_over_or_the_job_was_deleted() -> None:
    assert isinstance(play(calls.wait_for_job("job_1", POLICY, 0), document(200, JOB)).result, errors.WaitTimeoutError)
    cancelled = document(200, {**JOB, "status": "cancelled"})
    assert isinstance(play(calls.wait_for_job("job_1", POLICY, 9), cancelled).result, errors.JobCancelledError)


def test_ids_cannot_leave_their_path() -> None:
    assert play(calls.get_job("../x?y", POLICY), document(200, JOB)).requests[0].url == "/v2/jobs/..%2Fx%3Fy"
    revoked = play(calls.revoke_key("a/b", POLICY), problem(404, "not_found"))
    assert revoked.requests[0].url == "/v2/account/keys/a%2Fb"
    assert isinstance(revoked.result, errors.NotFoundError)


def test_a_document_with_missing_fields_is_unexpected() -> None:
    assert isinstance(play(calls.get_account(POLICY), document(200, {"status": "ok"})).result, UnexpectedAnswerError)
    assert isinstance(
        play(calls.get_job("job_1", POLICY), document(200, {"id": "job_1"})).result, UnexpectedAnswerError
    )
    assert isinstance(
        play(calls.get_job("job_1", POLICY), image(200, b"[]", "application/json")).result, UnexpectedAnswerError
    )
