"""A proxy between functions and moto that fails some calls to DynamoDB and S3, before they are done or after.

What is drawn is drawn for a whole call of the client, which botocore names in ``amz-sdk-invocation-id`` and repeats by
itself: a call fails at its first try only, or at every try, so that the function sees it fail. "After" means that the
call was done (each time it was tried) and that its answer was lost.
"""

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import urlsplit

TRY_HEADER = "amz-sdk-invocation-id"
HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


class Fault(Enum):
    """What goes wrong with a call."""

    REFUSED = "an error, and nothing done"
    THROTTLED = "too fast, and nothing done"
    CUT = "the connection ends, and nothing done"
    LOST = "done, and the connection ends"
    FORGOTTEN = "done, and an error told"

    @property
    def is_after(self) -> bool:
        return self in {Fault.LOST, Fault.FORGOTTEN}


@dataclass(frozen=True, slots=True)
class Draw:
    """The lot of a call. fault None: it goes well. lasting: at every try."""

    fault: Fault | None = None
    lasting: bool = False


@dataclass
class Lots:
    """Draws a lot for each call. share: of calls that fail for the function; as many again fail at the first try."""

    random: Random
    share: float
    drawn: dict[str, Draw] = field(default_factory=dict)
    faults: Counter[Fault] = field(default_factory=Counter)
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, call: str) -> Fault | None:
        """The fault of this try of a call; a call without a name is always new."""
        with self.lock:
            first = call not in self.drawn
            if first:
                self.calls += 1
                self.drawn[call] = self._new()
            lot = self.drawn[call]
            fault = lot.fault if first or lot.lasting else None
            if fault:
                self.faults[fault] += 1
            return fault

    def _new(self) -> Draw:
        if self.random.random() >= 2 * self.share:
            return Draw()
        return Draw(self.random.choice(list(Fault)), lasting=self.random.random() < 0.5)


class FaultyProxy(ThreadingHTTPServer):
    """Forwards to ``upstream`` (a URL, to be set before the first call) what ``lots`` let pass.

    on_call: told of every try of a call that may be made to fail, when it is done or has failed, before the answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, lots: Lots, on_call: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lots = lots
        self.on_call = on_call
        self.upstream = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed worker leaves half a request behind: that is what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        call = self._call()
        fault = self.server.lots.draw(call) if call else None
        done = self._forward(body) if fault is None or fault.is_after else None
        if call:
            self.server.on_call()
        if fault in {Fault.CUT, Fault.LOST}:
            self._cut()
        elif fault or done is None:
            self._refuse(throttled=fault is Fault.THROTTLED)
        else:
            self._send(*done)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass

    def _call(self) -> str | None:
        """The name of a call to DynamoDB or S3. What queues do wrong by nature is played with their messages."""
        dynamodb = self.headers.get("x-amz-target", "").startswith("DynamoDB")
        s3 = "/s3/" in self.headers.get("authorization", "")
        return self.headers.get(TRY_HEADER) if dynamodb or s3 else None

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(urlsplit(self.server.upstream).netloc, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            upstream.request(self.command, self.path, body or None, headers)
            response = upstream.getresponse()
            data = response.read()
        finally:
            upstream.close()
        length = response.getheader("content-length") or str(len(data))  # of HEAD: what GET would bring
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_HEADERS]
        return response.status, [*kept, ("Content-Length", length)], data

    def _refuse(self, *, throttled: bool) -> None:
        if self.headers.get("x-amz-target"):
            code = "ThrottlingException" if throttled else "InternalServerError"
            error = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "chaos"}}'.encode()
            status, media_type = 400 if throttled else 500, "application/x-amz-json-1.0"
        else:
            code = "SlowDown" if throttled else "InternalError"
            error = f"<Error><Code>{code}</Code><Message>chaos</Message></Error>".encode()
            status, media_type = 503 if throttled else 500, "application/xml"
        self._send(status, [("Content-Type", media_type), ("Content-Length", str(len(error)))], error)

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)


@contextmanager
def faulty_proxy(lots: Lots, on_call: Callable[[], None]) -> Iterator[FaultyProxy]:
    """A proxy that serves while the block lasts."""
    with FaultyProxy(lots, on_call) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
