"""Measure cold and warm starts of the handlers, as built, under the runtime emulator on this machine.

    .venv/bin/python -m tools.cold_start [--runs 7] [--beside CHECKOUT] [--traced] [--python python3.13] [--json FILE]

The layer and the image's folder are built first (``tools/as_built.py``) and are not written afterwards, as on Lambda,
where ``/opt`` and ``/var/task`` are read-only: byte code counts where the build made it. ``--beside`` builds another
checkout too and measures both in turn, start by start, so that the ratio holds on a machine that does other work.
A cold start is the time from the first request to its answer, in a fresh process: the runtime's start, all imports,
the loading of the model, and the request itself. What Lambda adds before (fetching the code, starting its virtual
machine) is not in it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from local import ROOT
from local.cloud import create_cloud, seed_account
from local.resources import Function
from local.template import load_template
from tools.as_built import Build
from tools.emulator import Emulator, aws_server
from tools.machine import describe

CASES = (
    ("RemoveBackgroundFunction", "api-remove-multipart"),
    ("RemoveBackgroundFunction", "invoke-model-health"),
    ("ProcessUploadFunction", "sqs-webhook"),
    ("AccountFunction", "api-account"),
    ("AdminFunction", "api-admin-accounts"),
    ("JobsFunction", "api-jobs"),
    ("WebhookFunction", "sqs-webhook"),
    ("HealthFunction", "api-health"),
)
"""Functions and what they are asked; a queue's event about a job that is not there is answered, too."""
WARM_RUNS = 5

Times = tuple[float, float, float]
"""Milliseconds of a cold start: by the clock, of processor time; and of a warm request by the clock."""


def main() -> None:
    """Build, measure in turn, and print one line for each function and event: median milliseconds."""
    chosen = _arguments()
    template = load_template(ROOT / "template.yaml")
    with aws_server() as url, tempfile.TemporaryDirectory() as work, tempfile.TemporaryFile("w+") as log:
        python = bare_environment(chosen.python, Path(work) / "python")
        builds = {"here": Build(ROOT, Path(work) / "here", chosen.python)}
        if chosen.beside:
            builds["beside"] = Build(chosen.beside.resolve(), Path(work) / "beside", chosen.python)
        for build in builds.values():
            build.make()
        templates = {label: load_template(build.checkout / "template.yaml") for label, build in builds.items()}
        create_cloud(template, url)
        seed_account(template.tables["AccountsTable"].name, "local-development-key", url)
        variables = {"AWS_ENDPOINT_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
        variables["POWERTOOLS_TRACE_DISABLED"] = "false" if chosen.traced else "true"
        print(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {chosen.runs} cold starts", flush=True
        )
        rows = []
        for logical_id, name in CASES:
            event = json.loads((ROOT / f"events/{name}.json").read_text())
            runs: dict[str, list[Times]] = {label: [] for label in builds}
            for _ in range(chosen.runs):
                for label, build in builds.items():
                    function = build.function(templates[label].functions[logical_id])
                    runs[label].append(measure(function, event, variables, log, python))
            rows.append({"function": logical_id, "event": name} | summary(runs))
            print(line(rows[-1]), flush=True)
    if chosen.json:
        results = {"machine": describe(), "runs": chosen.runs, "rows": rows}
        chosen.json.write_text(json.dumps(results, indent=1) + "\n")


def bare_environment(python: Path, folder: Path) -> Path:
    """Make a Python without packages, and so without what a machine's own ones start by ``.pth`` files; its program."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603 - our own
    return folder / "bin" / "python3"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="cold starts of each case")
    parser.add_argument("--beside", type=Path, help="another checkout, measured in turn with this one")
    parser.add_argument("--traced", action="store_true", help="with X-Ray's segments, as the template's default is")
    parser.add_argument("--python", type=Path, default=Path(shutil.which("python3.13") or "python3.13"))
    parser.add_argument("--json", type=Path, help="where the figures go besides")
    return parser.parse_args()


def summary(runs: Mapping[str, list[Times]]) -> dict[str, float]:
    """Reduce the runs of each build to medians, and two builds to the ratio of their cold starts' processor time."""
    kinds = ("cold_ms", "cold_cpu_ms", "warm_ms")
    medians = {
        label: {kind: statistics.median(times) for kind, times in zip(kinds, zip(*each, strict=True), strict=True)}
        for label, each in runs.items()
    }
    row = {f"{label}_{kind}": value for label, each in medians.items() for kind, value in each.items()}
    if "beside" in medians:
        for kind in kinds:
            row[f"ratio_{kind}"] = medians["here"][kind] / medians["beside"][kind]
    return row


def line(row: Mapping[str, Any]) -> str:
    """Write one row for people."""
    text = (
        f"{row['function']:26} {row['event']:22} cold {row['here_cold_ms']:6.0f} ms (processor "
        f"{row['here_cold_cpu_ms']:5.0f}) warm {row['here_warm_ms']:6.1f} ms"
    )
    if "ratio_cold_ms" in row:
        text += f"   of the other's: cold {row['ratio_cold_ms']:.2f} (processor {row['ratio_cold_cpu_ms']:.2f})"
    return text


def measure(
    function: Function, event: Mapping[str, Any], variables: Mapping[str, str], log: IO[str], python: Path
) -> Times:
    """Measure the first request and the median of those that follow, in one fresh environment."""
    with Emulator(function, variables, log, str(python)) as emulator:
        cold_ms = timed(emulator, event)
        cpu_ms = emulator.processor_s() * 1000
        return cold_ms, cpu_ms, statistics.median(timed(emulator, event) for _ in range(WARM_RUNS))


def timed(emulator: Emulator, event: Mapping[str, Any]) -> float:
    """Milliseconds of one request. Raises RuntimeError when it is not answered well."""
    started = time.perf_counter()
    answer = emulator.invoke(event)
    elapsed_ms = (time.perf_counter() - started) * 1000
    if answer.get("statusCode") not in {200, 403} and answer != {"batchItemFailures": []}:
        raise RuntimeError(f"the function answered {answer}")
    return elapsed_ms


if __name__ == "__main__":
    main()
