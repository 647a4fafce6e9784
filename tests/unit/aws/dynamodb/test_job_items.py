"""Items of jobs: what is written is read again, also what an elder version wrote."""

from datetime import UTC, datetime

from cutout.aws.dynamodb.job_items import job_item, to_job
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobSource, SourceKind

SOURCE = JobSource(SourceKind.URL, url="https://example.com/a.png")


def test_a_dialect_and_its_notes_are_kept():
    job = Job.queued(
        "job_1", "acct_1", JobOptions(), SOURCE, datetime.now(UTC), dialect="vendor", notes={"seed": "7", "home": "ü"}
    )

    assert to_job(job_item(job, "w")) == job


def test_an_item_from_before_there_were_dialects_is_our_own_jobs():
    job = Job.queued("job_1", "acct_1", JobOptions(), SOURCE, datetime.now(UTC))
    item = job_item(job, "w")

    assert not {"dialect", "notes"} & item.keys()
    assert to_job(item) == job
    assert (to_job(item).dialect, to_job(item).notes) == ("", {})
