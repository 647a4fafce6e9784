"""fal: requests in the queue, from submit to result, by the path prefix and by the host."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests

from cutout.accounts import KeyMode
from cutout.api.dialects.fal import requests as fal_requests
from cutout.aws import clients
from cutout.container import container
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.services import dialect_context
from tests.dialects.callers import customer, images_of
from tests.dialects.fal_bench import KEY, RUN, SUBMIT, ask, data_uri, run, stored, work
from tests.dialects.pictures import cat
from tests.dialects.shapes import image_of, problem_of_fal, success_of_fal
from tests.support.in_process_api import URL


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status is held, and a stream followed, for a few looks only."""
    monkeypatch.setattr(fal_requests, "HOLD_S", 0.03)
    monkeypatch.setattr(fal_requests, "STREAM_S", 0.05)
    monkeypatch.setattr(dialect_context, "PAUSE_S", 0.01)


def submit(api: requests.Session, **more: Any) -> dict[str, Any]:
    answer = run(api, cat(), SUBMIT, **more)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def job_of(document: dict[str, Any]) -> Job:
    found = container().jobs.find("job_" + document["request_id"].replace("-", ""))
    assert found is not None
    return found


@pytest.mark.covers("happy")
class TestTheWayOfARequest:
    def test_submit_names_the_request_and_its_urls_without_the_sub_path(self, api):
        answer = run(api, cat(), SUBMIT)

        success_of_fal(answer)
        document = answer.json()
        request_id = document["request_id"]
        url = f"{URL}/queue/fal-ai/ben/requests/{request_id}"
        assert document == {
            "status": "IN_QUEUE",
            "request_id": request_id,
            "gateway_request_id": request_id,
            "response_url": url,
            "status_url": f"{url}/status",
            "cancel_url": f"{url}/cancel",
            "queue_position": 0,
        }
        assert answer.headers["x-fal-request-id"] == request_id
        assert images_of() == 0

    def test_a_host_whose_first_label_is_queue_is_the_queue(self, api):
        headers = KEY | {"host": "queue.cutout.test", "x-forwarded-proto": "https"}

        answer = api.post(f"{URL}{RUN}", json={"image_url": data_uri(cat())}, headers=headers)

        url = f"http://queue.cutout.test/fal-ai/ben/requests/{answer.json()['request_id']}"
        assert answer.json()["response_url"].replace("https:", "http:") == url

    def test_waiting_working_and_done(self, api):
        document = submit(api, seed=5)
        waiting = ask(api, "GET", document["status_url"])
        container().jobs.start(job_of(document).id, 0)
        working = ask(api, "GET", document["status_url"])
        work()
        done = ask(api, "GET", document["status_url"])

        for answer in (waiting, working, done):
            success_of_fal(answer)
        assert (waiting.status_code, waiting.json()["status"]) == (202, "IN_QUEUE")
        assert waiting.json()["queue_position"] == 0
        assert (working.status_code, working.json()["status"], working.json()["logs"]) == (202, "IN_PROGRESS", None)
        assert (done.status_code, done.json()["status"], done.json()["logs"]) == (200, "COMPLETED", None)
        assert done.json()["metrics"]["inference_time"] > 0
        assert "error" not in done.json()

    @pytest.mark.parametrize("rest", ["", "/status", "/status/stream", "/cancel"])
    def test_the_urls_work_with_and_without_the_prefix(self, api, rest):
        document = submit(api)
        work()
        method = "PUT" if rest == "/cancel" else "GET"
        path = f"/fal-ai/ben/requests/{document['request_id']}{rest}"

        answers = [ask(api, method, f"{URL}{prefix}{path}") for prefix in ("", "/queue")]

        assert len({answer.status_code for answer in answers}) == 1
        assert len({json.dumps(_unsigned(answer.text)) for answer in answers}) == 1

    def test_the_result_is_that_of_a_direct_run(self, api):
        document = submit(api, seed=11)
        work()

        answer = ask(api, "GET", document["response_url"])

        success_of_fal(answer)
        image = answer.json()["image"]
        assert answer.json()["seed"] == 11
        assert image["file_name"] == f"{document['request_id']}.png"
        assert stored(image["url"]) == stored(run(api, cat()).json()["image"]["url"])
        assert image_of(stored(image["url"])).size == (image["width"], image["height"])
        assert len(stored(image["url"])) == image["file_size"]
        assert answer.headers["x-fal-request-id"] == document["request_id"]

    def test_it_is_charged_once_when_it_is_done(self, api):
        document = submit(api)
        work()
        for _ in range(3):
            ask(api, "GET", document["response_url"])

        assert images_of() == 1

    def test_a_synthetic_key_is_not_charged(self, api):
        account_id, raw_key = customer(mode=KeyMode.SYNTHETIC)
        headers = {"authorization": f"Key {raw_key}"}
        document = api.post(f"{URL}{SUBMIT}", json={"image_url": data_uri(cat())}, headers=headers).json()
        work()

        answer = ask(api, "GET", document["response_url"], headers=headers)

        assert answer.status_code == 200
        assert "x-fal-billable-units" not in answer.headers
        assert images_of(account_id) == 0

    def test_the_stream_tells_the_state_and_ends_with_completed(self, api):
        document = submit(api)
        work()

        answer = ask(api, "GET", f"{document['status_url']}/stream?logs=1")

        success_of_fal(answer)
        assert answer.headers["content-type"] == "text/event-stream"
        (event,) = events(answer)
        assert (event["status"], event["request_id"]) == ("COMPLETED", document["request_id"])
        assert event["logs"]

    def test_the_stream_tells_every_change_that_it_sees(self, api, monkeypatch):
        document = submit(api)
        steps = iter([lambda: container().jobs.start(job_of(document).id, 0), work])
        monkeypatch.setattr(fal_requests, "STREAM_S", 10)
        make = container().dialect_context
        monkeypatch.setattr(container(), "dialect_context", lambda admission: _stepping(make(admission), steps))

        answer = ask(api, "GET", f"{document['status_url']}/stream")

        assert [event["status"] for event in events(answer)] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]

    def test_a_stream_of_a_long_request_ends_with_the_state_so_far(self, api):
        answer = ask(api, "GET", f"{submit(api)['status_url']}/stream")

        assert [event["status"] for event in events(answer)] == ["IN_QUEUE"]


