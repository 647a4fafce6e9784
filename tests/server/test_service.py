"""The whole server: every door of it, a restart, a kill, a stop, and what it does when it is full."""

import base64
import io
import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from local import ROOT
from local.cloud import aws_environment, client, create_cloud, seed_account
from local.state import queue_url
from tests.server.instance import ADMIN, KEY, Server, started
from tools.emulator import aws_server

PHOTO = (ROOT / "docs/images/chelsea.jpg").read_bytes()
MEGABYTE = 1_000_000


def large_picture(side: int = 2900) -> bytes:
    """A BMP of 25 MB."""
    made = io.BytesIO()
    Image.open(io.BytesIO(PHOTO)).resize((side, side)).save(made, "BMP")
    return made.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    limit = {"CUTOUT_MAX_BODY_BYTES": str(28 * MEGABYTE), "CUTOUT_MAX_WAITING": "1"}
    with started(tmp_path_factory.mktemp("state"), **limit) as server:
        yield server


def is_cutout(data: bytes) -> bool:
    return Image.open(io.BytesIO(data)).mode == "RGBA"


def test_our_contract_the_container_of_ben_and_health_answer(server: Server):
    assert is_cutout(server.api.post("/v2", files={"image_file": PHOTO}).raise_for_status().content)
    without_key = httpx.post(server.api.base_url, json={"image": base64.b64encode(PHOTO).decode()}, timeout=60)
    assert is_cutout(base64.b64decode(without_key.json()["image"]))
    assert httpx.get(server.api.base_url.join("/health")).json()["status"] == "ok"
    assert server.api.get("/v2/health?deep=true").json()["model"] == "cutout-s"


