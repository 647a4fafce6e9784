"""Servers on loopback that stand for the Internet, and the worst of it (fixtures in tests/unit/conftest.py)."""

import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC = "93.184.216.34"
OTHER_PUBLIC = "93.184.216.35"

Script = Callable[[socket.socket, threading.Event], None]
"""What a server does on a connection, until the event is set."""


class Server(socketserver.ThreadingTCPServer):
    """Keeps the heads and the bodies of requests, and plays ``script`` on each connection."""

    allow_reuse_address = True

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.script = script
        self.tls = tls
        self.stop = threading.Event()
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.port: int = self.server_address[1]

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError), ExitStack() as stack:  # OSError: the client hung up, as it should on most scripts
            connection = stack.enter_context(self.tls.wrap_socket(request, server_side=True)) if self.tls else request
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                if not (byte := connection.recv(1)):
                    return
                head += byte
            self.requests.append(head.decode())
            self.bodies.append(_body(connection, head.decode()))
            self.script(connection, self.stop)


def _body(connection: socket.socket, head: str) -> bytes:
    announced = re.search(r"(?im)^content-length: (\d+)", head)
    body = b""
    while announced and len(body) < int(announced[1]):
        body += connection.recv(65_536)
    return body


class Internet(dict[str, int]):
    """Public addresses and the ports of 127.0.0.1 that stand for them. called: the addresses asked for, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []


def names(**known: str | Sequence[str]) -> Callable[[str, int], list[str]]:
    """A resolver; the names are written with _ for the dot."""

    def resolve(host: str, port: int) -> list[str]:
        addresses = known.get(host.replace(".", "_"))
        if addresses is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [addresses] if isinstance(addresses, str) else list(addresses)

    return resolve


def answer(*headers: str, body: bytes = b"picture", status: str = "200 OK", length: int | None = None) -> Script:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return raw("\r\n".join([*lines, "", ""]).encode() + body)


def raw(data: bytes) -> Script:
    return lambda connection, _: connection.sendall(data)


def forever(head: bytes, again: bytes, pause_s: float = 0.0) -> Script:
    def script(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        while not stop.wait(pause_s):
            connection.sendall(again)

    return script


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self._own = self._sign(self._name, self._key.public_key(), [x509.BasicConstraints(ca=True, path_length=None)])

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self._own.public_bytes(serialization.Encoding.PEM).decode())
        return context

    def server(self, *subjects: x509.GeneralName, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = self._sign(name, key.public_key(), [x509.SubjectAlternativeName(subjects)], days)
        file = self._folder / "server.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extensions: Sequence[x509.ExtensionType],
        days: int = 1,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        own = self._key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .add_extension(x509.KeyUsage(*[True] + [False] * 4 + [True, True, False, False]), critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())
