"""Many calls, several at once, with results in order and a bound on what is begun ahead."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from cutout_client.errors import CutoutError

FAILURES = (CutoutError, OSError, TypeError, ValueError)
"""What one image may raise."""


def ordered(one: Callable[[Any], Any], items: Iterable[Any], concurrency: int, *, keep_errors: bool) -> Iterator[Any]:
    """Apply ``one`` to items in threads; yield what comes of it, in their order.

    Args:
        one: Does one item.
        items: Taken at most ``2 * concurrency`` ahead of what was yielded.
        concurrency: Threads.
        keep_errors: Yield exceptions instead of raising the first.
    """
    ahead: deque[Future[Any]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="cutout")

    def take() -> Any:
        try:
            return ahead.popleft().result()
        except FAILURES as error:
            if not keep_errors:
                raise
            return error

    try:
        for item in items:
            ahead.append(pool.submit(one, item))
            if len(ahead) >= 2 * concurrency:
                yield take()
        while ahead:
            yield take()
    finally:
        for waiting in ahead:
            waiting.cancel()
        pool.shutdown(wait=True)


async def ordered_async(
    one: Callable[[Any], Awaitable[Any]],
    items: Iterable[Any] | AsyncIterable[Any],
    concurrency: int,
    *,
    keep_errors: bool,
) -> AsyncIterator[Any]:
    """As :func:`ordered`, with tasks instead of threads."""
    ahead: deque[asyncio.Task[Any]] = deque()
    turn = asyncio.Semaphore(concurrency)

    async def in_turn(item: Any) -> Any:
        async with turn:
            return await one(item)

    async def take() -> Any:
        try:
            return await ahead.popleft()
        except FAILURES as error:
            if not keep_errors:
                raise
            return error

    try:
        async for item in _asynchronous(items):
            ahead.append(asyncio.create_task(in_turn(item)))
            if len(ahead) >= 2 * concurrency:
                yield await take()
        while ahead:
            yield await take()
    finally:
        for waiting in ahead:
            waiting.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


async def _asynchronous(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
