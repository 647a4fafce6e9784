"""Fixtures of the tests that talk to the running local service."""

import subprocess
import sys

import pytest

from local import ROOT
from tests.support.local_service import Service


@pytest.fixture
def make_key(service: Service):
    port = service.url.rpartition(":")[2]
    where = ["--local", "--state", str(service.logs.parent.parent), "--port", port]

    def run(*arguments: str) -> str:
        command = [sys.executable, str(ROOT / "tools" / "make_key.py"), *where, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return run
