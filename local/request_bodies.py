"""Request bodies read from ASGI with bounds, of each and of all together, so that memory stays bounded."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Limit of one body. In the cloud API Gateway takes 10 MB and Lambda 6 MB of event, about 4.4 MB of image bytes."""
MAX_HELD_BYTES = 256 * 1024 * 1024
"""Limit of the bodies of all requests that are being read or served."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyTooLargeError(Exception):
    """The body is longer than the limit of one body."""


class TooManyBodiesError(Exception):
    """The bodies of all requests together are longer than their limit."""


class ClientDisconnectedError(Exception):
    """The client closed the connection before its body was complete."""


class BodyReader:
    """Reads bodies and counts the bytes that are held."""

    def __init__(self, max_body_bytes: int = MAX_BODY_BYTES, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0

    @asynccontextmanager
    async def read(self, receive: Receive, declared_bytes: int) -> AsyncIterator[bytes]:
        """Read the body of a request; its bytes count as held until the block ends.

        Args:
            receive: The ASGI channel of the request.
            declared_bytes: Its Content-Length; 0 without one.

        Raises:
            BodyTooLargeError: The body is too long; raised before reading where the length is declared.
            TooManyBodiesError: The other requests leave no room.
            ClientDisconnectedError: The body is incomplete.
        """
        if declared_bytes > self._max_body_bytes:
            raise BodyTooLargeError
        body = bytearray()
        held_bytes = 0
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnectedError
                chunk = message.get("body", b"")
                self._check(len(body) + len(chunk), len(chunk))
                self._held_bytes += len(chunk)
                held_bytes += len(chunk)
                body += chunk
                more = message.get("more_body", False)
            whole = bytes(body)
            body.clear()
            yield whole
        finally:
            self._held_bytes -= held_bytes

    def _check(self, body_bytes: int, more_bytes: int) -> None:
        if body_bytes > self._max_body_bytes:
            raise BodyTooLargeError
        if self._held_bytes + more_bytes > self._max_held_bytes:
            raise TooManyBodiesError
