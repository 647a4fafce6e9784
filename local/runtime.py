"""One execution environment: imports a handler and runs it on one event after another, as Lambda's runtime does.

It runs as a script in a process of its own, with the import path that the function would have in Lambda;
so this file uses the standard library only. Frames on the given socket are a length (8 bytes, big-endian) and
that many bytes of JSON; before the outcome of a streamed answer come its pieces and an empty frame, and an empty frame
the other way says that nobody takes the rest. Source: AWS Lambda developer guide, "Define Lambda function handler in
Python", "Lambda context object in Python", "Handle exceptions".
"""

import importlib
import json
import os
import select
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

LENGTH = struct.Struct(">Q")


def die_with_parent() -> None:
    """End this process as soon as the parent has ended in any way: only the parent holds this process's stdin open."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class LambdaContext:
    """The context object of an invocation.

    Args:
        function: name, arn, memory_mb and timeout_s of the function.
        request_id: The id of the invocation.
    """

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function: Mapping[str, Any], request_id: str) -> None:
        self.aws_request_id = request_id
        self.function_name = str(function["name"])
        self.invoked_function_arn = str(function["arn"])
        self.memory_limit_in_mb = str(function["memory_mb"])
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = f"local/[{self.function_version}]{os.getpid()}"
        self._deadline_s = time.monotonic() + float(function["timeout_s"])

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation is ended from outside; not below 0."""
        return max(0, int((self._deadline_s - time.monotonic()) * 1000))


def main(descriptor: int, function: Mapping[str, Any]) -> None:
    """Serve the socket until it closes.

    Args:
        descriptor: File descriptor of the socket.
        function: name, arn, module, attribute, path, memory_mb and timeout_s of the function.
    """
    die_with_parent()
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rwb") as frames:
        try:
            sys.path[:0] = function["path"]
            handler = getattr(importlib.import_module(function["module"]), function["attribute"])
        except Exception as error:  # noqa: BLE001 - every error of the module is reported
            traceback.print_exc()
            send(frames, {"error": describe(error)})
            return
        send(frames, {"error": None})
        while (request_id := receive(frames)) is not None:
            if not request_id:  # the rest of an answer was not wanted, which was at its end by then
                continue
            context = LambdaContext(function, request_id.decode())
            stopped = partial(readable, channel)
            succeeded, payload = invoke(handler, receive(frames) or b"null", context, frames, stopped)
            send(frames, {"error": None if succeeded else "Unhandled"})
            write(frames, payload)


def invoke(
    handler: Callable[[Any, LambdaContext], Any],
    payload: bytes,
    context: LambdaContext,
    frames: Any,
    stopped: Callable[[], bool],
) -> tuple[bool, bytes]:
    """Run the handler on one event.

    Args:
        handler: The function of the user.
        payload: The event as JSON.
        context: The context of the invocation.
        frames: Where the pieces of a streamed answer go, which is an object with the method ``pieces``.
        stopped: Whether nobody takes the rest of a streamed answer.

    Returns:
        Whether the handler returned, and its response or its error as JSON; nothing for a response that was streamed.
    """
    started = time.monotonic()
    try:
        response = handler(json.loads(payload), context)
        if hasattr(response, "pieces"):
            stream(frames, response.pieces(), stopped)
            result = (True, b"")
        else:
            result = (True, json.dumps(response).encode())
    except Exception as error:  # noqa: BLE001 - every error of the handler is reported
        traceback.print_exc()
        result = (False, json.dumps({**describe(error), "requestId": context.aws_request_id}).encode())
    elapsed_ms = (time.monotonic() - started) * 1000
    print(f"REPORT RequestId: {context.aws_request_id}\tDuration: {elapsed_ms:.2f} ms", flush=True)
    return result


def describe(error: Exception) -> dict[str, Any]:
    """Describe an exception as Lambda reports it to the caller."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def stream(frames: Any, pieces: Generator[bytes], stopped: Callable[[], bool]) -> None:
    """Write the pieces of a streamed answer, and their end even if making them fails or nobody takes the rest."""
    send(frames, {"streams": True})
    try:
        with closing(pieces):
            for piece in pieces:
                write(frames, piece)
                if stopped():
                    break
    finally:
        write(frames, b"")


def readable(channel: socket.socket) -> bool:
    """Whether something has come in; during an invocation that can only be the frame that stops a stream."""
    return bool(select.select([channel], [], [], 0)[0])


def send(frames: Any, message: Mapping[str, Any]) -> None:
    """Write one frame of JSON."""
    write(frames, json.dumps(message).encode())


def write(frames: Any, data: bytes) -> None:
    """Write one frame."""
    frames.write(LENGTH.pack(len(data)))
    frames.write(data)
    frames.flush()


def receive(frames: Any) -> bytes | None:
    """Read one frame; None: the other side has closed the socket."""
    head = frames.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data: bytes = frames.read(length)
    return data if len(data) == length else None


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