def test_25_mb_are_taken_and_what_is_above_the_limit_is_a_413(server: Server):
    picture = large_picture()
    assert len(picture) > 25 * MEGABYTE
    answer = server.api.post("/v2", files={"image_file": picture}, data={"format": "webp", "size": "preview"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    refused = server.api.post("/v2", content=bytes(28 * MEGABYTE + 1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "image_too_large")


def test_a_job_by_form_has_a_result_behind_a_signed_url(server: Server):
    job = server.api.post("/v2/jobs", json={"format": "webp"}).raise_for_status().json()
    form = job["upload"]
    assert form["url"].startswith(str(server.api.base_url))
    for fields in ({}, {**form["fields"], "key": "uploads/acct_other/x.jpg"}):
        assert httpx.post(form["url"], data=fields, files={"file": PHOTO}).status_code == 403
    assert httpx.post(form["url"], data=form["fields"], files={"file": PHOTO}).status_code == 204
    job = server.finished(job)
    url = job["result"]["url"]
    result = httpx.get(url)
    assert (result.status_code, result.headers["content-type"]) == (200, "image/webp")
    assert "sandbox" in result.headers["content-security-policy"]
    part = httpx.get(url, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, result.content[:4])


def test_a_caller_who_hangs_up_is_in_the_log_and_what_was_sent_is_counted(server: Server):
    with server.api.stream("POST", "/v2", files={"image_file": PHOTO}, data={"canvas": "6000x6000"}) as answer:
        assert next(answer.iter_raw()).startswith(b"\x89PNG")
    server.api.post("/v2", files={"image_file": PHOTO}).raise_for_status()  # by the one worker, so after it
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert [line["reason"] for line in lines if "StreamsBroken" in line] == ["gone"]
    (sent,) = [line for line in lines if line.get("broken")]
    assert (sent["message"], sent["broken"], sent["status"]) == ("sent", "gone", 200)
    assert [sent["bytes_out"]] in [line["StreamedBytes"] for line in lines if "StreamedBytes" in line]


@pytest.mark.parametrize("query", ["", "?list-type=2", "?X-Amz-Signature=0&X-Amz-Date=20260101T000000Z"])
def test_nobody_reads_or_writes_a_bucket_without_a_signature(server: Server, query: str):
    bucket = "/cutout-local-results-123456789012-us-east-1"
    for path in (bucket, f"{bucket}/results/acct_local/x"):
        for method in ("GET", "PUT", "DELETE", "POST"):
            answer = httpx.request(method, server.api.base_url.join(path + query))
            assert answer.status_code in {400, 403}, (method, path)


def test_pages_may_upload(server: Server):
    form = server.api.post("/v2/uploads", json={}).json()
    preflight = httpx.options(form["url"], headers={"origin": "https://example.com"})
    assert preflight.headers["access-control-allow-origin"] == "*"


def test_the_page_is_served_without_a_key(server: Server):
    assert (
        httpx.get(server.api.base_url, headers={"accept": "text/html"}).headers["content-type"].startswith("text/html")
    )
    assert httpx.get(server.api.base_url.join("/config.json")).json()["key"] == ""


def test_what_does_not_fit_the_queue_is_a_503_that_says_when_to_come_back(server: Server):
    picture = large_picture(1500)

    def send(_: int) -> httpx.Response:
        return server.api.post("/v2", files={"image_file": picture})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {(answer.headers["retry-after"], answer.json()["error"]["code"]) for answer in refused} == {
        ("1", "service_unavailable")
    }


def test_a_kill_in_the_midst_of_jobs_loses_none_and_a_restart_keeps_everything(tmp_path):
    with started(tmp_path) as server:
        admin = {"x-api-key": ADMIN}
        account = server.api.post("/v2/admin/accounts", json={"email": "a@example.com"}, headers=admin).json()
        made = server.api.post(f"/v2/admin/accounts/{account['id']}/keys", json={}, headers=admin).json()
        server.api.post("/v2", files={"image_file": PHOTO}).raise_for_status()
        done = server.api.post("/v2", files={"image_file": PHOTO}, headers={"prefer": "respond-async"}).json()
        done = server.finished(server.api.get(f"/v2/jobs/{done['id']}").json())
        picture = large_picture(2000)
        jobs = [
            server.api.post("/v2", files={"image_file": picture}, headers={"prefer": "respond-async"}).json()["id"]
            for _ in range(3)
        ]
        while not any(server.api.get(f"/v2/jobs/{job}").json()["status"] == "running" for job in jobs):
            pass
        server.process.kill()
    with started(tmp_path, CUTOUT_ADMIN_KEY="") as server:
        for job in jobs:
            assert server.finished(server.api.get(f"/v2/jobs/{job}").json())["status"] == "succeeded"
        assert server.usage["images"] == 2 + len(jobs), "each is counted once"
        again = server.api.get(f"/v2/jobs/{done['id']}").json()
        assert is_cutout(httpx.get(again["result"]["url"]).content)
        own = server.api.get("/v2/account", headers={"x-api-key": made["key"]})
        assert own.json()["account"]["email"] == "a@example.com"
        refused = server.api.get("/v2/admin/accounts", headers={"x-api-key": ADMIN})
        assert refused.status_code == 403, "a key that the environment has no longer"
        assert KEY not in server.log.read_text()


def test_a_stop_lets_what_has_begun_come_to_its_end(tmp_path):
    picture = large_picture(2000)
    with started(tmp_path) as server, ThreadPoolExecutor(1) as pool:
        job = server.api.post("/v2", files={"image_file": picture}, headers={"prefer": "respond-async"}).json()["id"]
        sent = pool.submit(server.api.post, "/v2", files={"image_file": picture})
        while server.api.get(f"/v2/jobs/{job}").json()["status"] == "queued":
            pass
        server.process.send_signal(signal.SIGTERM)
        assert is_cutout(sent.result().raise_for_status().content)
        assert server.process.wait(60) == 0
    with started(tmp_path) as server:
        assert server.api.get(f"/v2/jobs/{job}").json()["status"] == "succeeded", "it had begun, and was not repeated"
        assert server.usage["images"] == 2


def test_with_aws_variables_a_stack_does_the_work_and_holds_the_state(tmp_path, template):
    with aws_server() as url:
        create_cloud(template, url)
        seed_account(template.tables["AccountsTable"].name, KEY, url)
        queue = queue_url(url, template.queues["JobsQueue"])
        names = {
            "CUTOUT_ACCOUNTS_TABLE": template.tables["AccountsTable"].name,
            "CUTOUT_JOBS_TABLE": template.tables["JobsTable"].name,
            "CUTOUT_UPLOADS_BUCKET": template.buckets["UploadsBucket"].name,
            "CUTOUT_RESULTS_BUCKET": template.buckets["ResultsBucket"].name,
            "CUTOUT_JOBS_QUEUE_URL": queue,
        }
        with started(tmp_path, **aws_environment(url), **names, BEN_API_TOKEN="", CUTOUT_ADMIN_KEY="") as server:
            assert is_cutout(server.api.post("/v2", files={"image_file": PHOTO}).raise_for_status().content)
            assert server.usage["images"] == 1
            assert server.api.get("/v2/health?deep=true").json()["model"] == "cutout-s"
            assert httpx.post(server.api.base_url, json={"image": "AAAA"}).status_code == 401
            job = server.api.post("/v2", files={"image_file": PHOTO}, headers={"prefer": "respond-async"}).json()["id"]
        waiting = client("sqs", url).receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert job in [json.loads(message["Body"]).get("job_id") for message in waiting]
        assert sorted(file.name for file in tmp_path.iterdir()) == ["server.log"]


def test_the_server_stops_with_its_state(tmp_path):
    with started(tmp_path) as server:
        os.kill(child_of(server, "server.durable_aws"), signal.SIGKILL)
        assert server.process.wait(30) == 1
    assert "has ended with status -9" in server.log.read_text()


def child_of(server: Server, word: str) -> int:
    command = ["ps", "-o", "pid=,args=", "--ppid", str(server.process.pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in listed.splitlines() if word in line]
    return int(line.split()[0])
