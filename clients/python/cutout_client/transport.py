"""Requests over httpx, and the two loops that run a flow: one blocks, one awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from cutout_client._version import __version__
from cutout_client.errors import ConnectionFailedError, IncompleteAnswerError, TimedOutError, TransportError
from cutout_client.messages import Answer, Flow, Pause, Progress, Request

T = TypeVar("T")
OnProgress = Callable[[Progress], object]
"""Called as bytes go up and come down, in the thread that runs the call."""

_CHUNK_BYTES = 1 << 16
_CONNECT_S = 10.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol)


class Endpoint:
    """Where the service is, the key for it, and how long it may take: makes httpx's requests of ours."""

    def __init__(self, base_url: str, api_key: str | None, timeout_s: float) -> None:
        """Check the base URL. Raises ValueError when it is no http(s) URL."""
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise ValueError(f"base_url must begin with http:// or https://, not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self._headers = {"user-agent": f"cutout-client-python/{__version__}"}
        self._key = {"x-api-key": api_key} if api_key else {}

    def client_options(self, connections: int) -> dict[str, Any]:
        """Return what httpx's clients are made with: limits, and no redirects, which flows follow themselves."""
        return {
            "limits": httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            "timeout": httpx.Timeout(self.timeout_s, connect=min(_CONNECT_S, self.timeout_s), pool=None),
        }

    def origin_of(self, request: Request) -> str:
        """Return the host that a request goes to; a presigned path is a secret."""
        parts = urlsplit(self.base_url if request.url.startswith("/") else request.url)
        return f"{parts.scheme}://{parts.netloc}"

    def to_httpx(self, request: Request, body: bytes | Iterator[bytes] | AsyncIterator[bytes]) -> httpx.Request:
        """Return the request as httpx sends it. The key goes to the API only, never to a presigned URL."""
        headers = {**self._headers, **request.headers}
        url = request.url
        if url.startswith("/"):
            url, headers = self.base_url + url, {**headers, **self._key}
        if not isinstance(body, bytes):
            headers["content-length"] = str(len(request.body))
        return httpx.Request(request.method, url, headers=headers, content=body)


class Receipt:
    """Collects the body of an answer, tells the callback, and gives up on a body that never ends."""

    def __init__(self, request: Request, response: httpx.Response, endpoint: Endpoint, tell: OnProgress | None) -> None:
        length = response.headers.get("content-length", "")
        self._stage = request.stage
        self._total = int(length) if length.isdigit() else None
        self._end_s = time.monotonic() + endpoint.timeout_s
        self._response = response
        self._tell = tell
        self._chunks: list[bytes] = []
        self._count = 0

    def take(self, chunk: bytes) -> None:
        """Take the next chunk. Raises httpx.ReadTimeout when the whole takes too long."""
        if time.monotonic() > self._end_s:
            raise httpx.ReadTimeout("the answer comes too slowly")
        self._chunks.append(chunk)
        self._count += len(chunk)
        if self._tell:
            self._tell(Progress(self._stage, "received", self._count, self._total))

    def answer(self) -> Answer:
        """The answer, when all has come."""
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Answer(self._response.status_code, headers, b"".join(self._chunks))


def _chunks(request: Request, tell: OnProgress) -> Iterator[bytes]:
    """The body of a request, piece by piece; each is told when the next one is asked for."""
    body, total = request.body, len(request.body)
    for start in range(0, total, _CHUNK_BYTES):
        yield body[start : start + _CHUNK_BYTES]
        tell(Progress(request.stage, "sent", min(start + _CHUNK_BYTES, total), total))


async def _chunks_async(request: Request, tell: OnProgress) -> AsyncIterator[bytes]:
    for chunk in _chunks(request, tell):
        yield chunk


def run(flow: Flow[T], client: httpx.Client, endpoint: Endpoint, on_progress: OnProgress | None = None) -> T:
    """Run a flow, blocking."""
    reply: Answer | TransportError | None = None
    try:
        while True:
            step = flow.send(reply)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                reply = None
            else:
                reply = _exchange(step, client, endpoint, on_progress)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async(
    flow: Flow[T], client: httpx.AsyncClient, endpoint: Endpoint, on_progress: OnProgress | None = None
) -> T:
    """Run a flow, awaiting."""
    reply: Answer | TransportError | None = None
    while True:
        try:
            step = flow.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            reply = None
        else:
            reply = await _exchange_async(step, client, endpoint, on_progress)


def _exchange(
    request: Request, client: httpx.Client, endpoint: Endpoint, tell: OnProgress | None
) -> Answer | TransportError:
    body = _chunks(request, tell) if tell and request.body else request.body
    try:
        response = client.send(endpoint.to_httpx(request, body), stream=True)
        with closing(response):
            receipt = Receipt(request, response, endpoint, tell)
            for chunk in response.iter_bytes():
                receipt.take(chunk)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _failure(error, endpoint.origin_of(request))
    return receipt.answer()


async def _exchange_async(
    request: Request, client: httpx.AsyncClient, endpoint: Endpoint, tell: OnProgress | None
) -> Answer | TransportError:
    body = _chunks_async(request, tell) if tell and request.body else request.body
    try:
        response = await client.send(endpoint.to_httpx(request, body), stream=True)
        try:
            receipt = Receipt(request, response, endpoint, tell)
            async for chunk in response.aiter_bytes():
                receipt.take(chunk)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _failure(error, endpoint.origin_of(request))
    return receipt.answer()


def _failure(error: httpx.HTTPError | httpx.InvalidURL, origin: str) -> TransportError:
    """Our exception for httpx's, which stays its cause."""
    words = str(error) or type(error).__name__
    failure: TransportError
    if isinstance(error, httpx.TimeoutException):
        failure = TimedOutError(
            f"no answer in time from {origin}: {words}", may_have_arrived=not isinstance(error, _NOT_SENT)
        )
    elif isinstance(error, (httpx.RemoteProtocolError, httpx.DecodingError)):
        failure = IncompleteAnswerError(f"the answer of {origin} broke off: {words}")
    else:
        failure = ConnectionFailedError(
            f"no connection to {origin}: {words}", may_have_arrived=not isinstance(error, _NOT_SENT)
        )
    failure.__cause__ = error
    return failure
