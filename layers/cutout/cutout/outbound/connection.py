"""One bounded HTTP exchange with a server that a client has named; protects against server-side request forgery.

A name is resolved once, all of its addresses are checked, and the connection goes to a checked address and never to the
name, so a name that changes its addresses (DNS rebinding) gains nothing. There are no proxies and cookies, and no
compression is asked for: nothing is read from the environment, nothing is stored, and no answer can be larger than its
counted bytes. One
deadline covers the whole exchange. Knows nothing of images, webhooks, accounts or AWS, and words no error messages.

The standard library's ``http.client`` reads the answers, because it accepts any source of bytes, also a bounded one.
"""

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING

import certifi

from cutout.outbound.urls import Target, is_public

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 65_536
FRAMING_BYTES = 2**20
"""Bytes allowed for headers; the framing of chunks may have as many bytes as the body."""
MAX_ADDRESSES = 4
"""Addresses of one name that are tried, in order: an untrusted list must not cause many connections."""
HEADERS = {"User-Agent": "cutout", "Accept-Encoding": "identity", "Connection": "close"}

Resolver = Callable[[str, int], Sequence[str]]
"""Resolves host and port to addresses. Raises OSError or UnicodeError when there are none."""


class ExchangeFailure(Enum):
    """The reason why there is no answer."""

    NOT_ALLOWED = auto()
    """The URL, or an address of its name, is not allowed."""
    NO_SUCH_NAME = auto()
    TOO_SLOW = auto()
    BAD_CERTIFICATE = auto()
    UNREACHABLE = auto()
    """There is no server, or it does not speak HTTP."""
    ENDLESS = auto()
    """The answer has more bytes than the bounds allow."""


class ExchangeError(Exception):
    """An exchange without an answer. Callers translate it; it must not reach a client.

    Args:
        failure: The reason.
    """

    def __init__(self, failure: ExchangeFailure) -> None:
        super().__init__(failure.name)
        self.failure = failure


class Deadline:
    """A point in time.

    Args:
        timeout_s: Seconds from now.
    """

    def __init__(self, timeout_s: float) -> None:
        self._at_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Return the seconds left, above zero. Raises TimeoutError when there are none."""
        left_s = self._at_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def system_resolver(host: str, port: int) -> list[str]:
    """Resolve a name by the operating system.

    It also reads unusual spellings of addresses (``0x7f.1``, ``2130706433``), so these are checked like all others.

    Args:
        host: The name or the address.
        port: The port.

    Returns:
        The addresses.

    Raises:
        OSError: The name has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class ExchangePolicy:
    """The allowed addresses and the trusted certificates of an exchange.

    Attributes:
        allow: ``host:port`` as written in the URL, lower case: exempt from the check of addresses only.
        resolve: Resolves names.
        tls: Trusted certificates; None: the system's and Mozilla's.
    """

    allow: frozenset[str] = frozenset()
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """An HTTP request to another server.

    Attributes:
        method: The method.
        headers: Headers besides :data:`HEADERS`, Host and Content-Length, which are added.
        body: The body.
    """

    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self, target: Target) -> bytes:
        """Write the request in the form of HTTP/1.1.

        Args:
            target: The URL.

        Returns:
            The bytes to send.

        Raises:
            ValueError: A header is not one line of printable ASCII.
        """
        length = {"Content-Length": str(len(self.body))} if self.body else {}
        headers = {"Host": target.authority, **HEADERS, **length, **self.headers}
        lines = [f"{self.method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if any(not line.isascii() or not line.isprintable() for line in lines):
            raise ValueError("a header is one line of ASCII")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


@contextmanager
def exchange(
    target: Target, request: OutboundRequest, policy: ExchangePolicy, deadline: Deadline, max_bytes: int
) -> Iterator[http.client.HTTPResponse]:
    """Send a request and read the head of the answer, as a context manager; the caller reads the body inside it.

    Blocks until the deadline at most; a lookup that hangs is left to its own thread.

    Args:
        target: The URL.
        request: The request.
        policy: The allowed addresses and the trusted certificates.
        deadline: The end of the whole exchange, including the reading of the body.
        max_bytes: The most bytes of the body that the caller will read.

    Yields:
        The response.

    Raises:
        ExchangeError: There is no answer within the bounds; also for what fails inside the block.
        ValueError: A header is not one line of printable ASCII.
    """
    encoded = request.encode(target)
    with _exchange_errors(), ExitStack() as stack:
        exempt = f"{target.host}:{target.port}" in policy.allow
        addresses = _addresses(target, policy.resolve, deadline, check=not exempt)
        sock = stack.enter_context(_connect(addresses[:MAX_ADDRESSES], target.port, deadline))
        sock.settimeout(deadline.left_s())
        if target.secure:
            sock = stack.enter_context((policy.tls or _trusted()).wrap_socket(sock, server_hostname=target.host))
            sock.settimeout(deadline.left_s())
        sock.sendall(encoded)
        wire = _Wire(sock, deadline, 2 * max_bytes + FRAMING_BYTES)
        response = http.client.HTTPResponse(wire, method=request.method)  # type: ignore[arg-type]  # it only calls makefile
        stack.enter_context(response)
        response.begin()
        yield response


@contextmanager
def _exchange_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ExchangeError(ExchangeFailure.TOO_SLOW) from error
    except ssl.SSLCertVerificationError as error:
        raise ExchangeError(ExchangeFailure.BAD_CERTIFICATE) from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a broken answer, in some versions
        raise ExchangeError(ExchangeFailure.UNREACHABLE) from error


def _addresses(target: Target, resolve: Resolver, deadline: Deadline, *, check: bool) -> list[str]:
    future: Future[Sequence[str]] = Future()

    def work() -> None:
        try:
            future.set_result(resolve(target.host, target.port))
        except Exception as error:  # noqa: BLE001 - raised in the caller's thread
            future.set_exception(error)

    threading.Thread(target=work, name="resolve", daemon=True).start()  # a system lookup cannot be given a timeout
    try:
        addresses = list(dict.fromkeys(future.result(deadline.left_s())))
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise ExchangeError(ExchangeFailure.NO_SUCH_NAME) from error
    if not addresses:
        raise ExchangeError(ExchangeFailure.NO_SUCH_NAME)
    if check and not all(is_public(address) for address in addresses):
        raise ExchangeError(ExchangeFailure.NOT_ALLOWED)
    return addresses


def _connect(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    *others, last = addresses
    for left, address in zip(range(len(addresses), 1, -1), others, strict=True):
        with suppress(OSError):  # the next address may answer
            return socket.create_connection((address, port), deadline.left_s() / left)
    return socket.create_connection((last, port), deadline.left_s())


class _Wire(io.RawIOBase):
    """The bytes of a socket until a deadline and up to a limit, whatever the answer declares.

    A socket's own timeout bounds each read but not their sum; ``http.client`` trusts the sizes of chunks.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left_bytes = max_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, CHUNK_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._sock.settimeout(self._deadline.left_s())
        count = self._sock.recv_into(buffer)
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise ExchangeError(ExchangeFailure.ENDLESS)
        return count


@cache  # reading the certificates takes a tenth of a second, and they do not change
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # small images and some installers' Python have no certificates
    return context
