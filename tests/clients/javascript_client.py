"""The JavaScript client, built once per change of its sources, and scripts that use it in a process of their own."""

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from local import ROOT
from tests.support.node_packages import install, node

PACKAGE = ROOT / "clients" / "javascript"
CALL = Path(__file__).parent / "node" / "cutout.mjs"


@cache
def built() -> Path:
    """The package's folder, with its ``dist`` as the sources have it now."""
    install(PACKAGE)
    sources = sorted([*PACKAGE.glob("src/*.ts"), *PACKAGE.glob("*.json"), PACKAGE / "build.mjs"])
    wanted = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = PACKAGE / "dist" / "built-from"
    with (PACKAGE / "build.mjs").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            done = subprocess.run([node(), "build.mjs"], cwd=PACKAGE, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            stamp.write_text(wanted)
    return PACKAGE


def run(
    *arguments: str,
    folder: Path = PACKAGE,
    settings: Mapping[str, str] | None = None,
    text: str = "",
    runtime: Sequence[str] | None = None,
) -> str:
    """What a runtime prints; it has to end well.

    settings: further environment variables. text: its input. runtime: the command; by default Node.js.
    """
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(settings or {})
    done = subprocess.run(
        [*(runtime or [node()]), *arguments], cwd=folder, env=environment, input=text,
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def call(url: str, key: str, order: Mapping[str, Any], runtime: Sequence[str] | None = None) -> Any:
    """What ``cutout.mjs`` makes of an order: the result's facts, or those of the error."""
    question = {"package": built().as_uri() + "/dist/esm/index.js", "baseUrl": url, "apiKey": key, **order}
    return json.loads(run(str(CALL), text=json.dumps(question), runtime=runtime))
