"""Functions under AWS's runtime interface emulator, without Docker: the runtimes of zips and images run the handlers.

The emulator is the one that aws-sam-cli ships (.venv-sam); the runtime of zips is the package awslambdaric, that of the
image our own entry.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from local import ROOT
from local.cloud import aws_environment
from local.resources import Function

RUNTIMES = {"Zip": "awslambdaric", "Image": "cutout.aws.runtime"}
_START_S = 30
_INVOKE_S = 120


def emulator_path() -> Path:
    """The emulator's program. Raises FileNotFoundError when aws-sam-cli is not installed."""
    name = f"aws-lambda-rie-{platform.machine().replace('aarch64', 'arm64')}"
    found = list(ROOT.glob(f".venv-sam/lib/python3*/site-packages/samcli/local/rapid/{name}"))
    if not found:
        raise FileNotFoundError(f"{name} is missing: make .venv-sam/sam.stamp")
    return found[0]


@contextmanager
def aws_server(address: str = "127.0.0.1") -> Iterator[str]:
    """A moto server in a process of its own, which ends with the block; its URL."""
    command = [sys.executable, "-m", "local.aws_server", address]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise OSError(f"no moto server could be started on {address}")
        try:
            yield url
        finally:
            process.terminate()


class Emulator:
    """One execution environment of a zip or image function; a context manager.

    variables: added to the function's own environment. log: where the function's output goes. python: what runs it.
    The environment is started by the first invocation, as on Lambda.
    """

    def __init__(
        self, function: Function, variables: Mapping[str, str], log: IO[str], python: str = sys.executable
    ) -> None:
        self._port, runtime_port = _free_ports(2)
        self._command = [
            str(emulator_path()),
            f"--runtime-interface-emulator-address=127.0.0.1:{self._port}",
            f"--runtime-api-address=127.0.0.1:{runtime_port}",
            *(python, "-m", RUNTIMES[function.package], f"{function.module}.{function.attribute}"),
        ]
        self._folder = function.folder
        self._log = log
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CUTOUT_"))},
            **aws_environment(),
            **function.environment,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "PYTHONPATH": os.pathsep.join(map(str, function.layers)),
            "POWERTOOLS_TRACE_DISABLED": "true",
            **variables,
        }

    def __enter__(self) -> Self:
        """Start the emulator and wait until it listens. Raises TimeoutError."""
        self._process = subprocess.Popen(  # noqa: S603 - the emulator
            self._command,
            cwd=self._folder,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.01)
        self.__exit__(None, None, None)
        raise TimeoutError("the runtime emulator does not listen")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the emulator and the function's process."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def processor_s(self) -> float:
        """Processor seconds that the function's process has used so far, threads included; Linux alone."""
        mine = [each for each in Path("/proc").glob("[0-9]*") if _session_of(each) == self._process.pid]
        used_ns = [
            int((task / "schedstat").read_text().split()[0])
            for each in mine
            if int(each.name) != self._process.pid
            for task in (each / "task").iterdir()
        ]
        return sum(used_ns) / 1e9

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Send one event and give back what the function answers."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_INVOKE_S)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def _session_of(process: Path) -> int | None:
    """Find the session of an entry of /proc; None: it has ended meanwhile."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return None


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
