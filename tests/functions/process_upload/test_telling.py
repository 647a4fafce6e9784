"""What the owner of a job is told, and what the log is."""

from cutout.container import container
from cutout.errors import ServiceUnavailableError
from cutout.jobs.job import JobState
from tests.functions.process_upload.upload_world import A, run, upload_job


def test_the_owner_is_told_of_the_end_once(world):
    good = world.put(f"uploads/{A}/1.jpg", Metadata={"webhook-url": "https://hook.example/x?token=secret"})
    bad = world.put(f"uploads/{A}/2.jpg", b"no image", Metadata={"webhook-url": "https://hook.example/x?token=secret"})
    messages = world.send({"Records": [good, bad]})

    assert run(messages) == 0
    assert run(messages) == 0

    jobs = [world.object_job(good, f"uploads/{A}/1.jpg"), world.object_job(bad, f"uploads/{A}/2.jpg")]
    assert sorted(world.queued_webhooks()) == sorted(job.id for job in jobs)
    assert [job.webhook_queued for job in jobs] == [True, True]


def test_wrong_options_are_told_to_the_webhook_beside_them(world):
    record = world.put(f"uploads/{A}/p.jpg", Metadata={"webhook-url": "https://hook.example/x", "format": "exe"})

    assert run(world.send({"Records": [record]})) == 0

    assert world.queued_webhooks() == [world.object_job(record, f"uploads/{A}/p.jpg").id]


def test_an_owner_who_could_not_be_told_is_told_when_the_message_comes_again(world, monkeypatch):
    job, key = upload_job(world, webhook_url="https://hook.example/x")
    (message,) = world.send({"Records": [world.put(key)]})
    worker = container().upload_intake._worker

    def away(_: str) -> None:
        raise ServiceUnavailableError("SQS is away")

    notify = worker._notify
    worker._notify = away
    assert run([message]) == 1
    assert world.jobs.find(job.id).state is JobState.SUCCEEDED

    worker._notify = notify
    assert run([message]) == 0
    assert world.queued_webhooks() == [job.id]
    assert world.jobs.find(job.id).attempts == 1
    assert world.images_charged().images == 1


def test_logs_name_jobs_and_accounts_and_no_secret(world, caplog):
    record = world.put(
        f"uploads/{A}/p.jpg", Metadata={"webhook-url": "https://hook.example/x?token=topsecret", "format": "webp"}
    )

    assert run(world.send({"Records": [record]})) == 0

    (ended,) = [line for line in caplog.records if line.message == "job ended"]
    assert (ended.job, ended.account, ended.status) == (
        world.object_job(record, f"uploads/{A}/p.jpg").id, A, "succeeded",
    )  # fmt: skip
    assert "topsecret" not in repr([vars(line) for line in caplog.records])
