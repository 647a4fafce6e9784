"""How fast, beside others: every contestant in turn, round by round, in one run on one machine.

    python -m venv .venv-bench && .venv-bench/bin/pip install --require-hashes -r requirements/bench.txt
    .venv/bin/python -m tools.bench [--rounds 7] [--threads 1] [--only 1-mp 12-mp] [--u2netp FILE] [--out DIR]

Contestants: Cutout's pipeline; rembg on the same network, and on U2-Netp (``tools/fetch_model.py u2netp``); the bare
network on a tensor that is there already; Pillow's decoding and encoding with nothing in between. Each is a process of
its own (``bench_worker.py``), and only one works at a time, so that whatever else the machine does hits all alike.
What counts are medians of processor time and their spread; wall time stands beside them. A cold workload is a new
process each time, from its start to its first answer. Writes ``bench.json``, of which ``tools/performance.py`` makes
tables and the plot.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import skimage
from PIL import Image, ImageFilter

from tools.machine import describe

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "models" / "cutout-s.onnx"
PYTHON_OF_OTHERS = ROOT / ".venv-bench" / "bin" / "python"
PHOTOS: dict[str, dict[str, Any]] = {
    "300-px.jpg": {"size": (300, 300)},
    "1-mp.jpg": {"size": (1024, 1024)},
    "4-mp.jpg": {"size": (2309, 1732)},
    "12-mp.jpg": {"size": (4000, 3000)},
    "12-mp-smooth.jpg": {"size": (4000, 3000), "grain": 0},
    "12-mp-wide-edge.jpg": {"size": (4000, 3000), "blur": 24},
    "12-mp-png.png": {"size": (4000, 3000)},
    "50-mp.jpg": {"size": (8660, 5773)},
}
"""Files, and how they are made."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A photo and what is made of it, by options of ``CutoutSpec``; only Cutout runs what has any, or 50 megapixels."""

    name: str
    photo: str
    options: dict[str, Any] = field(default_factory=dict)
    cold: bool = False

    @property
    def alone(self) -> bool:
        """Whether there is nothing to compare, or rembg would need half a minute and gigabytes for each round."""
        return bool(self.options) or self.name == "50-mp"


OPTIONS: dict[str, dict[str, Any]] = {
    "alpha": {"channels": "alpha"},
    "preview": {"size": "preview"},
    "crop": {"crop": True},
    "despill": {"despill": True},
    "webp": {"format": "webp"},
    "jpg": {"format": "jpg"},
    "avif": {"format": "avif"},
    "tiff": {"format": "tiff"},
    "zip": {"format": "zip"},
    "colour": {"bg_color": [255, 255, 255, 255]},
    "blur": {"bg_blur": 30.0},
    "shadow": {"shadow": True},
    "stroke": {"stroke": 8.0},
}
"""Measured at 1 and 12 megapixels."""


