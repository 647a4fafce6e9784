"""A receiver of webhooks on loopback that keeps what it gets, and answers as its path says.

``/refuse/4/...``: the first four requests to this very path get a 500, the others a 204. ``/gone/...``: a 410.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came, and what it was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int


@dataclass
class Receiver:
    """Where webhooks go."""

    authority: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        return f"http://{self.authority}{path}"

    def at(self, path: str) -> list[Delivery]:
        """The deliveries to a path."""
        with self.lock:
            return [delivery for delivery in self.deliveries if delivery.path == path]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        before = len(self.at(path))
        refuse = re.match(r"/refuse/(\d+)/", path)
        status = 410 if path.startswith("/gone/") else 500 if refuse and before < int(refuse[1]) else 204
        with self.lock:
            self.deliveries.append(Delivery(path, headers, body, status))
        return status


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that serves while the block lasts."""
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(taken.take(self.path, dict(self.headers.items()), body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        taken.authority = f"127.0.0.1:{server.server_address[1]}"
        try:
            yield taken
        finally:
            server.shutdown()
            thread.join()
