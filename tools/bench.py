"""Ratios, measured side by side in one run: ``python tools/bench.py [--rounds N] [--service URL]``.

Everything that is compared is run in turn, round by round, so that whatever else the machine does hits all sides
alike; the smallest time of each counts. Photos are scikit-image's astronaut, enlarged.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "cutout"))

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.codecs.png import encode_png
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import lay_out
from cutout.imaging.matting.foreground import estimate_foreground
from cutout.imaging.matting.refine import refine_alpha, upsample_rows
from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, Limits

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"1024 px": (1024, 1024), "12 MP": (4000, 3000)}
AGAINST = {
    "pipeline": "bare model",
    "request": "bare model",
    "Pillow level 6": "own PNG writer",
    "refined alpha": "bilinear alpha",
}
PEAK = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.pipeline import cut_out
from cutout.imaging.models.onnx import OnnxSegmenter
from cutout.imaging.spec import CutoutSpec, Limits
models = Path(sys.argv[2])
row = load_manifest(models).select()
cut_out(Path(sys.argv[3]).read_bytes(), CutoutSpec(), OnnxSegmenter(row, models / row.file), Limits())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main() -> None:
    """Print one table per size and the peak memory of 50 MP."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of the model; 0: all cores")
    parser.add_argument("--service", help="address of a running `make run`, to measure requests too")
    chosen = parser.parse_args()
    row = load_manifest(ROOT / "models").select()
    segmenter = OnnxSegmenter(row, ROOT / "models" / row.file, chosen.threads)
    print(f"{row.name}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, best of {chosen.rounds} rounds")
    for title, (width, height) in SIZES.items():
        works = workload(photo(width, height), segmenter)
        if chosen.service:
            works["request"] = partial(post, chosen.service, jpeg(photo(width, height)))
        compare(title, works, chosen.rounds)
    print(f"peak memory of a 50 MP JPEG: {peak_mib()} MiB")


def photo(width: int, height: int) -> NDArray[np.uint8]:
    """The astronaut at any size with a little grain, without which large JPEGs are unlike any camera's."""
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    with Image.open(path) as picture:
        large = np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC), np.int16)
    grain = np.random.default_rng(0).integers(-2, 3, (height, width, 1), np.int16)
    grainy: NDArray[np.uint8] = np.clip(large + grain, 0, 255).astype(np.uint8)
    return grainy


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """A JPEG of quality 90."""
    return written(image, "JPEG", quality=90)


def written(image: NDArray[np.uint8], file_format: str, **options: int) -> bytes:
    """A file by Pillow."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, file_format, **options)
    return buffer.getvalue()


def post(service: str, data: bytes) -> bytes:
    """The answer to one ``POST /v2`` with the local key."""
    key = os.environ.get("CUTOUT_LOCAL_KEY", "local-development-key")
    request = Request(f"{service}/v2", data, {"x-api-key": key, "content-type": "image/jpeg"})  # noqa: S310  (ours)
    with urlopen(request) as response:  # noqa: S310
        answer: bytes = response.read()
        return answer


def compare(title: str, works: Mapping[str, Callable[[], object]], rounds: int) -> None:
    """One table: milliseconds, bytes where bytes are made, and the ratio to the line that each line is held against."""
    best, sizes = dict.fromkeys(works, float("inf")), dict.fromkeys(works, 0)
    for _ in range(rounds):
        for name, work in works.items():
            started = time.perf_counter()
            made = work()
            best[name] = min(best[name], (time.perf_counter() - started) * 1000)
            sizes[name] = len(made) if isinstance(made, bytes) else 0
    print(f"\n{title}")
    for name, milliseconds in best.items():
        ratio = f"x{milliseconds / best[AGAINST[name]]:.1f} of {AGAINST[name]}" if name in AGAINST else ""
        weight = f"{sizes[name] / 1e6:.2f} MB" if sizes[name] else ""
        print(f"  {name:16s} {milliseconds:8.1f} ms  {weight:9s} {ratio}")
    print(f"  {'own overhead':16s} {best['pipeline'] - best['bare model']:8.1f} ms")


def workload(image: NDArray[np.uint8], segmenter: OnnxSegmenter) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    data, coarse = jpeg(image), segmenter.alpha(image)
    size = (image.shape[0], image.shape[1])
    alpha = refine_alpha(image, coarse)
    cutout = compose(estimate_foreground(image, alpha), alpha, CutoutSpec(), lay_out(alpha, CutoutSpec(), Limits()))
    return {
        "bare model": lambda: segmenter.alpha(image),
        "pipeline": lambda: cut_out(data, CutoutSpec(), segmenter, Limits()),
        "own PNG writer": lambda: encode_png(cutout),
        "Pillow level 6": lambda: written(cutout, "PNG"),
        "bilinear alpha": lambda: upsample_rows(coarse, size, slice(0, size[0])),
        "refined alpha": lambda: refine_alpha(image, coarse),
        "foreground": lambda: estimate_foreground(image, alpha),
    }


def peak_mib() -> int:
    """Peak memory of a fresh process that loads the model and cuts out 50 MP."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(jpeg(photo(8660, 5773)))
        file.flush()
        command = [sys.executable, "-c", PEAK, str(ROOT / "layers" / "cutout"), str(ROOT / "models"), file.name]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  (our own)


if __name__ == "__main__":
    main()
