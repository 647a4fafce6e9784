"""Load a running service with removals, and report what came of every one of them as JSON.

    make run                                                   # or the container, in another terminal
    .venv/bin/python -m tools.load [--url http://127.0.0.1:8585] [--requests 2000] [--side 256] [--clients 4] [--bare]

Clients (twice as many as cores, unless told otherwise) send the next request when they have the answer to the last one.
A request is lost when it gets no answer; 503 with ``Retry-After`` is an answer, after which the same picture is sent
again, and is counted as ``busy``. ``--bare`` also measures the pipeline without a service, before and after, in one
process for each core, and relates the service's rate to it. Latency is the time to any answer, waits
included; ``admitted`` is that of the attempt alone that was taken.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from local import ROOT

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
KEY = "local-development-key"
BARE = """
import sys, time
from pathlib import Path
sys.path.insert(0, "layers/cutout")
from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, Limits
model = load_manifest(Path("models")).select("")
segmenter = OnnxSegmenter(model, Path("models") / model.file, 1)
photo = sys.stdin.buffer.read()
cut_out(photo, CutoutSpec(), segmenter, Limits())
started, made = time.monotonic(), 0
while time.monotonic() < started + float(sys.argv[1]):
    cut_out(photo, CutoutSpec(), segmenter, Limits())
    made += 1
print(made / (time.monotonic() - started))
"""
"""The pipeline as one worker runs it, on the clock."""


@dataclass
class Tally:
    """What all clients have seen; one lock for all of it."""

    left: int
    statuses: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    admitted_s: list[float] = field(default_factory=list)
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take one of the requests that are still to be sent."""
        with self.lock:
            self.left -= 1
            return self.left >= 0


def main() -> None:
    """Load the service, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8585")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--side", type=int, default=256, help="of the square photo, px")
    parser.add_argument("--bare", type=float, default=0.0, metavar="S", help="seconds of the pipeline alone, twice")
    parser.add_argument("--broken", action="store_true", help="send what is no picture: the service without its model")
    chosen = parser.parse_args()
    body = b"no picture" if chosen.broken else photo(chosen.side)
    rates = [bare_rate(body, chosen.bare)] if chosen.bare else []
    report = load(chosen.url, body, chosen.requests, chosen.clients)
    if chosen.bare:
        rates.append(bare_rate(body, chosen.bare))
        report |= {"bare_rps": rates, "of_bare": report["rps"] / statistics.mean(rates)}
    print(json.dumps({"side_px": chosen.side, "cores": os.cpu_count(), "load": os.getloadavg()[0], **report}, indent=1))


def photo(side: int) -> bytes:
    """Encode the photo at a size."""
    buffer = io.BytesIO()
    with Image.open(PHOTO) as picture:
        picture.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def load(url: str, body: bytes, requests: int, clients: int) -> dict[str, Any]:
    """Send all requests by as many clients, and sum up."""
    tally = Tally(requests)
    threads = [threading.Thread(target=_client, args=(url, body, tally)) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - started
    p50, p99 = percentiles_ms(tally.latencies_s)
    admitted = percentiles_ms(tally.admitted_s)
    return {
        "requests": requests,
        "clients": clients,
        "statuses": dict(tally.statuses),
        "lost": tally.statuses["lost"],
        "busy": tally.busy,
        "rps": len(tally.latencies_s) / elapsed_s,
        "p50_ms": p50,
        "p99_ms": p99,
        "p99_of_p50": p99 / p50,
        "admitted_p50_ms": admitted[0],
        "admitted_p99_ms": admitted[1],
    }


def percentiles_ms(seconds: list[float]) -> tuple[float, float]:
    """Find the 50th and the 99th percentile; 0 of nothing."""
    times = sorted(seconds) or [0.0]
    return times[len(times) // 2] * 1000, times[int(0.99 * (len(times) - 1))] * 1000


def _client(url: str, body: bytes, tally: Tally) -> None:
    host = urlsplit(url).netloc
    headers = {"x-api-key": KEY, "content-type": "image/jpeg"}
    with closing(http.client.HTTPConnection(host, timeout=120)) as connection:
        while tally.take():
            started = time.perf_counter()
            try:
                status = _answered(connection, body, headers, tally)
            except (OSError, http.client.HTTPException):
                connection.close()
                status = "lost"
            with tally.lock:
                tally.statuses[status] += 1
                if status != "lost":
                    tally.latencies_s.append(time.perf_counter() - started)


def _answered(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str], tally: Tally) -> str:
    """Send one request until it is not told to come again; give its status."""
    while True:
        started = time.perf_counter()
        connection.request("POST", "/v2", body, headers)
        response = connection.getresponse()
        response.read()
        again_s = response.headers.get("retry-after")
        if response.status not in {429, 503} or again_s is None:
            with tally.lock:
                tally.admitted_s.append(time.perf_counter() - started)
            return str(response.status)
        with tally.lock:
            tally.busy += 1
        time.sleep(float(again_s))


def bare_rate(body: bytes, seconds: float) -> float:
    """Measure the pictures per second of the pipeline alone, in a process for each core."""
    command = [sys.executable, "-c", BARE, str(seconds)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as a worker has it, where each core has one
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        for _ in range(os.cpu_count() or 1)
    ]
    for process in running:
        if process.stdin:
            process.stdin.write(body)
            process.stdin.close()
    return sum(float(process.stdout.read()) for process in running if process.stdout)


if __name__ == "__main__":
    main()