def events(answer: requests.Response) -> list[dict[str, Any]]:
    return [json.loads(event.removeprefix("data: ")) for event in answer.text.strip().split("\n\n")]


def _stepping(context: Any, steps: Any) -> Any:
    """A context in which the next step is made whenever it sleeps."""
    context._sleep = lambda _: next(steps, lambda: None)()
    return context


def _unsigned(text: str) -> str:
    """Without the signature and the time of presigned URLs."""
    return text.partition("?X-Amz")[0]


@pytest.mark.covers("options")
class TestLogs:
    @pytest.mark.parametrize("logs", ["1", "true", "True"])
    def test_logs_are_told_where_they_are_wanted(self, api, logs):
        document = submit(api)
        work()

        told = ask(api, "GET", f"{document['status_url']}?logs={logs}").json()["logs"]

        assert [line["message"] for line in told] == [
            "Request was queued.",
            "Attempt 1 began.",
            "Request ended: succeeded.",
        ]
        assert all(line.keys() == {"message", "level", "source", "timestamp"} for line in told)
        assert [datetime.fromisoformat(line["timestamp"]) for line in told] == sorted(
            datetime.fromisoformat(line["timestamp"]) for line in told
        )

    @pytest.mark.parametrize("query", ["", "?logs=0", "?logs=false", "?logs="])
    def test_else_the_key_is_there_and_null(self, api, query):
        document = submit(api)
        work()

        assert ask(api, "GET", f"{document['status_url']}{query}").json()["logs"] is None


