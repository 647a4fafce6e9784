"""Count the instructions of fixed work by valgrind, and record them: ``make record-instructions``.

A count is the same on a busy machine. It depends on the compiler of Python and on the libraries, though, so what is
recorded and compared are ratios: of each work to work of its kind that is none of ours, counted in the same process.
valgrind shows programs a processor with at most AVX2, so newer ones count alike.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local import ROOT
from tests.performance.workload import WORK

RECORD = Path(__file__).with_name("instructions.json")
REFERENCE = {"picture": "arrays", "request": "interpreter"}
"""What each work is measured by."""
TOLERANCE = 0.05
_LEAST = 1_000_000
"""What ctypes does besides, when it is imported, is far below this, and all work above."""
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join((str(ROOT / "layers/cutout"), str(ROOT))),
    "PATH": os.environ["PATH"],
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "guard",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "ORT_DISABLE_TELEMETRY": "1",
}


def count() -> dict[str, int]:
    """Give the instructions of each kind of work. Raises FileNotFoundError (no valgrind), RuntimeError (it fails)."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise FileNotFoundError("valgrind is not installed")
    with tempfile.TemporaryDirectory() as folder:
        mark = ("--collect-atstart=no", "--toggle-collect=ffi_call", "--dump-after=ffi_call")
        command = [valgrind, "--tool=callgrind", *mark, f"--callgrind-out-file={folder}/count"]
        command += [sys.executable, "-m", "tests.performance.workload"]
        done = subprocess.run(command, cwd=ROOT, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
        dumps = sorted(Path(folder).glob("count.*"), key=lambda path: int(path.suffix[1:]))
        totals = [
            int(found) for path in dumps for found in re.findall(r"^totals: (\d+)$", path.read_text(), re.MULTILINE)
        ]
    counts = [total for total in totals if total > _LEAST]
    if done.returncode or len(counts) != len(WORK):
        raise RuntimeError(f"valgrind counted {counts}: {done.stderr[-2_000:]}")
    return dict(zip(WORK, counts, strict=True))


def ratios(counts: dict[str, int]) -> dict[str, float]:
    """Relate each work to its reference."""
    return {name: counts[name] / counts[reference] for name, reference in REFERENCE.items()}


def environment() -> str:
    """Name the record that holds here: the version of Python, which counts most, and the processor's kind."""
    return f"Python {sys.version_info.major}.{sys.version_info.minor} {os.uname().machine}"


def recorded() -> dict[str, float] | None:
    """Read the ratios of this environment; None where it has none."""
    records: dict[str, dict[str, float]] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return records.get(environment())


def main() -> None:
    """Count anew, say what has changed, and record it for this environment."""
    before, counts = recorded() or {}, count()
    records = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    records[environment()] = {name: round(ratio, 4) for name, ratio in ratios(counts).items()}
    RECORD.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n")
    print(f"{environment()}: {counts}; ratios {before} before, {records[environment()]} now")  # noqa: T201


if __name__ == "__main__":
    main()
