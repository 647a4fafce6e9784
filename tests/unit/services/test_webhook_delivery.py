"""The sender posts to a receiver on loopback that stands for one on the Internet."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from standardwebhooks import Webhook

from cutout.api.job_documents import Links
from cutout.aws import telemetry
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobSource, SourceKind
from cutout.outbound.fetch import PostPolicy, post
from cutout.services.webhook_delivery import DeliveryOutcome, WebhookSender
from tests.support.hostile_servers import PUBLIC, Internet, Server, answer, closed_port, names
from tests.support.job_stores import MemoryJobStore

pytestmark = pytest.mark.loopback

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "b" * 32)
JOB_ID = "job_" + "0a" * 16


class Secrets:
    def signing(self, account_id: str, now: datetime) -> tuple[str, ...]:
        assert account_id == "acct_1"
        return SECRETS


def _no_signature(message: bytes) -> bytes:
    raise AssertionError("the service's own events are signed by the account's secrets")


@pytest.fixture
def jobs() -> MemoryJobStore:
    return MemoryJobStore()


@pytest.fixture
def tell(jobs: MemoryJobStore) -> Callable[[], DeliveryOutcome]:
    links = Links(lambda key: f"https://results.example/{key}?signed", datetime.now(UTC))
    known = names(hooks_test=PUBLIC, lan_test="192.168.0.1", **{"127_0_0_1": "127.0.0.1"})
    deliver = partial(post, policy=PostPolicy(timeout_s=30), resolve=known)
    sender = WebhookSender(jobs, Secrets(), lambda: links, deliver, _no_signature, observer=telemetry)
    return lambda: sender.deliver(JOB_ID, datetime.now(UTC))


def add_job(jobs: MemoryJobStore, url: str | None = "http://hooks.test/in", *, ended: bool = True) -> Job:
    source = JobSource(SourceKind.URL, url="https://pictures.example/a.png")
    job = Job.queued(JOB_ID, "acct_1", JobOptions(), source, datetime.now(UTC), webhook_url=url)
    jobs.create(job)
    return jobs.fail(jobs.start(JOB_ID, 60), JobError("invalid_image", "No image.")) if ended else job


@pytest.fixture
def receiver(jobs: MemoryJobStore, serve: Callable[..., Server], internet: Internet) -> Server:
    """Where the end of a job is to be told."""
    server = serve(answer(status="204 No Content", body=b""))
    internet[PUBLIC] = server.port
    add_job(jobs)
    return server


def test_the_owner_of_a_job_is_told_its_document_signed_by_every_good_secret(receiver, tell):
    assert tell() is DeliveryOutcome.DELIVERED

    (head,), (body,) = receiver.requests, receiver.bodies
    headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
    for secret in SECRETS:
        event = Webhook(secret).verify(body, headers)
    assert event["type"] == "job.failed"
    assert event["id"] == headers["webhook-id"]
    assert event["created_at"] == event["data"]["finished_at"]
    assert event["data"]["id"] == JOB_ID
    assert event["data"]["error"]["code"] == "invalid_image"


def test_every_delivery_has_the_same_id_and_a_time_of_its_own(receiver, tell):
    receiver.script = answer(status="503 Busy")

    assert [tell() for _ in range(3)] == [DeliveryOutcome.NOT_DELIVERED] * 3

    assert len({json.loads(body)["id"] for body in receiver.bodies}) == 1
    assert len(receiver.bodies) == 3


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("200", DeliveryOutcome.DELIVERED),
        ("299", DeliveryOutcome.DELIVERED),
        ("302", DeliveryOutcome.NOT_DELIVERED),
        ("400", DeliveryOutcome.NOT_DELIVERED),
        ("410", DeliveryOutcome.GIVEN_UP),
        ("500", DeliveryOutcome.NOT_DELIVERED),
    ],
)
def test_the_receiver_s_status_decides(receiver, tell, status, told):
    receiver.script = answer(status=f"{status} Whatever")

    assert tell() is told


def test_a_receiver_that_is_away_is_tried_again(jobs, tell, internet):
    internet[PUBLIC] = closed_port()
    add_job(jobs)

    assert tell() is DeliveryOutcome.NOT_DELIVERED


@pytest.mark.parametrize("url", ["http://127.0.0.1:8585/", "http://lan.test/", "gopher://hooks.test/"])
def test_a_private_address_is_given_up_unasked(jobs, tell, internet, url):
    add_job(jobs, url)

    assert tell() is DeliveryOutcome.GIVEN_UP
    assert internet.called == []


@pytest.mark.parametrize(
    "prepare",
    [
        lambda jobs: None,
        lambda jobs: add_job(jobs, None),
        lambda jobs: add_job(jobs, ended=False),
        lambda jobs: jobs.forget("acct_1", add_job(jobs).id),
        lambda jobs: jobs.forget("acct_1", add_job(jobs, ended=False).id),
    ],
    ids=["unknown", "no webhook", "not ended", "deleted", "cancelled"],
)
def test_there_is_nothing_to_tell_of_other_jobs(jobs, tell, internet, prepare):
    prepare(jobs)

    assert tell() is DeliveryOutcome.NOTHING_TO_TELL
    assert internet.called == []


def test_an_expired_job_is_not_told_of(tell, jobs, internet):
    job = add_job(jobs)
    jobs._now = lambda: job.expires_at + timedelta(seconds=1)

    assert tell() is DeliveryOutcome.NOTHING_TO_TELL
    assert internet.called == []


def test_neither_the_url_nor_the_secret_is_logged(jobs, tell, serve, internet, caplog):
    internet[PUBLIC] = serve(answer(status="500 top-secret")).port
    add_job(jobs, "http://hooks.test/hidden?token=abc")

    tell()

    (record,) = [record for record in caplog.records if record.message == "webhook"]
    assert (record.job, record.answer) == (JOB_ID, 500)
    logged = repr(record.__dict__)
    for hidden in ("hooks.test", "hidden", "token", "top-secret", *SECRETS):
        assert hidden not in logged
