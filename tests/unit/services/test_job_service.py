"""Jobs in memory, storage and queue in moto: what is there after each request, and after races."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from moto import mock_aws

from cutout.accounts import KeyMode
from cutout.api.dialects.base import RemovalRequest
from cutout.api.jobs import JobRequest
from cutout.api.sources import InputKind, Source
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.uploads import S3RetentionStore
from cutout.aws.sqs import SqsJobQueue
from cutout.errors import (
    IdempotencyMismatchError,
    ImageTooLargeError,
    ImageUrlFetchFailedError,
    InvalidBase64Error,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from cutout.imaging.spec import CutoutResult, CutoutSpec, ImageFormat
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.services.job_service import JobService
from tests.support.job_services import World, allowed, caller, refused
from tests.support.job_stores import MemoryJobStore

UPLOAD = JobRequest(JobOptions(), None, None, "image/png")
LINK = JobRequest(JobOptions(), "https://example.com/a.jpg", "https://example.com/hook", "image/jpeg")
BYTES = RemovalRequest(CutoutSpec(), Source(InputKind.BYTES, "image_file", b"picture"), "bytes", respond_async=True)
UPLOAD_ID = "upl_" + "0" * 32


@pytest.fixture
def world():
    with mock_aws():
        yield World()


def test_a_job_for_an_upload_waits_for_it_at_a_place_of_its_own(world):
    ordered = world.submit(caller(mode=KeyMode.SYNTHETIC), UPLOAD, None, allowed)
    job = world.jobs.find(ordered.job.id)
    assert job == ordered.job
    assert (job.state, job.account_id, job.charged_mode) == (JobState.QUEUED, "acct_1", KeyMode.SYNTHETIC)
    assert (job.source.bucket, job.source.key) == ("uploads", f"uploads/acct_1/{job.id}/image")
    assert (ordered.form.fields["key"], ordered.form.fields["Content-Type"]) == (job.source.key, "image/png")
    assert not ordered.repeated
    assert world.messages() == []


def test_a_job_for_a_url_is_queued_at_once_and_gets_no_form(world):
    ordered = world.submit(caller(), LINK, None, allowed)
    assert (ordered.form, world.messages()) == (None, [ordered.job.id])
    assert (ordered.job.source.url, ordered.job.webhook_url) == (LINK.image_url, LINK.webhook_url)


def test_every_request_without_a_key_is_a_job_of_its_own(world):
    assert world.submit(caller(), LINK, None, allowed).job.id != world.submit(caller(), LINK, None, allowed).job.id


def test_the_same_request_under_one_key_is_one_job(world):
    first = world.submit(caller(), UPLOAD, "k", allowed)
    second = world.submit(caller(), UPLOAD, "k", refused)
    assert (second.job, second.repeated) == (first.job, True)
    assert second.form.fields["key"] == first.form.fields["key"]
    assert len(world.jobs.jobs) == 1


def test_another_request_under_the_same_key_is_refused(world):
    world.submit(caller(), UPLOAD, "k", allowed)
    for other in (LINK, replace(UPLOAD, content_type="image/webp"), replace(UPLOAD, webhook_url="https://e.com")):
        with pytest.raises(IdempotencyMismatchError):
            world.submit(caller(), other, "k", allowed)
    assert len(world.jobs.jobs) == 1


def test_two_accounts_may_use_the_same_key(world):
    one, two = (world.submit(caller(name), UPLOAD, "k", allowed) for name in ("acct_1", "acct_2"))
    assert one.job.id != two.job.id
    assert not two.repeated


def test_a_quota_that_is_used_up_leaves_no_job_behind(world):
    for key in (None, "k"):
        with pytest.raises(QuotaExceededError):
            world.submit(caller(), LINK, key, refused)
    assert (world.jobs.jobs, world.messages()) == ({}, [])


def test_a_message_that_could_not_be_sent_is_sent_by_the_same_request_again(world):
    with pytest.raises(ServiceUnavailableError):
        world.service_on(world.queue_url + "-gone").submit(caller(), LINK, "k")
    assert world.messages() == []
    ordered = world.submit(caller(), LINK, "k", allowed)
    assert (world.messages(), ordered.repeated) == ([ordered.job.id], True)


def test_a_job_that_has_begun_is_not_queued_or_handed_a_form_again(world):
    for wanted in (LINK, UPLOAD):
        job = world.submit(caller(), wanted, wanted.content_type, allowed).job
        world.messages()
        world.jobs.start(job.id, 60)
        again = world.submit(caller(), wanted, wanted.content_type, allowed)
        assert (again.job.state, again.form, world.messages()) == (JobState.RUNNING, None, [])


def test_of_two_at_the_same_moment_one_makes_the_job_and_both_get_it(world):
    class Slow(MemoryJobStore):
        def find(self, job_id: str) -> Job | None:
            return None if not self.jobs or self.blind else super().find(job_id)

        def create(self, job: Job) -> bool:
            self.blind = False
            return super().create(job)

    world.jobs = Slow()
    service = world.service_on(world.queue_url)
    ids = []
    for _ in range(2):
        world.jobs.blind = True  # neither sees the other's job before it tries to make its own
        ids.append(service.submit(caller(), UPLOAD, "k").job.id)
    assert ids[0] == ids[1]
    world.jobs.blind = True
    with pytest.raises(IdempotencyMismatchError):
        service.submit(caller(), LINK, "k")


def test_another_account_s_job_is_not_found(world):
    job = world.submit(caller("acct_2"), UPLOAD, None, allowed).job
    assert world.service.find("acct_2", job.id) == job
    for ask in (world.service.find, world.service.delete):
        with pytest.raises(NotFoundError, match=r"no (such )?job"):
            ask("acct_1", job.id)
    assert world.jobs.find(job.id).state is JobState.QUEUED


def finished(world: World, mask: bytes | None = b"mask") -> Job:
    job = world.submit(caller(), UPLOAD, None, allowed).job
    world.uploads.store(job.source.key, b"picture")
    world.uploads.store(f"retained/acct_1/{job.id}", b"picture")
    job = world.jobs.start(job.id, 60)
    made = CutoutResult("image/png", 2, 1, 4, 2, "m", {"decode": 1.0}, file=b"cutout")
    return world.jobs.succeed(job, world.results.store(job, made, mask), None)


def test_dropping_a_job_removes_its_image_and_its_results(world):
    job = finished(world)
    assert world.keys("uploads") == [f"retained/acct_1/{job.id}", job.source.key]
    assert world.keys("results") == [f"results/acct_1/{job.id}/cutout.png", f"results/acct_1/{job.id}/mask.png"]
    dropped = world.service.delete("acct_1", job.id)
    assert (dropped.state, dropped.result, dropped.deleted_at is not None) == (JobState.SUCCEEDED, None, True)
    assert (world.keys("uploads"), world.keys("results")) == ([], [])
    assert world.service.delete("acct_1", job.id) == dropped, "twice is the same as once"


def test_dropping_a_job_that_has_not_ended_cancels_it(world):
    job = world.submit(caller(), LINK, None, allowed).job
    dropped = world.service.delete("acct_1", job.id)
    assert (dropped.state, dropped.source.url, dropped.webhook_url) == (JobState.CANCELLED, "", None)


def test_dropping_goes_on_where_storage_was_away(world):
    job = finished(world)
    nowhere = S3RetentionStore(Bucket(lambda: world.s3, "nowhere", 60))
    away = JobService(
        world.jobs,
        world.uploads,
        replace(world.files, retention=nowhere),
        SqsJobQueue(lambda: world.sqs, ""),
        lambda *_: None,
    )
    with pytest.raises(ServiceUnavailableError):
        away.delete("acct_1", job.id)
    assert world.keys("uploads") != []
    world.service.delete("acct_1", job.id)
    assert (world.keys("uploads"), world.keys("results")) == ([], [])


def test_a_dropped_job_does_not_come_back_under_its_key(world):
    job = world.submit(caller(), LINK, "k", allowed).job
    world.messages()
    world.service.delete("acct_1", job.id)
    again = world.submit(caller(), LINK, "k", allowed)
    assert (again.job.state, again.repeated, world.messages()) == (JobState.CANCELLED, True, [])


def test_what_a_newer_job_wrote_to_the_same_place_stays(world):
    source = JobSource(SourceKind.OBJECT, bucket="uploads", key="uploads/acct_1/dir/a.jpg", etag="1")
    old, new = (Job.queued(f"job_{n}", "acct_1", JobOptions(), source, datetime.now(UTC)) for n in ("1" * 32, "2" * 32))
    made = CutoutResult("image/png", 2, 1, 4, 2, "m", {}, file=b"new")
    world.jobs.create(old)
    world.s3.put_object(Bucket="uploads", Key=source.key, Body=b"new picture")
    world.results.store(new, made)
    world.service.delete("acct_1", old.id)
    assert world.keys("results") == ["results/acct_1/dir/a.jpg/cutout.png"]
    assert world.keys("uploads") == [source.key]


def test_a_deferred_body_is_kept_for_the_worker_who_is_told(world):
    ordered = world.defer(caller(), BYTES, allowed)
    job = ordered.job
    assert (job.source.kind, job.source.key) == ("request", f"direct/acct_1/{job.id}")
    assert world.s3.get_object(Bucket="uploads", Key=job.source.key)["Body"].read() == b"picture"
    assert (world.messages(), job.options.spec) == ([job.id], CutoutSpec())
    assert job.request_fingerprint is None


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (Source(InputKind.BYTES, "body", b"x" * 1_001), ImageTooLargeError),
        (Source(InputKind.BASE64, "image", "!!!"), InvalidBase64Error),
        (Source(InputKind.BASE64, "image", "A" * 4_000), ImageTooLargeError),
        (Source(InputKind.URL, "image_url", "http://127.0.0.1/"), ImageUrlFetchFailedError),
        (Source(InputKind.UPLOAD, "upload_id", UPLOAD_ID), NotFoundError),
    ],
)
def test_a_source_that_can_be_seen_to_be_bad_makes_no_job(world, source, error):
    for key in (None, "k"):
        with pytest.raises(error):
            world.defer(caller(), replace(BYTES, source=source, idempotency_key=key), allowed)
    assert (world.jobs.jobs, world.keys("uploads"), world.messages()) == ({}, [], [])


def test_base64_a_url_and_an_upload_are_deferred_too(world):
    base64 = Source(InputKind.BASE64, "image", "data:image/png;base64,cGljdHVyZQ==")
    job = world.defer(caller(), replace(BYTES, source=base64), allowed).job
    assert world.s3.get_object(Bucket="uploads", Key=job.source.key)["Body"].read() == b"picture"
    link = Source(InputKind.URL, "image_url", " https://example.com/a ")
    assert world.defer(caller(), replace(BYTES, source=link), allowed).job.source.url == "https://example.com/a"
    world.uploads.store(f"direct/acct_1/{UPLOAD_ID}", b"large")
    upload = Source(InputKind.UPLOAD, "upload_id", UPLOAD_ID)
    job = world.defer(caller(), replace(BYTES, source=upload), allowed).job
    assert (job.source.kind, job.source.key) == ("request", f"direct/acct_1/{UPLOAD_ID}")
    assert len(world.messages()) == 3


def test_a_deferred_request_under_a_key_is_one_job_and_never_changes_its_image(world):
    order = replace(BYTES, idempotency_key="k")
    first = world.defer(caller(), order, allowed)
    assert world.defer(caller(), order, refused).job == first.job
    other = replace(order, source=Source(InputKind.BYTES, "image_file", b"other"))
    for changed in (
        other,
        replace(order, spec=CutoutSpec(format=ImageFormat.WEBP)),
        replace(order, respond_async=False),
    ):
        with pytest.raises(IdempotencyMismatchError):
            world.defer(caller(), changed, allowed)
    assert world.s3.get_object(Bucket="uploads", Key=first.job.source.key)["Body"].read() == b"picture"


def test_every_upload_by_id_has_its_own_place_in_the_account_s_own_folder(world):
    (one, form), (two, _) = (world.service.new_upload("acct_1", "image/jpeg") for _ in range(2))
    assert one != two
    assert form.fields["key"] == f"direct/acct_1/{one}"
