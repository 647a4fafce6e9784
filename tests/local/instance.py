"""A local service in a process of its own, with the toy template."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import ROOT

TOY = Path(__file__).parent / "toy.yaml"
STOP_TIMEOUT_S = 20


@dataclass
class Instance:
    """A running service. ready: what it printed; state: its state folder."""

    process: subprocess.Popen
    url: str
    ready: str
    state: Path

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    @property
    def endpoints(self) -> dict[str, str]:
        return json.loads((self.state / self.port / "endpoints.json").read_text())

    @property
    def children(self) -> list[int]:
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, check=True)
        return [int(pid) for pid in found.stdout.split()]


def command(state: Path, port: int = 0, template: Path = TOY) -> list[str]:
    options = ["--port", str(port), "--template", str(template), "--state", str(state)]
    return [sys.executable, "-m", "local", *options]


@contextmanager
def started(state: Path, **environment: str) -> Iterator[Instance]:
    process = subprocess.Popen(
        command(state),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        ready = process.stdout.readline()
        process.stdout.readline()
        ready += process.stdout.readline()
        try:
            found = re.match(r"Ready on (http://127\.0\.0\.1:\d+) ", ready)
            assert found, process.stderr.read()
            yield Instance(process, found[1], ready, state)
        finally:
            process.terminate()


def has_ended(pid: int) -> bool:
    """True for a process that has ended with all of its threads, a zombie included."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len(list((process / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_ended(pids: list[int]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while not all(map(has_ended, pids)):
        assert time.monotonic() < deadline, [pid for pid in pids if not has_ended(pid)]
        time.sleep(0.05)
