"""One HTTP exchange with a server that a stranger named: it reaches public addresses only, and only within bounds.

A name is resolved once, every address it has is checked, and the connection goes to a checked address, never to the
name again: so a name that changes its mind (DNS rebinding) gains nothing. No proxy, no cookie and no compression:
nothing is taken from the environment, nothing is kept, and no answer can be larger than what was counted. One deadline
covers it all. Knows nothing of images, webhooks, accounts or AWS, nor what to say when an exchange fails.

The standard library's ``http.client`` reads the answers, because it takes any source of bytes, so also a bounded one.
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
"""Room for headers; chunks' own framing has as much room again as the body."""
MAX_ADDRESSES = 4
"""Of one name, tried in order: a list made by a stranger is no reason to knock at many doors."""
HEADERS = {"User-Agent": "cutout", "Accept-Encoding": "identity", "Connection": "close"}

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to addresses as text. Raises OSError or UnicodeError when there are none."""


class Trouble(Enum):
    """Why there is no answer."""

    NOT_ALLOWED = auto()
    """The URL, or an address of its name, is not one that may be asked."""
    NO_SUCH_NAME = auto()
    TOO_SLOW = auto()
    BAD_CERTIFICATE = auto()
    UNREACHABLE = auto()
    """Nothing listens there, or what it says is no HTTP."""
    ENDLESS = auto()
    """More bytes came than any answer in bounds can have."""


class ExchangeError(Exception):
    """An exchange without an answer. For those who call this module: it must not reach a client as it is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.name)
        self.trouble = trouble


class Deadline:
    """A point in time, ``timeout_s`` from now."""

    def __init__(self, timeout_s: float) -> None:
        self._at_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds left, above zero. Raises TimeoutError when there are none."""
        left_s = self._at_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system. It reads the odd spellings too (``0x7f.1``, ``2130706433``), so those are checked like others."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked, and whom to believe."""

    allow: frozenset[str] = frozenset()
    """``host:port`` as written in the URL, lower case: exempt from the check of addresses, and from nothing else."""
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None
    """Certificates to trust; None: the system's and Mozilla's."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is asked. headers: those of :data:`HEADERS`, Host and Content-Length are added."""

    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self, target: Target) -> bytes:
        """Write the whole message. Raises ValueError for a header that is not one line of ASCII."""
        length = {"Content-Length": str(len(self.body))} if self.body else {}
        headers = {"Host": target.authority, **HEADERS, **length, **self.headers}
        lines = [f"{self.method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if any(not line.isascii() or not line.isprintable() for line in lines):
            raise ValueError("a header is one line of ASCII")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


@contextmanager
def exchange(
    target: Target, message: Message, reach: Reach, deadline: Deadline, max_bytes: int
) -> Iterator[http.client.HTTPResponse]:
    """Ask, and read the answer's head; its body is read by the caller inside the block, and no longer than allowed.

    max_bytes: of the body that the caller means to read. Raises ExchangeError, also for what fails inside the block.
    Blocks until the deadline at most; a lookup that hangs is left behind to end in its own time.
    """
    asked = message.encode(target)
    with _failures(), ExitStack() as stack:
        exempt = f"{target.host}:{target.port}" in reach.allow
        addresses = _addresses(target, reach.resolve, deadline, check=not exempt)
        sock = stack.enter_context(_connect(addresses[:MAX_ADDRESSES], target.port, deadline))
        sock.settimeout(deadline.left_s())
        if target.secure:
            sock = stack.enter_context((reach.tls or _trusted()).wrap_socket(sock, server_hostname=target.host))
            sock.settimeout(deadline.left_s())
        sock.sendall(asked)
        wire = _Wire(sock, deadline, 2 * max_bytes + FRAMING_BYTES)
        response = http.client.HTTPResponse(wire, method=message.method)  # type: ignore[arg-type]  # it only calls makefile
        stack.enter_context(response)
        response.begin()
        yield response


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ExchangeError(Trouble.TOO_SLOW) from error
    except ssl.SSLCertVerificationError as error:
        raise ExchangeError(Trouble.BAD_CERTIFICATE) from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a broken answer, in some versions
        raise ExchangeError(Trouble.UNREACHABLE) from error


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
        raise ExchangeError(Trouble.NO_SUCH_NAME) from error
    if not addresses:
        raise ExchangeError(Trouble.NO_SUCH_NAME)
    if check and not all(is_public(address) for address in addresses):
        raise ExchangeError(Trouble.NOT_ALLOWED)
    return addresses


def _connect(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    *others, last = addresses
    for left, address in zip(range(len(addresses), 1, -1), others, strict=True):
        with suppress(OSError):  # the next address may answer
            return socket.create_connection((address, port), deadline.left_s() / left)
    return socket.create_connection((last, port), deadline.left_s())


class _Wire(io.RawIOBase):
    """What a socket delivers, until a point in time and up to a number of bytes, whatever the answer says of itself.

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
            raise ExchangeError(Trouble.ENDLESS)
        return count


@cache  # reading the certificates takes a tenth of a second, and they do not change
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # small images and some installers' Python have no certificates
    return context
