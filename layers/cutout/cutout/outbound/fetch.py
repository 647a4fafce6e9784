"""Getting what is behind an URL that a stranger gave us, within bounds (``connection.py``).

Redirects are followed by hand, each hop checked like the first. Knows nothing of images but its limit of bytes, nor of
accounts or AWS.
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

from cutout.errors import ImageTooLargeError, ImageUrlFetchFailedError
from cutout.outbound.connection import (
    CHUNK_BYTES,
    Deadline,
    ExchangeError,
    Message,
    Reach,
    Resolver,
    Trouble,
    exchange,
    system_resolver,
)
from cutout.outbound.urls import parse_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
QUESTION = Message("GET", {"Accept": "image/*, */*;q=0.5"})

_CLOSED = "The image URL does not lead to a public server."
_TOLD = {
    Trouble.NOT_ALLOWED: _CLOSED,
    Trouble.NO_SUCH_NAME: _CLOSED,  # in the same words: which private names exist is nobody's business
    Trouble.TOO_SLOW: "The image URL took too long to answer.",
    Trouble.BAD_CERTIFICATE: "The server of the image URL has no valid TLS certificate for it.",
    Trouble.UNREACHABLE: "The server of the image URL cannot be reached or understood.",
    Trouble.ENDLESS: "The server of the image URL sent an endless answer.",
}


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


def fetch(
    url: str, policy: FetchPolicy, resolve: Resolver = system_resolver, tls: ssl.SSLContext | None = None
) -> Fetched:
    """Get what is behind an URL.

    tls: certificates to trust, by default the system's and Mozilla's.
    Raises ImageUrlFetchFailedError for an URL that is not allowed, not reachable in time, or not answered with status
    200 and a plain body; ImageTooLargeError above ``max_bytes``. Messages name no address and nothing a server said but
    its status. Blocks for ``timeout_s`` at most; a lookup that hangs is left behind to end in its own time.
    """
    reach = Reach(policy.allow, resolve, tls)
    deadline = Deadline(policy.timeout_s)
    for _ in range(policy.redirects + 1):
        target = parse_url(url)
        with _told(), exchange(target, QUESTION, reach, deadline, policy.max_bytes) as response:
            if response.status not in REDIRECTS:
                return _read(response, policy.max_bytes)
            url = _location(url, response)
    raise ImageUrlFetchFailedError(f"The image URL redirects more than {policy.redirects} times.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ExchangeError as error:
        raise ImageUrlFetchFailedError(_TOLD[error.trouble]) from error


def _read(response: http.client.HTTPResponse, max_bytes: int) -> Fetched:
    if response.status != HTTPStatus.OK:
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


def _too_large(max_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"The image behind the URL has more than {max_bytes} bytes.", {"max_bytes": max_bytes})


@dataclass(frozen=True, slots=True)
class PostPolicy:
    """The bounds of one post."""

    timeout_s: float = 10.0
    """From the first question to the head of the answer."""
    allow: frozenset[str] = frozenset()
    """``host:port`` as written in the URL, lower case: exempt from the check of addresses, and from nothing else."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: PostPolicy,
    *,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> int | Trouble:
    """Post a body; the status of the answer, or why there is none. What the answer says besides is not read.

    A redirect is an answer like another: who moves must say so to us. Raises ValueError for a header that is not one
    line of ASCII. Blocks for ``timeout_s`` at most.
    """
    try:
        target = parse_url(url, "webhook URL")
    except ImageUrlFetchFailedError:
        return Trouble.NOT_ALLOWED
    reach = Reach(policy.allow, resolve, tls)
    try:
        with exchange(target, Message("POST", headers, body), reach, Deadline(policy.timeout_s), 0) as response:
            return response.status
    except ExchangeError as error:
        return error.trouble
