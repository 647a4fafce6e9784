"""The Python client against the whole local service."""

import asyncio
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout_client import AsyncCutout, Cutout, Progress, errors
from cutout_client.webhooks import verify
from tests.dialects.pictures import astronaut, cat, encoded, plain
from tests.support.local_service import Service


@pytest.fixture
def cutout(service: Service) -> Iterator[Cutout]:
    with Cutout(service.key, service.url) as client:
        yield client


def test_a_cutout_comes_with_its_facts(cutout: Cutout) -> None:
    result = cutout.remove(astronaut())
    assert (result.image.mode, result.image.size) == ("RGBA", (160, 160))
    assert (result.width, result.height, result.model) == (160, 160, "cutout-s")
    assert result.request_id.startswith("req_")
    assert {"decode", "predict", "refine"} <= set(result.timings_ms)
    left, top, right, bottom = result.foreground_box
    assert 0 <= left < 80 < right <= 160
    assert top < 60
    assert bottom == 160
    assert result.mask.getpixel((80, 100)) == 255
    assert result.mask.getpixel((3, 3)) == 0


@pytest.mark.parametrize("kind", ["path", "file", "array", "pillow", "url", "upload"])
def test_every_kind_of_image_gives_the_same_cutout(cutout: Cutout, tmp_path: Path, file_server, kind) -> None:
    data = cat()
    (tmp_path / "cat.png").write_bytes(data)
    (file_server.folder / "client.png").write_bytes(data)
    picture = Image.open(io.BytesIO(data))
    image = {
        "path": lambda: tmp_path / "cat.png", "file": lambda: io.BytesIO(data), "array": lambda: np.asarray(picture),
        "pillow": lambda: picture, "url": lambda: f"{file_server.url}/client.png",
        "upload": lambda: cutout.upload(data),
    }[kind]()  # fmt: skip
    assert (np.asarray(cutout.remove(image).image) == np.asarray(cutout.remove(data).image)).all()


def test_options_and_a_background_arrive(cutout: Cutout) -> None:
    result = cutout.remove(
        astronaut(),
        background=plain(40, 40, colour="lime"),
        format="jpg",
        canvas=(200, 100),
        scale=60,
        position="center",
    )
    assert (result.media_type, result.ending, result.image.size) == ("image/jpeg", "jpg", (200, 100))
    red, green, blue = result.image.getpixel((3, 3))
    assert (red < 30, green > 230, blue < 30) == (True, True, True)


def test_a_zip_shows_picture_and_mask(cutout: Cutout) -> None:
    result = cutout.remove(cat(), format="zip")
    assert result.ending == "zip"
    assert (result.image.mode, result.mask.size) == ("RGBA", (120, 80))


def test_a_large_image_is_uploaded_unasked_and_progress_is_told(service: Service) -> None:
    told: list[Progress] = []
    with Cutout(service.key, service.url, direct_limit_bytes=1000) as cutout:
        result = cutout.remove(cat(), on_progress=told.append)
    assert result.image.size == (120, 80)
    ends = {(each.stage, each.direction): (each.done_bytes, each.total_bytes) for each in told}
    assert ends["upload", "sent"][0] == ends["upload", "sent"][1] > len(cat())
    assert ends["remove", "received"] == (len(result.content), None)  # a streamed answer says no length


def test_the_same_key_is_done_and_charged_once(cutout: Cutout) -> None:
    before = cutout.usage().images
    first, second = (cutout.remove(cat(), idempotency_key="client-test-once") for _ in range(2))
    assert (first.replayed, second.replayed) == (False, True)
    assert first.content == second.content
    assert cutout.usage().images == before + 1
    with pytest.raises(errors.IdempotencyMismatchError):
        cutout.remove(cat(), idempotency_key="client-test-once", crop=True)


def test_refusals_have_their_classes(cutout: Cutout, service: Service) -> None:
    with pytest.raises(errors.UnsupportedImageFormatError) as caught:
        cutout.remove(b"no image")
    assert caught.value.request_id.startswith("req_")
    with pytest.raises(errors.InvalidOptionError) as refused:
        cutout.remove(cat(), size="huge")
    assert refused.value.details["option"] == "size"
    with Cutout("wrong", service.url) as stranger, pytest.raises(errors.InvalidApiKeyError):
        stranger.account()
    with pytest.raises(errors.NotFoundError):
        cutout.jobs.get("job_" + "0" * 32)


def test_a_batch_keeps_its_order_and_gives_failures_in_their_place(cutout: Cutout) -> None:
    images = [cat(60, 40), b"no image", cat(64, 40), Path("nowhere.jpg"), cat(68, 40)]
    results = list(cutout.map(images, concurrency=2, errors="return", channels="alpha"))
    assert [getattr(each, "width", type(each)) for each in results] == [
        60, errors.UnsupportedImageFormatError, 64, FileNotFoundError, 68,
    ]  # fmt: skip
    with pytest.raises(errors.UnsupportedImageFormatError):
        list(cutout.map(images, concurrency=2))


