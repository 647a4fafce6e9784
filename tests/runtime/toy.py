"""A function whose events say what it shall answer; it runs under ``cutout.aws.runtime`` in a process of its own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cutout.api.request import Response
from cutout.aws import telemetry
from cutout.aws.streamed_answer import StreamedAnswer

PIECE = 1 << 20
left = 0
"""Bodies that were closed before their end."""


def pieces(seed: int, size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes that follow from the seed."""
    block = hashlib.sha256(str(seed).encode()).digest() * (PIECE // 32)
    for start in range(0, size, PIECE):
        yield block[: min(PIECE, size - start)]


def body(event: dict[str, Any]) -> Iterator[bytes]:
    """Yield the body, or a part of it and an error."""
    global left  # noqa: PLW0603
    try:
        yield from pieces(event["seed"], event["size"])
    except GeneratorExit:
        left += 1
        raise
    if event.get("breaks"):
        raise ZeroDivisionError("ünterwegs\r\nX-Injected: 1")


def peak_kb() -> int:
    """This program's peak; getrusage's would begin with that of the process which started it."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)


def handler(event: Any, context: Any) -> Any:
    """Do what the event says."""
    kind = event.get("kind") if isinstance(event, dict) else None
    if kind == "stream":
        head = {"statusCode": 200, "multiValueHeaders": {"x-seed": [str(event["seed"])]}}
        return StreamedAnswer(head, telemetry.sent(Response(200, "application/octet-stream", body(event))))
    if kind == "error":
        raise LookupError("nothing like that")
    if kind == "buffered":
        return {"statusCode": 200, "body": "x" * event["size"]}
    if kind == "state":
        return {
            "left": left,
            "remaining_ms": context.get_remaining_time_in_millis(),
            "request_id": context.aws_request_id,
            "peak_kb": peak_kb(),
        }
    return {"echo": event}
