"""Jobs before a background image, which is behind a URL: asked for, worked on, refused and forgotten."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from cutout.aws import clients
from cutout.container import container
from cutout.jobs.job import JobState
from functions.process_upload.app import handler as process_upload
from local.sqs_events import sqs_event
from tests.dialects.pictures import cat, opened, plain
from tests.functions.jobs.asking import CONTEXT, ask, images_charged
from tests.support.builders import multipart

ARN = "arn:aws:sqs:us-east-1:123456789012:queue"
NAVY = (0, 0, 128)


@pytest.fixture
def files(file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    container.cache_clear()
    (file_server.folder / "cat.png").write_bytes(cat())
    (file_server.folder / "navy.png").write_bytes(plain(*SIZE))
    (file_server.folder / "words.txt").write_text("no picture")
    return file_server.url


SIZE = (90, 70)
OPTIONS = {"canvas": "background", "format": "png"}


def work() -> None:
    """Have the jobs' queue worked on."""
    sqs, url = clients.sqs_client(), container().settings.jobs_queue_url
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    for message in found["Messages"]:
        assert process_upload(sqs_event([message], ARN), CONTEXT)["batchItemFailures"] == []


def result_of(job_id: str) -> Image.Image:
    result = container().jobs.find(job_id).result
    data = clients.s3_client().get_object(Bucket=container().settings.results_bucket, Key=result.key)["Body"].read()
    return opened(data)


def lies_before_navy(picture: Image.Image) -> bool:
    """The cat on the left, the ground on the right."""
    pixels = np.asarray(picture.convert("RGB"))
    return picture.size == SIZE and tuple(pixels[12, -3]) == NAVY and tuple(pixels[45, 25]) != NAVY


def test_a_job_lays_its_subject_before_the_background_behind_a_url(files):
    options = OPTIONS | {"image_url": f"{files}/cat.png", "bg_image_url": f" {files}/navy.png "}
    answer = ask("POST", "/v2/jobs", options)
    assert answer.status == 202
    assert answer.json["options"]["bg_image_url"] == f"{files}/navy.png"

    work()

    assert lies_before_navy(result_of(answer.json["id"]))
    assert images_charged() == 1


def test_a_request_that_is_put_off_keeps_its_background_s_url(files):
    body, form = multipart(OPTIONS | {"bg_image_url": f"{files}/navy.png"}, {"image_file": ("a", cat(), "image/png")})
    answer = ask("POST", "/v2", body, media_type=form, prefer="respond-async")
    assert answer.status == 202

    work()

    assert lies_before_navy(result_of(answer.json["id"]))


@pytest.mark.parametrize(
    ("name", "code"), [("words.txt", "unsupported_image_format"), ("nothing.png", "image_url_fetch_failed")]
)
def test_a_background_that_cannot_be_used_fails_the_job_and_is_named(files, name, code):
    options = {"image_url": f"{files}/cat.png", "bg_image_url": f"{files}/{name}"}
    job_id = ask("POST", "/v2/jobs", options).json["id"]

    work()

    job = container().jobs.find(job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, code)
    assert job.error.details["image"] == "background"
    assert images_charged() == 0


@pytest.mark.parametrize("url", ["http://10.0.0.1/a.png", "ftp://example.com/a.png", "navy"])
def test_a_url_that_leads_to_no_public_server_is_refused_at_once_and_named(url):
    later = partial(ask, prefer="respond-async")
    for answer in (
        ask("POST", "/v2/jobs", {"bg_image_url": url}),
        later("POST", "/v2", {"image_url": "https://example.com/a.jpg", "bg_image_url": url}),
    ):
        assert answer.code == (400, "image_url_fetch_failed")
        assert answer.json["error"]["details"]["image"] == "background"


def test_a_background_that_came_with_the_request_cannot_be_kept_for_later():
    files = {"image_file": ("a", cat(), "image/png"), "bg_image_file": ("b", plain(*SIZE), "image/png")}
    body, form = multipart({}, files)
    answer = ask("POST", "/v2", body, media_type=form, prefer="respond-async")
    assert answer.code == (400, "invalid_option")
    assert answer.json["error"]["details"] == {"option": "bg_image_file"}


def test_the_same_request_with_another_background_is_another(files):
    options = {"image_url": f"{files}/cat.png", "bg_image_url": f"{files}/navy.png"}
    first, again = (ask("POST", "/v2/jobs", options, idempotency_key="k") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    other = ask("POST", "/v2/jobs", {"image_url": f"{files}/cat.png"}, idempotency_key="k")
    assert other.code == (422, "idempotency_mismatch")


def test_of_a_deleted_job_the_background_s_url_is_not_kept(files):
    job_id = ask("POST", "/v2/jobs", {"bg_image_url": f"{files}/navy.png"}).json["id"]
    gone = ask("DELETE", f"/v2/jobs/{job_id}")
    assert "bg_image_url" not in gone.json["options"]
    assert container().jobs.find(job_id).options.background_url == ""
