"""Measure cold and warm starts of the handlers under the runtime emulator, on this machine.

    .venv/bin/python -m tools.cold_start [--runs 5]

A cold start is the time from the first request to its answer, in a fresh process: the runtime's start, all imports,
the loading of the model, and the request itself. What Lambda adds before (fetching the code, starting its virtual
machine) is not in it.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from typing import IO, Any

from local import ROOT
from local.cloud import create_cloud, seed_account
from local.resources import Function
from local.template import load_template
from tools.emulator import Emulator, aws_server

CASES = (
    ("RemoveBackgroundFunction", "api-remove-multipart"),
    ("RemoveBackgroundFunction", "invoke-model-health"),
    ("AccountFunction", "api-account"),
    ("HealthFunction", "api-health"),
)
WARM_RUNS = 5


def main() -> None:
    """Print one line for each function and event: median cold and warm milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="cold starts of each case")
    runs = parser.parse_args().runs
    template = load_template(ROOT / "template.yaml")
    with aws_server() as url, tempfile.TemporaryFile("w+") as log:
        create_cloud(template, url)
        seed_account(template.tables["AccountsTable"].name, "local-development-key", url)
        variables = {"AWS_ENDPOINT_URL": url, "CUTOUT_MODELS_DIR": str(ROOT / "models")}
        print(f"{os.cpu_count()} cores; median of {runs} cold starts, of {WARM_RUNS} warm requests after each")
        for logical_id, name in CASES:
            event = json.loads((ROOT / f"events/{name}.json").read_text())
            results = [measure(template.functions[logical_id], event, variables, log) for _ in range(runs)]
            cold, warm = (statistics.median(times) for times in zip(*results, strict=True))
            print(f"{logical_id:26} {name:22} cold {cold:7.0f} ms   warm {warm:7.1f} ms")


def measure(
    function: Function, event: Mapping[str, Any], variables: Mapping[str, str], log: IO[str]
) -> tuple[float, float]:
    """Milliseconds of the first request and the median of those that follow, in one fresh environment."""
    with Emulator(function, variables, log) as emulator:
        cold_ms = timed(emulator, event)
        return cold_ms, statistics.median(timed(emulator, event) for _ in range(WARM_RUNS))


def timed(emulator: Emulator, event: Mapping[str, Any]) -> float:
    """Milliseconds of one request. Raises RuntimeError when it is not answered well."""
    started = time.perf_counter()
    answer = emulator.invoke(event)
    elapsed_ms = (time.perf_counter() - started) * 1000
    if answer.get("statusCode") != 200:  # noqa: PLR2004
        raise RuntimeError(f"the function answered {answer}")
    return elapsed_ms


if __name__ == "__main__":
    main()
