"""Outbound HTTP for URLs that strangers give us: it reaches public addresses only, and only within bounds.

A name is resolved once per hop, every address it has is checked, and the connection goes to a checked address, never to
the name again: so a name that changes its mind (DNS rebinding) gains nothing. Redirects are followed by hand, each hop
checked like the first. No proxy, no cookie and no compression: nothing is taken from the environment, nothing is kept,
and no body can be larger than what was counted. One deadline covers it all. Knows nothing of images, accounts or AWS.

The standard library's ``http.client`` reads the answers, because it takes any source of bytes, so also a bounded one.
"""

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import certifi

from cutout.errors import ImageTooLargeError, ImageUrlFetchFailedError
from cutout.urls import Target, is_public, parse_url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 65_536
FRAMING_BYTES = 2**20
"""Room for headers; chunks' own framing has as much room again as the body."""
MAX_ADDRESSES = 4
"""Of one name, tried in order: a list made by a stranger is no reason to knock at many doors."""
HEADERS = "".join(
    f"{name}: {value}\r\n"
    for name, value in (
        ("User-Agent", "cutout"),
        ("Accept", "image/*, */*;q=0.5"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    )
)

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to addresses as text. Raises OSError or UnicodeError when there are none."""


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The bounds of one fetch."""

    max_bytes: int
    """Of the body."""
    timeout_s: float = 10.0
    """From the first question to the last byte, redirects included."""
    redirects: int = 3
    allow: frozenset[str] = frozenset()
    """``host:port`` as written in the URL, lower case: exempt from the check of addresses, and from nothing else."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body and the media type that its server claims (lower case, no parameters, empty: none)."""

    data: bytes
    media_type: str


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system. It reads the odd spellings too (``0x7f.1``, ``2130706433``), so those are checked like others."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def fetch(
    url: str, policy: FetchPolicy, resolve: Resolver = system_resolver, tls: ssl.SSLContext | None = None
) -> Fetched:
    """Get what is behind an URL.

    tls: certificates to trust, by default the system's and Mozilla's.
    Raises ImageUrlFetchFailedError for an URL that is not allowed, not reachable in time, or not answered with status
    200 and a plain body; ImageTooLargeError above ``max_bytes``. Messages name no address and nothing a server said but
    its status. Blocks for ``timeout_s`` at most; a lookup that hangs is left behind to end in its own time.
    """
    deadline = _Deadline(policy.timeout_s)
    for _ in range(policy.redirects + 1):
        target = parse_url(url)
        exempt = f"{target.host}:{target.port}" in policy.allow
        addresses = _resolve(target, resolve, deadline, check=not exempt)
        with _get(target, addresses, policy, deadline, tls) as response:
            if response.status not in REDIRECTS:
                return _read(response, policy.max_bytes)
            url = _location(url, response)
    raise ImageUrlFetchFailedError(f"The image URL redirects more than {policy.redirects} times.")


class _Deadline:
    def __init__(self, timeout_s: float) -> None:
        self._at_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds left, above zero. Raises TimeoutError when there are none."""
        left_s = self._at_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _resolve(target: Target, resolve: Resolver, deadline: _Deadline, *, check: bool) -> list[str]:
    future: Future[Sequence[str]] = Future()

    def work() -> None:
        try:
            future.set_result(resolve(target.host, target.port))
        except Exception as error:  # noqa: BLE001 - raised in the caller's thread
            future.set_exception(error)

    threading.Thread(target=work, name="resolve", daemon=True).start()  # a system lookup cannot be given a timeout
    closed = "The image URL does not lead to a public server."
    try:
        addresses = list(dict.fromkeys(future.result(deadline.left_s())))
    except TimeoutError as error:
        raise _too_slow() from error
    except (OSError, UnicodeError) as error:
        raise ImageUrlFetchFailedError(closed) from error
    if not addresses or (check and not all(is_public(address) for address in addresses)):
        raise ImageUrlFetchFailedError(closed)  # in the same words: which private names exist is nobody's business
    return addresses


@contextmanager
def _get(
    target: Target, addresses: Sequence[str], policy: FetchPolicy, deadline: _Deadline, tls: ssl.SSLContext | None
) -> Iterator[http.client.HTTPResponse]:
    with _failures(), ExitStack() as stack:
        sock = stack.enter_context(_connect(addresses[:MAX_ADDRESSES], target.port, deadline))
        sock.settimeout(deadline.left_s())
        if target.secure:
            sock = stack.enter_context((tls or _trusted()).wrap_socket(sock, server_hostname=target.host))
            sock.settimeout(deadline.left_s())
        sock.sendall(f"GET {target.path} HTTP/1.1\r\nHost: {target.authority}\r\n{HEADERS}\r\n".encode("ascii"))
        wire = _Wire(sock, deadline, 2 * policy.max_bytes + FRAMING_BYTES)
        response = http.client.HTTPResponse(wire, method="GET")  # type: ignore[arg-type]  # it only calls makefile
        stack.enter_context(response)
        response.begin()
        yield response


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise _too_slow() from error
    except ssl.SSLCertVerificationError as error:
        raise ImageUrlFetchFailedError("The server of the image URL has no valid TLS certificate for it.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a broken answer, in some versions
        raise ImageUrlFetchFailedError("The server of the image URL cannot be reached or understood.") from error


def _connect(addresses: Sequence[str], port: int, deadline: _Deadline) -> socket.socket:
    *others, last = addresses
    for left, address in zip(range(len(addresses), 1, -1), others, strict=True):
        with suppress(OSError):  # the next address may answer
            return socket.create_connection((address, port), deadline.left_s() / left)
    return socket.create_connection((last, port), deadline.left_s())


class _Wire(io.RawIOBase):
    """What a socket delivers, until a point in time and up to a number of bytes, whatever the answer says of itself.

    A socket's own timeout bounds each read but not their sum; ``http.client`` trusts the sizes of chunks.
    """

    def __init__(self, sock: socket.socket, deadline: _Deadline, max_bytes: int) -> None:
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
            raise ImageUrlFetchFailedError("The server of the image URL sent an endless answer.")
        return count


def _read(response: http.client.HTTPResponse, max_bytes: int) -> Fetched:
    if response.status != http.HTTPStatus.OK:
        raise ImageUrlFetchFailedError(
            f"The server of the image URL answered with status {response.status}.", {"upstream_status": response.status}
        )
    if response.getheader("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise ImageUrlFetchFailedError("The server of the image URL sent a compressed body that was not asked for.")
    if (response.length or 0) > max_bytes:
        raise _too_large(max_bytes)
    data = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    if not data or response.length:  # length: what was announced and has not come
        raise ImageUrlFetchFailedError("The server of the image URL sent an incomplete answer.")
    return Fetched(bytes(data), response.getheader("content-type", "").split(";", 1)[0].strip().lower())


def _location(url: str, response: http.client.HTTPResponse) -> str:
    location = response.getheader("location", "").strip()
    if not location:
        raise ImageUrlFetchFailedError("The server of the image URL redirects to nowhere.")
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise ImageUrlFetchFailedError("The server of the image URL redirects to a malformed URL.") from error


@cache  # reading the certificates takes a tenth of a second, and they do not change
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # small images and some installers' Python have no certificates
    return context


def _too_slow() -> ImageUrlFetchFailedError:
    return ImageUrlFetchFailedError("The image URL took too long to answer.")


def _too_large(max_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"The image behind the URL has more than {max_bytes} bytes.", {"max_bytes": max_bytes})
