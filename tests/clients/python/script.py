"""Runs a flow of the client against answers that are written down, without sockets and without waiting."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cutout_client.errors import TransportError
from cutout_client.messages import Answer, Flow, Pause, Request

PNG = b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82"
"""What has the beginning and the end of a PNG."""


@dataclass
class Played:
    """What a flow did. result: what it returned, or raised."""

    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    result: Any = None


def play(flow: Flow[Any], *outcomes: Answer | TransportError) -> Played:
    """Answer the requests of a flow by ``outcomes``, in order; it must use all of them."""
    played, left = Played(), list(outcomes)
    reply: Answer | TransportError | None = None
    try:
        while True:
            step = flow.send(reply)
            if isinstance(step, Pause):
                played.pauses.append(step.seconds)
                reply = None
            else:
                played.requests.append(step)
                assert left, f"an unexpected request: {step.method} {step.url}"
                reply = left.pop(0)
    except StopIteration as end:
        played.result = end.value
    except Exception as error:  # noqa: BLE001 - it is what the test looks at
        played.result = error
    assert not left, f"not asked for: {left}"
    return played


def image(status: int = 200, body: bytes = PNG, media_type: str = "image/png", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": media_type, **named}, body)


def document(status: int, value: Any, **headers: str) -> Answer:
    return image(status, json.dumps(value).encode(), "application/json", **headers)


def problem(status: int, code: str, **headers: str) -> Answer:
    error = {"code": code, "message": "No.", "status": status, "request_id": "req_1", "details": {"a": 1}}
    return document(status, {"error": error}, **headers)


def field_values(request: Request) -> dict[str, bytes]:
    """The parts of a form, by name."""
    boundary = request.headers["content-type"].partition("boundary=")[2]
    parts: Sequence[bytes] = request.body.split(f"--{boundary}".encode())[1:-1]
    values = {}
    for part in parts:
        head, _, value = part.partition(b"\r\n\r\n")
        values[head.split(b'name="')[1].split(b'"')[0].decode()] = value.removesuffix(b"\r\n")
    return values
