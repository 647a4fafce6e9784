"""The memory that the largest pictures take, and many small ones, in processes of their own; `make check` runs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.imaging.pictures import saved

MEASURE = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import *
from tests.unit.imaging.pictures import StubSegmenter
spec = eval(sys.argv[4])
data = Path(sys.argv[3]).read_bytes()
result = cut_out(data, spec, StubSegmenter(), Limits(), data if "bg_fit" in sys.argv[4] else None)
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
print(result.width, result.height, int(peak.split()[1]) * 1024)
"""
"""Not ru_maxrss: over fork and exec a process inherits the peak of its parent, here pytest's."""


MANY = """
import sys
sys.path[:0] = sys.argv[1:3]
import numpy as np
from PIL import Image
from cutout.errors import CutoutError
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import *
from tests.unit.imaging.pictures import StubSegmenter, saved
random = np.random.default_rng(0)
files = []
for width, height in ((40, 30), (160, 120), (300, 200)):
    photo = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))
    whole = [saved(photo, kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")]
    files += whole + [each[: len(each) // 2] for each in whole] + [b"no picture", whole[0][:300] + whole[1]]
specs = [CutoutSpec(), CutoutSpec(ImageFormat.WEBP, crop=True), CutoutSpec(ImageFormat.JPEG), CutoutSpec(despill=True),
         CutoutSpec(channels=Channels.ALPHA), CutoutSpec(ImageFormat.ZIP), CutoutSpec(shadow=Shadow())]
segmenter, resident, refused = StubSegmenter(), [], 0
for number in range(2000):
    try:
        cut_out(files[number % len(files)], specs[number % len(specs)], segmenter, Limits())
    except CutoutError:
        refused += 1
    status = open("/proc/self/status").read()
    resident.append(int(status.split("VmRSS:")[1].split()[0]) * 1024)
print(max(resident[:500]), max(resident[-500:]), refused)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the resident set is read from /proc")
def test_two_thousand_mixed_requests_leave_nothing_behind() -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", MANY, str(root / "layers" / "cutout"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, last, refused = (int(part) for part in done.stdout.split())
    assert refused > 500
    assert last < first + 8e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("file_format", "mode", "spec"),
    [
        ("JPEG", "RGB", "CutoutSpec(despill=True)"),
        ("PNG", "RGBA", "CutoutSpec(ImageFormat.TIFF, despill=True)"),
        ("JPEG", "CMYK", "CutoutSpec(ImageFormat.JPEG)"),
        ("JPEG", "RGB", "CutoutSpec(bg_blur=2, scale=90, stroke=Stroke(Length(40)), shadow=Shadow())"),
        ("JPEG", "RGB", "CutoutSpec(ImageFormat.ZIP, bg_fit=Fit.FIT, stroke=Stroke(Length(4)), shadow=Shadow())"),
    ],
)
def test_fifty_megapixels_stay_under_one_and_a_half_gigabytes(
    tmp_path: Path, file_format: str, mode: str, spec: str
) -> None:
    path = tmp_path / "large"
    gradient = Image.linear_gradient("L").resize((8660, 5773))
    bands = [
        gradient,
        gradient.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        gradient,
        gradient.point(lambda v: 255 - v // 2),
    ]
    path.write_bytes(saved(Image.merge(mode, bands[: len(mode)]), file_format))
    del gradient, bands
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", MEASURE, str(root / "layers" / "cutout"), str(root), str(path), spec]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    width, height, peak_bytes = (int(part) for part in done.stdout.split())
    assert (width, height) == (6000, 4000)
    assert peak_bytes < 1.5e9
    assert peak_bytes > 1e8  # it did measure