@pytest.mark.covers("happy")
class TestCancel:
    def test_a_waiting_request_is_given_up_and_what_was_kept_is_removed(self, api):
        document = submit(api)

        answer = ask(api, "PUT", document["cancel_url"])

        assert (answer.status_code, answer.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
        assert job_of(document).state is JobState.CANCELLED
        listed = clients.s3_client().list_objects_v2(Bucket=container().settings.uploads_bucket)
        assert listed["KeyCount"] == 0
        work()
        assert images_of() == 0

    def test_a_request_that_was_given_up_is_complete_with_an_error(self, api):
        document = submit(api)
        ask(api, "PUT", document["cancel_url"])

        status = ask(api, "GET", f"{document['status_url']}?logs=1")
        result = ask(api, "GET", document["response_url"])

        success_of_fal(status)
        assert status.json()["status"] == "COMPLETED"
        assert (status.json()["error"], status.json()["error_type"]) == ("Invalid status code: 410", "gone")
        assert result.status_code == 410
        problem_of_fal(result)

    def test_a_request_that_is_done_keeps_its_result(self, api):
        document = submit(api)
        work()

        answer = ask(api, "PUT", document["cancel_url"])

        assert (answer.status_code, answer.json()["status"]) == (400, "ALREADY_COMPLETED")
        problem_of_fal(answer)
        assert ask(api, "GET", document["response_url"]).status_code == 200


@pytest.mark.covers("errors")
class TestErrors:
    def test_a_result_that_is_not_there_yet_is_400(self, api):
        answer = ask(api, "GET", submit(api)["response_url"])

        assert (answer.status_code, answer.json()) == (400, {"detail": "Request is still in progress."})
        problem_of_fal(answer)

    def test_a_failed_request_is_complete_and_its_result_is_the_error(self, api):
        document = api.post(f"{URL}{SUBMIT}", json={"image_url": data_uri(b"no picture at all")}, headers=KEY).json()
        work()

        status, result = ask(api, "GET", document["status_url"]), ask(api, "GET", document["response_url"])

        success_of_fal(status)
        assert status.json()["status"] == "COMPLETED"
        assert status.json()["error_type"] == "unsupported_image_format"
        assert status.json()["error"] == "Invalid status code: 422"
        problem_of_fal(result)
        assert result.json()["detail"][0]["type"] == "unsupported_image_format"
        assert result.headers["x-fal-request-id"] == document["request_id"]
        assert images_of() == 0

    def test_a_submit_is_checked_as_a_run_is(self, api):
        answer = api.post(f"{URL}{SUBMIT}", json={"seed": "x"}, headers=KEY)

        assert [item["type"] for item in answer.json()["detail"]] == ["missing", "int_type"]
        problem_of_fal(answer)

    @pytest.mark.parametrize("hook", ["ftp://example.com", "http://localhost/x", "no url", "http://10.0.0.1/"])
    def test_a_webhook_that_cannot_be_posted_to_is_a_fault_of_the_query(self, api, hook):
        answer = api.post(
            f"{URL}{SUBMIT}", params={"fal_webhook": hook}, json={"image_url": data_uri(cat())}, headers=KEY
        )

        problem_of_fal(answer)
        assert answer.json()["detail"][0]["loc"] == ["query", "fal_webhook"]

    @pytest.mark.parametrize(
        ("method", "rest"), [("GET", ""), ("GET", "/status"), ("GET", "/status/stream"), ("PUT", "/cancel")]
    )
    def test_an_unknown_request_is_404(self, api, method, rest):
        for request_id in (str(uuid4()), "x", "job_" + "0" * 32, str(uuid4()).upper()):
            answer = ask(api, method, f"{URL}/queue/fal-ai/ben/requests/{request_id}{rest}")

            assert answer.status_code == 404
            problem_of_fal(answer)

    @pytest.mark.parametrize(
        ("method", "rest"), [("GET", ""), ("GET", "/status"), ("GET", "/status/stream"), ("PUT", "/cancel")]
    )
    def test_a_job_of_another_contract_is_no_request(self, api, method, rest):
        job = Job.queued(
            "job_" + "0a" * 16,
            "acct_local",
            JobOptions(),
            JobSource(SourceKind.URL, url="https://example.com/a.png"),
            datetime.now(UTC),
        )
        container().jobs.create(job)

        answer = ask(api, method, f"{URL}/fal-ai/ben/requests/{'0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a'}{rest}")

        assert answer.status_code == 404
        assert container().jobs.find(job.id) == job

    def test_a_request_whose_result_was_deleted_is_410(self, api):
        document = submit(api)
        work()
        container().job_service.delete("acct_local", job_of(document).id)

        answer = ask(api, "GET", document["response_url"])

        assert answer.status_code == 410
        problem_of_fal(answer)


@pytest.mark.covers("auth")
class TestKeys:
    @pytest.mark.parametrize(("method", "url"), [("GET", "response_url"), ("GET", "status_url"), ("PUT", "cancel_url")])
    def test_every_url_wants_the_key_of_the_same_account(self, api, method, url):
        document = submit(api)
        _, other = customer()

        answers = [
            api.request(method, document[url], headers=headers)
            for headers in ({}, {"authorization": "Key nobody"}, {"authorization": f"Key {other}"})
        ]

        assert [answer.status_code for answer in answers] == [401, 401, 404]
        for answer in answers:
            problem_of_fal(answer)
        assert job_of(document).state is JobState.QUEUED

    def test_a_submit_wants_a_key(self, api):
        assert api.post(f"{URL}{SUBMIT}", json={"image_url": data_uri(cat())}).status_code == 401


@pytest.mark.covers("limits")
class TestLimits:
    def test_a_submit_needs_room_in_the_quota(self, api):
        _, raw_key = customer("free", used=50)

        answer = api.post(
            f"{URL}{SUBMIT}", json={"image_url": data_uri(cat())}, headers={"authorization": f"Key {raw_key}"}
        )

        assert answer.status_code == 403
        problem_of_fal(answer)

    def test_too_many_bytes_are_refused_at_the_submit(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "1000")

        (item,) = run(api, cat(), SUBMIT).json()["detail"]

        assert item["type"] == "file_too_large"
