"""Hold the service under load for tens of thousands of removals, and its answers against its own account.

    .venv/bin/python -m tools.soak [--service local|server] [--requests 20000] [--crowd 1500] [--json dist/soak.json]

The service (``make run``'s, or the container's process with its journal) is started from a copy of this checkout, in
which the default model is a network of one operation: so all but the network is the real thing, and 20,000 photos take
minutes. First as many clients as twice the cores send all requests; then come twice as many as may wait.
Every request must be answered, the account must have been charged for each cutout, once, and refused requests must be
told when to come again: anything else is an error. Processor time and memory are told by process. Linux alone.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from local import ROOT
from local.pool import MAX_WAITING
from tests.unit.imaging.onnx_models import tiny_onnx
from tools.load import KEY, load, photo
from tools.machine import describe
from tools.process_tree import ProcessTree

PARTS = (
    "template.yaml",
    "local",
    "server",
    "functions",
    "layers",
    "docs/openapi",
    "docs/openapi.yaml",
    "docs/images",
    "web",
)
"""What the service needs of the repository, its models apart."""
SIDE_PX = 64
"""Of the network's input, and of the photo unless told otherwise."""
ROW = f"""default = "cutout-s"
[models.cutout-s]
file = "tiny.onnx"
url = ""
sha256 = "{"0" * 64}"
md5 = ""
size_bytes = 0
licence = "Apache-2.0"
source = "tests/unit/imaging/onnx_models.py"
size_px = {SIDE_PX}
resize = "bilinear"
scale = "255"
mean = [0, 0, 0]
std = [1, 1, 1]
output = 0
activation = "none"
stretch = "none"
arena = true
cpu_s = 0.01
peak_mb = 10
"""
"""The network answers the mean of the three channels, so every photo has a foreground and is charged."""
_SAMPLE_S = 2.0


def main() -> int:
    """Start, load, and print the report; 1 where a request was lost, or charged other than once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--service", choices=("local", "server"), default="local", help="make run's, or the container's"
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--crowd", type=int, default=1_500, help="requests that come when more want in than may wait")
    parser.add_argument("--side", type=int, default=SIDE_PX, help="of the square photo, px")
    parser.add_argument("--port", type=int, default=0, help="of the service on 127.0.0.1; 0: a free one")
    parser.add_argument("--json", type=Path, help="where the report goes besides")
    chosen = parser.parse_args()
    report = soak(chosen.service, photo(chosen.side), chosen.requests, chosen.crowd, chosen.port)
    text = json.dumps(report, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")
    return 1 if report["faults"] else 0


def soak(service: str, body: bytes, requests: int, crowd: int, port: int = 0) -> dict[str, Any]:
    """Load a service of its own with the two kinds of load.

    Args:
        service: The package that is run, ``local`` or ``server``.
        body: The photo.
        requests: By twice as many clients as cores.
        crowd: By more clients than may wait; 0: none.
        port: Where it listens on 127.0.0.1; 0: a free one.

    Returns:
        The machine, and of each load what came of it, what the account was charged and what the processes took;
        ``faults`` lists what must not be.
    """
    loads = {"steady": (requests, 2 * (os.cpu_count() or 1)), "crowd": (crowd, 2 * MAX_WAITING)}
    report: dict[str, Any] = {"machine": describe(), "service": service, "faults": []}
    with tempfile.TemporaryDirectory() as folder, running(service, Path(folder), port) as (url, process):
        for name, (count, clients) in loads.items():
            if not count:
                continue
            before = images(url)
            each = report[name] = watched(process, url, body, count, clients)
            each["charged"] = images(url) - before
            if each["statuses"] != {"200": count}:
                report["faults"].append(f"{name}: not every request was answered with a cutout")
            if each["charged"] != each["statuses"].get("200", 0):
                report["faults"].append(f"{name}: the account was not charged once for each cutout")
    return report


def watched(process: int, url: str, body: bytes, requests: int, clients: int) -> dict[str, Any]:
    """Load the service while its processes are looked at: what came of it, and what each kind of process took."""
    tree, done = ProcessTree(process), threading.Event()

    def look() -> None:
        while not done.wait(_SAMPLE_S):
            tree.look()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        report = load(url, body, requests, clients)
    finally:
        done.set()
        watcher.join()
    return report | {"processes": tree.report(requests)}


def images(url: str) -> int:
    """Ask the service how many images the account has been charged for this month."""
    with urlopen(Request(f"{url}/v2/account", headers={"x-api-key": KEY})) as answer:  # noqa: S310 - this machine
        return int(json.load(answer)["usage"]["images"])


@contextmanager
def running(service: str, folder: Path, port: int) -> Iterator[tuple[str, int]]:
    """Run the service while the block lasts: its URL and its process.

    Raises:
        RuntimeError: It does not start.
    """
    root, state, log = folder / "copy", folder / "state", folder / "log"
    copy(root)
    state.mkdir()
    command = [sys.executable, "-m", service]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CUTOUT_"))}
    if service == "local":
        command += ["--port", str(port), "--state", str(state)]
    else:
        own = {"CUTOUT_HOST": "127.0.0.1", "CUTOUT_PORT": str(port), "CUTOUT_STATE": str(state)}
        environment |= {"BEN_API_TOKEN": KEY, **own}
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603 - our own
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
        try:
            ready = next((line for line in process.stdout if line.startswith("Ready on ")), None)
            if ready is None:
                raise RuntimeError(f"the service did not start: {log.read_text()}")
            threading.Thread(target=process.stdout.read).start()  # what is logged would fill the pipe
            yield ready.split()[2], process.pid
        finally:
            process.terminate()


def copy(root: Path) -> None:
    """Copy what the service needs, and put the network of one operation in place of the model."""
    for part in PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, root / part)
    (root / "models").mkdir()
    (root / "models/manifest.toml").write_text(ROW)
    (root / "models/tiny.onnx").write_bytes(tiny_onnx(SIDE_PX))


if __name__ == "__main__":
    sys.exit(main())
