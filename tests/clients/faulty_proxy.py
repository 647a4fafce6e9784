"""A proxy to the service that loses connections, delays, refuses and cuts answers short, as a test asks for."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "host"}
SLOW_DOWN: Final = (
    b'{"error":{"code":"rate_limited","message":"Slow down.","status":429,"request_id":"req_0","details":{}}}'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. share: how much of its body comes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    share: float = 1


REFUSALS: Final[Mapping[str, Answer]] = {
    "limit": Answer(429, {"content-type": "application/json", "retry-after": "1"}, SLOW_DOWN),
    "limit for an hour": Answer(429, {"content-type": "application/json", "retry-after": "3600"}, SLOW_DOWN),
    "unavailable": Answer(503, {"content-type": "text/html"}, b"<h1>Service Unavailable</h1>"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A request that came, and what was done with it."""

    fault: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")


@dataclass
class FaultyProxy:
    """The server. faults: what becomes of the requests in turn, the last one of all that follow.

    ``pass``: goes on to the service. ``drop``: the connection closes before. ``lose``: it closes after the service has
    answered. ``leave``: it closes while the service is at work. ``half``: half of the answer's body comes. ``hold``:
    the answer waits for the test's end. ``elsewhere``: the answer's body is fetched from where ``store`` puts it, as
    bodies are that are too large for Lambda. The others: see REFUSALS. Preflights of pages just go on.
    """

    service: str
    faults: Sequence[str]
    store: Callable[[bytes], str] | None = None
    url: str = ""
    seen: list[Question] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What is answered; None: nothing, the connection closes."""
        if method == "OPTIONS":
            return self.ask(Question("pass", method, path, headers, body))
        with self.lock:
            fault = self.faults[min(len(self.seen), len(self.faults) - 1)]
            question = Question(fault, method, path, headers, body)
            self.seen.append(question)
        if fault in REFUSALS:
            return REFUSALS[fault]
        if fault == "leave":
            threading.Thread(target=self.ask, args=(question,)).start()
        if fault in {"drop", "leave"}:
            return None
        answer = self.ask(question)
        if fault == "hold":
            self.ended.wait(60)
        if fault in {"lose", "hold"}:
            return None
        if fault == "elsewhere" and self.store is not None:
            return Answer(303, {**answer.headers, "location": self.store(answer.body)}, b"")
        return Answer(answer.status, answer.headers, answer.body, 0.5 if fault == "half" else 1)

    def ask(self, question: Question) -> Answer:
        """The service's answer."""
        headers = {name: value for name, value in question.headers.items() if name not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(urlsplit(self.service).netloc, timeout=120)
        connection.request(question.method, question.path, question.body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answer


@contextmanager
def faulty_proxy(service: str, *faults: str, store: Callable[[bytes], str] | None = None) -> Iterator[FaultyProxy]:
    """A server that serves while the block lasts."""
    proxy = FaultyProxy(service, faults, store)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            answer = proxy.take(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: int(len(answer.body) * answer.share)])
            self.close_connection = answer.share < 1

        do_GET = do_DELETE = do_OPTIONS = do_POST  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield proxy
        finally:
            proxy.ended.set()
            server.shutdown()
            thread.join()
