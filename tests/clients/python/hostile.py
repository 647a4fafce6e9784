"""A proxy in front of the real service that spoils answers, each in its own way: the work behind it is real."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

WORKS = "works"
DROPS_BEFORE = "drops the connection before the service hears of it"
DROPS_AFTER = "drops the connection when the work is done"
HALF = "sends half of the body"
HALF_CLOSED = "sends half of the body and no length"
GARBAGE = "answers no HTTP"
TOO_MANY = "answers 429 with Retry-After"
AWAY = "answers 503"
GATEWAY = "answers 502 with a page when the work is done"
SILENT = "does the work and never answers"
DRIPS = "sends the body a byte at a time"
FAULTS = (DROPS_BEFORE, DROPS_AFTER, HALF, HALF_CLOSED, GARBAGE, TOO_MANY, AWAY, GATEWAY, SILENT, DRIPS)


class Proxy(ThreadingHTTPServer):
    """Plays one fault for each request, in order; works when they are used up. keys: Idempotency-Keys as they came."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.faults: list[str] = []
        self.keys: list[str] = []
        self.over = threading.Event()

    def next_fault(self) -> str:
        return self.faults.pop(0) if self.faults else WORKS

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what some faults are about."""


@contextmanager
def hostile(upstream: str, *faults: str) -> Iterator[Proxy]:
    with Proxy(upstream) as proxy:
        proxy.faults = list(faults)
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.over.set()
            proxy.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.keys.append(self.headers.get("idempotency-key", ""))
        fault = self.server.next_fault()
        self.close_connection = True
        if fault == DROPS_BEFORE:
            return
        if fault == GARBAGE:
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return
        if fault in {TOO_MANY, AWAY}:
            self._refuse(429 if fault == TOO_MANY else 503)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        answer = httpx.request(
            self.command, self.server.upstream + self.path, headers=headers, content=body, timeout=60
        )
        self._spoil(fault, answer)

    def do_GET(self) -> None:
        self.do_POST()

    def _refuse(self, status: int) -> None:
        code = "rate_limited" if status == 429 else "service_unavailable"
        body = f'{{"error": {{"code": "{code}", "message": "Later.", "status": {status}}}}}'.encode()
        self._send(status, {"content-type": "application/json", "retry-after": "0"}, len(body), [body])

    def _spoil(self, fault: str, answer: httpx.Response) -> None:
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in {"content-length", "connection", "transfer-encoding"}
        }
        body = answer.content
        if fault == DROPS_AFTER:
            return
        if fault == SILENT:
            self.server.over.wait(30)
        elif fault == GATEWAY:
            self._send(502, {"content-type": "text/html"}, 4, [b"Oops"])
        elif fault == HALF:
            self._send(answer.status_code, headers, len(body), [body[: len(body) // 2]])
        elif fault == HALF_CLOSED:
            self._send(answer.status_code, headers, None, [body[: len(body) // 2]])
        elif fault == DRIPS:
            self._send(answer.status_code, headers, len(body), [body[at : at + 1] for at in range(len(body))], 0.05)
        else:
            self._send(answer.status_code, headers, len(body), [body])

    def _send(
        self, status: int, headers: dict[str, str], length: int | None, body: Sequence[bytes], pause_s: float = 0.0
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("content-length", str(length))
        self.send_header("connection", "close")
        self.end_headers()
        for part in body:
            self.wfile.write(part)
            if pause_s and self.server.over.wait(pause_s):
                return
            time.sleep(0)

    def log_message(self, *_: object) -> None:
        pass
