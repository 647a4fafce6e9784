"""Measure what a model costs, and hold it against its row's ``cpu_s`` and ``peak_mb``.

    .venv/bin/python tools/fetch_model.py ben2 && .venv/bin/python tools/measure_model.py ben2

One thread, one picture of the model's own size a run: median processor seconds, since a clock counts what others do,
and the peak memory of this process, which Linux tells. `make deploy` makes memory and timeouts of the row, so a row
should not be lower than what a server's core shows. Exit status: 0 the row covers it, 1 it does not, 2 there is no
such row, or its file is not here.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "cutout"))

from cutout.errors import CutoutError
from cutout.imaging.models.manifest import ManifestError, Model, load_manifest, verify
from cutout.imaging.models.onnx import OnnxSegmenter

MODELS = Path(__file__).resolve().parents[1] / "models"
MB = 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="", help="row of the manifest; without one the default model's")
    parser.add_argument("--models-dir", type=Path, default=MODELS)
    parser.add_argument("--runs", type=int, default=5, help="pictures that are measured, after one that is not")
    chosen = parser.parse_args(arguments)
    try:
        model = load_manifest(chosen.models_dir).select(chosen.name)
        path = chosen.models_dir / model.file
        verify(model, path)
    except (ManifestError, CutoutError) as error:
        print(error, file=sys.stderr)
        return 2
    cpu_s = processor_seconds(model, path, chosen.runs)
    peak_mb = peak_bytes() / MB
    print(f"{model.name}: cpu_s {cpu_s:.2f} (row: {model.cpu_s:g}), peak_mb {peak_mb:.0f} (row: {model.peak_mb})")
    return 0 if cpu_s <= model.cpu_s and peak_mb <= model.peak_mb else 1


def processor_seconds(model: Model, path: Path, runs: int) -> float:
    """Median seconds of one thread from a picture of the model's size to its alpha."""
    segmenter = OnnxSegmenter(model, path, 1)
    picture = np.random.default_rng(0).integers(0, 256, (model.size_px, model.size_px, 3), np.uint8)
    segmenter.alpha(picture)
    measured = []
    for _ in range(runs):
        started = time.process_time()
        segmenter.alpha(picture)
        measured.append(time.process_time() - started)
    return statistics.median(measured)


def peak_bytes() -> int:
    """Most memory that this program has held; getrusage's would begin with that of the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
