"""Several threads make the same as one, in the same order, and hold no more than they are working on."""

import threading
import time
from collections.abc import Iterator

import pytest

from cutout.imaging import threads
from cutout.imaging.codecs import png
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, ImageFormat, Limits
from cutout.imaging.threads import in_order, use_threads
from tests.unit.imaging.pictures import StubSegmenter, photo, saved, to_bytes


@pytest.fixture(autouse=True)
def one_thread_afterwards() -> Iterator[None]:
    yield
    use_threads(1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order(count: int) -> None:
    use_threads(count)

    def slow_at_first(number: int) -> int:
        time.sleep(0.002 * (8 - number))
        return number * number

    assert list(in_order(slow_at_first, range(8))) == [number * number for number in range(8)]
    assert list(in_order(slow_at_first, [])) == []


def test_parts_are_worked_on_at_once_and_little_is_made_ahead() -> None:
    use_threads(2)
    together = threading.Barrier(2, timeout=10)
    begun: list[int] = []

    def meet(number: int) -> int:
        begun.append(number)
        together.wait()  # passes only when another part is being worked on
        return number

    results = in_order(meet, range(10))
    assert next(results) == 0
    assert len(begun) <= 4
    assert list(results) == list(range(1, 10))


def test_an_error_in_a_part_reaches_the_caller() -> None:
    use_threads(2)

    def fail(number: int) -> int:
        if number == 3:
            raise MemoryError(number)
        return number

    with pytest.raises(MemoryError):
        list(in_order(fail, range(6)))


def test_all_cores_of_the_process_are_taken_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    use_threads(0)
    assert threads._threads == 3


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP])
def test_the_file_is_the_same_whatever_the_number_of_threads(
    image_format: ImageFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "_BAND_BYTES", 1 << 16)
    monkeypatch.setattr("cutout.imaging.matting.patches._PIXELS", 1 << 9)
    monkeypatch.setattr("cutout.imaging.matting.foreground.PIXELS", 1 << 9)
    data = saved(to_bytes(photo("astronaut.png", 700, 500)), "JPEG")
    files = []
    for count in (1, 2, 3):
        use_threads(count)
        files.append(cut_out(data, CutoutSpec(image_format), StubSegmenter(), Limits()).data)
    assert files[0] == files[1] == files[2]
