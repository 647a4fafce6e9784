"""Requests of a connection answered one after the other; werkzeug's own handler closes it after the first.

A connection, and a thread for it, cost moto's server as much as a small request does.
"""

import io
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.debug.tbtools import DebugTraceback

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]
"""Status without the version, headers, body."""


class KeepAliveHandler(MotoRequestHandler):
    """Reads each request whole and answers it with its length, so that the next one begins where it ends."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer leaves in one write

    def run_wsgi(self) -> None:
        """Answer one request, whatever its method."""
        environ = self.make_environ()
        length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        environ["wsgi.input_terminated"] = True  # so that it is read again at once, not in parts
        try:
            status, headers, body = answer_of(self.server.app, environ)
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection and the other clients live on
            self.server.log("error", f"Error on request:\n{DebugTraceback(error).render_traceback_text()}")
            status, headers, body = "500 Internal Server Error", [("Content-Type", "text/plain")], b"moto failed\n"
        self._send(status, headers, b"" if self.command == "HEAD" else body)

    def handle_expect_100(self) -> bool:
        """Let a client send its body that waits for leave to."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests: there are several for each image."""

    def _send(self, status: str, headers: Headers, body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if int(code) not in BODILESS and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def answer_of(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """Ask a WSGI application for a whole answer.

    Args:
        application: The application.
        environ: The request's WSGI environment.
    """
    begun: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: object = None) -> None:
        del exc_info
        begun[:] = [(status, headers)]

    body = b"".join(application(environ, start_response))
    return *begun[0], body
