"""Mutated files of every format, animations included: a picture or a client's fault, in memory that stays flat.

CUTOUT_FUZZ_FILES says how many, CUTOUT_FUZZ_SEED which; a file is made again by its number. HEIC is decoded in a
process of its own, whose memory is bounded there; that takes its time, so every fiftieth file is one.
"""

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from PIL import Image

from cutout.errors import ClientFaultError
from cutout.imaging.codecs.animation import read_animation
from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.formats import sniff
from cutout.imaging.spec import Limits
from tests.unit.imaging.codecs.test_phone_formats import FILES
from tests.unit.imaging.pictures import photo, saved, to_bytes
from tests.unit.imaging.test_animation_files import HALF_BLUE, OPAQUE_RED, OVER, PART, SOURCE, WHOLE, apng, gif
from tests.unit.imaging.test_hostile import files

COUNT = int(os.environ.get("CUTOUT_FUZZ_FILES", "600"))
SEED = int(os.environ.get("CUTOUT_FUZZ_SEED", "0"))
LIMITS = Limits(max_pixels=1_000_000, max_side_px=5_000, max_frames=8, max_frames_px=2_000_000)
_HEAD_BYTES = 64
_HEIC_EVERY = 50
_GROWTH_MB = 96
"""What may come on top once every decoder has been used: caches of libraries, and the largest picture."""


@cache
def animations() -> list[bytes]:
    picture = Image.fromarray(to_bytes(photo("astronaut.png", 40, 30)))
    cut = picture.convert("RGBA")
    cut.putalpha(120)
    others = [cut.rotate(90), cut.rotate(180)]
    moving = {"save_all": True, "append_images": others, "duration": 50}
    return [
        *(saved(cut, file_format, **moving) for file_format in ("GIF", "WEBP", "PNG", "AVIF")),
        gif([(WHOLE, 0, 10, 1), (PART, 1, 10, 2), (PART, 2, 10, 3), (PART, 3, 0, 1)]),
        apng([(WHOLE, OPAQUE_RED, 0, SOURCE), (PART, HALF_BLUE, 1, OVER), (PART, HALF_BLUE, 2, SOURCE)]),
        apng([(WHOLE, OPAQUE_RED, 0, SOURCE), (PART, HALF_BLUE, 2, OVER)], still=OPAQUE_RED),
    ]


@cache
def phones() -> list[bytes]:
    return [path.read_bytes() for path in sorted(FILES.glob("*.heic"))]


def mutated(number: int) -> bytes:
    """Bytes changed, most of them in the head; parts repeated, left out, swapped; the end cut off."""
    random = np.random.default_rng((SEED, number))
    pool = phones() if number % _HEIC_EVERY == 0 else files() if number % 2 else animations()
    data = bytearray(pool[random.integers(len(pool))])
    for _ in range(random.integers(1, 6)):
        end = min(_HEAD_BYTES, len(data)) if random.random() < 0.4 else len(data)
        place, length = random.integers(end), int(random.integers(1, 5))
        data[place : place + length] = random.bytes(length)
    kind = random.random()
    start, stop = sorted(int(place) for place in random.integers(0, len(data) + 1, 2))
    if kind < 0.1:
        data[start:stop] = data[start:stop] * 2
    elif kind < 0.2:
        del data[start:stop]
    elif kind < 0.3:
        del data[stop:]
    return bytes(data)


def outcome(read: Callable[[bytes, Limits], object], data: bytes) -> str:
    try:
        return "read" if read(data, LIMITS) is not None else "no animation"
    except ClientFaultError as error:
        return error.code


def outcomes(numbers: range) -> Iterator[str]:
    for number in numbers:
        data = mutated(number)
        try:
            yield f"{sniff(data)} {outcome(decode, data)}"
            if sniff(data) in {"gif", "webp", "png", "avif"}:
                yield f"moving {sniff(data)} {outcome(read_animation, data)}"
        except BaseException as error:
            error.add_note(f"file {number} of seed {SEED}")
            raise


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.timeout(0)
def test_mutated_files_are_pictures_or_clients_faults_and_memory_stays_flat() -> None:
    warm = COUNT // 4
    begun = time.monotonic()
    found = Counter(outcomes(range(warm)))
    before = peak_mb()
    found.update(outcomes(range(warm, COUNT)))
    grown = peak_mb() - before
    sys.stderr.write(
        f"\n{COUNT} files in {time.monotonic() - begun:.0f} s, peak {peak_mb():.0f} MB, grown by {grown:.0f} MB\n"
        + "".join(f"{count:8d} {name}\n" for name, count in sorted(found.items()))
    )
    assert grown < _GROWTH_MB
    assert sum(count for name, count in found.items() if name.endswith(" read")) > COUNT // 20
