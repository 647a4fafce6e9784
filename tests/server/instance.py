"""``python -m server`` in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from local import ROOT

KEY = "key-of-the-environment"
ADMIN = "admin-key-of-the-environment"


@dataclass
class Server:
    """A running server. api: a client with the key of the environment."""

    process: subprocess.Popen
    api: httpx.Client
    log: Path

    @property
    def usage(self) -> dict:
        return self.api.get("/v2/account").raise_for_status().json()["usage"]

    def finished(self, job: dict, timeout_s: float = 150) -> dict:
        """The job when it has ended."""
        deadline = time.monotonic() + timeout_s
        while job["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.2)
            job = self.api.get(f"/v2/jobs/{job['id']}").raise_for_status().json()
        return job


@contextmanager
def started(state: Path, **environment: str) -> Iterator[Server]:
    """The server on this state, killed at the end of the block if it still runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CUTOUT_"))}
    settings = {
        "BEN_API_TOKEN": KEY,
        "CUTOUT_ADMIN_KEY": ADMIN,
        "CUTOUT_HOST": "127.0.0.1",
        "CUTOUT_PORT": str(port),
        "CUTOUT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CUTOUT_STATE": str(state),
        "CUTOUT_WORKERS": "1",
        **environment,
    }
    log = state / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "server"],
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=output,
            stderr=output,
        )
    with process, httpx.Client(base_url=settings["CUTOUT_PUBLIC_URL"], headers={"x-api-key": KEY}, timeout=120) as api:
        try:
            while "\nReady on" not in f"\n{log.read_text()}":
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield Server(process, api, log)
        finally:
            process.kill()