def test_a_batch_takes_no_more_ahead_than_its_bound(cutout: Cutout) -> None:
    taken = []

    def images() -> Iterator[bytes]:
        for number in range(20):
            taken.append(number)
            yield cat(60, 40)

    results = cutout.map(images(), concurrency=2)
    next(results)
    assert len(taken) <= 5
    results.close()


def test_a_job_from_order_to_deletion(cutout: Cutout) -> None:
    ordered = cutout.jobs.create(cat(), mask=True, format="webp", crop=True)
    assert ordered.status == "queued"
    ended = cutout.jobs.wait(ordered)
    assert ended.result is not None
    picture, mask = cutout.jobs.download(ended), cutout.jobs.download(ended, mask=True)
    assert (picture.media_type, picture.image.mode, mask.image.mode) == ("image/webp", "RGBA", "L")
    assert picture.image.size == mask.image.size
    assert ordered.id in [job.id for job in cutout.jobs.list(limit=50).jobs]
    assert cutout.jobs.delete(ended).deleted_at is not None
    with pytest.raises(ValueError, match="no result"):
        cutout.jobs.download(cutout.jobs.get(ordered.id))


def test_a_job_that_fails_raises_its_error(cutout: Cutout) -> None:
    with pytest.raises(errors.UnsupportedImageFormatError):
        cutout.jobs.wait(cutout.jobs.create(b"no image"))


def test_a_job_s_webhook_is_verified_by_the_account_s_secret(cutout: Cutout, hooks, file_server) -> None:
    (file_server.folder / "hook.png").write_bytes(cat())
    job = cutout.jobs.create(f"{file_server.url}/hook.png", webhook_url=f"http://{hooks.authority}/python-client")
    cutout.jobs.wait(job)
    end_s = time.monotonic() + 30
    while not hooks.at("/python-client") and time.monotonic() < end_s:
        time.sleep(0.05)
    (delivery,) = hooks.at("/python-client")
    event = verify(delivery.body, delivery.headers, cutout.webhook_secret().secret)
    assert (event["type"], event["data"]["id"]) == ("job.succeeded", job.id)


def test_account_keys_and_health(cutout: Cutout, service: Service) -> None:
    account = cutout.account()
    assert (account.mode, account.usage.images >= 0) == ("live", True)
    made = cutout.keys.create(label="from the client")
    with Cutout(made.key, service.url) as other:
        assert other.account().fingerprint == made.fingerprint
    rotated = cutout.keys.rotate(made.fingerprint, grace_s=0)
    assert rotated.label == "from the client"
    assert cutout.keys.revoke(rotated.fingerprint).status == "revoked"
    assert {key.fingerprint: key.status for key in cutout.keys.list()}[rotated.fingerprint] == "revoked"
    assert made.key not in repr(made)
    assert cutout.health(deep=True)["model"] == "cutout-s"


def test_usage_by_day_and_key(cutout: Cutout) -> None:
    cutout.remove(cat())
    mine = [day for day in cutout.daily_usage() if day.key == cutout.account().fingerprint]
    assert mine[-1].day == datetime.now(UTC).strftime("%Y-%m-%d")
    assert mine[-1].images >= 1
    assert mine[-1].megapixels > 0
    assert cutout.daily_usage("2020-01") == []
    with pytest.raises(errors.InvalidOptionError):
        cutout.daily_usage("2020-1")


def test_the_asynchronous_client_does_the_same(service: Service) -> None:
    async def all_of_it() -> None:
        told: list[Progress] = []
        async with AsyncCutout(service.key, service.url) as cutout:
            result = await cutout.remove(cat(), on_progress=told.append)
            assert result.image.size == (120, 80)
            assert told[-1].done_bytes == len(result.content)
            sizes = [(60 + n, 40) for n in range(5)]
            found = [each.image.size async for each in cutout.map([cat(*size) for size in sizes], concurrency=2)]
            assert found == sizes
            job = await cutout.jobs.wait(await cutout.jobs.create(cat()))
            assert (await cutout.jobs.download(job)).image.size == (120, 80)
            assert (await cutout.account()).usage == await cutout.usage()
            assert sum(day.images for day in await cutout.daily_usage()) == (await cutout.usage()).images
            with pytest.raises(errors.InvalidOptionError):
                await cutout.remove(cat(), size="huge")
            upload = await cutout.upload(encoded(Image.new("RGB", (50, 40))))
            assert (await cutout.remove(upload, mask_first=False)).width == 50

    asyncio.run(all_of_it())
