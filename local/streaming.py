"""A streamed answer on its way to the client: the function's pieces become the head and the body of an HTTP response.

Source: API Gateway developer guide, "Set up a Lambda proxy integration with payload response streaming".
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cutout.aws.streamed_answer import SEPARATOR
from local.request_bodies import Receive
from local.responses import HttpResponse, MalformedResponseError, read_head

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Sink = Callable[[bytes], Awaitable[bool]]
"""Takes the pieces of a streamed answer, in order; it returns when it can take the next: False, if it takes no more."""

MAX_HEAD_BYTES = 16 * 1024
"""Longest head: API Gateway gives up where the separator does not come soon."""


class StreamedReply:
    """The response to one request, sent as the pieces come in.

    Args:
        send: The ASGI channel.
        request_id: The id of the request.

    Attributes:
        started: Whether status and headers are sent, so that there is no way back.
        problem: Why the answer cannot be sent; empty: nothing is wrong so far.
        gone: Whether the client has closed its connection.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self._head = b""
        self.started = False
        self.problem = ""
        self.gone = False

    async def watch(self, receive: Receive) -> None:
        """Wait until the client has gone; to be started when the whole body of the request is read."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def take(self, piece: bytes) -> bool:
        """Send a piece; the first ones are the head.

        Returns:
            Whether the next piece is wanted, too: the client is there, and nothing was wrong.
        """
        await self._take(piece)
        return not self.problem and not self.gone

    async def _take(self, piece: bytes) -> None:
        if not self.started:
            self._head += piece
            front, separator, piece = self._head.partition(SEPARATOR)
            if not separator:
                self.problem = "no separator after the head" if len(front) > MAX_HEAD_BYTES else ""
                return
            try:
                response = read_head(front)
            except MalformedResponseError as error:
                self.problem = str(error)
                return
            self.started = True
            await send_start(self._send, response, self._request_id)
        if piece:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        """Send the end of the body; without it the client sees that something is missing."""
        await self._send({"type": "http.response.body", "body": b""})


async def send_start(send: Send, response: HttpResponse, request_id: str, *more: tuple[str, str]) -> None:
    """Send status and headers.

    Args:
        send: The ASGI channel.
        response: The response.
        request_id: The id of the request.
        more: Further header fields.
    """
    fields = [*response.headers, ("x-amzn-requestid", request_id), *more]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
