import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cutout.api.job_documents import Links, accepted_answer, job_document, page_answer
from cutout.api.request import Request
from cutout.api.uploads import UploadForm
from cutout.imaging.spec import CutoutSpec
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource, SourceKind
from cutout.jobs.store import JobPage

NOW = datetime(2026, 11, 21, 3, 4, 5, 678_000, tzinfo=UTC)
LINKS = Links(lambda key: f"https://s3/{key}?signed", NOW + timedelta(hours=1))
RESULT = JobResult("image/png", 4, 3, 8, 6, "cutout-s", {"decode": 1.234}, key="results/a/j/cutout.png", bytes=99)
JOB = Job.queued("job_1", "acct_1", JobOptions(), JobSource(SourceKind.UPLOAD, "b", "uploads/acct_1/job_1/image"), NOW)


def test_a_new_job_is_told_in_full():
    assert job_document(JOB, LINKS) == {
        "id": "job_1",
        "status": "queued",
        "created_at": "2026-11-21T03:04:05.678+00:00",
        "started_at": None,
        "finished_at": None,
        "expires_at": "2026-11-22T03:04:05.000+00:00",
        "attempts": 0,
        "options": {
            "format": "png", "channels": "rgba", "size": "full", "crop": False, "bg_color": None, "despill": False,
            "mask": False,
        },
        "source": {"kind": "upload"},
    }  # fmt: skip


def test_a_result_comes_with_urls_that_need_no_key():
    job = JOB.started(NOW, 9).succeeded(NOW, replace(RESULT, mask_key="results/a/j/mask.png"))
    document = job_document(job, LINKS)
    assert document["status"] == "succeeded"
    assert document["result"] == {
        "url": "https://s3/results/a/j/cutout.png?signed",
        "url_expires_at": "2026-11-21T04:04:05.678+00:00",
        "mask_url": "https://s3/results/a/j/mask.png?signed",
        "media_type": "image/png",
        "width": 4,
        "height": 3,
        "source_width": 8,
        "source_height": 6,
        "frames": 1,
        "bytes": 99,
        "foreground": "none",
        "model": "cutout-s",
        "stages_ms": {"decode": 1.2},
    }


def test_a_failure_is_told_in_the_client_s_words_and_a_fault_of_ours_is_not():
    job = replace(JOB.started(NOW, 9).failed(NOW, JobError("invalid_image", "Broken.", {"a": 1})), fault="KeyError")
    document = job_document(job, LINKS)
    assert document["error"] == {"code": "invalid_image", "message": "Broken.", "details": {"a": 1}}
    assert "KeyError" not in json.dumps(document)


def test_nothing_internal_is_told():
    job = replace(JOB, request_fingerprint="f" * 64, fault="secret")
    text = json.dumps(job_document(job, LINKS))
    for hidden in ("f" * 64, "secret", "acct_1", "uploads/", "lease", "webhook"):
        assert hidden not in text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (JobSource(SourceKind.URL, url="https://e.com/a?b"), {"kind": "url", "url": "https://e.com/a?b"}),
        (JobSource(SourceKind.OBJECT, "b", "uploads/a/x.jpg"), {"kind": "object", "key": "uploads/a/x.jpg"}),
        (JobSource(SourceKind.REQUEST, "b", "direct/a/job_1"), {"kind": "request"}),
    ],
)
def test_a_source_is_told_as_its_owner_knows_it(source, told):
    assert job_document(replace(JOB, source=source), LINKS)["source"] == told


@pytest.mark.parametrize(
    ("color", "told"), [(None, None), ((255, 0, 16, 255), "#ff0010"), ((255, 0, 16, 128), "#ff001080")]
)
def test_a_colour_is_told_as_it_may_be_sent(color, told):
    options = job_document(replace(JOB, options=JobOptions(CutoutSpec(bg_color=color))), LINKS)["options"]
    assert isinstance(options, dict)
    assert options["bg_color"] == told


def test_options_of_layout_are_told_where_they_are_not_the_default():
    spec = replace(CutoutSpec(), bg_blur=0.5, crop=True)
    options = job_document(replace(JOB, options=JobOptions(spec)), LINKS)["options"]
    assert isinstance(options, dict)
    assert options.keys() == {"format", "channels", "size", "crop", "bg_color", "despill", "mask", "bg_blur"}
    assert (json.loads(json.dumps(options))["bg_blur"], options["crop"]) == (0.5, True)


def test_a_background_is_told_where_there_is_one_until_the_job_is_deleted():
    job = replace(JOB, options=JobOptions(background_url="https://example.com/b.jpg"))
    options, forgotten = (job_document(one, LINKS)["options"] for one in (job, job.forgotten(NOW)))
    assert isinstance(options, dict)
    assert isinstance(forgotten, dict)
    assert options["bg_image_url"] == "https://example.com/b.jpg"
    assert "bg_image_url" not in forgotten


def test_a_deleted_job_says_so():
    document = job_document(replace(JOB, webhook_url="https://e.com").forgotten(NOW), LINKS)
    assert (document["status"], document["deleted_at"]) == ("cancelled", "2026-11-21T03:04:05.678+00:00")
    assert "webhook_url" not in document


@pytest.mark.parametrize("base", ["", "/prod"])
def test_an_accepted_job_says_where_it_is_watched_and_where_to_upload(base):
    form = UploadForm("https://s3/", {"key": "k"}, NOW, 30)
    answer = accepted_answer(JOB, LINKS, Request("POST", "/v2/jobs", "/v2/jobs", base_path=base), form)
    assert (answer.status, answer.headers["location"]) == (202, f"{base}/v2/jobs/job_1")
    assert json.loads(answer.body)["upload"]["fields"] == {"key": "k"}


def test_a_page_tells_where_the_next_begins():
    assert json.loads(page_answer(JobPage((JOB,), "c"), LINKS).body)["next_cursor"] == "c"
    assert json.loads(page_answer(JobPage((), None), LINKS).body) == {"jobs": [], "next_cursor": None}
