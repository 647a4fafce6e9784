"""TLS in front of a service on loopback, for clients that know their vendor by an https URL only.

The certificate is made for the run by a CA made for the run; a client is told of it by its own means (``ca_file``).
Requests go on as they came, the Host header too, with ``X-Forwarded-Proto: https``.
"""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import trustme

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class TlsFront:
    """A running front. ca_file: the CA's certificate (PEM); seen: the Host header of every request so far."""

    port: int
    ca_file: Path
    seen: list[str]

    @property
    def authority(self) -> str:
        """Where it listens; its certificate is good for localhost too."""
        return f"localhost:{self.port}"


@contextmanager
def tls_front(url: str, folder: Path, *hosts: str) -> Iterator[TlsFront]:
    """A front of the service at ``url`` while the block lasts. hosts: the names it has a certificate for."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1", *hosts)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    seen: list[str] = []
    handler = type("Handler", (_Handler,), {"behind": urlsplit(url).netloc, "seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield TlsFront(server.server_address[1], ca_file, seen)
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One request to the service behind, and its answer back as it comes, so that streams stay streams."""

    protocol_version = "HTTP/1.1"
    behind: str
    seen: list[str]

    def _pass_on(self) -> None:
        self.seen.append(self.headers.get("host", ""))
        connection = http.client.HTTPConnection(self.behind, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            body = self._body()
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP | {"content-length", "expect"}:
                    connection.putheader(name, value)
            connection.putheader("X-Forwarded-Proto", "https")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            self._give_back(connection.getresponse())
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = _pass_on  # noqa: N815 - the base's names

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _give_back(self, answer: http.client.HTTPResponse) -> None:
        """A body without a length ends with the connection."""
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if answer.getheader("content-length") is None:
            self.send_header("Connection", "close")
        self.end_headers()
        while chunk := answer.read1(_CHUNK_BYTES):
            self.wfile.write(chunk)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing is told."""
