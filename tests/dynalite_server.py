"""dynalite (npm), a second implementation of DynamoDB, installed once per checkout and started once per run.

Without Node.js, or where npm reaches no registry, the tests that want it are skipped with the reason; with
CUTOUT_REQUIRE_NODE=1 (as in .ci/run) that is a failure.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = Path(__file__).parent / "dynalite"
IMPLEMENTATIONS = "moto", pytest.param("dynalite", marks=pytest.mark.loopback)
"""The fixtures (tests/conftest.py) that give a client with tables: parameters for tests of what is stored."""


def unavailable(reason: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("CUTOUT_REQUIRE_NODE"):
        pytest.fail(reason)
    pytest.skip(reason)


def node() -> str:
    """The path of Node.js."""
    found = shutil.which("node") or shutil.which("nodejs")
    if found is None:
        unavailable("Node.js is not installed")
    return found


@contextmanager
def dynalite_server() -> Iterator[str]:
    """The URL of a dynalite of our own, which lives as long as the block."""
    command = [node(), str(FOLDER / "serve.js")]
    _install()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "dynalite did not start"
        try:
            yield url
        finally:
            process.terminate()


def _install() -> None:
    """Fetch what package-lock.json names, unless that is there; one run of the tests at a time."""
    wanted = (FOLDER / "package-lock.json").read_text()
    stamp = FOLDER / "node_modules" / "installed-from.json"
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        npm = shutil.which("npm")
        if npm is None:
            unavailable("npm is not installed")
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            unavailable(f"npm cannot install dynalite: {done.stderr.strip()[-500:]}")
        stamp.write_text(wanted)
