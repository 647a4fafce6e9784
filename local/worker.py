"""A worker: one process that runs one function, one event at a time, and is killed when it takes too long.

The process runs ``runtime.py`` with the function's own import path and environment.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from local import runtime
from local.resources import Function
from local.streaming import Sink
from local.template import ACCOUNT, REGION

START_TIMEOUT_S = 300.0
"""For importing the handler, and again for its first event, which loads the model. Lambda allows 10 s for all of it,
15 min with provisioned concurrency; a laptop that reads large files for the first time needs more than the former."""


class Fault(Enum):
    """Why an invocation has no response of the handler."""

    UNHANDLED = "the handler raised an exception"
    EXITED = "the process ended"
    TIMED_OUT = "the function's timeout passed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an invocation.

    Attributes:
        payload: The handler's response, or Lambda's error document, as JSON.
        fault: Why there is no response; None: there is one.
    """

    payload: bytes
    fault: Fault | None = None


class InitError(Exception):
    """A handler whose module cannot be imported.

    Attributes:
        payload: Lambda's error document, as JSON.
    """

    def __init__(self, function: Function, error: Mapping[str, object]) -> None:
        super().__init__(f"{function.name} does not start: {error['errorType']}: {error['errorMessage']}")
        self.payload = json.dumps(error).encode()


def worker_environment(function: Function, aws: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """Make the whole environment of a function's process, with only the variables of this process that Python needs.

    A path below ``/var/task`` is one in the image, so it becomes one in the function's folder.

    Args:
        function: The function with the variables of the template.
        aws: The ``AWS_*`` variables.
        extra: Variables that win over those of the template.
    """
    inherited = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ}
    own = {
        name: str(function.folder / value.removeprefix("/var/task/")) if value.startswith("/var/task/") else value
        for name, value in function.environment.items()
    }
    return {
        **inherited,
        "TZ": ":UTC",
        "PYTHONUNBUFFERED": "1",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "LAMBDA_TASK_ROOT": str(function.folder),
        **own,
        "POWERTOOLS_TRACE_DISABLED": "true",  # there is no X-Ray daemon
        **aws,
        **extra,
    }


class Worker:
    """A running process, made by :meth:`start`; after a fault other than UNHANDLED it can only be stopped."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        channel: socket.socket,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._channel = channel
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, function: Function, environment: Mapping[str, str], log: BinaryIO) -> "Worker":
        """Start a process and wait until its handler is imported.

        Args:
            function: The function to run.
            environment: The environment of the process.
            log: File for everything that the process prints.

        Raises:
            InitError: The handler was not imported within ``START_TIMEOUT_S``.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                process = await asyncio.create_subprocess_exec(
                    *(
                        sys.executable,
                        "-P",
                        str(Path(runtime.__file__)),
                        str(theirs.fileno()),
                        _runtime_argument(function),
                    ),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    cwd=function.folder,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except BaseException:
                writer.close()
                raise
        worker = cls(process, ours, reader, writer)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                error = json.loads(await worker._receive())["error"]
        except (asyncio.IncompleteReadError, ConnectionError):
            error = {"errorType": "Runtime.ExitError", "errorMessage": "the process ended"}
        except TimeoutError:
            error = {"errorType": "Runtime.InitTimeout", "errorMessage": f"not ready in {START_TIMEOUT_S:.0f} s"}
        except BaseException:
            await worker.stop()
            raise
        if error:
            await worker.stop()
            raise InitError(function, error)
        return worker

    async def invoke(self, payload: bytes, request_id: str, timeout_s: float, sink: Sink | None = None) -> Outcome:
        """Run the handler on one event.

        Args:
            payload: The event as JSON.
            request_id: The id in the handler's context.
            timeout_s: Seconds after which the process is killed, streaming included.
            sink: Takes the pieces of a streamed answer; None: they become the payload of the outcome.

        Returns:
            The outcome; with a fault other than UNHANDLED the process is dead.
        """
        try:
            async with asyncio.timeout(timeout_s):
                for frame in (request_id.encode(), payload):
                    self._writer.write(runtime.LENGTH.pack(len(frame)))
                    self._writer.write(frame)
                    await self._writer.drain()
                return await self._outcome(sink)
        except TimeoutError:
            await self.stop()
            return _fault(Fault.TIMED_OUT, request_id, f"Task timed out after {timeout_s:.2f} seconds")
        except (asyncio.IncompleteReadError, ConnectionError):
            status = await self.stop()
            return _fault(Fault.EXITED, request_id, f"Runtime exited with status {status}")
        except BaseException:
            await self.stop()
            raise

    @property
    def alive(self) -> bool:
        """True while the process runs: its end of the channel is open. asyncio notices an exit only later."""
        try:
            return self._channel.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def stop(self) -> int:
        """Kill the process, if it still runs, wait until it has ended, and return its exit status."""
        self._writer.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            self._process.kill()
        return await self._process.wait()

    async def _outcome(self, sink: Sink | None) -> Outcome:
        """Receive a status and a payload, and before them, if the answer is streamed, its pieces and an empty frame."""
        status, kept = json.loads(await self._receive()), b""
        if status.get("streams"):
            wanted = True
            while piece := await self._receive():
                if sink is None:
                    kept += piece
                elif wanted and not await sink(piece):
                    wanted = False
                    self._writer.write(runtime.LENGTH.pack(0))
            status = json.loads(await self._receive())
        payload = await self._receive()
        return Outcome(kept or payload, None) if not status["error"] else Outcome(payload, Fault.UNHANDLED)

    async def _receive(self) -> bytes:
        (length,) = runtime.LENGTH.unpack(await self._reader.readexactly(runtime.LENGTH.size))
        return await self._reader.readexactly(length)


def _runtime_argument(function: Function) -> str:
    return json.dumps({
        "name": function.name,
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
        "module": function.module,
        "attribute": function.attribute,
        "path": [str(function.folder), *map(str, function.layers)],
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
    })  # fmt: skip


def _fault(fault: Fault, request_id: str, message: str) -> Outcome:
    kind = "Sandbox.Timedout" if fault is Fault.TIMED_OUT else "Runtime.ExitError"
    document = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Outcome(json.dumps(document).encode(), fault)
