"""``python -m local`` in a process of its own, for tests of the whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import ROOT

LIVE_KEY = "local-development-key"


@dataclass(frozen=True, slots=True)
class Service:
    """A running local service. endpoints: what it wrote to endpoints.json."""

    url: str
    key: str
    endpoints: dict[str, str]
    logs: Path
    pid: int


@contextmanager
def local_service(
    state: Path, *arguments: str, allow: str = "", settings: Mapping[str, str] | None = None, root: Path = ROOT
) -> Iterator[Service]:
    """The service, with the default model, while the block lasts.

    arguments: of the command line. allow: ``host:port`` pairs that may be fetched from and posted to. settings: further
    ``CUTOUT_*`` variables; those of this process are not handed on. root: of the repository, or of a copy.
    """
    command = [sys.executable, "-m", "local", "--port", "0", "--state", str(state), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CUTOUT_")}
    environment |= {"CUTOUT_URL_ALLOW": allow, **(settings or {})}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Ready"):
                    break
            else:
                pytest.fail(f"the local service did not start: {''.join(lines)}")
            endpoints = json.loads((state / "endpoints.json").read_text())
            port = endpoints["api"].rpartition(":")[2]
            yield Service(endpoints["api"], LIVE_KEY, endpoints, state / port / "logs", process.pid)
        finally:
            process.terminate()
            process.stdout.read()
