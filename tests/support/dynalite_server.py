"""dynalite (npm), a second implementation of DynamoDB, started once per run; skipped without Node.js."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.node_packages import install, node

FOLDER = Path(__file__).parent / "dynalite"
IMPLEMENTATIONS = "moto", pytest.param("dynalite", marks=pytest.mark.loopback)
"""The fixtures (tests/conftest.py) that give a client with tables: parameters for tests of what is stored."""


@contextmanager
def dynalite_server() -> Iterator[str]:
    """The URL of a dynalite of our own, which lives as long as the block."""
    command = [node(), str(FOLDER / "serve.js")]
    install(FOLDER)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "dynalite did not start"
        try:
            yield url
        finally:
            process.terminate()