class Contestant:
    """A worker process and what it has measured."""

    def __init__(self, name: str, command: list[str]) -> None:
        """Start it; ``name`` stands in the tables."""
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def measure(self, workload: Workload) -> dict[str, float]:
        """Run a workload once: wall_ms, cpu_ms, bytes, peak_mb."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        print(json.dumps({"photo": workload.photo, "options": workload.options}), file=self._process.stdin, flush=True)
        measured: dict[str, float] = json.loads(self._process.stdout.readline())
        return measured

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="of the network")
    parser.add_argument("--only", nargs="*", default=[], help="names of workloads; all of them without")
    parser.add_argument("--others", type=Path, default=PYTHON_OF_OTHERS, help="the Python that has rembg")
    parser.add_argument("--u2netp", type=Path, default=ROOT / "models" / "u2netp.onnx")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in the image: more threads of numpy's wait busily
    with tempfile.TemporaryDirectory() as folder:
        workloads = [each for each in list_workloads() if not chosen.only or each.name in chosen.only]
        for photo in {each.photo for each in workloads}:
            write_photo(Path(folder) / photo, **PHOTOS[photo])
        commands = contestants(chosen, folder)
        rows: list[dict[str, Any]] = []
        for workload in workloads:
            print(workload.name, file=sys.stderr)
            made = (compare_cold if workload.cold else compare)(workload, commands, chosen.rounds)
            rows += [row | {"threads": chosen.threads} for row in made]
            write(rows, chosen)


def write(rows: list[dict[str, Any]], chosen: argparse.Namespace) -> None:
    """Write what is measured so far, so that a run that is ended early has its results."""
    results = {"machine": describe(), "rounds": chosen.rounds, "rows": rows}
    (chosen.out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")


def contestants(chosen: argparse.Namespace, folder: str) -> dict[str, list[str]]:
    """Give the command of each contestant that can be run here."""
    worker, threads = str(ROOT / "tools" / "bench_worker.py"), str(chosen.threads)

    def command(python: Path | str, kind: str, model: Path) -> list[str]:
        return [str(python), worker, kind, str(model), folder, threads]

    commands = {
        "cutout": command(sys.executable, "ours", MODEL),
        "bare network": command(sys.executable, "bare", MODEL),
        "Pillow alone": command(sys.executable, "pillow", MODEL),
    }
    if chosen.others.exists():
        commands["rembg, our network"] = command(chosen.others, "rembg", MODEL)
        if chosen.u2netp.exists():
            commands["rembg, U2-Netp"] = command(chosen.others, "rembg", chosen.u2netp)
    return commands


def list_workloads() -> list[Workload]:
    """List every photo as it is, and what is made of those of 1 and 12 megapixels by options."""
    plain = [Workload(photo.split(".")[0], photo) for photo in PHOTOS]
    cold = [Workload(f"{photo.split('.')[0]} cold", photo, cold=True) for photo in ("300-px.jpg", "1-mp.jpg")]
    return (
        plain
        + cold
        + [
            Workload(f"{size} ({name})", f"{size}.jpg", options)
            for size in ("1-mp", "12-mp")
            for name, options in OPTIONS.items()
        ]
    )


def write_photo(path: Path, size: tuple[int, int], grain: int = 2, blur: int = 0) -> None:
    """Write scikit-image's astronaut (NASA, public domain) at any size; ``blur`` widens its soft edges."""
    with Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png") as picture:
        large = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(blur))
    noise = np.random.default_rng(0).integers(-grain, grain + 1, (size[1], size[0], 1), np.int16)
    Image.fromarray(np.clip(np.asarray(large, np.int16) + noise, 0, 255).astype(np.uint8)).save(path, quality=90)


def compare(workload: Workload, commands: dict[str, list[str]], rounds: int) -> list[dict[str, Any]]:
    """Measure all contestants of one workload in turn: one row each, in fresh processes."""
    chosen = {name: command for name, command in commands.items() if not workload.alone or name == "cutout"}
    running = []
    for name, command in chosen.items():
        started = time.perf_counter()
        contestant = Contestant(name, command)
        contestant.measure(workload)
        running.append((contestant, (time.perf_counter() - started) * 1000))
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for contestant, _cold in running:
            runs[contestant.name].append(contestant.measure(workload))
    for contestant, _cold in running:
        with contestant:
            pass
    return [summary(workload.name, contestant.name, cold, runs[contestant.name]) for contestant, cold in running]


def compare_cold(workload: Workload, commands: dict[str, list[str]], rounds: int) -> list[dict[str, Any]]:
    """Measure fresh processes in turn, from the start of each to its first answer: one row a contestant."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands if name != "Pillow alone"}
    for _ in range(rounds):
        for name, measured in runs.items():
            started = time.perf_counter()
            with Contestant(name, commands[name]) as contestant:
                first = contestant.measure(workload)
            first |= {"cpu_ms": first["process_ms"], "wall_ms": (time.perf_counter() - started) * 1000}
            measured.append(first)
    return [
        summary(workload.name, name, statistics.median(one["wall_ms"] for one in each), each)
        for name, each in runs.items()
    ]


def summary(workload: str, contestant: str, cold_ms: float, runs: list[dict[str, float]]) -> dict[str, Any]:
    """Reduce the runs of one contestant to medians, the spread of the middle half, and the peak."""
    times = [run["cpu_ms"] for run in runs]
    low, _, high = statistics.quantiles(times, n=4) if len(times) > 1 else (times[0],) * 3
    return {
        "workload": workload,
        "contestant": contestant,
        "cpu_ms": statistics.median(times),
        "spread_ms": high - low,
        "wall_ms": statistics.median(run["wall_ms"] for run in runs),
        "cold_ms": cold_ms,
        "peak_mb": max(run["peak_mb"] for run in runs),
        "bytes": int(runs[-1]["bytes"]),
    }


if __name__ == "__main__":
    main()
