"""Node.js and npm's packages for the tests: what a folder's package-lock.json names, installed once per checkout.

Without Node.js, or where npm reaches no registry, the tests that want it are skipped with the reason; with
CUTOUT_REQUIRE_NODE=1 (as in .ci/run) that is a failure.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


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


def install(folder: Path) -> None:
    """Fetch the packages into ``folder``/node_modules, unless they are there; one run of the tests at a time."""
    wanted = (folder / "package-lock.json").read_text()
    stamp = folder / "node_modules" / "installed-from.json"
    with (folder / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        npm = shutil.which("npm")
        if npm is None:
            unavailable("npm is not installed")
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            unavailable(f"npm cannot install {folder.name}: {done.stderr.strip()[-500:]}")
        stamp.write_text(wanted)
