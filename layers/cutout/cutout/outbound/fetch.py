"""GET and POST for URLs that clients have given, within the bounds of ``connection.py``.

Redirects of a GET are followed one by one, each checked like the first URL. Knows nothing of accounts or AWS.
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

from cutout.content_coding import CodingError, CodingFault, decode_content
from cutout.errors import ImageTooLargeError, ImageUrlFetchFailedError
from cutout.outbound.connection import (
    CHUNK_BYTES,
    Deadline,
    ExchangeError,
    ExchangeFailure,
    ExchangePolicy,
    OutboundRequest,
    Resolver,
    exchange,
    system_resolver,
)
from cutout.outbound.urls import parse_url

_NAMED_CODINGS = frozenset({"gzip", "deflate", "br", "zstd", "compress"})
"""The codings that a message may name; others are text of the server's choice."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REQUEST = OutboundRequest("GET", {"Accept": "image/*, */*;q=0.5"})

_NOT_PUBLIC = "The image URL does not lead to a public server."
_MESSAGES = {
    ExchangeFailure.NOT_ALLOWED: _NOT_PUBLIC,
    ExchangeFailure.NO_SUCH_NAME: _NOT_PUBLIC,  # the same message, so that it does not reveal which private names exist
    ExchangeFailure.TOO_SLOW: "The image URL took too long to answer.",
    ExchangeFailure.BAD_CERTIFICATE: "The server of the image URL has no valid TLS certificate for it.",
    ExchangeFailure.UNREACHABLE: "The server of the image URL cannot be reached or understood.",
    ExchangeFailure.ENDLESS: "The server of the image URL sent an endless answer.",
}


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The bounds of one fetch.

    Attributes:
        max_bytes: The most bytes of the body.
        timeout_s: Seconds for the whole fetch, redirects included.
        redirects: The most redirects.
        allow: ``host:port`` as written in the URL, lower case: exempt from the check of addresses only.
    """

    max_bytes: int
    timeout_s: float = 10.0
    redirects: int = 3
    allow: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched body.

    Attributes:
        data: The body.
        media_type: The media type that the server declares, in lower case without parameters; empty: none.
    """

    data: bytes
    media_type: str


def fetch(
    url: str, policy: FetchPolicy, resolve: Resolver = system_resolver, tls: ssl.SSLContext | None = None
) -> Fetched:
    """Fetch the body behind a URL.

    Blocks for ``timeout_s`` at most; a lookup that hangs is left to its own thread. The messages of errors contain no
    address, and nothing from the server but its status.

    Args:
        url: The URL.
        policy: The bounds.
        resolve: Resolves names.
        tls: Trusted certificates, by default the system's and Mozilla's.

    Returns:
        The body.

    Raises:
        ImageUrlFetchFailedError: The URL is not allowed, not reachable in time, or not answered with status 200 and a
            complete body.
        ImageTooLargeError: The body has more than ``max_bytes`` bytes.
    """
    exchange_policy = ExchangePolicy(policy.allow, resolve, tls)
    deadline = Deadline(policy.timeout_s)
    for _ in range(policy.redirects + 1):
        target = parse_url(url)
        with _client_errors(), exchange(target, _REQUEST, exchange_policy, deadline, policy.max_bytes) as response:
            if response.status not in REDIRECTS:
                return _read(response, policy.max_bytes)
            url = _location(url, response)
    raise ImageUrlFetchFailedError(f"The image URL redirects more than {policy.redirects} times.")


@contextmanager
def _client_errors() -> Iterator[None]:
    try:
        yield
    except ExchangeError as error:
        raise ImageUrlFetchFailedError(_MESSAGES[error.failure]) from error


def _read(response: http.client.HTTPResponse, max_bytes: int) -> Fetched:
    if response.status != HTTPStatus.OK:
        raise ImageUrlFetchFailedError(
            f"The server of the image URL answered with status {response.status}.", {"upstream_status": response.status}
        )
    if (response.length or 0) > max_bytes:
        raise _too_large(max_bytes)
    data = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    if not data or response.length:  # length: announced bytes that have not arrived
        raise ImageUrlFetchFailedError("The server of the image URL sent an incomplete answer.")
    body = _decoded(bytes(data), response.getheader("content-encoding", ""), max_bytes)
    return Fetched(body, response.getheader("content-type", "").split(";", 1)[0].strip().lower())


def _decoded(data: bytes, codings: str, max_bytes: int) -> bytes:
    """Undo what a server has compressed although nobody asked it to."""
    try:
        return decode_content(codings, data, max_bytes)
    except CodingError as error:
        if error.fault is CodingFault.TOO_LONG:
            raise _too_large(max_bytes) from error
        name = error.coding if error.coding in _NAMED_CODINGS else "an unknown way"
        message = f"The server of the image URL sent a body compressed in {name}, which cannot be read."
        raise ImageUrlFetchFailedError(message) from error


def _location(url: str, response: http.client.HTTPResponse) -> str:
    location = response.getheader("location", "").strip()
    if not location:
        raise ImageUrlFetchFailedError("The server of the image URL redirects to nowhere.")
    try:
        return urljoin(url, _as_sent(location))
    except ValueError as error:
        raise ImageUrlFetchFailedError("The server of the image URL redirects to a malformed URL.") from error


def _as_sent(location: str) -> str:
    """Read a header's bytes, which ``http.client`` takes for Latin-1, as UTF-8; else percent-encode them."""
    raw = location.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(char if char.isascii() else f"%{ord(char):02X}" for char in location)


def _too_large(max_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"The image behind the URL has more than {max_bytes} bytes.", {"max_bytes": max_bytes})


@dataclass(frozen=True, slots=True)
class PostPolicy:
    """The bounds of one POST.

    Attributes:
        timeout_s: Seconds until the head of the answer.
        allow: ``host:port`` as written in the URL, lower case: exempt from the check of addresses only.
    """

    timeout_s: float = 10.0
    allow: frozenset[str] = frozenset()


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: PostPolicy,
    *,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> int | ExchangeFailure:
    """Post a body. Blocks for ``timeout_s`` at most; redirects are not followed, and the answer's body is not read.

    Args:
        url: The URL.
        body: The body.
        headers: Headers besides the ones of every exchange.
        policy: The bounds.
        resolve: Resolves names.
        tls: Trusted certificates, by default the system's and Mozilla's.

    Returns:
        The HTTP status of the answer, or the reason why there is none.

    Raises:
        ValueError: A header is not one line of printable ASCII.
    """
    try:
        target = parse_url(url, "webhook URL")
    except ImageUrlFetchFailedError:
        return ExchangeFailure.NOT_ALLOWED
    exchange_policy = ExchangePolicy(policy.allow, resolve, tls)
    request = OutboundRequest("POST", headers, body)
    try:
        with exchange(target, request, exchange_policy, Deadline(policy.timeout_s), 0) as response:
            return response.status
    except ExchangeError as error:
        return error.failure
