"""Animations that come as objects or jobs: what is stored, told and charged."""

from cutout.container import container
from cutout.imaging.spec import CutoutSpec, Frames, ImageFormat
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobOptions
from tests.functions.process_upload.upload_world import A, run, tag, upload_job
from tests.support.moving_pictures import SIZE, frames_of, moving_cat


def test_an_object_s_metadata_asks_for_every_frame(world):
    image = moving_cat(12)
    key = f"uploads/{A}/cat.gif"
    record = world.put(key, image, Metadata={"frames": "all", "format": "webp", "mask": "true"})

    assert run(world.send({"Records": [record]})) == 0

    folder = f"results/{A}/cat.gif"
    assert world.result_names() == [f"{folder}/cutout.webp", f"{folder}/mask.png", f"{folder}/result.json"]
    cutout, mask = world.result(f"{folder}/cutout.webp"), world.result(f"{folder}/mask.png")
    for data in (cutout, mask):
        assert [(frame.size, duration) for frame, duration in frames_of(data)] == [(SIZE, 80)] * 12
    report = world.report("cat.gif")
    assert (report["status"], report["result"]["frames"]) == ("succeeded", 12)
    job = world.object_job(record, key)
    assert (job.state, job.result.frames, job.options.spec.frames) == (JobState.SUCCEEDED, 12, Frames.ALL)
    usage = world.images_charged()
    assert (usage.images, usage.pixels) == (2, 12 * SIZE[0] * SIZE[1])
    assert (usage.bytes_in, usage.bytes_out) == (len(image), len(cutout) + len(mask))


def test_tags_ask_for_every_frame_too(world):
    record = world.put(f"uploads/{A}/cat.webp", moving_cat(3, "WEBP"), Tagging=tag(frames="all", format="gif"))
    assert run(world.send({"Records": [record]})) == 0
    assert len(frames_of(world.result(f"results/{A}/cat.webp/cutout.gif"))) == 3


def test_a_presigned_upload_is_cut_out_as_its_job_says(world):
    options = JobOptions(CutoutSpec(ImageFormat.PNG, frames=Frames.ALL))
    job, key = upload_job(world, options=options)
    assert run(world.send({"Records": [world.put(key, moving_cat(21, "PNG"))]})) == 0
    done = world.jobs.find(job.id)
    assert (done.state, done.result.media_type, done.result.frames) == (JobState.SUCCEEDED, "image/png", 21)
    assert len(frames_of(world.result(done.result.key))) == 21
    assert world.images_charged().images == 3


def test_a_job_takes_three_times_what_can_be_waited_for_and_then_says_what_it_takes(world, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_FRAMES", "12")
    container.cache_clear()
    for count in (12, 13):
        record = world.put(f"uploads/{A}/{count}.gif", moving_cat(count), Metadata={"frames": "all"})
        assert run(world.send({"Records": [record]})) == 0
    assert world.report("12.gif")["status"] == "succeeded"
    report = world.report("13.gif")
    assert (report["status"], report["error"]["code"]) == ("failed", "animation_too_large")
    assert "12 frames" in report["error"]["message"]
    assert report["error"]["details"]["max_frames"] == 12
    assert world.images_charged().images == 2


def test_a_format_that_cannot_move_fails_the_job_before_any_work(world):
    record = world.put(f"uploads/{A}/cat.gif", moving_cat(3), Metadata={"frames": "all", "format": "jpg"})
    assert run(world.send({"Records": [record]})) == 0
    assert world.report("cat.gif")["error"]["code"] == "invalid_option"
    assert world.images_charged().images == 0
