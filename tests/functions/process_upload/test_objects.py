"""People's own objects: found, cut out with their options, or failed with a reason."""

import pytest

from cutout.container import container
from cutout.jobs.job import JobState
from cutout.usage import Usage
from tests.functions.process_upload.upload_world import PHOTO, A, picture, run, tag


def test_an_object_becomes_a_cutout_at_a_foreseeable_place_and_is_charged_once(world):
    record = world.put(f"uploads/{A}/dir/photo.jpg")

    assert run(world.send({"Records": [record]})) == 0

    folder = f"results/{A}/dir/photo.jpg"
    assert world.result_names() == [f"{folder}/cutout.png", f"{folder}/result.json"]
    cutout, photo = picture(world.result(f"{folder}/cutout.png")), picture(PHOTO)
    assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
    job = world.object_job(record, f"uploads/{A}/dir/photo.jpg")
    assert (job.state, job.account_id, job.attempts) == (JobState.SUCCEEDED, A, 1)
    usage = world.images_charged()
    assert usage == Usage.of_image(*photo.size, len(PHOTO), len(world.result(f"{folder}/cutout.png")))
    report = world.report("dir/photo.jpg")
    assert (report["status"], report["job_id"], report["source"]) == (
        "succeeded", job.id, f"uploads/{A}/dir/photo.jpg",
    )  # fmt: skip
    assert report["result"]["key"] == f"{folder}/cutout.png"
    assert (report["result"]["width"], report["result"]["height"]) == photo.size
    assert report["result"]["model"] == job.result.model
    assert report["result"]["stages_ms"].keys() >= {"decode", "predict", "encode"}


def test_events_of_a_bucket_without_sequencers_are_told_apart_too(world):
    world.notify(on=True)
    assert run(world.receive()) == 0, "the test event"
    for data in (PHOTO, PHOTO + b"newer"):
        world.s3.put_object(Bucket=world.uploads, Key=f"uploads/{A}/my photo.jpg", Body=data)
        assert run(world.receive()) == 0

    assert f"results/{A}/my photo.jpg/cutout.png" in world.result_names()
    assert world.images_charged().images == 2


def test_a_job_is_worked_on_once_however_often_its_event_comes(world):
    record = world.put(f"uploads/{A}/photo.jpg")
    messages = world.send({"Records": [record, record]}, {"Records": [record]})

    assert run(messages) == 0
    assert run(messages) == 0

    assert world.images_charged().images == 1
    assert world.object_job(record, f"uploads/{A}/photo.jpg").attempts == 1


def test_every_record_of_a_message_counts(world):
    records = [world.put(f"uploads/{A}/{number}.jpg") for number in range(3)]

    assert run(world.send({"Records": records})) == 0

    assert len([name for name in world.result_names() if name.endswith("cutout.png")]) == 3
    assert world.images_charged().images == 3


@pytest.mark.parametrize("name", ["my photo.jpg", "a+b.jpg", "ünï/漢字 (1).jpg", "100%.jpg", "q?x=y&z.jpg", "%2B.jpg"])
def test_keys_of_any_letters_are_found_and_answered_under_the_same_name(world, name):
    assert run(world.send({"Records": [world.put(f"uploads/{A}/{name}")]})) == 0

    assert f"results/{A}/{name}/cutout.png" in world.result_names()


def test_options_come_from_metadata(world):
    metadata = {"format": "webp", "Size": "preview", "bg-color": "#ff0000", "mask": "true", "mtime": "1700000000"}
    record = world.put(f"uploads/{A}/p.jpg", Metadata=metadata)

    assert run(world.send({"Records": [record]})) == 0

    folder = f"results/{A}/p.jpg"
    assert world.result_names() == [f"{folder}/cutout.webp", f"{folder}/mask.png", f"{folder}/result.json"]
    cutout, mask = picture(world.result(f"{folder}/cutout.webp")), picture(world.result(f"{folder}/mask.png"))
    assert cutout.mode == "RGB"
    assert cutout.width * cutout.height <= 250_000
    assert (mask.mode, mask.size) == ("L", cutout.size)
    empty_at = next((x, y) for x in range(mask.width) for y in range(mask.height) if mask.getpixel((x, y)) == 0)
    red = cutout.getpixel(empty_at)
    assert red[0] > 200
    assert max(red[1:]) < 50
    assert world.report("p.jpg")["result"]["mask_key"] == f"{folder}/mask.png"


def test_options_come_from_tags_where_metadata_has_none(world):
    tagged = world.put(f"uploads/{A}/1.jpg", Tagging=tag(format="jpg", project="cats"), Metadata={"author": "me"})
    both = world.put(f"uploads/{A}/2.jpg", Tagging=tag(format="jpg"), Metadata={"format": "webp"})

    assert run(world.send({"Records": [tagged, both]})) == 0

    assert f"results/{A}/1.jpg/cutout.jpg" in world.result_names()
    assert f"results/{A}/2.jpg/cutout.webp" in world.result_names()


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"format": "exe"}, "invalid_option"),
        ({"bg_color": "#12", "mask": "yes"}, "invalid_option"),
        ({"mask": "perhaps"}, "invalid_option"),
        ({"webhook-url": "http://169.254.169.254/latest"}, "invalid_option"),
        ({"bg-color": "red", "bg_color": "blue"}, "invalid_option"),
    ],
)
def test_wrong_options_fail_the_job_and_say_why(world, metadata, code):
    record = world.put(f"uploads/{A}/p.jpg", Metadata=metadata)

    assert run(world.send({"Records": [record]})) == 0

    job = world.object_job(record, f"uploads/{A}/p.jpg")
    assert (job.state, job.error.code) == (JobState.FAILED, code)
    assert world.result_names() == [f"results/{A}/p.jpg/result.json"]
    report = world.report("p.jpg")
    assert (report["status"], report["error"]["code"], report["error"]["message"]) == (
        "failed",
        code,
        job.error.message,
    )
    assert world.images_charged() == Usage()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unsupported_image_format"),
        (b"not an image", "unsupported_image_format"),
        (PHOTO[:2_000], "invalid_image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "invalid_image"),
    ],
)
def test_what_is_no_image_fails_the_job_at_once(world, data, code):
    record = world.put(f"uploads/{A}/p.jpg", data)

    assert run(world.send({"Records": [record]})) == 0

    job = world.object_job(record, f"uploads/{A}/p.jpg")
    assert (job.state, job.error.code, job.attempts) == (JobState.FAILED, code, 1)
    assert world.images_charged() == Usage()


def test_an_object_above_the_limit_is_refused_unread(world, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", str(len(PHOTO) - 1))
    container.cache_clear()
    record = world.put(f"uploads/{A}/p.jpg")
    with monkeypatch.context() as patch:
        patch.setattr("botocore.response.StreamingBody.read", lambda *_: pytest.fail("the body was read"))
        assert run(world.send({"Records": [record]})) == 0

    assert world.object_job(record, f"uploads/{A}/p.jpg").error.code == "image_too_large"


def test_an_object_that_was_removed_before_its_turn_fails_the_job(world):
    record = world.put(f"uploads/{A}/p.jpg")
    world.s3.delete_object(Bucket=world.uploads, Key=f"uploads/{A}/p.jpg")

    assert run(world.send({"Records": [record]})) == 0

    assert world.object_job(record, f"uploads/{A}/p.jpg").error.code == "missing_image"
