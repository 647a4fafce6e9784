"""Lambda's runtime API, strict to its documentation: what a runtime does wrong is refused, and told by ``violations``.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes" (2018-06-01); chunks and trailers are
RFC 9112, section 7.1.
"""

import base64
import hashlib
import json
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

PREFIX = "/2018-06-01/runtime"
BUFFERED_LIMIT = 6 * 1024 * 1024 + 100
STREAMED_TYPE = "application/vnd.awslambda.http-integration-response"
ERROR_TRAILERS = {"lambda-runtime-function-error-type", "lambda-runtime-function-error-body"}
SEPARATOR = b"\0" * 8
WAIT_S = 60


@dataclass
class Reply:
    """What came for an invocation. head: of a streamed answer; broken: the caller hung up."""

    mode: str = ""
    content_type: str = ""
    head: dict[str, Any] | None = None
    body: bytes = b""
    size: int = 0
    digest: str = ""
    chunks: int = 0
    error: dict[str, Any] | None = None
    error_type: str = ""
    broken: bool = False


@dataclass
class Invocation:
    """An event on its way. hang_up_after: bytes of the answer after which its caller is gone."""

    id: str
    event: bytes
    deadline_ms: int
    hang_up_after: int | None
    reply: Reply = field(default_factory=Reply)
    done: threading.Event = field(default_factory=threading.Event)


class RuntimeApi:
    """The API, and the caller's side of it."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Invocation | None] = queue.Queue()
        self.current: Invocation | None = None
        self.violations: list[str] = []
        self.init_errors: list[tuple[str, dict[str, Any]]] = []
        self.next_connections: set[Any] = set()
        self.address = ""

    def invoke(self, event: Any, *, deadline_s: float = 30, hang_up_after: int | None = None) -> Reply:
        """Hand an event to the runtime, and wait for what it makes of it."""
        deadline_ms = int((time.time() + deadline_s) * 1000)
        invocation = Invocation(str(uuid4()), json.dumps(event).encode(), deadline_ms, hang_up_after)
        self.waiting.put(invocation)
        assert invocation.done.wait(WAIT_S), f"no answer to {event}; {self.violations}"
        return invocation.reply


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: RuntimeApi

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            self._refuse(404, f"GET {self.path}")
            return
        self.api.next_connections.add(self.client_address)
        if self.api.current is not None:
            self._refuse(400, "next was asked for before the last event was answered")
            return
        invocation = self.api.waiting.get()
        if invocation is None:
            self.close_connection = True
            return
        self.api.current = invocation
        self._answer(200, invocation.event, {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:toy",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        })  # fmt: skip

    def do_POST(self) -> None:
        if self.path == f"{PREFIX}/init/error":
            body = self.rfile.read(int(self.headers["content-length"]))
            self.api.init_errors.append((self.headers["Lambda-Runtime-Function-Error-Type"], json.loads(body)))
            self._answer(202, b"")
            return
        path = re.fullmatch(rf"{PREFIX}/invocation/([^/]+)/(response|error)", self.path)
        current = self.api.current
        if path is None or current is None or path[1] != current.id:
            self._refuse(400, f"POST {self.path} while {current and current.id} runs")
            return
        try:
            status = self._error(current) if path[2] == "error" else self._response(current)
        except (AssertionError, ValueError, KeyError) as error:
            self._refuse(400, f"{type(error).__name__}: {error}")
            status = None
        if self.api.current is current:
            self.api.current = None
        if status is not None:
            self._answer(status, b'{"status":"OK"}' if status == 202 else b'{"errorType":"RequestEntityTooLarge"}')
        current.done.set()

    def _error(self, current: Invocation) -> int:
        document = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert {"errorMessage", "errorType"} <= document.keys()
        current.reply.error, current.reply.mode = document, "error"
        current.reply.error_type = self.headers.get("Lambda-Runtime-Function-Error-Type") or ""
        return 202

    def _response(self, current: Invocation) -> int:
        reply, mode = current.reply, self.headers.get("Lambda-Runtime-Function-Response-Mode")
        reply.content_type = self.headers["content-type"]
        if mode is None:
            assert "transfer-encoding" not in self.headers, "a buffered answer has a length"
            reply.mode, reply.body = "buffered", self.rfile.read(int(self.headers["content-length"]))
            reply.size = len(reply.body)
            return 202 if reply.size <= BUFFERED_LIMIT else 413
        assert mode == "streaming", mode
        assert self.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in self.headers
        assert reply.content_type == STREAMED_TYPE
        reply.mode = "streaming"
        self._stream(current)
        return 202

    def _stream(self, current: Invocation) -> None:
        reply, digest, head = current.reply, hashlib.sha256(), b""
        for chunk in self._chunks():
            reply.chunks += 1
            if reply.head is None:
                head += chunk
                front, separator, body = head.partition(SEPARATOR)
                if not separator:
                    continue
                reply.head = json.loads(front)
            else:
                body = chunk
            digest.update(body)
            reply.size += len(body)
            if current.hang_up_after is not None and reply.size > current.hang_up_after:
                reply.broken = True
                self._hang_up()
                return
        assert reply.head is not None, "no separator after the head"
        reply.digest = digest.hexdigest()
        self._trailers(reply)

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self.rfile.readline(64)
            assert re.fullmatch(rb"[0-9a-fA-F]+\r\n", line), f"chunk size {line!r}"
            size = int(line, 16)
            if size == 0:
                return
            chunk = self.rfile.read(size)
            assert len(chunk) == size, "a chunk is shorter than it says"
            assert self.rfile.read(2) == b"\r\n", "a chunk does not end"
            yield chunk

    def _trailers(self, reply: Reply) -> None:
        fields = {}
        while (line := self.rfile.readline(1 << 20)) != b"\r\n":
            name, separator, value = line.decode("ascii").partition(":")
            assert separator, f"trailer {line!r}"
            assert line.endswith(b"\r\n"), f"trailer {line[:40]!r}"
            fields[name.lower()] = value.strip()
        declared = {name.strip().lower() for name in self.headers.get("trailer", "").split(",")}
        assert fields.keys() <= declared, f"trailers {fields.keys()} were not declared"
        if fields:
            assert fields.keys() == ERROR_TRAILERS
            reply.error_type = fields["lambda-runtime-function-error-type"]
            assert re.fullmatch(r"\w+\.\w+", reply.error_type), "category.reason"
            reply.error = json.loads(base64.b64decode(fields["lambda-runtime-function-error-body"], validate=True))
            assert {"errorMessage", "errorType"} <= reply.error.keys()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.api.current = None  # first: the runtime may ask for the next event as soon as the connection is gone
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, status: int, reason: str) -> None:
        self.api.violations.append(reason)
        self.close_connection = True
        self._answer(status, json.dumps({"errorMessage": reason, "errorType": "InvalidRequest"}).encode())

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        if self.close_connection and status == 202:
            return
        with suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """The API on loopback, while the block lasts."""
    api = RuntimeApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.daemon_threads = True
    api.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.waiting.put(None)
        server.shutdown()
        server.server_close()
        thread.join()
